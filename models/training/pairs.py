"""What the voice is trained on: how answers on the cards open, as tokens, put in batches."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_core.messages import convert_to_openai_messages

from reframer import prompts
from reframer.fit import Fit
from reframer.records import Example, Technique
from reframer.wording import says_back

_POOL = 16
_SENTENCE_END = re.compile(r"(?:(?<=[.?!])|(?<=[.?!][\"')\]]))\s+")


class Tokenizer(Protocol):
    """What turns prompts and answers into tokens; `reframer.llama.weights.Weights` does."""

    def prompt(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Return the tokens of a prompt, up to where the answer begins."""

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A thought, and the sentence with which a friend's answer to it opens."""

    thought: str
    sentence: str


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


def openings(techniques: Iterable[Technique], *, held_out: bool) -> list[Opening]:
    """Return thoughts with the first sentence of a friend's answer, as far as it says them back.

    A first sentence is taken where it keeps to the thought: every word is the thought's or belongs
    to a friend's usual vocabulary, and it speaks of the particular thing. The adapter is to learn
    to say back truly, so the sentences that leap are left out.

    Args:
        techniques: The cards.
        held_out: Whether to take the held-out examples or the others.
    """
    techniques = tuple(techniques)
    fit = Fit.learn(techniques)
    return [
        Opening(example.thought, first)
        for technique in techniques
        for example in technique.examples
        if example.held_out is held_out
        and not says_back(first := _first(example), example.thought, fit)
    ]


def pair(opening: Opening, tokenizer: Tokenizer, end: int) -> Pair:
    """Return an opening as tokens, asked for exactly as the program asks.

    Args:
        opening: The thought and the sentence.
        tokenizer: The model's own.
        end: The token that ends an answer.
    """
    prompt = tokenizer.prompt(convert_to_openai_messages(prompts.opening(opening.thought)))
    return Pair((*prompt, *tokenizer.tokens(opening.sentence), end), len(prompt))


def fingerprint(chosen: Iterable[Opening]) -> str:
    """Return the SHA-256 of what is trained on: thoughts and sentences, in order."""
    rows = [(opening.thought, opening.sentence) for opening in chosen]
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


def _first(example: Example) -> str:
    return _SENTENCE_END.split(example.answer)[0]
