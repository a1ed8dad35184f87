"""Documents that are text: their entries, and where a friend's words stand in them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reframer.journal.formats.text import Edit, Source, blanked, decode, even, first_line, shown
from reframer.journal.records import Answer, AskPassword, Document, Entry, Unread, Way

# A line of a friend's words that an earlier run put in; it is not the writer's own.
FRIEND = r"^[ \t]*(?:[-*+][ ]+)?Friend:[ ][^\n]*"
# The words in a friend's line, and in a line of a callout.
_SAID = re.compile(r"(?:Friend:|^[ \t]*>)[ ]([^\n]*)", re.MULTILINE)

_BREAK = re.compile(r"\r\n|\n|\r")
_AFTER = 80  # characters behind a paragraph that decide how words are set below it


# A friend's words in their place


@dataclass(frozen=True, slots=True)
class Place:
    """Where words go below a paragraph.

    Attributes:
        line: The paragraph's first line.
        after: What follows the paragraph, at most 80 characters.
        newline: The line ending there.
    """

    line: str
    after: str
    newline: str


Below = Callable[[Place, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Style:
    r"""How a format tells prose from marks, and how a friend's words stand in it.

    Attributes:
        marks: What is not prose; see `blanked`.
        paragraph_end: Finds the ends of paragraphs, in a text whose lines end with ``\n``.
        ways: For each way but ``replace``, what is put behind a paragraph for all words to it.
        never_first: A character that would make a new entry of a line that begins with it.
    """

    marks: re.Pattern[str]
    paragraph_end: re.Pattern[str]
    ways: Mapping[Way, Below]
    never_first: str = ""

    def edits(self, text: str, answers: Iterable[Answer], way: Way, newline: str) -> Iterator[Edit]:
        """Yield the edits that put answers into an entry's text.

        Words that an earlier run put behind their sentence are not put in again.

        Args:
            text: The entry's text.
            answers: The answers to its sentences.
            way: Below the paragraph or in the sentence's place.
            newline: The line ending where the text has none.
        """
        ordered = sorted(answers, key=lambda answer: answer.start)
        if way == "replace":
            yield from (self._replaced(text, answer) for answer in ordered)
            return
        plain = even(text)
        said = {" ".join(found[1].split()): found.start() for found in _SAID.finditer(plain)}
        ordered = [each for each in ordered if said.get(_words(each), -1) < each.end]
        last = len(text.rstrip())
        ends = [found.end() for found in self.paragraph_end.finditer(plain)]
        ends = [*(end for end in ends if end < last), last]
        paragraphs: dict[int, list[Answer]] = {}
        for answer in ordered:
            paragraphs.setdefault(ends[bisect_left(ends, answer.end)], []).append(answer)
        for end, replied in paragraphs.items():
            before = bisect_right(ends, replied[0].start)
            begin = ends[before - 1] if before else 0
            paragraph = plain[begin:end].rstrip()
            at = begin + len(paragraph)
            place = Place(
                line=next(line for line in paragraph.split("\n") if line.strip()),
                after=plain[at : at + _AFTER],
                newline=_newline_behind(text, at) or newline,
            )
            yield Edit(at, at, self.ways[way](place, [_words(each) for each in replied]))

    def _replaced(self, text: str, answer: Answer) -> Edit:
        words = _words(answer)
        begins_line = answer.start == 0 or text[answer.start - 1] in "\r\n"
        if begins_line and self.never_first and words.startswith(self.never_first):
            words = f" {words}"
        return Edit(answer.start, answer.end, words)


def lines_below(place: Place, words: Sequence[str]) -> str:
    """Return a line of its own for each friend's words, right below the paragraph."""
    return "".join(f"{place.newline}Friend: {each}" for each in words)


def _newline_behind(text: str, at: int) -> str:
    """Return the first line ending behind an offset, or else the text's first one."""
    found = _BREAK.search(text, at) or _BREAK.search(text)
    return found[0] if found else ""


def _words(answer: Answer) -> str:
    return " ".join(answer.words.split())


# Files


@dataclass(frozen=True, slots=True)
class Part:
    """Where an entry lies in its file's text."""

    start: int
    end: int
    day: date | None
    title: str


@dataclass(frozen=True, slots=True)
class TextDocument:
    """A text file whose entries are spans of it."""

    path: Path
    format: str
    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]
    source: Source
    parts: Mapping[str, Part]
    style: Style

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with answers put in."""
        return self.source.spliced(self._edits(answers, way))

    def _edits(self, answers: Sequence[Answer], way: Way) -> Iterator[Edit]:
        newline = _newline_behind(self.source.text, 0) or "\n"
        for entry, its_answers in by_entry(answers).items():
            part = self.parts[entry]
            text = self.source.text[part.start : part.end]
            for edit in self.style.edits(text, its_answers, way, newline):
                yield Edit(part.start + edit.start, part.start + edit.end, edit.text)


class Reading:
    """What all formats share: a file is read as a whole."""

    name: str
    title: str
    writable = True

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds."""
        raise NotImplementedError


class TextFormat(Reading):
    """A format whose entries are spans of a text file."""

    style: Style

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> TextDocument:
        """Read what a file holds."""
        source = decode(data, name)
        plain = even(source.text)
        style = self.style_for(path)
        entries: list[Entry] = []
        parts: dict[str, Part] = {}
        for part in self.parts(plain, path):
            text = plain[part.start : part.end]
            if text.strip():
                id = f"{name}#{len(entries) + 1}"
                heard = blanked(style.marks, text)
                raw = shown(source.text[part.start : part.end])
                title = part.title or first_line(heard) or first_line(text)
                entries.append(Entry(id, part.day, title, raw, heard))
                parts[id] = part
        return TextDocument(path, self.title, tuple(entries), (), source, parts, style)

    def style_for(self, path: Path) -> Style:
        """Return the style of a file."""
        return self.style

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        r"""Yield where the entries lie in a text whose lines end with ``\n``."""
        raise NotImplementedError


def by_entry(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """Return answers by the id of their entry."""
    grouped: dict[str, list[Answer]] = {}
    for answer in answers:
        grouped.setdefault(answer.entry, []).append(answer)
    return grouped
