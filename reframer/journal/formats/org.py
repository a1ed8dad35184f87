"""Org journal: a heading a day, and below it one for each time that something was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from reframer.journal.formats import dates
from reframer.journal.formats.documents import FRIEND, Part, Place, Style, TextFormat
from reframer.journal.formats.markdown import indent

_DRAWER = r"[ \t]*:[A-Z][A-Z_-]+:[ \t]*\n(?:(?![ \t]*:END:)[^\n]*\n){0,200}+[ \t]*:END:[^\n]*"
_PLAN = r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):[^\n]*"
# What nobody closed is taken for prose, lest all that follows were unheard.
_BLOCK = (
    r"[ \t]*\#\+(?i:begin)_(?P<block>\w+)[^\n]*"
    r"(?:\n(?![ \t]*\#\+(?i:(?:begin|end)_(?P=block)))[^\n]*)*+"
    r"\n[ \t]*\#\+(?i:end_(?P=block))[^\n]*"
)
_STAMP = r"[<\[]\d{4}-\d{2}-\d{2}[^<>\[\]\n]*[>\]]"
_MARKS = re.compile(
    rf"""
    {FRIEND}
  | ^{_BLOCK}                                                          # quotes and code
  | ^{_DRAWER}
  | ^[ \t]*\#(?:\+|[ ])[^\n]*                                          # keywords and comments
  | ^{_PLAN}
  | ^[ \t]*(?:\*+[ ]+)?(?:TODO|DONE|NEXT|WAITING|CANCELLED)(?=[ ])(?:[ ]\[\#[A-Z]\])?
  | (?P<item>^[ \t]*(?:[-+]|\d{{1,9}}[.)])[ ]+(?:\[[ X-]\](?=[ ]))?)
  | [ ](?::[\w@]+)+:[ \t]*$                                            # tags
  | \[\[[^\[\]\n]*\]\[(?P<kept_link>[^\[\]\n]*)\]\]|\[\[[^\[\]\n]*\]\]
  | {_STAMP}
  | (?<!\S)(?:=[^=\n]+=|~[^~\n]+~)(?!\w)
    """,
    re.MULTILINE | re.VERBOSE,
)
_PARAGRAPH_END = re.compile(
    rf"\A[^\n]*(?:\n{_PLAN})?(?:\n{_DRAWER})*(?=\n)"
    r"|(?=\n[ \t]*(?:\n|\#\+|[-+][ ]|\d{1,2}[.)][ ]))",
    re.MULTILINE | re.VERBOSE,
)
_HEADING = re.compile(r"^(?P<stars>\*+)[ ]+", re.MULTILINE)
_TIME = re.compile(rf"(?:{_STAMP}|\d{{1,2}}:\d{{2}})[ \t]*")
_CREATED = re.compile(r"^[ \t]*:CREATED:[ \t]*\[?(\d{4})-?(\d{2})-?(\d{2})", re.MULTILINE)
_TAGS = re.compile(r"[ ](?::[\w@]+)+:[ \t]*$")
_KEPT_FOR_ORG = re.compile(rf"^(?:{_DRAWER}|[ \t]*\#\+[^\n]*)", re.MULTILINE)
_ENCRYPTED = "-----BEGIN PGP MESSAGE-----"


def quote(place: Place, words: Sequence[str]) -> str:
    """Return a quote block with the friend's words, a paragraph for each."""
    space, _ = indent(place.line)
    said = [line for each in words for line in ("", f"{space}Friend: {each}")][1:]
    lines = [f"{space}#+begin_quote", *said, f"{space}#+end_quote"]
    return "".join(f"{place.newline}{line}" for line in lines)


def below(place: Place, words: Sequence[str]) -> str:
    """Return a line for each friend's words, within a list's item where it is one."""
    space, _ = indent(place.line)
    return "".join(f"{place.newline}{space}Friend: {each}" for each in words)


class Org(TextFormat):
    """Headings, each an entry with what stands right below it."""

    name = "org"
    title = "Org journal"
    style = Style(_MARKS, _PARAGRAPH_END, {"callout": quote, "below": below}, never_first="*")

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its name; without a suffix that is a date."""
        named = path.suffix == ".org" or (not path.suffix and bool(dates.in_path(path)))
        return named and (path.suffix == ".org" or head.startswith((b"* ", b"#+", b":PROPERTIES:")))

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        """Yield each heading's own text; what is encrypted is left out."""
        starts = [*_HEADING.finditer(plain)]
        day = dates.in_path(path)
        first = starts[0].start() if starts else len(plain)
        if _says_anything(plain[:first]):
            yield Part(0, first, _created(plain[:first]) or day, "")
        ends = [*(start.start() for start in starts[1:]), len(plain)]
        for heading, end in zip(starts, ends, strict=False):
            text = plain[heading.end() : end]
            if len(heading["stars"]) == 1:
                found = dates.leading(text.lstrip("<["))
                day = _created(text) or (found[0] if found else day)
            part = _part(plain, heading.end(), end, day)
            if _ENCRYPTED not in text and _says_anything(plain[part.start : end]):
                yield part


def _part(plain: str, start: int, end: int, day: date | None) -> Part:
    """Return an entry from behind its date or time on."""
    line_end = plain.find("\n", start, end)
    line = plain[start : line_end if line_end >= 0 else end]
    found = dates.leading(line)
    date_end = found[1] if found else 0
    time = _TIME.match(line, date_end)
    return Part(start + (time.end() if time else date_end), end, day, _TAGS.sub("", line).strip())


def _says_anything(text: str) -> bool:
    """Whether there is more than what Org keeps for itself."""
    return bool(_KEPT_FOR_ORG.sub("", text).strip())


def _created(text: str) -> date | None:
    found = _CREATED.search(text)
    return dates.of(*map(int, found.groups())) if found else None
