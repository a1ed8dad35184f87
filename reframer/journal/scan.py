"""The first half of a run: a journal read, assessed and heard, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from reframer.engine import Reframer
from reframer.journal.checkpoint import Checkpoint, Line, hash_of
from reframer.journal.choices import Choices, GoOn
from reframer.journal.insight import Tally
from reframer.journal.records import Document, Entry, Held, Unread
from reframer.records import Notice, Risk, Thought
from reframer.safety import RANK, signposts
from reframer.sentences import split

# Another version may hear otherwise, so what was heard under this one is not taken over.
_VERSION = version("reframer")

_BEFORE = 300  # characters of an entry that an answer may know of what stands before a sentence
_LONGEST_THOUGHT = 700  # characters; a run-on line may be longer than a model can take in
_SEAM = 300  # characters on each side of where two entries meet
_PIECE = 50_000  # characters that are read at once
_BATCH = 64  # entries that are heard at once


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that is to be answered.

    Attributes:
        entry: The entry that it stands in.
        notice: What was heard in it, and where.
        place: Number of the entry in the journal.
    """

    entry: Entry
    notice: Notice
    place: int

    @property
    def sentence(self) -> str:
        """The sentence as it was written."""
        return self.entry.text[self.notice.start : self.notice.end]

    @property
    def thought(self) -> Thought:
        """What is handed to the friend: the sentence, and what stands before it in its entry."""
        return Thought(
            text=" ".join(self.sentence.split())[:_LONGEST_THOUGHT],
            kinds=(self.notice.kind,) if self.notice.kind else (),
            before=_before(self.entry.heard, self.notice.start),
        )


@dataclass(frozen=True, slots=True)
class Scanned:
    """So far were entries read and heard: how many, and how many sentences are to be answered."""

    entry: str
    entries: int
    found: int


class Scan:
    """Reads a journal and finds what is to be answered.

    Args:
        reframer: The flow.
        documents: The journal's files, and what could not be read of it.
        choices: What to read.
        kept: What earlier runs read and heard; gets what this one does.

    Attributes:
        found: The sentences to answer, in the journal's order.
        held: The entries that are set aside, crisis before concern.
        unread: What could not be read.
        documents: The files that hold sentences to answer.
        formats: Titles of the formats that were read.
        entries: How many entries were read.
        days: The days that they are of.
        tally: What was heard in them.
    """

    def __init__(
        self,
        reframer: Reframer,
        documents: Iterable[Document | Unread],
        choices: Choices,
        kept: Checkpoint,
    ) -> None:
        self.found: list[Found] = []
        self.held: list[Held] = []
        self.unread: list[Unread] = []
        self.documents: dict[Path, Document] = {}
        self.formats: set[str] = set()
        self.entries = 0
        self.days: set[date] = set()
        self.tally = Tally()
        self._of_concern: dict[str, _Read] = {}
        self._reframer = reframer
        self._journal = documents
        self._choices = choices
        self._kept = kept

    def run(self) -> Iterator[Scanned | Unread | Held]:
        """Read the whole journal; tell how far it is, and at the end what is left out.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: The reader, the cards or the index cannot be used.
        """
        # Without the reader safety reads with its word list alone, and that must not be kept.
        self._reframer.notice_many(())
        for batch in _batches(self._assessed(self._chosen())):
            safe = [read for read in batch if read.risk.level == "none"]
            self.held += [self._hold(read) for read in batch if read.risk.level != "none"]
            self.found += self._find(safe)
            self.entries += len(batch)
            yield Scanned(batch[-1].entry.id, self.entries, len(self.found))
        self.held.sort(key=lambda held: (-RANK[held.level], held.day or date.max))
        self.found = self.found[: self._choices.limit]
        yield from self.held
        yield from self.unread

    def gone_on(self) -> list[Found]:
        """Return what is to be answered in entries of concern that the person wants answered.

        They are asked about each, unless an earlier run has asked. A limit counts the sentences of
        all entries.
        """
        limit = self._choices.limit
        left = None if limit is None else limit - len(self.found)
        if self._choices.go_on is None or left == 0:
            return []
        taken_up = []
        for number, held in enumerate(self.held):
            if held.level == "concern" and self._goes_on(held, self._choices.go_on):
                self.held[number] = replace(held, went_on=True)
                taken_up.append(self._of_concern[held.entry])
        return self._find(sorted(taken_up, key=lambda read: read.place))[:left]

    def _goes_on(self, held: Held, go_on: GoOn) -> bool:
        # Of this entry alone: another one in the same words may be meant.
        key = hash_of("went on", _VERSION, held.entry, self._of_concern[held.entry].entry.text)
        line = self._kept.get(key)
        if line is None:
            line = {"went_on": go_on(held)}
            self._kept.put({key: line})
        return bool(line["went_on"])

    def _find(self, batch: Sequence[_Read]) -> list[Found]:
        """Hear entries, count what is heard, and return what is to be answered in them."""
        found = []
        for read, notices in zip(batch, self._heard(batch), strict=True):
            self.tally.hear(read.entry.day, notices)
            if wanted := [notice for notice in notices if self._choices.wants(notice)]:
                found += [Found(read.entry, notice, read.place) for notice in wanted]
                self.documents[read.document.path] = read.document
        return found

    def _chosen(self) -> Iterator[tuple[Document, Entry]]:
        """Yield the entries that are to be read, with their files; note what could not be."""
        for document in self._journal:
            if isinstance(document, Unread):
                self.unread.append(document)
                continue
            self.formats.add(document.format)
            for entry in document.entries:
                if self._choices.takes(entry.day):
                    self.days |= {entry.day} if entry.day else set()
                    yield document, entry

    def _assessed(self, entries: Iterable[tuple[Document, Entry]]) -> Iterator[_Read]:
        """Yield entries with what safety reads in them and in where they meet their neighbours."""
        earlier: _Read | None = None
        for place, (document, entry) in enumerate(entries):
            read = _Read(document, entry, place, self._assess(entry.text))
            if earlier is not None:
                meeting = self._assess(_seam(earlier.entry.text, entry.text))
                if RANK[meeting.level] > max(RANK[earlier.risk.level], RANK[read.risk.level]):
                    earlier, read = replace(earlier, risk=meeting), replace(read, risk=meeting)
                yield earlier
            earlier = read
        if earlier is not None:
            yield earlier

    def _assess(self, text: str) -> Risk:
        """Return what safety reads in the whole of a text, however long it is."""
        key = hash_of("risk", _VERSION, text)
        line = self._kept.get(key)
        if line is None:
            pieces = list(_pieces(text))
            seams = [_seam(piece, following) for piece, following in pairwise(pieces)]
            risks = [self._reframer.assess(part) for part in (*pieces, *seams)]
            worst = max(risks, key=lambda risk: RANK[risk.level])
            line = {"level": worst.level, "signals": worst.signals}
            self._kept.put({key: line})
        return Risk(line["level"], tuple(line["signals"]))

    def _heard(self, batch: Sequence[_Read]) -> Iterator[list[Notice]]:
        """Yield what the ear hears in each entry: the critic, and kind words."""
        keys = {read.entry.id: hash_of("heard", _VERSION, read.entry.heard) for read in batch}
        missing = [read.entry for read in batch if keys[read.entry.id] not in self._kept]
        if missing:
            heard = zip(missing, self._hear(missing), strict=True)
            self._kept.put({keys[entry.id]: _heard_line(notices) for entry, notices in heard})
        for read in batch:
            line = self._kept[keys[read.entry.id]]
            yield [_notice(read.entry.heard, values) for values in line["notices"]]

    def _hear(self, entries: Sequence[Entry]) -> Iterator[list[Notice]]:
        """Yield what the ear hears in each entry, however long it is."""
        cut = [list(_pieces(entry.heard)) for entry in entries]
        heard = iter(self._reframer.notice_many([piece for pieces in cut for piece in pieces]))
        for pieces in cut:
            notices: list[Notice] = []
            offset = 0
            for piece, in_piece in zip(pieces, heard, strict=False):
                notices += [
                    replace(n, start=n.start + offset, end=n.end + offset) for n in in_piece
                ]
                offset += len(piece)
            yield notices

    def _hold(self, read: _Read) -> Held:
        if read.risk.level == "concern":
            self._of_concern[read.entry.id] = read
        words = signposts(read.risk, self._choices.country, self._choices.wishes.voice)
        return Held(read.entry.id, read.entry.day, read.entry.title, read.risk.level, words)


