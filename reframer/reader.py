"""Reads texts for all who judge them: safety, ear, conversation, and the choice of a technique.

A second copy of the embedder's network, tuned on what was labelled by hand for all of them. The
embedder was made to say what a text is about, and hardly tells "I'm useless" from "the printer is
useless"; the copy was made to tell such things apart. The mean of a text's token vectors and the
vector of its first token go, side by side, into a linear head for each question, so that one pass
answers all. What was tuned lies in ``models/reader/reader.safetensors``; the tables of words and
places are the embedder's own, and are in memory once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from reframer import catalog, paths
from reframer.embedding import LocalEmbeddings
from reframer.encoder import Encoder, Vectors, log_shares
from reframer.errors import KnowledgeError

HEADS = ("voice", "kind", "harsh", "level", "technique", "turn")

_HINT = "Install the program again."


class Readings(NamedTuple):
    """What was read in texts, a row for each.

    Attributes:
        voices: Probability that it is neutral, self-critical, and kind.
        kinds: Probability of each of the kinds of self-criticism, in the order of ``KINDS``.
        harshness: How harsh the self-criticism is, from 0 to 1.
        levels: Probability of the levels none, concern and crisis.
        techniques: Log-probability, in nats, that it calls for each of the reader's techniques.
        turns: Probability that it is each of the reader's turns.
        vectors: What all this was read from.
    """

    voices: Vectors
    kinds: Vectors
    harshness: Vectors
    levels: Vectors
    techniques: Vectors
    turns: Vectors
    vectors: Vectors


class Thresholds(NamedTuple):
    """From which probabilities on something is said to be so.

    Attributes:
        critical: Of self-criticism, for a sentence to count in a journal.
        concern: Of any level but none, for a text to be called a concern.
        crisis: Of crisis, for it to be called one.
    """

    critical: float
    concern: float
    crisis: float


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads texts.

    Attributes:
        embeddings: The embedder whose network was tuned.
        encoder: The tuned network.
        heads: Weight and bias of each of `HEADS`.
        thresholds: From which probabilities on something is said to be so.
        techniques: Ids of the techniques, in the order in which they are read.
        turns: The turns of a conversation likewise: kinds, some with a detail behind a colon.
    """

    embeddings: LocalEmbeddings
    encoder: Encoder
    heads: Mapping[str, tuple[Vectors, Vectors]]
    thresholds: Thresholds
    techniques: tuple[str, ...]
    turns: tuple[str, ...]

    @classmethod
    def open(cls, embeddings: LocalEmbeddings, file: Path | None = None) -> Self:
        """Open what was tuned, upon the embedder that it goes with.

        Args:
            embeddings: The embedder.
            file: What was tuned; by default what ships with the program.

        Raises:
            KnowledgeError: The file cannot be read, or goes with another embedder.
        """
        file = file or paths.asset("models", "reader", "reader.safetensors")
        try:
            with safe_open(file, framework="numpy") as opened:
                told = opened.metadata()
            thresholds = json.loads(told["thresholds"])
            tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(file).items()}
            _check_base(told["base"])
            return cls(
                embeddings,
                embeddings.encoder.with_layers(tensors),
                {
                    name: (tensors[f"head.{name}.weight"].T, tensors[f"head.{name}.bias"])
                    for name in HEADS
                },
                Thresholds(*(thresholds[name] for name in Thresholds._fields)),
                tuple(json.loads(told["techniques"])),
                tuple(json.loads(told["turns"])),
            )
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as problem:
            raise KnowledgeError(f"The reader cannot be read: {file}.", _HINT) from problem

    @classmethod
    @cache
    def from_catalog(cls, folder: Path) -> Reader:
        """Open the reader upon the catalogue's embedder; both are in memory once for all who ask.

        Args:
            folder: Folder of the model files.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: The reader cannot be read, or goes with another embedder.
        """
        return cls.open(LocalEmbeddings.from_catalog(folder))

    def read(self, texts: Sequence[str]) -> Readings:
        """Read texts together, which is faster than one by one."""
        encoded = self.encoder.encode(texts)
        rows = np.hstack([encoded[:, 0], encoded[:, 1]])
        said = {name: rows @ weight + bias for name, (weight, bias) in self.heads.items()}
        return Readings(
            voices=np.exp(log_shares(said["voice"])),
            kinds=np.exp(log_shares(said["kind"])),
            harshness=np.clip(said["harsh"][:, 0], 0, 1),
            levels=np.exp(log_shares(said["level"])),
            techniques=log_shares(said["technique"]),
            turns=np.exp(log_shares(said["turn"])),
            vectors=rows,
        )


def _check_base(sha256: str) -> None:
    weights, _ = catalog.default("embedding").files
    if weights.sha256 != sha256:
        raise KnowledgeError("The reader goes with another embedder than this program's.", _HINT)
