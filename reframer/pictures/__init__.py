"""What was heard over time, as pictures with words for those who cannot see them.

The markup is drawn by the macros of ``pictures.html.jinja`` and looks as ``pictures.css`` says; the
journal's report and the page both use them. It counts, and leaves the judging to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reframer import paths
from reframer.records import KIND_NAMES, KINDS, Kind

_MOST_MARKS = 8
_LOWEST_PEAK = 3  # so that a thing said once does not fill a picture
_UNDATED = "Without a date"


class Heard(Protocol):
    """What was heard in a month or a week."""

    @property
    def first(self) -> date | None:
        """Its first day; None for what has no date."""

    @property
    def entries(self) -> int:
        """Entries that were heard."""

    @property
    def quiet(self) -> int:
        """Those of them without any critic."""

    @property
    def kinds(self) -> Mapping[Kind, int]:
        """How often which kind of self-criticism was heard."""

    @property
    def kind_talk(self) -> int:
        """Sentences in which the writer spoke kindly to themselves."""


class Calendar(NamedTuple):
    """How time is divided.

    Attributes:
        noun: What a part is called.
        lead: What stands before its name within a sentence.
        first: Gives the first day of a day's part.
        following: Gives the first day of the next part.
        name: Names a part by its first day.
        most_named: How many parts there may be, so that each can be named in a picture.
        tick: Names a part there.
        marked: Whether a part is named where there are more.
        mark: Names it then.
    """

    noun: str
    lead: str
    first: Callable[[date], date]
    following: Callable[[date], date]
    name: Callable[[date], str]
    most_named: int
    tick: Callable[[date], str]
    marked: Callable[[date], bool]
    mark: Callable[[date], str]


MONTHS = Calendar(
    noun="month",
    lead="",
    first=lambda day: day.replace(day=1),
    following=lambda first: date(first.year + first.month // 12, first.month % 12 + 1, 1),
    name=lambda first: f"{first:%B %Y}",
    most_named=12,
    tick=lambda first: f"{first:%b}",
    marked=lambda first: first.month == 1,
    mark=lambda first: f"{first.year}",
)
WEEKS = Calendar(
    noun="week",
    lead="the week of ",
    first=lambda day: day - timedelta(days=day.weekday()),
    following=lambda first: first + timedelta(days=7),
    name=lambda first: f"{first.day} {first:%B %Y}",
    most_named=6,
    tick=lambda first: f"{first.day} {first:%b}",
    marked=lambda first: first.day <= 7,
    mark=lambda first: f"{first:%b}",
)


@dataclass(frozen=True, slots=True)
class Row:
    """How often one thing was said, part by part."""

    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How often in all."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Picture:
    """The parts of a time side by side, the empty ones too, so that time runs evenly.

    Attributes:
        calendar: How time is divided.
        parts: Their names.
        ticks: What is written under them: the part's number, from 0, and the words.
        entries: Entries that were heard.
        quiet: Those of them without any critic.
        critic: What the critic said, of any kind.
        kind_talk: Kind words of the writer to themselves.
        kinds: What the critic said by kind, most often first.
    """

    calendar: Calendar
    parts: tuple[str, ...]
    ticks: tuple[tuple[int, str], ...]
    entries: Row
    quiet: Row
    critic: Row
    kind_talk: Row
    kinds: tuple[Row, ...]

    @property
    def peak(self) -> int:
        """The most that the critic or the kind words have in a part."""
        return max(*self.critic.counts, *self.kind_talk.counts)

    @property
    def kinds_peak(self) -> int:
        """The most that any kind has in a part."""
        return max([_LOWEST_PEAK, *(max(row.counts) for row in self.kinds)])

    def spoken(self, row: Row) -> str:
        """Return what a row of bars shows, in words."""
        most = max(row.counts)
        if not most:
            return f"{row.name}: none."
        part = self.parts[row.counts.index(most)]
        return (
            f"{row.name}: {times(row.total)} in all, most in {self.calendar.lead}{part} ({most})."
        )


def picture(
    heard: Sequence[Heard], calendar: Calendar = MONTHS, entries: str = "Entries"
) -> Picture:
    """Return the pictures of what was heard.

    Args:
        heard: What was heard, part by part, in their order, at least one; what has no date comes
            last.
        calendar: How time is divided.
        entries: What the entries are called.
    """
    by_first = {part.first: part for part in heard}
    firsts = tuple(_without_gaps([part.first for part in heard], calendar))

    def row(name: str, count: Callable[[Heard], int]) -> Row:
        counts = (count(by_first[first]) if first in by_first else 0 for first in firsts)
        return Row(name, tuple(counts))

    def kind_row(kind: Kind) -> Row:
        return row(_sentence(KIND_NAMES[kind]), lambda part: part.kinds.get(kind, 0))

    kinds = (kind_row(kind) for kind in KINDS)
    return Picture(
        calendar=calendar,
        parts=tuple(calendar.name(first) if first else _UNDATED for first in firsts),
        ticks=_ticks(firsts, calendar),
        entries=row(entries, lambda part: part.entries),
        quiet=row(f"{entries} without the critic", lambda part: part.quiet),
        critic=row("The critic", lambda part: sum(part.kinds.values())),
        kind_talk=row("Kind words", lambda part: part.kind_talk),
        kinds=tuple(sorted((row for row in kinds if row.total), key=lambda row: -row.total)),
    )


def environment(folder: str) -> Environment:
    """Return where templates of a room, and the macros that draw pictures, are found.

    Args:
        folder: The room's folder within the package.
    """
    made = Environment(
        loader=FileSystemLoader([paths.package_file(folder), paths.package_file("pictures")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(times=times)
    return made


def times(count: int) -> str:
    """Return how often something was, in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _without_gaps(firsts: Sequence[date | None], calendar: Calendar) -> Iterator[date | None]:
    """Return the first days of all parts in a row, also of those in which nothing was written."""
    last: date | None = None
    for first in firsts:
        while last and first and (last := calendar.following(last)) < first:
            yield last
        yield first
        last = first


def _ticks(firsts: Sequence[date | None], calendar: Calendar) -> tuple[tuple[int, str], ...]:
    """Return what is written under which part: each one's name or, where there are many, some."""
    if len(firsts) <= calendar.most_named:
        names = (calendar.tick(first) if first else "no date" for first in firsts)
        return tuple(enumerate(names))
    marked = [
        (i, calendar.mark(first))
        for i, first in enumerate(firsts)
        if first and calendar.marked(first)
    ]
    step = -(-len(marked) // _MOST_MARKS) or 1
    return tuple(marked[::step])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
