"""Journals of jrnl as text: one file, or a folder with one file a day."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import yaml

from reframer.journal.formats import dates, markdown
from reframer.journal.formats.documents import Part, Style, TextFormat, lines_below
from reframer.journal.formats.text import even
from reframer.sentences import split

STYLE = Style(
    re.compile(
        rf"(?<!\S)@(?=[\w/-]*[^\W\d])[\w/-]+|[ ]\*[ ]*$|{markdown.PLAIN_MARKS.pattern}",
        re.MULTILINE | re.VERBOSE,
    ),
    re.compile(r"(?=\n[ \t]*\n)"),
    {"callout": lines_below, "below": lines_below},
    never_first="[",
)

_ENTRY = re.compile(r"(?:\A|\n)\[(?P<stamp>[^\]\n]{4,60})\] ")
_FORMATS = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M")
_SHORT_FORMS = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%r": "%I:%M:%S %p"}
_LONGEST_TITLE = 200


class Jrnl(TextFormat):
    """A date in brackets begins an entry; text above the first one is content, too."""

    name = "jrnl"
    title = "jrnl"
    style = STYLE

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format: its first line is an entry's, or any of a text's."""
        text = even(head.decode("utf-8-sig", "replace"))
        found = next(_entries(text), None)
        if not found:
            return False
        return not text[: found[0]].strip() or path.suffix in ("", ".txt", ".jrnl")

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        """Yield what stands above the first entry, and then each entry."""
        begin, day, title = 0, dates.in_path(path), ""
        for start, end, its_day in _entries(plain):
            yield Part(begin, start, day, title)
            begin, day, title = end, its_day, _title(plain, end)
        yield Part(begin, len(plain), day, title)


def _entries(text: str) -> Iterator[tuple[int, int, date]]:
    """Yield where an entry's line begins, where its text does, and its day."""
    formats = [*_own_formats(), *_FORMATS]
    for found in _ENTRY.finditer(text):
        if day := _day(found["stamp"], formats):
            yield found.start("stamp") - 1, found.end(), day


def _title(text: str, start: int) -> str:
    line = text[start : start + _LONGEST_TITLE].split("\n", 1)[0]
    first = split(line)[:1]
    return first[0].text.strip().removesuffix(" *") if first else ""


def _day(stamp: str, formats: list[str]) -> date | None:
    for form in formats:
        try:
            return datetime.strptime(stamp, form).date()
        except ValueError:
            continue
    return dates.written(stamp)


def _own_formats() -> list[str]:
    """Return the time formats in the user's settings of jrnl, as Python reads them."""
    root = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    settings = root / "jrnl" / "jrnl.yaml"
    return _formats_in(settings, settings.stat().st_mtime_ns) if settings.is_file() else []


@lru_cache(maxsize=1)
def _formats_in(path: Path, changed: int) -> list[str]:  # noqa: ARG001 (read again when changed)
    try:
        settings = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError):
        return []
    if not isinstance(settings, dict):
        return []
    journals = settings.get("journals")
    each = [*journals.values()] if isinstance(journals, dict) else []
    forms = [place.get("timeformat") for place in [settings, *each] if isinstance(place, dict)]
    return [
        re.sub("%[FTRr]", lambda short: _SHORT_FORMS[short[0]], form)
        for form in forms
        if isinstance(form, str)
    ]
