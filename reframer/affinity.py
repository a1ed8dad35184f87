"""Which technique a thought calls for, learned from the examples that are not held out.

A softmax regression over what the embedder's layers make of a thought; the technique of each
example was chosen by hand. Its weights are plain numbers, and beside them lie the vectors of
the cards' own texts, which would take a minute or more to compute on the user's machine. Both are
made by ``python -m models.training.retrieval``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from reframer import paths
from reframer.embedding import LocalEmbeddings, Vectors, unit
from reframer.knowledge import example_id

WEIGHTS = ("knowledge", "retrieval", "weights.npz")
VECTORS = ("knowledge", "retrieval", "vectors.npz")


class Affinity:
    """What was learned about thoughts and techniques.

    Args:
        embeddings: The embedder that it was learned with.
    """

    def __init__(self, embeddings: LocalEmbeddings) -> None:
        self._embeddings = embeddings
        with np.load(paths.asset(*WEIGHTS), allow_pickle=False) as file:
            self._names = tuple(str(name) for name in file["names"])
            self._weight = file["weight"].astype(np.float32)
            self._bias = file["bias"].astype(np.float32)

    def read(self, thought: str) -> tuple[list[float], dict[str, float]]:
        """Return a thought's vector, and the log-probability of each technique in nats, by its id.

        Both come from one pass through the embedder.
        """
        layers = self._embeddings.layers([thought])
        vector: list[float] = unit(layers[:, -1])[0].tolist()
        scores = features(layers)[0] @ self._weight + self._bias
        scores -= scores.max()
        scores -= np.log(np.exp(scores).sum())
        return vector, dict(zip(self._names, scores.tolist(), strict=True))

    @cached_property
    def _vectors(self) -> Mapping[str, Vectors]:
        """Vectors of the cards' own texts, by the id of each text."""
        with np.load(paths.asset(*VECTORS), allow_pickle=False) as file:
            ids, vectors = file["ids"], file["vectors"].astype(np.float32)
        return {str(name): vector for name, vector in zip(ids, vectors, strict=True)}

    def known(self, text: str) -> Vectors | None:
        """Return the vector of one of the cards' own texts; None for any other."""
        return self._vectors.get(example_id(text))


def features(layers: Vectors) -> Vectors:
    """Return what the regression reads: each layer at unit length, side by side.

    Args:
        layers: What the embedder's layers make of texts, shape (texts, layers, width).
    """
    return unit(layers).reshape(len(layers), -1)
