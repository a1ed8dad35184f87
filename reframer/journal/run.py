"""A run over a whole journal, from its files to a friend's words, that may be cut off anywhere."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from reframer.engine import Reframer
from reframer.errors import JournalError
from reframer.journal import checkpoint
from reframer.journal.checkpoint import Checkpoint, Line
from reframer.journal.formats import STDIN, open_journal
from reframer.journal.insight import Tally, normal
from reframer.journal.records import (
    Answer,
    AskPassword,
    Document,
    Entry,
    Held,
    JournalResult,
    Reply,
    Unread,
)
from reframer.records import Kind, Notice, Reframe, Risk, Thought, Wishes
from reframer.safety import RANK, signposts
from reframer.sentences import split

# Another version may hear otherwise, so what was heard under this one is not taken over.
_VERSION = version("reframer")

_BEFORE = 300  # characters of an entry that an answer may know of what stands before a sentence
_LONGEST_THOUGHT = 700  # characters; a run-on line may be longer than a model can take in
_SEAM = 300  # characters on each side of where two entries meet
_PIECE = 50_000  # characters that are read at once, so that memory stays flat
_BATCH = 64  # entries that are heard at once
_WINDOW = 64  # sentences that are handed to the model at once
# A complaint that comes back gets the words of another technique than the last times. Beyond so
# many the next best no longer fits, and the first ones come round again.
_OTHER_WAYS = 5


# What a run is asked for, and what it tells


def no_password(path: Path) -> str:
    """Refuse to ask for a password.

    Raises:
        JournalError: Always; the message names the file.
    """
    raise JournalError(f"{path} is encrypted.", "Give its password when asked, in a terminal.")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user may choose for a run.

    Attributes:
        format: Name of the journal's format; empty to go by content.
        since: First day that is read; entries without a day are left out then.
        until: Last day that is read; likewise.
        limit: The most sentences that are answered, the journal's first ones; None for all.
        kinds: Kinds of self-criticism that are answered; empty for all.
        min_strength: Least strength, from 0 to 1, that is answered.
        wishes: How the person would like to be spoken to.
        country: Two-letter code for help lines; empty to go by the locale.
        ask: Asks for the password of an encrypted file.
        review: Is shown every answer at the end and has the last word; None to take all.
        keep: Whether the checkpoint stays after the run.
    """

    format: str = ""
    since: date | None = None
    until: date | None = None
    limit: int | None = None
    kinds: tuple[Kind, ...] = ()
    min_strength: float = 0.0
    wishes: Wishes = field(default_factory=Wishes)
    country: str = ""
    ask: AskPassword = no_password
    review: Review | None = None
    keep: bool = False

    def takes(self, day: date | None) -> bool:
        """Whether entries of a day are read."""
        if day is None:
            return self.since is None and self.until is None
        return (self.since or day) <= day <= (self.until or day)

    def wants(self, notice: Notice) -> bool:
        """Whether a sentence is to be answered."""
        return (
            notice.self_critical
            and notice.strength >= self.min_strength
            and (not self.kinds or notice.kind in self.kinds)
        )


Review = Callable[[Reply, Thought], Reply | None]
"""Returns the reply to keep, or None to leave the sentence alone; may raise `StopReview`."""


