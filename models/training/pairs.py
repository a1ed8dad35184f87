"""What the voice is trained on, as tokens, and how it is put in batches.

It needs nothing but Python, so that the training itself may run on a machine that has torch and a
GPU, and nothing else of this program.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reframer import paths

_POOL = 16


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and its answer.

    Attributes:
        tokens: Tokens of both and of the end of the answer.
        prompt: So many of them, the first, are the prompt.
    """

    tokens: tuple[int, ...]
    prompt: int

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Lessons:
    """All pairs of a training.

    Attributes:
        pairs: What is learned from; a pair may be there several times.
        held_out: What the training is judged by.
        base: SHA-256 of the model file whose tokens these are.
        data: SHA-256 of the texts.
    """

    pairs: Sequence[Pair]
    held_out: Sequence[Pair]
    base: str
    data: str

    def save(self, file: Path) -> None:
        """Write the lessons as JSON."""
        with paths.atomic_write(file) as out:
            out.write(json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, file: Path) -> Lessons:
        """Read lessons that were written with `save`."""
        read = json.loads(file.read_text("utf-8"))
        parts = {
            name: tuple(Pair(tuple(one["tokens"]), one["prompt"]) for one in read[name])
            for name in ("pairs", "held_out")
        }
        return cls(**{**read, **parts})


def batches(pairs: Sequence[Pair], size: int, seed: int) -> Iterator[list[Pair]]:
    """Yield every pair once, in a random order, in batches of about the same length.

    Rows of a batch are filled up to its longest, and filling costs as much as text. So pools of
    some batches are sorted by length before they are cut.

    Args:
        pairs: The pairs.
        size: Pairs in a batch; the last may have fewer.
        seed: The same seed gives the same order.
    """
    shuffle = random.Random(seed).shuffle  # noqa: S311 - an order, not a secret
    order = list(pairs)
    shuffle(order)
    pool = size * _POOL
    cut = []
    for begin in range(0, len(order), pool):
        near = sorted(order[begin : begin + pool], key=len)
        cut += [near[at : at + size] for at in range(0, len(near), size)]
    shuffle(cut)
    yield from cut
