"""What commands show: an answer, where it comes from, and how far a long job is.

The answer goes to standard output; all the rest to standard error, moving only on a terminal.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from reframer.catalog import ModelFile
from reframer.pull import Watcher
from reframer.records import KIND_NAMES, Reframe, Technique

_WIDEST = 88
_LINE_EVERY = 10.0  # seconds
# Wheels come as a whole, so a rate over the usual half minute would often be no rate at all.
_RATE_OVER = 120.0  # seconds
_ORIGINS = {
    "card": (
        "Written by hand on the card, not by the model. Where the first sentence says back what "
        "happened, plain rules took it from your words."
    ),
    "untouched": (
        "No harsh word against yourself was heard in it, so it comes back as it was. This ear "
        "overlooks some: if it hurts, say what you call yourself for it."
    ),
}
_NOT_MEANT = "Not what you meant? In reframer chat you can say so, and go on."


def to_json(record: Mapping[str, Any]) -> None:
    """Print a record as one line of JSON in UTF-8, whatever the terminal's encoding is."""
    # A file name that is no Unicode holds lone surrogates; JSON reads them back.
    click.echo(json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace"))


def as_record(answer: Reframe) -> dict[str, Any]:
    """Return what ``--json`` and ``--jsonl`` print of an answer."""
    return {
        "source": answer.source,
        "text": answer.text,
        "origin": answer.origin,
        "kinds": list(answer.kinds),
        "techniques": [
            {"id": technique.id, "title": technique.title, "source": str(technique.source)}
            for technique in answer.techniques
        ],
        "risk": {"level": answer.risk.level, "signals": list(answer.risk.signals)},
        "model": answer.model,
        "seconds": answer.seconds,
    }


def words(answer: Reframe) -> None:
    """Print an answer, on a terminal in lines that fit it, and beside it where it comes from."""
    click.echo(filled(answer.text) if sys.stdout.isatty() else answer.text)
    if answer.origin in _ORIGINS:
        _beside(_ORIGINS[answer.origin])
    if answer.origin == "safety" and answer.risk.level == "concern" and sys.stderr.isatty():
        _beside(_NOT_MEANT)
    for technique in answer.techniques:
        _beside(*_about(technique))


def filled(text: str) -> str:
    """Return a text in lines that fit the window; those of a list go in a little."""
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent="  " if line.startswith(("- ", "/")) else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )


def reasons(answer: Reframe) -> None:
    """Print why this technique was chosen and, if there were drafts, what they were refused for."""
    if answer.kinds:
        _beside(f"Heard in it: {', '.join(KIND_NAMES[kind] for kind in answer.kinds)}.")
    for technique in answer.techniques:
        _beside(f"The card's move: {technique.move}", f"How well founded: {technique.evidence}")
    if answer.model or answer.rejected:
        refused = (f"{rule} ({count})" for rule, count in answer.rejected.items())
        _beside(f"Drafts refused for: {', '.join(refused) or 'nothing'}.")


def status(text: str) -> AbstractContextManager[object]:
    """Show that something is under way, on a terminal only, while the body runs."""
    return Console(stderr=True).status(text)


def size(count: int) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


@contextmanager
def watcher() -> Iterator[Watcher]:
    """Show how a pull goes while the body runs: as a bar, or as lines where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, speed_estimate_period=_RATE_OVER) as progress:
        yield _Bar(progress)


class Lines:
    """Tells how a pull goes in a line every ten seconds."""

    def __init__(self) -> None:
        self._file = ""
        self._total = self._have = self._at_start = 0
        self._started = self._said = 0.0

    def begin(self, file: ModelFile, have: int) -> None:
        """Name the file."""
        self._file, self._total = file.name, file.bytes
        self._have = self._at_start = have
        self._started = self._said = time.monotonic()
        rest = f", {size(have)} of it here already" if have else ""
        click.echo(f"{file.name}: {size(file.bytes)}{rest}", err=True)

    def advance(self, count: int) -> None:
        """Say how far it is, not too often."""
        self._have += count
        now = time.monotonic()
        if now - self._said >= _LINE_EVERY or self._have == self._total:
            self._said = now
            click.echo(self._line(now - self._started), err=True)

    def note(self, text: str) -> None:
        """Print the note."""
        click.echo(text, err=True)

    def _line(self, seconds: float) -> str:
        rate = (self._have - self._at_start) / max(seconds, 0.001)
        left = (self._total - self._have) / max(rate, 1)
        share = self._have / max(self._total, 1)
        return f"{self._file}: {share:.0%}, {size(int(rate))}/s, {left:.0f} s left"


class _Bar:
    """Shows how a pull goes as a bar with rate and time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def begin(self, file: ModelFile, have: int) -> None:
        if file.name in self._tasks:
            self._progress.remove_task(self._tasks[file.name])
        self._tasks[file.name] = self._progress.add_task(
            file.name, total=file.bytes, completed=have
        )

    def advance(self, count: int) -> None:
        self._progress.advance(self._progress.task_ids[-1], count)

    def note(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False)


def _about(technique: Technique) -> tuple[str, ...]:
    return (
        f"{technique.title}. {technique.why}",
        f"Source: {technique.source}",
        f"A small step: {technique.step}",
    )


def _beside(*paragraphs: str) -> None:
    """Print quietly beside the answer."""
    for number, paragraph in enumerate(paragraphs):
        lines = filled(paragraph)
        click.secho(f"\n{lines}" if number == 0 else lines, dim=True, err=True)