class StopReview(Exception):
    """A reviewer has had enough; what was gone through is kept."""


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that is to be answered.

    Attributes:
        entry: Id of its entry.
        day: The entry's day.
        title: The entry's title.
        start: Offset in the entry's text, in characters.
        end: Offset behind its last character.
        sentence: The sentence itself.
        kind: The kind of self-criticism heard in it.
        strength: How sure and how harsh, from 0 to 1.
        thought: What is handed to the friend.
    """

    entry: str
    day: date | None
    title: str
    start: int
    end: int
    sentence: str
    kind: Kind | None
    strength: float
    thought: Thought


@dataclass(frozen=True, slots=True)
class Scanned:
    """So far were entries read and heard: how many, and how many sentences are to be answered."""

    entry: str
    entries: int
    found: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A sentence was answered, now or in an earlier run.

    Attributes:
        reply: The answer.
        done: How many are answered.
        total: How many there are to answer.
        per_minute: Answers a minute in this run; 0 until one was made.
        seconds_left: Time that the rest will take at that rate; None while it is not known.
    """

    reply: Reply
    done: int
    total: int
    per_minute: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The end.

    Attributes:
        result: All that came of the journal.
        documents: The files that hold answered sentences, as they were read.
        reviewed: Whether a review went through to its end; True where none was asked for.
    """

    result: JournalResult
    documents: tuple[Document, ...]
    reviewed: bool = True


Event = Scanned | Held | Unread | Answered | Finished


# The run


def reframe_journal(
    reframer: Reframer, path: Path, choices: Choices | None = None
) -> Iterator[Event]:
    """Answer the inner critic all through a journal.

    1. open: the journal's files are read in their own format, one after the other.
    2. assess: safety reads every whole entry, and where it meets its neighbours. Entries in which
       it finds danger go no further; they are told of first, with where to turn.
    3. notice: the ear finds the self-critical sentences of the others.
    4. answer: each is answered knowing what stands before it in its entry; what was said before
       on another day is answered another way.
    5. checkpoint: each answer is on disk before the next; one that is there is not made again, nor
       is an entry assessed and heard again.
    6. review: where somebody goes through the answers, they have the last word.
    7. finish: all of it together. The caller writes it out while it handles `Finished`
       (`reframer.journal.outputs`); the checkpoint goes when the next event is asked for.

    The journal itself is only read. The result is the same however often the run was cut off.

    Args:
        reframer: The flow.
        path: File or folder of the journal; ``-`` for standard input.
        choices: What to read and how to answer.

    Raises:
        JournalError: Another run is at work on the journal, or its answers cannot be kept.
        ModelError: The model or the embedder is missing, damaged or too large, or failed.
        KnowledgeError: The cards or the index cannot be used.
    """
    choices = choices or Choices()
    with checkpoint.opened(path) as kept:
        run = Run(reframer, path, choices, kept)
        yield from run.scan()
        yield from run.held
        yield from run.answer()
        finished = run.finish()
        yield finished
        if finished.reviewed and not choices.keep:
            kept.remove()


def another_way(reframer: Reframer, reply: Reply, thought: Thought, wishes: Wishes) -> Reply:
    """Answer a sentence again.

    Args:
        reframer: The flow.
        reply: The answer that another one is wanted than.
        thought: What was handed to the friend.
        wishes: With the techniques that were used already.
    """
    _, answer = next(reframer.answer_as_completed([thought], wishes))
    return _worded(reply, _line(answer))


class Run:
    """One run, step by step; `reframe_journal` takes them all.

    Args:
        reframer: The flow.
        path: File or folder of the journal.
        choices: What to read and how to answer.
        kept: What earlier runs made; gets what this one makes.

    Attributes:
        found: The sentences to answer, in the journal's order, once it was scanned.
        held: The entries that are not answered, crisis before concern.
    """

    def __init__(self, reframer: Reframer, path: Path, choices: Choices, kept: Checkpoint) -> None:
        self.found: list[Found] = []
        self.held: list[Held] = []
        self._reframer = reframer
        self._path = path
        self._choices = choices
        self._kept = kept
        self._tally = Tally()
        self._unread: list[Unread] = []
        self._formats: set[str] = set()
        self._documents: dict[Path, Document] = {}
        self._days: set[date] = set()
        self._entries = 0
        self._replies: dict[int, Reply] = {}
        self._models: set[str] = set()

    def scan(self) -> Iterator[Scanned | Unread]:
        """Read, assess and hear the journal."""
        for batch in _batches(self._assessed(self._chosen())):
            safe = [read for read in batch if read.risk.level == "none"]
            self.held += [self._hold(read) for read in batch if read.risk.level != "none"]
            for read, notices in zip(safe, self._heard(safe), strict=True):
                self._tally.hear(read.entry.day, notices)
                if wanted := [n for n in notices if self._choices.wants(n)]:
                    self.found += [_found(read.entry, notice) for notice in wanted]
                    self._documents[read.document.path] = read.document
            self._entries += len(batch)
            yield Scanned(batch[-1].entry.id, self._entries, len(self.found))
        yield from self._unread
        self.held.sort(key=lambda held: (-RANK[held.level], held.day or date.max))
        self.found = self.found[: self._choices.limit]

    def answer(self) -> Iterator[Answered]:
        """Answer what was found, a window at a time, and keep each answer at once."""
        fingerprint = self._reframer.fingerprint() if self.found else ""
        pace = _Pace(len(self.found))
        used: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for turn, other_than in _turns(self.found, used):
            wishes = replace(self._choices.wishes, other_than=other_than)
            keys = {
                number: _key(self.found[number].thought, wishes, fingerprint) for number in turn
            }
            for number, line in self._lines(keys, wishes, pace):
                reply = self._replies[number] = _reply(self.found[number], line)
                self._models.add(line["model"])
                said = normal(reply.answer.sentence)
                used[said] = (*used[said], reply.answer.technique)[-_OTHER_WAYS:]
                yield pace.told(reply)

    def finish(self) -> Finished:
        """Let the answers be reviewed and put everything together."""
        replies, reviewed = self._reviewed()
        result = JournalResult(
            title=_title(self._path),
            path=self._path,
            formats=tuple(sorted(self._formats)),
            entries=self._entries,
            first=min(self._days, default=None),
            last=max(self._days, default=None),
            replies=tuple(replies),
            held=tuple(self.held),
            insight=self._tally.insight(replies),
            unread=tuple(self._unread),
            model=", ".join(sorted(self._models - {""})),
            made=date.today(),
        )
        return Finished(result, tuple(self._documents.values()), reviewed)

    # Scanning

    def _chosen(self) -> Iterator[tuple[Document, Entry]]:
        """Yield the entries that are to be read, with their files; note what could not be."""
        for document in open_journal(self._path, self._choices.format, self._choices.ask):
            if isinstance(document, Unread):
                self._unread.append(document)
                continue
            self._formats.add(document.format)
            for entry in document.entries:
                if self._choices.takes(entry.day):
                    self._days |= {entry.day} if entry.day else set()
                    yield document, entry

    def _assessed(self, entries: Iterable[tuple[Document, Entry]]) -> Iterator[_Read]:
        """Yield entries with what safety reads in them and in where they meet their neighbours."""
        earlier: _Read | None = None
        for document, entry in entries:
            read = _Read(document, entry, self._assess(entry.text))
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
        key = _hash("risk", _VERSION, text)
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
        """Yield what the ear hears in each entry."""
        keys = {read.entry.id: _hash("heard", _VERSION, read.entry.heard) for read in batch}
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
        words = signposts(read.risk, self._choices.country, self._choices.wishes.voice)
        return Held(read.entry.id, read.entry.day, read.entry.title, read.risk.level, words)

    # Answering

    def _lines(
        self, keys: Mapping[int, str], wishes: Wishes, pace: _Pace
    ) -> Iterator[tuple[int, Line]]:
        """Yield the checkpoint's lines for sentences by their number; make those that lack."""
        missing = []
        for number, key in keys.items():
            line = self._kept.get(key)
            if line is None:
                missing.append(number)
            else:
                yield number, line
        thoughts = [self.found[number].thought for number in missing]
        for place, answer in self._reframer.answer_as_completed(thoughts, wishes):
            number, line = missing[place], _line(answer)
            self._kept.put({keys[number]: line})
            pace.made += 1
            yield number, line

    def _reviewed(self) -> tuple[list[Reply], bool]:
        """Return the replies as they are to stay, and whether all were gone through."""
        review = self._choices.review
        replies = dict(sorted(self._replies.items()))
        if review is None:
            return list(replies.values()), True
        staying: list[Reply] = []
        for number, reply in replies.items():
            key = _hash("review", asdict(reply.answer))
            line = self._kept.get(key)
            if line is None:
                try:
                    decided = review(reply, self.found[number].thought)
                except StopReview:
                    return staying, False
                line = _decision(decided)
                self._kept.put({key: line})
            if line["stays"]:
                staying.append(_worded(reply, line))
        return staying, True


