"""The report of a journal: one HTML file to read, keep and print, which asks for nothing else.

The page is ``report.html.jinja``. It holds its own styles, runs no script and loads nothing; a
content security policy in it makes sure of that, whatever somebody wrote into their journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reframer import paths, settings
from reframer.journal.records import Held, JournalResult, Month, Reply
from reframer.knowledge import load_techniques
from reframer.records import KIND_NAMES, KINDS, Technique

_PHRASES_SHOWN = 8
_TECHNIQUES_SHOWN = 4
_MOST_MONTHS_NAMED = 12
_MOST_YEARS_NAMED = 8
_LOWEST_PEAK = 3  # so that a thing said once does not fill a picture
_UNDATED = "Without a date"


def report_html(result: JournalResult) -> str:
    """Return the report of a journal.

    Why a technique helps, where it comes from and its small step are read from the cards, the
    program's and the user's own; of one whose card is gone, the name is shown.

    Args:
        result: What came of the journal.
    """
    chapters = tuple(_chapters(result.replies))
    page = _environment().get_template("report.html.jinja")
    return page.render(
        result=result,
        span=_span(result.first, result.last),
        cards=_cards(),
        held=_held(result.held),
        chapters=chapters,
        years=_years(chapters),
        picture=_picture(result.insight.months),
        phrases=result.insight.phrases[:_PHRASES_SHOWN],
        fits=result.insight.techniques[:_TECHNIQUES_SHOWN],
        unread=[(_within(file.path, result.path), file.reason) for file in result.unread],
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(paths.package_file("journal")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=_day, times=_times)
    return environment


def _cards() -> dict[str, Technique]:
    """Return the cards by id; what is wrong with one was told when the answers were worded."""
    cards = load_techniques(settings.load().cards_dir, on_problem=lambda _: None)
    return {card.id: card for card in cards}


# What is said to whom


@dataclass(frozen=True, slots=True)
class _Chapter:
    """The answers of one month, by entry; ``first`` is its first day."""

    first: date | None
    entries: tuple[tuple[Reply, ...], ...]

    @property
    def title(self) -> str:
        return _month(self.first)

    @property
    def year(self) -> str:
        return f"{self.first:%Y}" if self.first else _UNDATED

    @property
    def anchor(self) -> str:
        return f"month-{self.first:%Y-%m}" if self.first else "undated"


def _chapters(replies: Iterable[Reply]) -> Iterator[_Chapter]:
    """Return the answers by month and entry, the earliest first and those without a day last."""
    in_order = sorted(replies, key=lambda reply: reply.day or date.max)
    for first, month in groupby(in_order, lambda reply: _first_of_month(reply.day)):
        entries = groupby(month, lambda reply: reply.answer.entry)
        yield _Chapter(first, tuple(tuple(entry) for _, entry in entries))


def _years(chapters: Iterable[_Chapter]) -> dict[str, str]:
    """Return the years that have answers, each with the anchor of its first month."""
    years: dict[str, str] = {}
    for chapter in chapters:
        years.setdefault(chapter.year, chapter.anchor)
    return years


def _held(entries: Iterable[Held]) -> dict[str, list[Held]]:
    """Return the entries that were set aside by the words for them, so that these stand once."""
    by_words: dict[str, list[Held]] = {}
    for entry in entries:
        by_words.setdefault(entry.words, []).append(entry)
    return by_words


def _within(path: Path, journal: Path) -> str:
    return str(path.relative_to(journal)) if journal in path.parents else path.name


# Pictures


@dataclass(frozen=True, slots=True)
class _Row:
    """How often one thing was said, month by month."""

    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class _Picture:
    """The months side by side, those without any entry too, so that time runs evenly.

    Attributes:
        months: Their names.
        ticks: What is written under them: the month's number, from 0, and the words.
        entries: Entries that were heard.
        quiet: Those of them without any critic.
        critic: What the critic said, of any kind.
        kind_talk: Kind words of the writer to themselves.
        kinds: What the critic said by kind, most often first.
    """

    months: tuple[str, ...]
    ticks: tuple[tuple[int, str], ...]
    entries: _Row
    quiet: _Row
    critic: _Row
    kind_talk: _Row
    kinds: tuple[_Row, ...]

    @property
    def peak(self) -> int:
        """The most that the critic or the kind words have in a month."""
        return max(*self.critic.counts, *self.kind_talk.counts)

    @property
    def kinds_peak(self) -> int:
        """The most that any kind has in a month."""
        return max([_LOWEST_PEAK, *(max(row.counts) for row in self.kinds)])

    def spoken(self, row: _Row) -> str:
        """Return what a row of bars shows, in words."""
        most = max(row.counts)
        if not most:
            return f"{row.name}: none."
        month = self.months[row.counts.index(most)]
        return f"{row.name}: {_times(row.total)} in all, most in {month} ({most})."


def _picture(months: Sequence[Month]) -> _Picture | None:
    """Return the pictures of what was heard; None where there is nothing to show."""
    if not months:
        return None
    line = tuple(_without_gaps(months))
    kinds = (
        _Row(_sentence(KIND_NAMES[kind]), tuple(month.kinds.get(kind, 0) for month in line))
        for kind in KINDS
    )
    return _Picture(
        months=tuple(_month(month.first) for month in line),
        ticks=_ticks([month.first for month in line]),
        entries=_Row("Entries", tuple(month.entries for month in line)),
        quiet=_Row("Entries without the critic", tuple(month.quiet for month in line)),
        critic=_Row("The critic", tuple(sum(month.kinds.values()) for month in line)),
        kind_talk=_Row("Kind words", tuple(month.kind_talk for month in line)),
        kinds=tuple(sorted((row for row in kinds if row.total), key=lambda row: -row.total)),
    )


def _without_gaps(months: Sequence[Month]) -> Iterator[Month]:
    """Return months in a row, with empty ones for those in which nothing was written."""
    last: date | None = None
    for month in months:
        while last and month.first and (last := _next_month(last)) < month.first:
            yield Month(last, entries=0, quiet=0, kinds={}, kind_talk=0)
        yield month
        last = month.first


def _ticks(months: Sequence[date | None]) -> tuple[tuple[int, str], ...]:
    """Return what is written under which month: each one's name or, where there are many, years."""
    if len(months) <= _MOST_MONTHS_NAMED:
        names = (f"{first:%b}" if first else "no date" for first in months)
        return tuple(enumerate(names))
    januaries = [(i, first.year) for i, first in enumerate(months) if first and first.month == 1]
    step = -(-len(januaries) // _MOST_YEARS_NAMED) or 1
    return tuple((number, str(year)) for number, year in januaries[::step])


# Words


def _first_of_month(day: date | None) -> date | None:
    return day.replace(day=1) if day else None


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _month(first: date | None) -> str:
    return f"{first:%B %Y}" if first else _UNDATED


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _span(first: date | None, last: date | None) -> str:
    """Return from when to when a journal goes; empty where it does not say."""
    if not first or not last:
        return ""
    if first == last:
        return f"of {_day(first)}"
    begin = f"{first.day} {first:%B}" if first.year == last.year else _day(first)
    return f"from {begin} to {_day(last)}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
