"""Which technique a thought calls for, and the vectors of the cards' own texts.

The first is what the reader learned from the examples that are not held out, whose techniques were
chosen by hand. The vectors would take a minute or more to compute on the user's machine, so they
ship; ``python -m models.training.retrieval`` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from langchain_core.embeddings import Embeddings

from reframer import paths
from reframer.encoder import Vectors
from reframer.knowledge import example_id
from reframer.reader import Reader

VECTORS = ("knowledge", "retrieval", "vectors.npz")


class Affinity:
    """What is known of thoughts and techniques.

    Args:
        embeddings: The embedder that made the vectors.
        reader: What learned from the examples.
    """

    def __init__(self, embeddings: Embeddings, reader: Reader) -> None:
        self._embeddings = embeddings
        self._reader = reader

    def read(self, thought: str) -> tuple[list[float], dict[str, float]]:
        """Return a thought's vector, and the log-probability of each technique in nats, by id."""
        (logprobs,) = self._reader.read([thought]).techniques.tolist()
        named = dict(zip(self._reader.techniques, logprobs, strict=True))
        return self._embeddings.embed_query(thought), named

    @cached_property
    def _vectors(self) -> Mapping[str, Vectors]:
        """Vectors of the cards' own texts, by the id of each text."""
        with np.load(paths.asset(*VECTORS), allow_pickle=False) as file:
            ids, vectors = file["ids"], file["vectors"].astype(np.float32)
        return {str(name): vector for name, vector in zip(ids, vectors, strict=True)}

    def known(self, text: str) -> Vectors | None:
        """Return the vector of one of the cards' own texts; None for any other."""
        return self._vectors.get(example_id(text))
