"""What the formats written in Markdown share: marks that are not prose, and callouts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reframer.journal.formats.documents import FRIEND, Place, Style

# Only what looks like YAML in every line: a diary, too, may begin with a rule.
FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?=[ \t]*(?:[\w\"'-][^\n:]*:|\#|---|\.\.\.))"
    r"(?:(?:[ \t\#][^\n]*|-(?:[ \t][^\n]*)?|(?>[\w\"'][^\n]*?:(?=\s))[^\n]*)?\n)*?"
    r"(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)

# What nobody closed is taken for prose, lest all that follows were unheard.
_FENCE = (
    r"^[ \t]*(?P<fence>`{3,}+|~{3,}+)[^\n]*\n"
    r"(?:(?![ \t]*(?P=fence))[^\n]*\n)*+[ \t]*(?P=fence)[^\n]*"
)
_COMMENTS = r"%%[\s\S]*?%%|<!--(?:(?!<!--)[\s\S])*?-->"
_LINES = rf"""
    {FRIEND}
  | ^[ \t]*(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]+)*>[^\n]*                   # someone else's words
  | ^[ \t]*(?:(?:-[ \t]*){{3,}}+|(?:_[ \t]*){{3,}}+|(?:\*[ \t]*){{3,}}+|=+[ \t]*)$
  | (?P<item>^[ \t]*(?:\#{{1,6}}(?=[ \t])|(?:[-*+]|\d{{1,9}}[.)])[ \t]+(?:\[.\](?=[ \t]))?))
"""
_INLINE = r"""
    (?<![\w`])(?:``[^\n]+?``|`[^`\n]+`)
  | !\[\[[^\[\]\n]*\]\]|!\[[^\[\]\n]*\]\([^()\n]*\)                    # embeds and pictures
  | \[\[(?:[^\[\]|\n]*\|)?(?P<kept_page>[^\[\]|\n]*)\]\]
  | \[\^[^\[\]\s]+\]:?                                                 # footnotes
  | \[(?P<kept_link>[^\[\]\n]*)\]\([^()\n]*\)
  | <[/!?a-zA-Z][^<>\n]*>
  | \b(?:https?|ftp|file|obsidian)://[^\s<>()\[\]]+
  | (?<![\w\#&/])\#(?=[\w/-]*[^\W\d])[\w/-]+                           # tags
  | (?<!\S)\^[A-Za-z0-9-]+(?=[ \t]*$)                                  # block ids
"""
PLAIN_MARKS = re.compile(rf"{_LINES}|{_INLINE}", re.MULTILINE | re.VERBOSE)
MARKS = re.compile(rf"{_FENCE}|{_COMMENTS}|{_LINES}|{_INLINE}", re.MULTILINE | re.VERBOSE)
# Found first and in the whole file: a date within one is no heading.
FENCES = re.compile(rf"{_FENCE}|{_COMMENTS}", re.MULTILINE)

_PARAGRAPH_END = re.compile(
    r"^[ ]{0,3}\#{1,6}[ \t][^\n]*(?=\n)"
    r"|(?=\n[ \t]*(?:\n|[-*+][ \t]|\d{1,2}[.)][ \t]|\#{1,6}[ \t]|`{3}|~{3}|>))",
    re.MULTILINE,
)
_QUOTE_FOLLOWS = re.compile(r"[ \t]*\n[ \t]*>")
_INDENT = re.compile(r"(?P<space>[ \t]*)(?P<item>(?:[-*+]|\d{1,9}[.)])[ \t]+)?")


def callout(place: Place, words: Sequence[str]) -> str:
    """Return a callout below a paragraph, or within a list item."""
    space, in_list = indent(place.line)
    lines = ["> [!friend] A friend"]
    for number, each in enumerate(words):
        lines += [">"] * bool(number) + [f"> {each}"]
    gap = "" if in_list else place.newline
    # Right above a quote it would become one with it.
    below = place.newline if _QUOTE_FOLLOWS.match(place.after) else ""
    return gap + "".join(f"{place.newline}{space}{line}" for line in lines) + below


def paragraphs_below(place: Place, words: Sequence[str]) -> str:
    """Return a paragraph for each friend's words."""
    space, _ = indent(place.line)
    return "".join(f"{place.newline * 2}{space}Friend: {each}" for each in words)


STYLE = Style(MARKS, _PARAGRAPH_END, {"callout": callout, "below": paragraphs_below})


def indent(line: str) -> tuple[str, bool]:
    """Return how far what belongs to a line is set in, and whether the line is a list item."""
    found = _INDENT.match(line)
    item = found["item"] or "" if found else ""
    space = found["space"] if found else ""
    return space + re.sub(r"[^\t]", " ", item), bool(item)
