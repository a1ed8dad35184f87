"""What ``reframer journal`` does: run, show how far it is, review, write, and sum up."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from reframer import settings
from reframer.cli import away, history, show
from reframer.cli.notice import as_record
from reframer.cli.reframe import open_reframer
from reframer.engine import Reframer
from reframer.journal import checkpoint, outputs
from reframer.journal.choices import Choices, StopReview, no_password
from reframer.journal.formats import open_journal
from reframer.journal.outputs import Written
from reframer.journal.records import Held, JournalResult, Reply, Unread
from reframer.journal.run import Answered, Event, Finished, another_way, reframe_journal
from reframer.journal.scan import Scan, Scanned
from reframer.records import Thought, Wishes
from reframer.safety import went_on
from reframer.settings import Settings

_SETTINGS = ("tone", "voice", "person", "country")  # options that are settings, too
_LINE_EVERY = 10.0  # seconds


def read_journal(path: Path, options: Mapping[str, Any]) -> int:
    """Do what the command line asks of a journal and return the exit code.

    Args:
        path: The journal.
        options: The options of the command, by their names.
    """
    chosen = settings.load({name: options[name] for name in _SETTINGS})
    away.tell(chosen)
    lock = history.unlock_for("journal") if history.is_on() else None
    reframer = open_reframer(chosen)
    out = options["out"] or outputs.beside(path)
    with _teller(as_json=options["as_json"]) as teller:
        choices = replace(_choices(options, chosen, reframer, teller), lock=lock)
        if options["dry_run"]:
            left = _dry_run(reframer, path, choices, teller)
        else:
            outputs.check_folder(out, path)
            left = _run(reframer, path, choices, teller, lambda end: _write(end, options, out))
    return int(bool(left))


def undo_journal(path: Path) -> int:
    """Put the newest backup back, say so, and return the exit code."""
    written = outputs.undo(path)
    for file in written.files:
        click.echo(f"As it was: {file}")
    _list_left(written.left)
    return int(bool(written.left))


def _run(
    reframer: Reframer,
    path: Path,
    choices: Choices,
    teller: _Teller,
    write: Callable[[Finished], tuple[Path, Written]],
) -> tuple[Unread, ...]:
    """Run, write out, and return what could not be read or written."""
    left: tuple[Unread, ...] = ()
    try:
        for event in reframe_journal(reframer, path, choices):
            teller.tell(event)
            if isinstance(event, Finished):  # the checkpoint goes after this
                report, written = write(event)
                teller.end(event, report, written)
                left = (*event.result.unread, *written.left)
    except (KeyboardInterrupt, click.Abort):  # Ctrl-C at a question is an Abort
        raise KeyboardInterrupt(
            "What was answered is kept; the same command goes on from there."
        ) from None
    return left


def _choices(
    options: Mapping[str, Any], chosen: Settings, reframer: Reframer, teller: _Teller
) -> Choices:
    reviewer = _Reviewer(reframer, chosen.wishes, teller) if options["review"] else None
    return Choices(
        format=options["format"],
        since=options["since"],
        until=options["until"],
        limit=options["limit"],
        kinds=options["kinds"],
        min_strength=options["min_strength"],
        wishes=chosen.wishes,
        country=chosen.country,
        ask=teller.ask_password,
        review=reviewer,
        go_on=reviewer.go_on if reviewer else None,
        keep=options["keep"],
    )


def _ask_password(path: Path) -> str:
    if not history.has_terminal():
        return no_password(path)
    password: str = click.prompt(f"Password of {path}", hide_input=True, err=True)
    return password


def _dry_run(
    reframer: Reframer, path: Path, choices: Choices, teller: _Teller
) -> tuple[Unread, ...]:
    """Show what would be answered, without a model, and return what could not be read."""
    with checkpoint.opened(path, choices.lock) as kept:
        scan = Scan(reframer, open_journal(path, choices.format, choices.ask), choices, kept)
        try:
            for event in scan.run():
                teller.tell(event)
            teller.would_answer(scan)
        finally:
            if kept.fresh:  # it is no run that was cut off
                kept.remove()
    return tuple(scan.unread)


def _write(finished: Finished, options: Mapping[str, Any], out: Path) -> tuple[Path, Written]:
    """Write what was asked for; return the report's path, and what became of the files."""
    report = outputs.write_report(finished.result, out)
    if options["in_place"]:
        return report, outputs.write_in_place(finished, options["write"])
    if options["write"]:
        return report, outputs.write_copies(finished, options["write"], out)
    return report, Written()


