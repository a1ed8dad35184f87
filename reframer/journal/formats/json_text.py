"""JSON as text: where its values stand, so that one can be changed and all else stays."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reframer.errors import TextUnreadable

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")
# Each stands for one character; two halves of one are taken together.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a JSON text.

    Attributes:
        content: What it stands for.
        start: Offset of its first character.
        end: Offset behind its last one.
        key_start: Offset of its key, of a member of an object.
        key_end: Offset behind its key.
    """

    content: Any = field(repr=False)
    start: int
    end: int
    key_start: int = 0
    key_end: int = 0


def load(text: str, name: str) -> Any:
    """Return what a JSON text stands for.

    Raises:
        TextUnreadable: It is not JSON; the message names the file and the line.
    """
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        message = f"{name} is not whole JSON: line {error.lineno}."
    except RecursionError:
        message = f"{name} is nested too deeply."
    raise TextUnreadable(message, "Export it once more.")


def members(text: str, start: int) -> Iterator[tuple[str, Value]]:
    """Yield the keys and values of the object that begins at an offset of valid JSON."""
    at = _past_space(text, start + 1)
    while text[at] != "}":
        key, key_end = _DECODER.raw_decode(text, at)
        begin = _past_space(text, _past_space(text, key_end) + 1)
        content, end = _DECODER.raw_decode(text, begin)
        yield key, Value(content, begin, end, at, key_end)
        at = _past_comma(text, end)


def items(text: str, start: int) -> Iterator[Value]:
    """Yield the values of the array that begins at an offset of valid JSON."""
    at = _past_space(text, start + 1)
    while text[at] != "]":
        content, end = _DECODER.raw_decode(text, at)
        yield Value(content, at, end)
        at = _past_comma(text, end)


def entry_values(text: str, name: str) -> list[Value]:
    """Return the values of the list ``entries`` in the outermost object.

    Raises:
        TextUnreadable: The text is not JSON, or has no such list; the message names the file.
    """
    content = load(text, name)
    if not isinstance(content, dict) or not isinstance(content.get("entries"), list):
        raise TextUnreadable(f"{name} has no list of entries.", "Export it once more.")
    return [*items(text, dict(members(text, _past_space(text, 0)))["entries"].start)]


class Positions:
    """Where the characters of a string stand in the JSON text.

    Args:
        text: The JSON text.
        value: The string in it.
    """

    def __init__(self, text: str, value: Value) -> None:
        self._start = value.start + 1
        self._ends = []
        self._shifts = [0]
        for escape in _ESCAPE.finditer(text, self._start, value.end - 1):
            self._shifts.append(self._shifts[-1] + len(escape[0]) - 1)
            self._ends.append(escape.end() - self._start - self._shifts[-1])

    def __getitem__(self, offset: int) -> int:
        """The offset in the JSON text of an offset in the string."""
        return self._start + offset + self._shifts[bisect_right(self._ends, offset)]


class Quoting:
    """How a JSON text escapes what it could also say plainly.

    Args:
        text: The JSON text.
    """

    def __init__(self, text: str) -> None:
        self._ascii = text.isascii()
        self._slash = r"\/" if r"\/" in text else "/"

    def quoted(self, words: str) -> str:
        """Return a string as the JSON text would have it, with its quotes."""
        return json.dumps(words, ensure_ascii=self._ascii).replace("/", self._slash)


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _past_comma(text: str, at: int) -> int:
    at = _past_space(text, at)
    return _past_space(text, at + 1) if text[at] == "," else at
