"""Day One Classic: a property list an entry. It can only be read."""

from __future__ import annotations

import plistlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError
from zoneinfo import ZoneInfo

from reframer.errors import TextUnreadable
from reframer.journal.formats.documents import Reading
from reframer.journal.formats.imported import Imported, entry
from reframer.journal.records import AskPassword, Document


class DayOneClassic(Reading):
    """A ``.doentry``."""

    name = "day-one-classic"
    title = "Day One Classic"
    writable = False

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its name or its keys."""
        return path.suffix == ".doentry" or (b"<plist" in head and b"<key>Entry Text</key>" in head)

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds."""
        try:
            content = plistlib.loads(data)
            text = content.get("Entry Text", "")
            entries = [entry(f"{name}#1", _day(content), text)] if text.strip() else []
        except (plistlib.InvalidFileException, ExpatError, ValueError, AttributeError):
            message = f"{name} is not a whole entry of Day One Classic."
            raise TextUnreadable(message, "Take the file from a backup.") from None
        return Imported(path, self.title, data, tuple(entries))


def _day(content: dict[str, Any]) -> date | None:
    moment = content.get("Creation Date")
    if not isinstance(moment, datetime):
        return None
    try:
        zone = ZoneInfo(content["Time Zone"])
    except (KeyError, ValueError, TypeError, OSError):
        return moment.date()
    return moment.replace(tzinfo=UTC).astimezone(zone).date()
