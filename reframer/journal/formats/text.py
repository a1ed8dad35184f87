"""Text files, byte for byte: decoded so that it can be undone, and changed in chosen spans only."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reframer.errors import TextUnreadable
from reframer.journal.records import Answer, AskPassword, Document, Entry, Unread, Way

# A line of a friend's words that an earlier run put in; it is not the writer's own.
FRIEND = r"^[ \t]*(?:[-*+][ ]+)?Friend:[ ][^\n]*"

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_NO_LETTER = re.compile("[\ud800-\udfff]")
_NOT_BREAK = re.compile(r"[^\n]")
_BREAK = re.compile(r"\r\n|\n|\r")
_AFTER = 80  # characters behind a paragraph that decide how words are set below it
_TITLE = 80


# Bytes and text


@dataclass(frozen=True, slots=True)
class Edit:
    """A span of a text and what stands there instead."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, from which its bytes can be made again.

    Attributes:
        text: What the bytes stand for; one that stands for nothing is a lone surrogate.
        encoding: The codec.
        mark: The byte order mark before the text.
    """

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""

    def spliced(self, edits: Iterable[Edit]) -> bytes:
        """Return the file's bytes with edits made; all others are as they were.

        What the encoding has no sign for becomes a question mark.
        """
        return self.mark + _encoded(splice(self.text, map(self._fitting, edits)), self.encoding)

    def _fitting(self, edit: Edit) -> Edit:
        fitting = edit.text.encode(self.encoding, "replace").decode(self.encoding)
        return Edit(edit.start, edit.end, fitting)


def decode(data: bytes, name: str) -> Source:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Args:
        data: The file's bytes.
        name: The file's name, for the error.

    Raises:
        TextUnreadable: The bytes are not text.
    """
    mark, encoding = next(
        (pair for pair in _BYTE_ORDER_MARKS if data.startswith(pair[0])), (b"", "utf-8")
    )
    body = data[len(mark) :]
    if not mark and _is_rather_windows(body):
        encoding = "cp1252"
    try:
        text = body.decode(encoding, _errors(encoding))
    except UnicodeDecodeError:  # of UTF-16, cut off in the middle of a letter
        text = "\0"
    if "\0" in text:
        raise TextUnreadable(f"{name} is not text.", "Save it as plain text in UTF-8.")
    return Source(text, encoding, mark)


def splice(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made; their spans do not overlap."""
    pieces: list[str] = []
    reached = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += text[reached : edit.start], edit.text
        reached = edit.end
    return "".join([*pieces, text[reached:]])


def shown(text: str) -> str:
    """Return a text, as long, with a replacement sign for each byte that stands for nothing."""
    return _NO_LETTER.sub("\ufffd", text)


def even(text: str) -> str:
    r"""Return a text, as long, in which every line ends with ``\n``."""
    return shown(text).replace("\r\n", " \n").replace("\r", "\n")


def _is_rather_windows(body: bytes) -> bool:
    """Whether most bytes beyond ASCII make no sense in UTF-8."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "surrogateescape")
        senseless = len(_NO_LETTER.findall(text))
        return senseless > len(re.findall(r"[^\x00-\x7f]", text)) - senseless
    return False


def _errors(encoding: str) -> str:
    return "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, _errors(encoding))


# Marks that are not prose


def blanked(marks: re.Pattern[str], text: str) -> str:
    """Return a text, as long, with spaces for what a pattern finds; line breaks stay.

    Args:
        marks: The pattern. A last group whose name begins with ``kept`` is left as it is.
        text: The text.
    """
    return marks.sub(_spaces, text)


def first_line(text: str) -> str:
    """Return the first line of a text that says anything, short enough for a title."""
    lines = (line.strip(" \t#*>-") for line in text.split("\n", 50))
    return next((line[:_TITLE].rstrip() for line in lines if line), "")


def _spaces(match: re.Match[str]) -> str:
    blank = _NOT_BREAK.sub(" ", match[0])
    group = match.lastgroup or ""
    if not group.startswith("kept"):
        return blank
    start, end = (offset - match.start() for offset in match.span(group))
    return blank[:start] + match[group] + blank[end:]


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

    def read(self, path: Path, name: str, ask: AskPassword) -> Document:
        """Read a file."""
        return self.parse(path.read_bytes(), path, name, ask)

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
