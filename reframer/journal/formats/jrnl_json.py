"""The JSON that jrnl exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reframer.journal.formats import dates, json_text
from reframer.journal.formats.documents import Reading, by_entry
from reframer.journal.formats.jrnl import STYLE
from reframer.journal.formats.text import Edit, Source, blanked, decode, even, shown
from reframer.journal.records import Answer, AskPassword, Entry, Unread, Way

_GAP = "\n\n"  # between title and body, in the text that is read


@dataclass(frozen=True, slots=True)
class _Strings:
    """The two strings of an entry."""

    title: json_text.Value
    body: json_text.Value

    @property
    def text(self) -> str:
        title = f"{self.title.content}{_GAP}" if self.title.content else ""
        return f"{title}{self.body.content}"


@dataclass(frozen=True, slots=True)
class JrnlJsonDocument:
    """A JSON file in whose strings answers are put."""

    path: Path
    format: str
    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]
    source: Source
    strings: Mapping[str, _Strings]

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with answers put in."""
        return self.source.spliced(self._edits(answers, way))

    def _edits(self, answers: Sequence[Answer], way: Way) -> Iterator[Edit]:
        quoting = json_text.Quoting(self.source.text)
        for entry, its_answers in by_entry(answers).items():
            strings = self.strings[entry]
            title = json_text.Positions(self.source.text, strings.title)
            body = json_text.Positions(self.source.text, strings.body)
            in_title = len(strings.title.content)
            begin = in_title + len(_GAP) if in_title else 0
            for edit in STYLE.edits(strings.text, its_answers, way, "\n"):
                start, end, words = edit.start, edit.end, edit.text
                if start == end <= in_title:  # a title is one line: the words open the body
                    start = end = begin
                    words = f"{words.strip()}\n" if strings.body.content else words.strip()
                where, shift = (title, 0) if end <= in_title else (body, begin)
                yield Edit(where[start - shift], where[end - shift], quoting.quoted(words)[1:-1])


class JrnlJson(Reading):
    """An object of tags and entries, each with title, body and date."""

    name = "jrnl-json"
    title = "jrnl, JSON"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its keys."""
        keys = (b'"entries"', b'"title"', b'"body"')
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and all(k in head for k in keys)

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> JrnlJsonDocument:
        """Read what a file holds."""
        source = decode(data, name)
        strings: dict[str, _Strings] = {}
        entries: list[Entry] = []
        unread: list[Unread] = []
        for number, value in enumerate(json_text.entry_values(source.text, name), 1):
            id = f"{name}#{number}"
            found = _strings(source.text, value)
            if not found:
                unread.append(Unread(path, f"Entry {number} of {name} has no title and body."))
            elif found.text.strip():
                strings[id] = found
                day = dates.written(str(value.content.get("date")))
                heard = blanked(STYLE.marks, even(found.text))
                entries.append(Entry(id, day, found.title.content, shown(found.text), heard))
        return JrnlJsonDocument(path, self.title, tuple(entries), tuple(unread), source, strings)


def _strings(text: str, value: json_text.Value) -> _Strings | None:
    if not isinstance(value.content, dict):
        return None
    found = dict(json_text.members(text, value.start))
    title, body = found.get("title"), found.get("body")
    if title and body and isinstance(title.content, str) and isinstance(body.content, str):
        return _Strings(title, body)
    return None
