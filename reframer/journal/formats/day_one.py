"""Day One's export: JSON, or a zip of it with its pictures.

An entry's words stand in it twice, as Markdown and as rich text. Whoever changed one would make the
two disagree; so a friend's words become an entry of their own that follows.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from reframer.journal.formats import archive, json_text, markdown
from reframer.journal.formats.documents import Reading, by_entry
from reframer.journal.formats.text import Edit, Source, blanked, decode, even, first_line, shown
from reframer.journal.records import Answer, AskPassword, Document, Entry, Unread, Way

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TO_ESCAPE = re.compile(r"([\\`*_{}\[\]()#+.!|<>~-])")
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_SPACE_OF_NAMES = uuid.UUID("8d0c2c1e-5a44-5d0c-9a53-6c8f0b7d1f5e")  # chosen once, for ever


@dataclass(frozen=True, slots=True)
class DayOneDocument:
    """A JSON file to whose entries others are added."""

    path: Path
    format: str
    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]
    source: Source
    values: Mapping[str, json_text.Value]

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with an entry after each that is answered."""
        text = self.source.text
        quoting = json_text.Quoting(text)
        return self.source.spliced(
            Edit(value.end, value.end, _gap(text, value) + _friend(text, value, its, quoting))
            for entry, its in by_entry(answers).items()
            for value in [self.values[entry]]
        )


@dataclass(frozen=True, slots=True)
class DayOneZip:
    """A zip of such JSON files."""

    path: Path
    format: str
    data: bytes
    documents: Mapping[str, DayOneDocument]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of all journals in it."""
        return tuple(entry for each in self.documents.values() for entry in each.entries)

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read in any."""
        return tuple(unread for each in self.documents.values() for unread in each.unread)

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the zip with answers put into its journals."""
        changed = {}
        for file, document in self.documents.items():
            its_answers = [each for each in answers if each.entry in document.values]
            if its_answers:
                changed[file] = document.written(its_answers, way)
        return archive.replaced(self.data, changed) if changed else self.data


class DayOne(Reading):
    """An object of metadata and entries."""

    name = "day-one"
    title = "Day One"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its keys."""
        begin = archive.json_head(path, head)
        return b'"entries"' in begin and (b'"creationDate"' in begin or b'"metadata"' in begin)

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds."""
        if not archive.is_zip(data):
            return self._parse(data, path, name)
        files = archive.json_files(data, name)
        journals = {file: self._parse(each, path, f"{name}/{file}") for file, each in files.items()}
        return DayOneZip(path, self.title, data, journals)

    def _parse(self, data: bytes, path: Path, name: str) -> DayOneDocument:
        source = decode(data, name)
        entries = []
        unread = []
        values = {}
        for number, value in enumerate(json_text.entry_values(source.text, name), 1):
            content = value.content if isinstance(value.content, dict) else {"text": None}
            text = content.get("text", "")  # an entry may be nothing but a picture
            if not isinstance(text, str):
                unread.append(Unread(path, f"Entry {number} of {name} has no text that is one."))
            elif text.strip():
                plain = shown(_ESCAPED.sub(r"\1", text))
                heard = blanked(markdown.MARKS, even(plain))
                id = f"{name}#{number}"
                values[id] = value
                entries.append(Entry(id, _day(content), first_line(plain), plain, heard))
        return DayOneDocument(path, self.title, tuple(entries), tuple(unread), source, values)


def _day(content: Mapping[str, object]) -> date | None:
    """Return the day on which an entry was written, where it was written."""
    moment = _moment(content)
    if not moment:
        return None
    try:
        return moment.astimezone(ZoneInfo(str(content.get("timeZone", "UTC")))).date()
    except (ValueError, OSError, KeyError):  # a zone that this machine does not know
        return moment.date()


def _moment(content: Mapping[str, object]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(content.get("creationDate"))).replace(tzinfo=UTC)
    except ValueError:
        return None


def _gap(text: str, value: json_text.Value) -> str:
    """Return what stands between entries: a comma, and the space before this one."""
    start = value.start
    while text[start - 1].isspace():
        start -= 1
    return "," + text[start : value.start]


def _friend(
    text: str, value: json_text.Value, answers: Sequence[Answer], quoting: json_text.Quoting
) -> str:
    """Return an entry that follows another, set as that one is."""
    members = dict(json_text.members(text, value.start))
    moment = _moment(value.content)
    words = "\n\n".join(
        f"> {_markdown(answer.sentence)}\n\nFriend: {_markdown(answer.words)}"
        for answer in sorted(answers, key=lambda answer: answer.start)
    )
    named = f"{value.content.get('uuid')}\n{words}"
    fields = {
        "uuid": quoting.quoted(uuid.uuid5(_SPACE_OF_NAMES, named).hex.upper()),
        "creationDate": quoting.quoted((moment + timedelta(seconds=1)).strftime(_STAMP))
        if moment
        else None,
        "timeZone": _raw(text, members.get("timeZone")),
        "tags": f"[{quoting.quoted('friend')}]",
        "text": quoting.quoted(words),
    }
    first, *_, last = members.values()
    lead = text[value.start + 1 : first.key_start]
    colon = text[first.key_end : first.start]
    tail = text[last.end : value.end - 1]
    lines = [f"{quoting.quoted(key)}{colon}{raw}" for key, raw in fields.items() if raw]
    return "{" + lead + f",{lead}".join(lines) + tail + "}"


def _raw(text: str, value: json_text.Value | None) -> str | None:
    return text[value.start : value.end] if value else None


def _markdown(words: str) -> str:
    return _TO_ESCAPE.sub(r"\\\1", " ".join(words.split()))