# Telling how it goes


class _Teller(Protocol):
    """Who is told how a run goes, and asks for what it needs on the way."""

    def ask_password(self, path: Path) -> str:
        """Ask for the password of an encrypted file."""

    def stand_still(self) -> None:
        """A question follows, which nothing may write over."""

    def tell(self, event: Event) -> None:
        """Something happened."""

    def would_answer(self, scan: Scan) -> None:
        """The end of a dry run."""

    def end(self, finished: Finished, report: Path, written: Written) -> None:
        """The end, once everything is written."""


@contextmanager
def _teller(*, as_json: bool) -> Iterator[_Teller]:
    """Tell in JSON, on a terminal with a bar, and else in lines, while the body runs."""
    console = Console(stderr=True)
    if as_json:
        yield _Json()
    elif not console.is_terminal:
        yield _Lines()
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[pace]}"),
        )
        with Progress(*columns, console=console, redirect_stdout=False) as progress:
            yield _Bar(progress)


class _Json:
    """Prints every event as a line of JSON."""

    def ask_password(self, path: Path) -> str:
        return _ask_password(path)

    def stand_still(self) -> None:
        """Nothing moves."""

    def tell(self, event: Event) -> None:
        match event:
            case Scanned():
                show.to_json({"event": "scanned", **asdict(event)})
            case Held():
                day = event.day.isoformat() if event.day else None
                show.to_json({"event": "held", **asdict(event), "day": day})
            case Unread():
                show.to_json({"event": "unread", **_unread_record(event)})
            case Answered():
                show.to_json(
                    {
                        "event": "answered",
                        **outputs.as_record(event.reply),
                        "done": event.done,
                        "total": event.total,
                        "per_minute": round(event.per_minute, 1),
                        "seconds_left": event.seconds_left and round(event.seconds_left),
                    }
                )

    def would_answer(self, scan: Scan) -> None:
        for one in scan.found:
            show.to_json({"event": "found", "entry": one.entry.id, **as_record(one.notice)})

    def end(self, finished: Finished, report: Path, written: Written) -> None:
        show.to_json(
            {
                "event": "finished",
                "entries": finished.result.entries,
                "answered": len(finished.result.replies),
                "reviewed": finished.reviewed,
                "report": str(report),
                "files": [str(file) for file in written.files],
                "backup": written.backup and str(written.backup),
                "left": [_unread_record(left) for left in written.left],
            }
        )


class _Words:
    """Says in words what happens: on the way to standard error, at the end to standard output."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def ask_password(self, path: Path) -> str:
        self.stand_still()
        return _ask_password(path)

    def stand_still(self) -> None:
        """Nothing moves."""

    def tell(self, event: Event) -> None:
        match event:
            case Scanned():
                read = _number(event.entries, "entry", "entries")
                self.progress(f"Read {read}, found {_number(event.found, 'sentence')}")
            case Answered():
                what = f"Answering {event.reply.answer.entry}"
                self.progress(what, _pace(event), event.done / event.total)
            case Held():
                for line in (outputs.GENTLY, event.words):
                    if line not in self._said:
                        self._said.add(line)
                        self.say(f"{line}\n")
                self.say(f"- {outputs.heading(event)}")

    def progress(self, what: str, pace: str = "", share: float = 0.0) -> None:
        """Show what is being done, how fast, and the share that is done."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Print beside the progress."""
        click.echo(text, err=True)

    def would_answer(self, scan: Scan) -> None:
        for one in scan.found:
            day, heard = one.entry.day or one.entry.id, one.notice
            click.echo(f"{day}  {heard.kind or '':16} {heard.strength:.2f}  {one.thought.text}")
        click.echo(f"{_number(len(scan.found), 'sentence')} would be answered.", err=True)
        _list_left(scan.unread)

    def end(self, finished: Finished, report: Path, written: Written) -> None:
        result = finished.result
        click.echo(_counted(result))
        click.echo(f"The report is {report}.")
        if written.backup:
            click.echo(f"Changed {_number(len(written.files), 'file')} of the journal.")
            undo = shlex.join(["reframer", "journal", "undo", str(result.path)])
            click.echo(f"To put back what was there: {undo}")
        elif written.files:
            click.echo(f"Copies with the answers in: {_number(len(written.files), 'file')}.")
        if not finished.reviewed:
            click.echo("You stopped in between; the same command goes on from there.")
        _list_left((*result.unread, *written.left))


