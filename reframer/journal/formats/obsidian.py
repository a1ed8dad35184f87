"""Markdown daily notes, one file a day, and the other notes of an Obsidian vault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from reframer.journal.formats import dated, dates, markdown
from reframer.journal.formats.documents import Part, TextFormat

_FRONT_DATE = re.compile(r"^(?:date|created|day):[ \t]*[\"']?", re.MULTILINE)
_OTHERWISE = r"\[(?P<literal>[^\]]*)\]|(?P<other>.)"
# The tokens of Moment.js that people use in names of daily notes, longest first.
_TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "MMMM": r"(?P<month_name>[A-Za-z]{3})[a-z]*",
    "MMM": r"(?P<month_name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dddd": r"\w+",
    "ddd": r"\w+",
    "DD": r"(?P<day>\d{2})",
    "Do": r"(?P<day>\d{1,2})(?:st|nd|rd|th)",
    "D": r"(?P<day>\d{1,2})",
}
_TOKEN = re.compile(rf"(?P<token>{'|'.join(_TOKENS)})|{_OTHERWISE}")


class Obsidian(TextFormat):
    """A file is an entry, by the date in its name; other notes are parted by their headings."""

    name = "obsidian"
    title = "Markdown daily notes, Obsidian"
    style = markdown.STYLE

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format: Markdown, with a date in its name or in a vault."""
        is_markdown = path.suffix.lower() in (".md", ".markdown")
        return is_markdown and bool(dates.in_path(path) or _vault(path))

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        """Yield the note, without its front matter."""
        front = markdown.FRONT_MATTER.match(plain)
        day = dates.in_path(path) or _named_day(path)
        if day:
            yield Part(front.end() if front else 0, len(plain), day, "")
        else:
            yield from dated.markdown_parts(plain, _front_day(front[0]) if front else None)


def _named_day(path: Path) -> date | None:
    """Return the day in a note's name, by the format that its vault gives daily notes."""
    vault = _vault(path)
    pattern = _daily_pattern(vault) if vault else None
    found = pattern.fullmatch(path.with_suffix("").as_posix()) if pattern else None
    if not found:
        return None
    parts = found.groupdict()
    if "month_name" in parts:
        return dates.written(f"{parts['day']} {parts['month_name']} {parts['year']}")
    return dates.of(int(parts["year"]), int(parts["month"]), int(parts["day"]))


def _daily_pattern(vault: Path) -> re.Pattern[str] | None:
    """Return what the paths of a vault's daily notes look like, if its settings say so."""
    try:
        settings = json.loads((vault / ".obsidian" / "daily-notes.json").read_text("utf-8"))
        tokens = _TOKEN.finditer(settings["format"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    written = "".join(
        _TOKENS[token["token"]] if token["token"] else re.escape(token["literal"] or token[0])
        for token in tokens
    )
    try:
        pattern = re.compile(rf".*/{written}")
    except re.error:  # a part of the date stands twice in it
        return None
    has_month = {"month", "month_name"} & pattern.groupindex.keys()
    return pattern if has_month and {"year", "day"} <= pattern.groupindex.keys() else None


def _vault(path: Path) -> Path | None:
    return next((folder for folder in path.parents if (folder / ".obsidian").is_dir()), None)


def _front_day(front: str) -> date | None:
    found = _FRONT_DATE.search(front)
    day = dates.at(front, found.end()) if found else None
    return day[0] if day else None
