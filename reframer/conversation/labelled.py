"""The turns that were labelled by hand: half to learn from, half for evaluation only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from reframer import paths
from reframer.conversation.records import TurnKind


@dataclass(frozen=True, slots=True)
class Labelled:
    """A turn labelled by hand.

    Attributes:
        kind: What it is.
        detail: Which wish, small talk, language or level of danger; of a question, the ids of the
            cards that answer it, parted by commas, or ``private``, ``about`` or ``none``; else
            ``-``.
        text: What was typed.
    """

    kind: TurnKind
    detail: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half for evaluation only."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2 == 0


def labelled(name: str = "turns.tsv") -> list[Labelled]:
    """Return the labelled turns of a file of ``knowledge/conversation``."""
    table = paths.asset("knowledge", "conversation", name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return [Labelled(kind, detail, text) for kind, detail, text in rows]  # type: ignore[arg-type]
