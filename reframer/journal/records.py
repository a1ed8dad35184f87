"""What the journal's rooms hand each other: files, their entries, and the answers that go in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

from reframer.records import Kind, Origin

Way = Literal["callout", "below", "replace"]
WAYS: tuple[Way, ...] = Way.__args__  # type: ignore[attr-defined]

AskPassword = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written on one day or at one moment.

    Attributes:
        id: The file's path within the journal and the entry's number in it, as ``2024/03.md#2``;
            the same whenever the unchanged journal is read.
        day: The day it was written for; None where the journal does not say.
        title: Its heading or first line, for finding it again; may be empty.
        text: The entry as the writer sees it, without the format's own marks around it.
        heard: As long as ``text``, with everything that is not the writer's own prose (front
            matter, code, links, tags, quotes of others, task boxes) blanked out by spaces, so that
            offsets agree. Line breaks stay.
    """

    id: str
    day: date | None
    title: str
    text: str
    heard: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A friend's words to one sentence of an entry.

    Attributes:
        entry: Id of the entry.
        start: Offset of the sentence in the entry's text, in characters.
        end: Offset behind its last character.
        sentence: The sentence; equal to ``text[start:end]``.
        kind: The kind of self-criticism heard in it.
        strength: How sure and how harsh, from 0 to 1.
        words: The friend's words.
        origin: Who worded them.
        technique: Id of the technique that they draw on; empty where they draw on none.
    """

    entry: str
    start: int
    end: int
    sentence: str
    kind: Kind | None
    strength: float
    words: str
    origin: Origin
    technique: str = ""


class Document(Protocol):
    """One file of a journal, read."""

    path: Path
    entries: Sequence[Entry]

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with answers put in; without any, the bytes as they were.

        Args:
            answers: Answers to sentences of this file's entries, in any order.
            way: ``callout`` or ``below`` the paragraph of the sentence, or in its place
                (``replace``). A format that can only add writes an entry that follows.
        """


class Format(Protocol):
    """A kind of journal file. It is stateless; there is one of each."""

    name: str
    title: str
    writable: bool

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its name and its first 64 KiB."""

    def read(self, path: Path, name: str, ask: AskPassword) -> Document:
        """Read a file.

        Args:
            path: The file.
            name: Its path within the journal, with ``/``; the entries' ids begin with it.
            ask: Asks for the password of an encrypted file.

        Raises:
            TextUnreadable: The bytes are not what the format promises; the message names the file
                and, where one can be named, the entry.
        """
