"""Which technique and which words a thought calls for, and the vectors of the cards' own texts.

The first is what the reader learned from the examples that are not held out, whose techniques were
chosen by hand; the second what was learned from words that were marked (`reframer.aptness`). The
vectors would take a minute or more to compute on the user's machine, so they ship;
``python -m models.training.retrieval`` writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from langchain_core.embeddings import Embeddings

from reframer import paths
from reframer.aptness import Aptness, read_learned
from reframer.encoder import Vectors
from reframer.knowledge import example_id
from reframer.reader import Reader

VECTORS = ("knowledge", "retrieval", "vectors.npz")


class Called(NamedTuple):
    """What is known of one thought.

    Attributes:
        vector: The embedder's vector.
        techniques: Log-probability, in nats, that it calls for each technique, by id.
        read: The reader's vector.
    """

    vector: list[float]
    techniques: dict[str, float]
    read: Vectors


class Affinity:
    """What is known of thoughts and techniques.

    Args:
        embeddings: The embedder that made the vectors.
        reader: What learned from the examples.
    """

    def __init__(self, embeddings: Embeddings, reader: Reader) -> None:
        self._embeddings = embeddings
        self._reader = reader

    def read(self, thought: str) -> Called:
        """Return what is known of a thought."""
        readings = self._reader.read([thought])
        logprobs = readings.techniques[0].tolist()
        named = dict(zip(self._reader.techniques, logprobs, strict=True))
        return Called(self._embeddings.embed_query(thought), named, readings.vectors[0])

    def apt(
        self, called: Called, words: Mapping[str, Sequence[str]], scores: Mapping[str, float]
    ) -> dict[str, dict[str, float]]:
        """Return how apt words are for a thought, by technique and words; see `Aptness.of`.

        Args:
            called: What is known of the thought.
            words: Each technique's words. Words of which nothing was learned are left out.
            scores: How well each technique fits the thought.
        """
        best = max(scores.values())
        ids = {name: {one: example_id(one) for one in several} for name, several in words.items()}
        owner = {known: name for name, several in ids.items() for known in several.values()}
        apt = Aptness.open().of(
            called.read,
            np.asarray(called.vector, np.float32),
            {known: scores[name] - best for known, name in owner.items()},
            {
                known: math.exp(called.techniques.get(name, -np.inf))
                for known, name in owner.items()
            },
        )
        return {
            name: {one: apt[known] for one, known in several.items() if known in apt}
            for name, several in ids.items()
        }

    @cached_property
    def _vectors(self) -> Mapping[str, Vectors]:
        """Vectors of the cards' own texts, by the id of each text."""
        ids, numbers = read_learned(paths.asset(*VECTORS), "ids", ("vectors",))
        return dict(zip(ids, numbers["vectors"], strict=True))

    def known(self, text: str) -> Vectors | None:
        """Return the vector of one of the cards' own texts; None for any other."""
        return self._vectors.get(example_id(text))
