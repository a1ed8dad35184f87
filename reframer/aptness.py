"""How apt each of the cards' words is for a thought.

A technique can be the right one, and its words still miss: they speak of a mistake where there is
only bad luck, or of feelings where somebody else was hurt. So cards hold words for many sorts of
thoughts, and which of them are apt was learned from thoughts for which readers marked some. A new
thought is likened to these, and the words to each other: the mean of a Gaussian process (Rasmussen
& Williams 2006, chapter 2), worked out as far as the words are known before the thought is
(``python -m models.training.aptness``).

Some words take a fact for granted: that a wrong was done, that somebody died, that there is a name
which the person called themselves. Where it does not hold they would hurt, so each fact's
probability is told in the same way, and words cost what they take for granted without ground.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from reframer import paths
from reframer.encoder import Vectors
from reframer.errors import KnowledgeError

LEARNED = ("knowledge", "retrieval", "aptness.npz")

# Words that are so nearly the most apt take turns, so that answers vary.
_NEAR = 0.05
_SPREAD = 0.5  # how fast a likeness fades; chosen by cross-validation (docs/log.md)


@dataclass(frozen=True, slots=True, eq=False)
class Aptness:
    """What was learned of thoughts and words.

    Attributes:
        centre: Mean of the reader's vectors, which is taken from each of them.
        thoughts: Vectors of the marked thoughts, one a row.
        words: Ids of the words, in the order of the columns below.
        influence: What being like each marked thought adds for each of the words.
        bias: How apt each of the words is for any thought, less what keeps popular ones from being
            said too often.
        facts: What being like each marked thought adds to the probability of each fact.
        often: How often each fact holds.
        granted: Which facts each of the words takes for granted, a row for each of them.
        weights: What is added for each unit by which the words' technique is behind the best, for
            the probability that the thought calls for it, and for each fact taken for granted that
            does not hold.
    """

    centre: Vectors
    thoughts: Vectors
    words: tuple[str, ...]
    influence: Vectors
    bias: Vectors
    facts: Vectors
    often: Vectors
    granted: Vectors
    weights: Vectors

    @classmethod
    @cache
    def open(cls, file: Path | None = None) -> Self:
        """Read what was learned.

        Args:
            file: Where it lies; by default what ships with the program.

        Raises:
            KnowledgeError: The file cannot be read.
        """
        words, numbers = read_learned(file or paths.asset(*LEARNED), "words", _NUMBERS)
        return cls(words=words, **numbers)

    def of(
        self,
        read: Vectors,
        embedded: Vectors,
        behind: Mapping[str, float],
        likely: Mapping[str, float],
    ) -> dict[str, float]:
        """Return how apt each of the known words is: 1 goes to the heart, 0 misses, -1 hurts.

        Args:
            read: The reader's vector of the thought.
            embedded: The embedder's.
            behind: How far the technique of each of the words is behind the best one, by the
                words' id; other words are left out.
            likely: The probability that the thought calls for that technique, likewise.
        """
        vector = side_by_side(read - self.centre, embedded)
        like = kernel(vector, self.thoughts)
        of_behind, of_likely, of_missing = map(float, self.weights)
        missing = self.granted @ (1 - (like @ self.facts + self.often).clip(0, 1))
        said = like @ self.influence + self.bias + of_missing * missing
        return {
            name: value + of_behind * behind[name] + of_likely * likely[name]
            for name, value in zip(self.words, said.tolist(), strict=True)
            if name in behind
        }


def read_learned(
    file: Path, names: str, numbers: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, Vectors]]:
    """Read a table of what was learned of the cards' texts.

    Args:
        file: Where it lies.
        names: What its names are called in it.
        numbers: What its numbers are called.

    Returns:
        The names, and the numbers by what they are called.

    Raises:
        KnowledgeError: The file cannot be read.
    """
    try:
        with np.load(file, allow_pickle=False) as told:
            read = {name: told[name].astype(np.float32) for name in numbers}
            return tuple(map(str, told[names])), read
    except (OSError, KeyError, ValueError, BadZipFile) as problem:
        raise KnowledgeError(
            f"What was learned of the cards' words cannot be read: {file}.",
            "Install the program again.",
        ) from problem


def alternately(apt: Mapping[str, float], thought: str) -> str:
    """Return one of the most apt, another for another thought, and always the same for the same.

    Args:
        apt: How apt each is.
        thought: The thought.
    """
    best = max(apt.values())
    near = sorted(name for name, value in apt.items() if value >= best - _NEAR)
    return near[sum(thought.encode()) % len(near)]


_NUMBERS = (
    "centre", "thoughts", "influence", "bias", "facts", "often", "granted", "weights",
)  # fmt: skip


def side_by_side(read: Vectors, embedded: Vectors) -> Vectors:
    """Return both vectors of texts in one of length one, each with the same weight."""
    both = np.concatenate([_unit(read), _unit(embedded)], axis=-1)
    return _unit(both)


def kernel(vectors: Vectors, others: Vectors) -> Vectors:
    """Return how like vectors of length one are to others, from nearly 0 to 1."""
    likeness: Vectors = np.exp((vectors @ others.T - 1) / _SPREAD)
    return likeness


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
