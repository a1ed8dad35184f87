"""A run over a whole journal, from its files to a friend's words, that may be cut off anywhere."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

from reframer.engine import Reframer
from reframer.journal import checkpoint
from reframer.journal.checkpoint import Checkpoint, Line, Unkept, hash_of
from reframer.journal.choices import Choices, StopReview
from reframer.journal.formats import STDIN, open_journal
from reframer.journal.insight import normal
from reframer.journal.records import Answer, Document, Held, JournalResult, Reply, Unread
from reframer.journal.scan import Found, Scan, Scanned
from reframer.records import Reframe, Thought, Wishes

_WINDOW = 64  # sentences that are handed to the model at once
# A complaint that comes back gets the words of another technique than the last times. Beyond so
# many the next best no longer fits, and the first ones come round again.
_OTHER_WAYS = 5


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


def reframe_journal(
    reframer: Reframer, path: Path, choices: Choices | None = None
) -> Iterator[Event]:
    """Answer the inner critic all through a journal.

    1. open: the journal's files are read in their own format, one after the other.
    2. assess: safety reads every whole entry, and where it meets its neighbours. Entries in which
       it finds danger go no further; they are told of first, with where to turn.
    3. notice: the ear finds the self-critical sentences of the others.
    4. answer: each is answered knowing what stands before it in its entry; what was said before
       is answered another way.
    5. checkpoint: each answer is on disk before the next; one that is there is not made again, nor
       is an entry assessed and heard again.
    6. review: where somebody goes through the answers, they have the last word. First they are
       shown the entries of concern, and may say that one was not meant so: it is answered then.
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
    with checkpoint.opened(path, choices.lock) as kept:
        documents = open_journal(path, choices.format, choices.ask)
        reviewed = yield from _run(reframer, path, documents, choices, kept)
        if reviewed and not choices.keep:
            kept.remove()


def reframe_document(
    reframer: Reframer, document: Document, choices: Choices, kept: Unkept | None = None
) -> Iterator[Event]:
    """Answer the inner critic all through a document, in memory alone.

    It goes as `reframe_journal` goes, but nothing is kept on a disk.

    Args:
        reframer: The flow.
        document: The document.
        choices: What to read and how to answer.
        kept: What an earlier run over the document heard and answered, which is not done again.

    Raises:
        ModelError: The model or the embedder is missing, damaged or too large, or failed.
        KnowledgeError: The cards or the index cannot be used.
    """
    yield from _run(
        reframer, document.path, [document, *document.unread], choices, kept or Unkept()
    )


def _run(
    reframer: Reframer,
    path: Path,
    documents: Iterable[Document | Unread],
    choices: Choices,
    kept: Checkpoint,
) -> Generator[Event, None, bool]:
    """Take steps 2 to 7 and return whether a review went through to its end."""
    scan = Scan(reframer, documents, choices, kept)
    yield from scan.run()
    answers = _Answers(reframer, choices, kept)
    yield from answers.run(scan.found)
    yield from answers.run(scan.gone_on())
    replies, reviewed = answers.reviewed()
    result = _result(path, scan, replies, answers)
    yield Finished(result, tuple(scan.documents.values()), reviewed)
    return reviewed


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


