"""Logseq: pages that are outlines of bullets, one a day under ``journals``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from reframer.journal.formats import dates, markdown
from reframer.journal.formats.documents import Part, Place, Style, TextFormat

_MARKS = re.compile(
    rf"""
    ^[ \t]*(?:-[ \t]+)?[\w./-]+::[^\n]*                                # properties
  | ^[ \t]*:[A-Z]+:[ \t]*\n(?:(?![ \t]*:END:)[^\n]*\n){{0,200}}+[ \t]*:END:     # drawers
  | ^[ \t]*(?:SCHEDULED|DEADLINE):[^\n]*
  | (?P<item_state>^[ \t]*-[ \t]+(?:TODO|DOING|DONE|LATER|NOW|WAITING|CANCELED)(?=[ ]))
  | \#\[\[[^\[\]\n]*\]\]|\(\([0-9a-f-]{{36}}\)\)|\{{\{{[^{{}}\n]*\}}\}}
  | {markdown.MARKS.pattern}
    """,
    re.MULTILINE | re.VERBOSE,
)
_BLOCK_END = re.compile(r"(?=\n[ \t]*-(?:[ \t]|\n))")
_BULLET = re.compile(r"(?P<indent>[ \t]*)-[ \t]")


def child(place: Place, words: Sequence[str]) -> str:
    """Return a bullet below the paragraph's for each friend's words."""
    bullet = _BULLET.match(place.line)
    indent = bullet["indent"] if bullet else ""
    deeper = (f"{indent}  " if " " in indent else f"{indent}\t") if bullet else ""
    return "".join(f"{place.newline}{deeper}- Friend: {each}" for each in words)


class Logseq(TextFormat):
    """A page of a graph."""

    name = "logseq"
    title = "Logseq"
    style = Style(_MARKS, _BLOCK_END, {"callout": child, "below": child})

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format: a day under ``journals``, or a page of a graph."""
        if path.suffix != ".md":
            return False
        is_day = path.parent.name == "journals" and bool(re.match(r"\d{4}_\d{2}_\d{2}$", path.stem))
        return is_day or (path.parent.parent / "logseq" / "config.edn").is_file()

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        """Yield the page."""
        front = markdown.FRONT_MATTER.match(plain)
        yield Part(front.end() if front else 0, len(plain), dates.in_path(path), "")
