"""Says what a short text is most like, of all kinds of turns: a softmax regression.

It reads what the ear reads (`reframer.critic.features`). Its weights are plain numbers in
``knowledge/conversation/weights.npz``, made by ``models/training/conversation.py`` from the half of
the labelled turns that is not for evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from reframer import paths
from reframer.conversation.records import TurnKind
from reframer.critic import features, softmax
from reframer.embedding import Layered, Vectors
from reframer.errors import KnowledgeError


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


class Likeness:
    """Tells what a text is most like.

    Args:
        embeddings: The embedder that the weights were made with.
    """

    def __init__(self, embeddings: Layered) -> None:
        self._embeddings = embeddings

    def of(self, text: str) -> Like:
        """Return what a text is most like; a kind's details count together.

        Raises:
            KnowledgeError: The weights cannot be read.
        """
        weight, bias, names = self._weights
        (row,) = softmax(features(self._embeddings, [text]) @ weight + bias)
        shares = [(*name, share) for name, share in zip(names, row.tolist(), strict=True)]
        by_kind: defaultdict[str, float] = defaultdict(float)
        for kind, _, share in shares:
            by_kind[kind] += share
        best = max(by_kind, key=by_kind.__getitem__)
        _, detail = max((share, detail) for kind, detail, share in shares if kind == best)
        return Like(cast("TurnKind", best), detail, by_kind[best])

    @cached_property
    def _weights(self) -> tuple[Vectors, Vectors, list[tuple[str, str]]]:
        file = paths.asset("knowledge", "conversation", "weights.npz")
        try:
            with np.load(file, allow_pickle=False) as numbers:
                weight, bias = (numbers[name].astype(np.float32) for name in ("weight", "bias"))
                parts = (name.partition(":") for name in numbers["names"].tolist())
                return weight, bias, [(kind, detail) for kind, _, detail in parts]
        except (OSError, ValueError, KeyError) as problem:
            raise KnowledgeError(
                f"The weights of the conversation cannot be read: {file}.",
                "Install the program again.",
            ) from problem
