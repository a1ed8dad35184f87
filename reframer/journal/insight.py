"""What is said how often in a journal. It counts, and leaves the judging to nobody."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from reframer.journal.records import Fit, Insight, Month, Phrase, Reply
from reframer.records import Kind, Notice

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def normal(sentence: str) -> str:
    """Return a sentence without capitals, punctuation and spacing, to tell what is said again."""
    return " ".join(_WORD.findall(sentence.casefold().replace("’", "'")))


@dataclass(slots=True)
class _Heard:
    """The counts of one month while it is being heard."""

    entries: int = 0
    quiet: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    kind_talk: int = 0


class Tally:
    """Counts while a journal is heard; what it holds grows with what the critic says alone."""

    def __init__(self) -> None:
        self._months: defaultdict[date | None, _Heard] = defaultdict(_Heard)
        self._counts: Counter[str] = Counter()
        self._words: dict[str, str] = {}

    def hear(self, day: date | None, notices: Sequence[Notice]) -> None:
        """Count an entry by what was heard in its sentences."""
        month = self._months[day.replace(day=1) if day else None]
        critical = [notice for notice in notices if notice.self_critical]
        month.entries += 1
        month.quiet += not critical
        month.kinds.update(notice.kind for notice in critical if notice.kind)
        month.kind_talk += sum(notice.kind_talk for notice in notices)
        for notice in critical:
            said = normal(notice.text)
            self._counts[said] += 1
            self._words.setdefault(said, " ".join(notice.text.split()))

    def insight(self, replies: Iterable[Reply]) -> Insight:
        """Return the counts, with those of the techniques that the answers drew on."""
        return Insight(
            months=tuple(
                Month(first, heard.entries, heard.quiet, dict(heard.kinds), heard.kind_talk)
                for first, heard in sorted(
                    self._months.items(), key=lambda month: month[0] or date.max
                )
            ),
            phrases=tuple(
                Phrase(self._words[said], count)
                for said, count in self._counts.most_common()
                if count > 1
            ),
            techniques=tuple(_fits(replies)),
        )


def _fits(replies: Iterable[Reply]) -> Iterable[Fit]:
    used = Counter(
        (reply.answer.technique, reply.technique) for reply in replies if reply.answer.technique
    )
    return (Fit(technique, title, count) for (technique, title), count in used.most_common())
