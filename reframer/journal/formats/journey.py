"""Journey's export: a zip of one JSON file an entry, whose text is HTML. It can only be read."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reframer.errors import TextUnreadable
from reframer.journal.formats import archive, json_text
from reframer.journal.formats.documents import Reading
from reframer.journal.formats.imported import Imported, entry
from reframer.journal.formats.text import decode
from reframer.journal.records import AskPassword, Document, Unread

_BLOCKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 blockquote tr hr".split())
_UNSEEN = frozenset("script style".split())


class Journey(Reading):
    """Entries with their moments in milliseconds."""

    name = "journey"
    title = "Journey"
    writable = False

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its keys."""
        return b'"date_journal"' in archive.json_head(path, head)

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds."""
        files = archive.json_files(data, name) if archive.is_zip(data) else {name: data}
        found = []
        unread = []
        for file, each in files.items():
            try:
                found.append(_read(decode(each, file).text, file))
            except TextUnreadable as error:
                unread.append(Unread(path, str(error)))
        found.sort(key=lambda one: one[0])
        entries = [
            entry(f"{name}#{number}", moment.date(), text)
            for number, (moment, text) in enumerate(found, 1)
        ]
        return Imported(path, self.title, data, tuple(entries), tuple(unread))


def _read(text: str, name: str) -> tuple[datetime, str]:
    """Return when an entry was written, and its words."""
    content = json_text.load(text, name)
    try:
        moment = datetime.fromtimestamp(content["date_journal"] / 1000, _zone(content))
        words = content["text"]
        return moment, _words(words) if "<" in words else words
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        message = f"{name} has no text or no date."
        raise TextUnreadable(message, "Export it once more.") from None


def _zone(content: dict[str, Any]) -> tzinfo:
    try:
        return ZoneInfo(content["timezone"])
    except (KeyError, ValueError, TypeError, OSError):
        return UTC


def _words(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces).strip()


class _Reader(HTMLParser):
    """Turns HTML to lines; a quote's lines begin with ``>``."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._quotes = 0
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quotes += tag == "blockquote"
        self._unseen += tag in _UNSEEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        self._quotes -= tag == "blockquote" and self._quotes > 0
        self._unseen -= tag in _UNSEEN and self._unseen > 0

    def handle_data(self, data: str) -> None:
        at_line = not self.pieces or self.pieces[-1].endswith("\n")
        if not self._unseen and (data.strip() or not at_line):
            self.pieces.append(f"> {data}" if at_line and self._quotes else data)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS and self.pieces and not self.pieces[-1].endswith("\n\n"):
            self.pieces.append("\n")
