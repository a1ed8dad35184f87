"""Markup for what the page shows. Every text that is not this program's own is escaped here.

The page shows it with ``gr.Markdown``, in which a block of HTML ends at a blank line and Markdown
begins. So no markup of this page holds a line break; then nothing in a text is read as Markdown.
"""

from __future__ import annotations

import html
import re

from reframer.sentences import split

_ADDRESS = re.compile(r"https://[^\s<>\"']+(?<![.,;)])")


def escaped(text: str) -> str:
    """Return a text as markup that shows exactly this text."""
    return "<br>".join(html.escape(line) for line in text.splitlines())


def prose(text: str, tag: str = "p") -> str:
    """Return paragraphs, parted by blank lines, and lists (``- ``) as markup."""
    return "".join(_block(block, tag) for block in text.strip().split("\n\n"))


def words(text: str) -> str:
    """Return a friend's words as markup in which each sentence can appear by itself."""
    return "".join(
        _block(block, "p")
        if block.startswith("- ")
        else f"<p>{''.join(f'<span>{escaped(s.text)}</span>' for s in split(block))}</p>"
        for block in text.strip().split("\n\n")
    )


def folded(summary: str, markup: str, name: str = "") -> str:
    """Return markup that opens when its summary is clicked."""
    return f'<details class="{name}"><summary>{summary}</summary>{markup}</details>'


def _block(block: str, tag: str) -> str:
    if block.startswith("- "):
        items = (_linked(line.removeprefix("- ")) for line in block.splitlines())
        return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
    return f"<{tag}>{escaped(' '.join(block.split()))}</{tag}>"


def _linked(line: str) -> str:
    """Return a line of a list, such as a help line, in which an address can be followed."""
    return _ADDRESS.sub(lambda address: f"<a href='{address[0]}'>{address[0]}</a>", escaped(line))