@dataclass(frozen=True, slots=True)
class _Read:
    """An entry, where it stands, and what safety reads in it."""

    document: Document
    entry: Entry
    place: int
    risk: Risk


def _batches(entries: Iterable[_Read]) -> Iterator[list[_Read]]:
    """Yield entries in lists that are heard at once: not too many, nor too long together."""
    batch: list[_Read] = []
    size = 0
    for read in entries:
        batch.append(read)
        size += len(read.entry.text)
        if len(batch) == _BATCH or size >= _PIECE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that can be read at once, cut behind a line or else a word."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        end = text.rfind("\n", start, end) + 1 or text.rfind(" ", start, end) + 1 or end
        yield text[start:end]
        start = end
    yield text[start:]


def _seam(before: str, after: str) -> str:
    """Return the sentences around the place where two texts meet."""
    last = [piece.text for piece in split(before[-_SEAM:])]
    first = [piece.text for piece in split(after[:_SEAM])]
    if len(before) > _SEAM:  # the first sentence may be cut, and a half one may say anything
        last = last[1:] or last
    if len(after) > _SEAM:
        first = first[:-1] or first
    return f"{''.join(last).rstrip()}\n{''.join(first).lstrip()}"


def _heard_line(notices: Iterable[Notice]) -> Line:
    """Return what the checkpoint keeps of what was heard: where and what, not the words.

    Plain sentences are left out, as they are nearly all there is in years of a journal.
    """
    values = [
        [n.start, n.end, n.self_critical, n.kind, n.strength, n.kind_talk]
        for n in notices
        if n.self_critical or n.kind_talk
    ]
    return {"notices": values}


def _notice(heard: str, values: Sequence[Any]) -> Notice:
    start, end, *others = values
    return Notice(heard[start:end], start, end, *others)


def _before(heard: str, start: int) -> str:
    """Return what stands before a sentence, at most so much, from a whole word on."""
    words = " ".join(heard[max(0, start - 4 * _BEFORE) : start].split())
    return words if len(words) <= _BEFORE else words[-_BEFORE:].partition(" ")[2]