class _Lines(_Words):
    """Says how far it is in a line every ten seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._last = time.monotonic()

    def progress(self, what: str, pace: str = "", share: float = 0.0) -> None:  # noqa: ARG002
        now = time.monotonic()
        if now - self._last >= _LINE_EVERY:
            self._last = now
            self.say(f"{what}, {pace}" if pace else what)


class _Bar(_Words):
    """Shows how far it is as a bar."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task("Reading", total=1, pace="")

    def stand_still(self) -> None:
        self._progress.stop()

    def tell(self, event: Event) -> None:
        super().tell(event)
        if isinstance(event, Finished):
            self.stand_still()

    def progress(self, what: str, pace: str = "", share: float = 0.0) -> None:
        self._progress.start()  # it may have stood still for a question
        self._progress.update(self._task, description=what, completed=share, pace=pace)

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False)

    def would_answer(self, scan: Scan) -> None:
        self.stand_still()
        super().would_answer(scan)


def _pace(event: Answered) -> str:
    count = f"{event.done:,} of {event.total:,}"
    if event.seconds_left is None:
        return count
    return f"{count}, {event.per_minute:.0f} a minute, {_duration(event.seconds_left)} left"


def _duration(seconds: float) -> str:
    """Return a time in words, about as exactly as it can be known."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _number(count: int, one: str, more: str = "") -> str:
    """Return a number of things in words."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def _counted(result: JournalResult) -> str:
    """Return in words how much was read and answered."""
    if not result.entries:
        return "There are no entries to read."
    days = f", from {result.first} to {result.last}" if result.first else ""
    entries = _number(result.entries, "entry", "entries")
    left = sum(not held.went_on for held in result.held)
    held = f"Set aside, with where to turn: {left:,}. " if left else ""
    return f"Read {entries}{days}. {held}Answered {_number(len(result.replies), 'sentence')}."


def _list_left(left: Sequence[Unread]) -> None:
    if left:
        click.echo("Could not be read or written:", err=True)
    for one in left:
        click.echo(f"  {one.path}: {one.reason}", err=True)


def _unread_record(unread: Unread) -> dict[str, str]:
    return {"path": str(unread.path), "reason": unread.reason}


# Going through the answers


class _Reviewer:
    """Shows one answer at a time and asks what is to become of it."""

    def __init__(self, reframer: Reframer, wishes: Wishes, teller: _Teller) -> None:
        self._reframer = reframer
        self._wishes = wishes
        self._teller = teller
        self._said: set[str] = set()

    def __call__(self, reply: Reply, thought: Thought) -> Reply | None:
        self._teller.stand_still()
        used: tuple[str, ...] = ()
        while True:
            _show(reply)
            match _choice():
                case "":
                    return reply
                case "e":
                    return reply.edited(click.prompt("In your words", err=True))
                case "w":
                    used = (*used, reply.answer.technique)
                    wishes = replace(self._wishes, other_than=used)
                    reply = another_way(self._reframer, reply, thought, wishes)
                case "s":
                    return None
                case "q":
                    raise StopReview

    def go_on(self, held: Held) -> bool:
        """Show what safety says of an entry, and ask whether it is answered all the same."""
        self._teller.stand_still()
        click.echo(f"\n{outputs.heading(held)}", err=True)
        self._say_once(held.words)
        choice = click.prompt(
            "Left alone, with care. Enter for yes, a if it was not meant so, to answer it",
            type=click.Choice(["", "a"]),
            default="",
            show_default=False,
            show_choices=False,
            err=True,
        )
        if choice == "a":
            self._say_once(went_on(self._wishes.voice))
        return bool(choice)

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            click.echo(f"{words}\n", err=True)


def _show(reply: Reply) -> None:
    click.echo(f"\n{outputs.heading(reply)}", err=True)
    click.secho(f"  {' '.join(reply.answer.sentence.split())}", dim=True, err=True)
    click.echo(f"  {reply.answer.words}", err=True)


def _choice() -> str:
    choice: str = click.prompt(
        "Keep it? Enter for yes, e to edit, w for another way, s to skip, q to stop",
        type=click.Choice(["", "e", "w", "s", "q"]),
        default="",
        show_default=False,
        show_choices=False,
        err=True,
    )
    return choice