class _Answers:
    """The second half of a run: what was found is answered, and reviewed where somebody wants to.

    Args:
        reframer: The flow.
        choices: How to answer.
        kept: What earlier runs answered; gets what this one does.

    Attributes:
        models: Ids of the models that spoke.
        asked: Id of the model that was given sentences; empty where none was.
    """

    def __init__(self, reframer: Reframer, choices: Choices, kept: Checkpoint) -> None:
        self.models: set[str] = set()
        self.asked = ""
        self._reframer = reframer
        self._choices = choices
        self._kept = kept
        self._used: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        self._replies: list[tuple[Found, Reply]] = []

    def run(self, found: Sequence[Found]) -> Iterator[Answered]:
        """Answer what was found, a window at a time, and keep each answer at once.

        Args:
            found: The sentences, in the journal's order.
        """
        if not found:  # so that no model is opened for nothing
            return
        fingerprint = self._reframer.fingerprint()
        self.asked = self._reframer.asked(self._choices.wishes)
        pace = _Pace(len(found))
        for turn, other_than in _turns(found, self._used):
            wishes = replace(self._choices.wishes, other_than=other_than)
            for one, line in self._lines(turn, wishes, fingerprint, pace):
                reply = _reply(one, line)
                self._replies.append((one, reply))
                self.models |= {line["model"]} - {""}
                said = normal(reply.answer.sentence)
                self._used[said] = (*self._used[said], reply.answer.technique)[-_OTHER_WAYS:]
                yield pace.told(reply)

    def _lines(
        self, turn: Sequence[Found], wishes: Wishes, fingerprint: str, pace: _Pace
    ) -> Iterator[tuple[Found, Line]]:
        """Yield sentences with the checkpoint's lines for them; make those that lack."""
        missing = []
        for one in turn:
            key = hash_of("answer", asdict(one.thought), asdict(wishes), fingerprint)
            line = self._kept.get(key)
            if line is None:
                missing.append((one, key))
            else:
                yield one, line
        thoughts = [one.thought for one, _ in missing]
        for number, answer in self._reframer.answer_as_completed(thoughts, wishes):
            (one, key), line = missing[number], _line(answer)
            self._kept.put({key: line})
            pace.made += 1
            yield one, line

    def reviewed(self) -> tuple[list[Reply], bool]:
        """Return the replies as they are to stay, and whether all were gone through."""
        review = self._choices.review
        replies = sorted(self._replies, key=lambda each: (each[0].place, each[0].notice.start))
        if review is None:
            return [reply for _, reply in replies], True
        staying: list[Reply] = []
        keys: Counter[str] = Counter()
        for found, reply in replies:
            key = _review_key(found, reply)
            keys[key] += 1
            key = hash_of(key, keys[key])
            line = self._kept.get(key)
            if line is None:
                try:
                    decided = review(reply, found.thought)
                except StopReview:
                    return staying, False
                line = _decision(decided)
                self._kept.put({key: line})
            if line["stays"]:
                staying.append(_worded(reply, line))
        return staying, True


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
) -> Iterator[tuple[list[Found], tuple[str, ...]]]:
    """Yield the sentences that can be answered together, and how they must not be.

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
            yield [found[number] for number in turn], other_than
            waiting = [number for number in waiting if number not in turn]


def _result(path: Path, scan: Scan, replies: Sequence[Reply], answers: _Answers) -> JournalResult:
    return JournalResult(
        title=_title(path),
        path=path,
        formats=tuple(sorted(scan.formats)),
        entries=scan.entries,
        first=min(scan.days, default=None),
        last=max(scan.days, default=None),
        replies=tuple(replies),
        held=tuple(scan.held),
        insight=scan.tally.insight(replies),
        unread=tuple(scan.unread),
        model=", ".join(sorted(answers.models)),
        asked=answers.asked,
        made=date.today(),
    )


def _title(path: Path) -> str:
    """Return what a journal is called."""
    if path == STDIN:
        return "Journal"
    return path.resolve().name if path.is_dir() else path.stem


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


def _review_key(found: Found, reply: Reply) -> str:
    """Return what a reviewer's decision is found by; sentences said again on a day share it.

    Nothing in it moves when answers are written into the journal, as offsets do, or, where answers
    are entries of their own, the numbers of those that follow.
    """
    file = found.entry.id.rpartition("#")[0]
    day = str(found.entry.day)
    answer = reply.answer
    return hash_of("review", file, day, asdict(found.thought), answer.words, answer.technique)


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
    entry, notice = found.entry, found.notice
    answer = Answer(
        entry=entry.id,
        start=notice.start,
        end=notice.end,
        sentence=found.sentence,
        kind=notice.kind,
        strength=notice.strength,
        words="",
        origin="untouched",
    )
    return _worded(Reply(answer, entry.day, entry.title), line)


def _worded(reply: Reply, line: Line) -> Reply:
    """Return a reply in the words of a checkpoint's line."""
    answer = replace(
        reply.answer,
        words=line["words"],
        origin=line["origin"],
        technique=line["technique"],
    )
    return replace(reply, answer=answer, technique=line["title"])
