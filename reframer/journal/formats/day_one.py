"""Day One's export: JSON, or a zip of it with its pictures.

An entry's words stand in it twice, as Markdown and as rich text. Whoever changed one would make the
two disagree; so a friend's words become an entry of their own that follows.
"""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from reframer.journal.formats import archive, dates, json_text, markdown
from reframer.journal.formats.documents import Reading, by_entry
from reframer.journal.formats.text import Edit, Source, blanked, decode, even, first_line, shown
from reframer.journal.records import Answer, AskPassword, Document, Entry, Unread, Way

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TO_ESCAPE = re.compile(r"([\\`*_{}\[\]()#+.!|<>~-])")
_MOMENT_LATER = timedelta(seconds=1)
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
        """Return the file's bytes with an entry after each that is answered.

        What an entry of an earlier run says to it is not said again.
        """
        text = self.source.text
        quoting = json_text.Quoting(text)
        said = self._said()
        edits = []
        for entry, its_answers in by_entry(answers).items():
            value = self.values[entry]
            before = said.get(str(_moment_later(value.content)), "")
            if new := [answer for answer in its_answers if _block(answer) not in before]:
                friend = _gap(text, value) + _friend(text, value, new, quoting)
                edits.append(Edit(value.end, value.end, friend))
        return self.source.spliced(edits)

    def _said(self) -> dict[str, str]:
        """Return what is written in the entries of each moment."""
        said: defaultdict[str, str] = defaultdict(str)
        for value in self.values.values():
            said[str(value.content.get("creationDate"))] += f"{value.content['text']}\n\n"
        return said


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
        return archive.replaced(self.data, changed, self.path.name) if changed else self.data


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
            return self._parse(data, path, name, name)
        documents: dict[str, DayOneDocument] = {}
        for file, each in archive.json_files(data, name).items():
            before = sum(len(document.entries) for document in documents.values())
            documents[file] = self._parse(each, path, name, f"{name}/{file}", before)
        return DayOneZip(path, self.title, data, documents)

    def _parse(
        self, data: bytes, path: Path, name: str, file: str, before: int = 0
    ) -> DayOneDocument:
        """Read one journal.

        Args:
            data: Its JSON.
            path: The file that it is, or is in.
            name: That file's path within the journal.
            file: What it is called in errors.
            before: How many entries other journals in the same file have.
        """
        source = decode(data, file)
        entries: list[Entry] = []
        unread = []
        values = {}
        for number, value in enumerate(json_text.entry_values(source.text, file), 1):
            content = value.content if isinstance(value.content, dict) else {"text": None}
            text = content.get("text", "")  # an entry may be nothing but a picture
            if not isinstance(text, str):
                unread.append(Unread(path, f"Entry {number} of {file} has no text that is one."))
            elif text.strip():
                plain = shown(_ESCAPED.sub(r"\1", text))
                heard = blanked(markdown.MARKS, even(plain))
                id = f"{name}#{before + len(entries) + 1}"
                values[id] = value
                title = first_line(heard) or first_line(plain)
                entries.append(Entry(id, _day(content), title, plain, heard))
        return DayOneDocument(path, self.title, tuple(entries), tuple(unread), source, values)


def _day(content: Mapping[str, object]) -> date | None:
    """Return the day on which an entry was written, where it was written."""
    moment = _moment(content)
    return dates.day_there(moment, content.get("timeZone")) if moment else None


def _moment(content: Mapping[str, object]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(content.get("creationDate")))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment_later(content: Mapping[str, object]) -> str | None:
    """Return when the friend's entry for an entry is written."""
    moment = _moment(content)
    return f"{moment + _MOMENT_LATER:{_STAMP}}" if moment else None


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
    moment = _moment_later(value.content)
    words = "\n\n".join(
        _block(answer) for answer in sorted(answers, key=lambda answer: answer.start)
    )
    named = shown(f"{value.content.get('uuid')}\n{words}")
    fields = {
        "uuid": quoting.quoted(uuid.uuid5(_SPACE_OF_NAMES, named).hex.upper()),
        "creationDate": quoting.quoted(moment) if moment else None,
        "timeZone": _raw(text, members.get("timeZone")),
        "tags": f"[{quoting.quoted('friend')}]",
        "text": quoting.quoted(words),
    }
    first, last = next(iter(members.values())), next(reversed(members.values()))
    lead = text[value.start + 1 : first.key_start]
    colon = text[first.key_end : first.start]
    tail = text[last.end : value.end - 1]
    lines = [f"{quoting.quoted(key)}{colon}{raw}" for key, raw in fields.items() if raw]
    return "{" + lead + f",{lead}".join(lines) + tail + "}"


def _block(answer: Answer) -> str:
    return f"> {_markdown(answer.sentence)}\n\nFriend: {_markdown(answer.words)}"


def _raw(text: str, value: json_text.Value | None) -> str | None:
    return text[value.start : value.end] if value else None


def _markdown(words: str) -> str:
    return _TO_ESCAPE.sub(r"\\\1", " ".join(words.split()))
