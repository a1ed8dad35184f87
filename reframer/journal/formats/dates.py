"""Dates as people write them above a day's words and into the names of files."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"(?:s|nes|rs|r|ur)?(?:day)?\b"  # or "Wedding" would begin like a Wednesday
_WEEKDAY = rf"(?P<weekday>mon|tue|wed|thu|fri|sat|sun){_DAY}\.?,?"
_NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_TIME = r"(?:(?:T|,?[ \t]+)(?:at[ \t]+)?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[ \t]?[ap]\.?m\b\.?)?)?"
_AFTER = rf"(?:,?[ \t]*\(?(?:mon|tue|wed|thu|fri|sat|sun){_DAY}\)?)?"
_FORMS = tuple(
    re.compile(rf"(?:{_WEEKDAY}[ \t]+)?{form}{_AFTER}{_TIME}(?!\w)", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        rf"{_NUMBER}[ \t]+(?:of[ \t]+)?{_MONTH},?[ \t]+(?P<year>\d{{4}})",
        rf"{_MONTH}[ \t]+{_NUMBER},?[ \t]+(?P<year>\d{{4}})",
        r"(?P<day>\d{1,2})\.[ ]?(?P<month>\d{1,2})\.[ ]?(?P<year>\d{4})",
    )
)
# As the C library writes %x: month or day first, which only the day of the week can tell.
_SLASHES = re.compile(
    rf"(?:{_WEEKDAY}[ \t]+)?(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})/(?P<year>\d{{4}}|\d{{2}})\b",
    re.IGNORECASE,
)
_IN_STEM = re.compile(r"(?<!\d)(\d{4})([-_. ]?)(\d{2})\2(\d{2})(?!\d)")
_AS_FOLDERS = re.compile(r"(?:.*/)?(\d{4})/(\d{1,2})/(\d{1,2})")


def at(text: str, offset: int) -> tuple[date, int] | None:
    """Return the date that is written at an offset, and the offset behind it and its time."""
    for form in _FORMS:
        if found := form.match(text, offset):
            month = found["month"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
            if day := of(int(found["year"]), number, int(found["day"])):
                return day, found.end()
    return None


def leading(text: str) -> tuple[date, int] | None:
    """Return the date that a text begins with, slashes allowed, and the offset behind it."""
    return at(text, 0) or _slashed(text)


def written(text: str) -> date | None:
    """Return the date that a text is, with its time."""
    found = leading(text)
    return found[0] if found and found[1] == len(text) else None


def in_path(path: Path) -> date | None:
    """Return the date in a file's name, or in its folders as ``2024/01/15.txt``."""
    stem = path.with_suffix("")
    found = _AS_FOLDERS.fullmatch("/".join(stem.parts[-3:]))
    if found:
        return of(*map(int, found.groups()))
    days = (of(int(y), int(m), int(d)) for y, _, m, d in _IN_STEM.findall(stem.name))
    return next((day for day in days if day), None)


def of(year: int, month: int, day: int) -> date | None:
    """Return a date; None where the calendar has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def zone(name: object) -> tzinfo:
    """Return a time zone by its name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        return UTC


def day_there(moment: datetime, zone_name: object) -> date:
    """Return the day that a moment falls on in a time zone."""
    try:
        return moment.astimezone(zone(zone_name)).date()
    except OverflowError:  # at the ends of the calendar
        return moment.date()


def _slashed(text: str) -> tuple[date, int] | None:
    found = _SLASHES.match(text)
    if not found:
        return None
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    first, second = int(found["first"]), int(found["second"])
    days = [day for day in (of(year, first, second), of(year, second, first)) if day]
    weekday = (found["weekday"] or "").lower()
    fitting = [day for day in days if _WEEKDAYS[day.weekday()] == weekday] or days
    return (fitting[0], found.end()) if fitting else None
