"""Files that can only be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reframer.errors import UsageError
from reframer.journal.formats import markdown
from reframer.journal.formats.text import blanked, even, first_line, shown
from reframer.journal.records import Answer, Entry, Unread, Way


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that can be read and not written."""

    path: Path
    format: str
    data: bytes
    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...] = ()

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes.

        Raises:
            UsageError: There are answers to put in.
        """
        if answers:
            raise UsageError(f"{self.format} can only be read.", "The report holds the answers.")
        return self.data


def entry(id: str, day: date | None, text: str) -> Entry:
    """Return an entry whose text is Markdown, or plain."""
    whole = shown(text)
    return Entry(id, day, first_line(whole), whole, blanked(markdown.MARKS, even(whole)))