@dataclass(frozen=True, slots=True)
class _Read:
    """An entry, where it stands, and what safety reads in it."""

    document: Document
    entry: Entry
    risk: Risk


@dataclass(slots=True)
class _Pace:
    """How fast a run answers. What an earlier run answered does not count."""

    total: int
    done: int = 0
    made: int = 0
    started: float = field(default_factory=time.monotonic)

    def told(self, reply: Reply) -> Answered:
        """Count an answer and return the event that tells of it."""
        self.done += 1
        rate = self.made / max(time.monotonic() - self.started, 1e-9)
        left = (self.total - self.done) / rate if rate else None
        return Answered(reply, self.done, self.total, rate * 60, left)


def _turns(
    found: Sequence[Found], used: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[list[int], tuple[str, ...]]]:
    """Yield the numbers of sentences that can be answered together, and how they must not be.

    The caller enters the techniques that were used before it asks for the next turn: a sentence
    that is said again waits for its earlier answer.
    """
    for first in range(0, len(found), _WINDOW):
        waiting = list(range(first, min(first + _WINDOW, len(found))))
        while waiting:
            foremost: dict[str, int] = {}
            for number in waiting:
                foremost.setdefault(normal(found[number].sentence), number)
            other_than = tuple(sorted(used[normal(found[waiting[0]].sentence)]))
            turn = [n for said, n in foremost.items() if tuple(sorted(used[said])) == other_than]
            yield turn, other_than
            waiting = [number for number in waiting if number not in turn]


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
    """Return what the checkpoint keeps of what was heard: where and what, not the words."""
    values = [[n.start, n.end, n.self_critical, n.kind, n.strength, n.kind_talk] for n in notices]
    return {"notices": values}


