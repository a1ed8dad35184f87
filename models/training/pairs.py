"""What the voice is trained on: the cards' examples as tokens, and how they are put in batches."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_core.messages import convert_to_openai_messages

from reframer import prompts
from reframer.records import Example, Technique

_POOL = 16


class Tokenizer(Protocol):
    """What turns prompts and answers into tokens; `reframer.llama.weights.Weights` does."""

    def prompt(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Return the tokens of a prompt, up to where the answer begins."""

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text."""


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


def examples(techniques: Iterable[Technique], *, held_out: bool) -> list[tuple[Technique, Example]]:
    """Return the examples for training, or those held out, each with its technique."""
    return [
        (technique, example)
        for technique in techniques
        for example in technique.examples
        if example.held_out is held_out
    ]


def pair(technique: Technique, example: Example, tokenizer: Tokenizer, end: int) -> Pair:
    """Return an example as tokens, asked for exactly as the program asks.

    Args:
        technique: The example's technique.
        example: The thought and its answer.
        tokenizer: The model's own.
        end: The token that ends an answer.
    """
    messages = prompts.opening(example.thought, technique)
    prompt = tokenizer.prompt(convert_to_openai_messages(messages))
    return Pair((*prompt, *tokenizer.tokens(example.answer), end), len(prompt))


def fingerprint(chosen: Iterable[tuple[Technique, Example]]) -> str:
    """Return the SHA-256 of what is trained on: moves, thoughts and answers, in order."""
    rows = [(technique.move, example.thought, example.answer) for technique, example in chosen]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


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
