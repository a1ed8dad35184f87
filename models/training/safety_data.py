"""The labelled statements of safety."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from reframer import paths
from reframer.records import Level


@dataclass(frozen=True, slots=True)
class Statement:
    """One labelled statement."""

    level: Level
    wording: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the fixed third that only the evaluation reads."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 3 == 0


def statements(file: Path | None = None) -> list[Statement]:
    """Return all labelled statements.

    Args:
        file: A table with the columns level, wording and text, after lines that begin with #; by
            default the shipped one.
    """
    file = file or paths.asset("knowledge", "safety", "statements.tsv")
    with file.open(encoding="utf-8", newline="") as table:
        lines = (line for line in table if not line.startswith("#"))
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Statement(**cast(dict[str, Any], row)) for row in rows]
