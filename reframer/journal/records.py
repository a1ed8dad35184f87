"""What the journal's rooms hand each other: files, their entries, and the answers that go in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

from reframer.records import Kind, Level, Origin

Way = Literal["callout", "below", "replace"]
WAYS: tuple[Way, ...] = Way.__args__  # type: ignore[attr-defined]

# Who words an answer: who speaks in the flow, or the person, who reviews what was said.
Author = Origin | Literal["person"]

AskPassword = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written on one day or at one moment.

    Attributes:
        id: The file's path within the journal and the entry's number in it, as ``2024/03.md#2``;
            the same whenever the unchanged journal is read.
        day: The day it was written for; None where the journal does not say.
        title: Its heading or first line, for finding it again; may be empty.
        text: The entry as the writer sees it, without the format's own marks around it, such as
            front matter. Safety reads all of it.
        heard: As long as ``text``, with everything that is not the writer's own prose (code, links,
            tags, quotes of others, task boxes) blanked out by white space, so that offsets agree.
            Line breaks stay. Of a link the words that are read stay, too.
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
    origin: Author
    technique: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with what a reader needs around it.

    Attributes:
        answer: The answer.
        day: The entry's day, where the journal says it.
        title: The entry's heading or first line; may be empty.
        technique: Name of the technique as shown to the reader; empty where there is none.
    """

    answer: Answer
    day: date | None
    title: str
    technique: str = ""

    def edited(self, words: str) -> Reply:
        """Return it in the person's words; they count as theirs only where they are others."""
        if words == self.answer.words:
            return self
        return replace(self, answer=replace(self.answer, words=words, origin="person"))


@dataclass(frozen=True, slots=True)
class Held:
    """An entry that is set aside, because safety found danger in it or where it meets the next.

    Attributes:
        entry: Id of the entry.
        day: Its day, where the journal says it.
        title: Its heading or first line; may be empty.
        level: ``concern`` or ``crisis``.
        words: Written words for it, with where to turn; paragraphs, and a list of help lines that
            begin with ``- ``.
        went_on: Whether it is answered all the same, because the person read the words and said
            that it was not meant so. Only ``concern`` can be.
    """

    entry: str
    day: date | None
    title: str
    level: Level
    words: str
    went_on: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or an entry of one, that could not be read.

    Attributes:
        path: The file.
        reason: Why not and what to do, one line that holds nothing of what is written there.
    """

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Month:
    """What was heard in the entries of one month.

    Attributes:
        first: The month's first day; None for entries without a day.
        entries: How many entries were heard.
        quiet: How many of them are without any critic.
        kinds: How many sentences of each kind of self-criticism; kinds not heard are not there.
        kind_talk: How many sentences in which the writer speaks kindly to themselves.
    """

    first: date | None
    entries: int
    quiet: int
    kinds: Mapping[Kind, int]
    kind_talk: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that the critic says more than once.

    Attributes:
        text: The sentence as it was first written.
        count: How often it is said, apart from capitals, punctuation and spacing.
    """

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A technique that answers drew on.

    Attributes:
        technique: Its id.
        title: Its name as shown to the reader.
        count: How many answers drew on it.
    """

    technique: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Insight:
    """What is said how often. It counts; it does not judge. Held entries are not counted.

    Attributes:
        months: The months that have entries, earliest first; entries without a day come last.
        phrases: What the critic says more than once, most often first.
        techniques: Techniques that fit, most often first.
    """

    months: tuple[Month, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    techniques: tuple[Fit, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalResult:
    """All that came of a journal; the report and the other outputs are made from it.

    Attributes:
        title: The journal's name, from its file or folder.
        path: Where it lies; ``-`` for standard input.
        formats: Titles of the formats that were read, in alphabetical order.
        entries: How many entries were read.
        first: Day of the earliest entry; None where no entry has a day.
        last: Day of the latest entry.
        replies: The answers, in the journal's order.
        held: Entries that were set aside, crisis before concern, earliest first.
        insight: What is said how often.
        unread: What could not be read.
        model: Id of the model that spoke; empty where none did.
        asked: Id of the model that was given sentences, whoever spoke in the end; empty where none
            was.
        made: The day on which this was made.
    """

    title: str
    path: Path
    formats: tuple[str, ...]
    entries: int
    first: date | None
    last: date | None
    replies: tuple[Reply, ...]
    held: tuple[Held, ...]
    insight: Insight
    unread: tuple[Unread, ...]
    model: str
    asked: str
    made: date


class Document(Protocol):
    """One file of a journal, read."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def format(self) -> str:
        """Title of its format."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Its entries, in the file's order."""

    @property
    def unread(self) -> Sequence[Unread]:
        """Those that could not be read, while the rest could."""

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with answers put in; without any, the bytes as they were.

        Args:
            answers: Answers to sentences of this file's entries, in any order.
            way: ``callout`` or ``below`` the paragraph of the sentence, or in its place
                (``replace``). A format that can only add writes an entry that follows.

        Raises:
            UsageError: Answers are given and the format can only be read.
        """


class Format(Protocol):
    """A kind of journal file. It is stateless; there is one of each."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def title(self) -> str:
        """What it is called to a reader."""

    @property
    def writable(self) -> bool:
        """Whether answers can be put in; the others can only be read."""

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its name and its first 64 KiB, or all of a zip."""

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds.

        Args:
            data: The file's bytes.
            path: Where they come from.
            name: Its path within the journal, with ``/``; the entries' ids begin with it.
            ask: Asks for the password of an encrypted file.

        Raises:
            TextUnreadable: The bytes are not what the format promises; the message names the file
                and, where one can be named, the entry.
        """
