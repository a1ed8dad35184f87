"""The report of a journal: one HTML file to read, keep and print, which asks for nothing else.

The page is ``report.html.jinja``. It holds its own styles, runs no script and loads nothing; a
content security policy in it makes sure of that, whatever somebody wrote into their journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from reframer import pictures, settings
from reframer.journal.records import Held, JournalResult, Reply
from reframer.knowledge import load_techniques
from reframer.records import Technique

_PHRASES_SHOWN = 8
_TECHNIQUES_SHOWN = 4
_UNDATED = "Without a date"


def report_html(result: JournalResult) -> str:
    """Return the report of a journal.

    Why a technique helps, where it comes from and its small step are read from the cards, the
    program's and the user's own; of one whose card is gone, the name is shown.

    Args:
        result: What came of the journal.
    """
    chapters = tuple(_chapters(result.replies))
    environment = pictures.environment("journal")
    environment.filters.update(day=_day)
    months = result.insight.months
    return environment.get_template("report.html.jinja").render(
        result=result,
        span=_span(result.first, result.last),
        cards=_cards(),
        held=_held(result.held),
        chapters=chapters,
        years=_years(chapters),
        picture=pictures.picture(months) if months else None,
        phrases=result.insight.phrases[:_PHRASES_SHOWN],
        fits=result.insight.techniques[:_TECHNIQUES_SHOWN],
        unread=[(_within(file.path, result.path), file.reason) for file in result.unread],
    )


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


# Words


def _first_of_month(day: date | None) -> date | None:
    return day.replace(day=1) if day else None


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
