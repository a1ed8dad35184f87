"""Text files, byte for byte: decoded so that it can be undone, and changed in chosen spans only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reframer.errors import TextUnreadable

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_NO_LETTER = re.compile("[\ud800-\udfff]")
_NOT_BREAK = re.compile(r"[^\n]")
_LINE_SEPARATOR = "\u2028"
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
        marks: The pattern. A last group whose name begins with ``kept`` is left as it is. Behind
            one whose name begins with ``item`` stands a line separator, which is a space, too:
            items of a list, without their marks, could be taken for the lines of one sentence.
        text: The text.
    """
    return marks.sub(_spaces, text)


def first_line(text: str) -> str:
    """Return the first line of a text that says anything, short enough for a title."""
    lines = (line.strip(f" \t#*>-{_LINE_SEPARATOR}") for line in text.split("\n", 50))
    return next((line[:_TITLE].rstrip() for line in lines if line), "")


def _spaces(match: re.Match[str]) -> str:
    blank = _NOT_BREAK.sub(" ", match[0])
    group = match.lastgroup or ""
    if group.startswith("item"):
        return blank[:-1] + _LINE_SEPARATOR
    if not group.startswith("kept"):
        return blank
    start, end = (offset - match.start() for offset in match.span(group))
    return blank[:start] + match[group] + blank[end:]
