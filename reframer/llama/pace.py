"""How fast a model reads and speaks on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reframer.llama.chat import ChatLlama

_PROMPT = "Tell me about the sea."
_TOKENS = 48  # of an answer, about those of three sentences
_ROWS = (1, 4, 16)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a model is, in tokens a second.

    Attributes:
        reads: Tokens of a prompt.
        speaks: Tokens of all answers together, by the number of answers given at once.
    """

    reads: float
    speaks: Mapping[int, float]


def measure(chat: ChatLlama) -> Pace:
    """Return how fast a model is; takes some ten seconds."""
    return Pace(reads(chat), {rows: speaks(chat, rows) for rows in _ROWS})


def reads(chat: ChatLlama, tokens: int = 512) -> float:
    """Return how many tokens of a prompt, new to it, a model reads in a second.

    That is the fastest that the machine computes tokens with it at all.

    Args:
        chat: The model.
        tokens: Length of the prompt.
    """
    prompt = chat.weights.tokens(f"{time.perf_counter()} {'word ' * tokens}")[:tokens]
    started = time.perf_counter()
    list(chat.weights.speak(prompt, chat.sampling(max_tokens=1)))
    return tokens / (time.perf_counter() - started)


def speaks(chat: ChatLlama, rows: int) -> float:
    """Return how many tokens a model says in a second, in all answers that it gives at once.

    Args:
        chat: The model.
        rows: Number of answers.
    """
    prompt = chat.weights.prompt([{"role": "user", "content": _PROMPT}])

    def say(seed: int) -> int:
        speech = chat.weights.speak(prompt, chat.sampling(seed=seed, max_tokens=_TOKENS))
        return sum(1 for _ in speech)

    say(0)  # from here on the prompt is read
    started = time.perf_counter()
    with ThreadPoolExecutor(rows) as pool:
        said = sum(pool.map(say, range(rows)))
    return said / (time.perf_counter() - started)
