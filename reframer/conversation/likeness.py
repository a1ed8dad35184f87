"""Says what a short text is most like, of all kinds of turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

from reframer.conversation.records import TurnKind


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
    def of(cls, turns: Mapping[str, float]) -> Self:
        """Return what a text is most like; a kind's details count together.

        Args:
            turns: The share of each kind of turn, some with a detail behind a colon.
        """
        parted = [(*name.partition(":")[::2], share) for name, share in turns.items()]
        by_kind: defaultdict[str, float] = defaultdict(float)
        for kind, _, share in parted:
            by_kind[kind] += share
        best = max(by_kind, key=by_kind.__getitem__)
        _, detail = max((share, detail) for kind, detail, share in parted if kind == best)
        return cls(cast("TurnKind", best), detail, by_kind[best])
