"""Plain text and Markdown, with or without a date above each day; reads any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from reframer.journal.formats import dates, markdown
from reframer.journal.formats.documents import Part, Style, TextFormat, lines_below
from reframer.journal.formats.text import blanked

_MAY_BEGIN = re.compile(r"^(?P<mark>[ ]{0,3}\#{1,6}[ \t]+)?(?=\w)", re.MULTILINE)
_REST = re.compile(r"[ \t]*[:,|–—-]?[ \t]*")
_PLAIN_PARAGRAPH_END = re.compile(r"(?=\n[ \t]*\n)")
_PLAIN = Style(
    markdown.PLAIN_MARKS, _PLAIN_PARAGRAPH_END, {"callout": lines_below, "below": lines_below}
)


class Dated(TextFormat):
    """A heading that begins with a date, or a line that is nothing but one, begins an entry."""

    name = "dated"
    title = "Text with dates"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format: whatever is left."""
        return True

    def style_for(self, path: Path) -> Style:
        """Return Markdown's style for its files, and plain lines for all others."""
        return markdown.STYLE if _is_markdown(path) else _PLAIN

    def parts(self, plain: str, path: Path) -> Iterator[Part]:
        """Yield what stands above the first date, and then each day."""
        day = dates.in_path(path)
        return markdown_parts(plain, day) if _is_markdown(path) else _parts(plain, 0, day)


def markdown_parts(plain: str, day: date | None) -> Iterator[Part]:
    """Yield the parts that dates part Markdown into, without its front matter.

    Args:
        plain: The text.
        day: The day of what stands above the first date.
    """
    front = markdown.FRONT_MATTER.match(plain)
    return _parts(blanked(markdown.FENCES, plain), front.end() if front else 0, day)


def _is_markdown(path: Path) -> bool:
    return path.suffix.lower() in (".md", ".markdown")


def _parts(text: str, begin: int, day: date | None) -> Iterator[Part]:
    title = ""
    for start, end, heading_day, heading in _headings(text, begin):
        yield Part(begin, start, day, title)
        begin, day, title = end, heading_day, heading
    yield Part(begin, len(text), day, title)


def _headings(text: str, begin: int) -> Iterator[tuple[int, int, date, str]]:
    """Yield where a heading begins and where its date ends, its day and its words."""
    for start in _MAY_BEGIN.finditer(text, begin):
        found = dates.at(text, start.end())
        if not found:
            continue
        day, end = found
        rest = _REST.match(text, end)
        end = rest.end() if rest else end
        line_end = text.find("\n", end)
        words = text[end : line_end if line_end >= 0 else len(text)].strip()
        if start["mark"] or not words:
            yield start.start(), end, day, words or text[start.end() : end].strip()
