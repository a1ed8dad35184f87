"""Says what a short text is most like, of all kinds of turns."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Self, cast

from reframer.conversation.records import TurnKind
from reframer.reader import Reader


@dataclass(frozen=True, slots=True)
class Like:
    """What a text is most like.

    Attributes:
        kind: The kind of turn.
        detail: Which wish, question or small talk; may be empty.
        share: How sure the kind is, from 0 to 1.
    """

    kind: TurnKind
    detail: str
    share: float

    @classmethod
    def of(cls, text: str, reader: Reader) -> Self:
        """Return what a text is most like; a kind's details count together.

        Args:
            text: A short text.
            reader: Reads it.
        """
        (row,) = reader.read([text]).turns.tolist()
        names = (name.partition(":") for name in reader.turns)
        shares = [
            (kind, detail, share) for (kind, _, detail), share in zip(names, row, strict=True)
        ]
        by_kind: defaultdict[str, float] = defaultdict(float)
        for kind, _, share in shares:
            by_kind[kind] += share
        best = max(by_kind, key=by_kind.__getitem__)
        _, detail = max((share, detail) for kind, detail, share in shares if kind == best)
        return cls(cast("TurnKind", best), detail, by_kind[best])