def _notice(heard: str, values: Sequence[Any]) -> Notice:
    start, end, *others = values
    return Notice(heard[start:end], start, end, *others)


def _title(path: Path) -> str:
    """Return what a journal is called."""
    if path == STDIN:
        return "Journal"
    return path.resolve().name if path.is_dir() else path.stem


def _found(entry: Entry, notice: Notice) -> Found:
    sentence = entry.text[notice.start : notice.end]
    thought = Thought(
        text=" ".join(sentence.split())[:_LONGEST_THOUGHT],
        kinds=(notice.kind,) if notice.kind else (),
        before=_before(entry.heard, notice.start),
    )
    return Found(
        entry.id,
        entry.day,
        entry.title,
        notice.start,
        notice.end,
        sentence,
        notice.kind,
        notice.strength,
        thought,
    )


def _before(heard: str, start: int) -> str:
    """Return what stands before a sentence, at most so much, from a whole word on."""
    words = " ".join(heard[max(0, start - 4 * _BEFORE) : start].split())
    return words if len(words) <= _BEFORE else words[-_BEFORE:].partition(" ")[2]


def _key(thought: Thought, wishes: Wishes, fingerprint: str) -> str:
    """Return the hash of everything that an answer depends on."""
    return _hash("answer", asdict(thought), asdict(wishes), fingerprint)


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _line(answer: Reframe) -> Line:
    """Return what the checkpoint keeps of an answer: the friend's words, never the person's."""
    technique = answer.techniques[0] if answer.techniques else None
    return {
        "words": answer.text,
        "origin": answer.origin,
        "technique": technique.id if technique else "",
        "title": technique.title if technique else "",
        "model": answer.model,
    }


def _decision(decided: Reply | None) -> Line:
    """Return what the checkpoint keeps of a reviewer's decision."""
    if decided is None:
        return {"stays": False}
    answer = decided.answer
    return {
        "stays": True,
        "words": answer.words,
        "origin": answer.origin,
        "technique": answer.technique,
        "title": decided.technique,
    }


def _reply(found: Found, line: Line) -> Reply:
    answer = Answer(
        entry=found.entry,
        start=found.start,
        end=found.end,
        sentence=found.sentence,
        kind=found.kind,
        strength=found.strength,
        words="",
        origin="untouched",
    )
    return _worded(Reply(answer, found.day, found.title), line)


def _worded(reply: Reply, line: Line) -> Reply:
    """Return a reply in the words of a checkpoint's line."""
    answer = replace(
        reply.answer,
        words=line["words"],
        origin=line["origin"],
        technique=line["technique"],
    )
    return replace(reply, answer=answer, technique=line["title"])
