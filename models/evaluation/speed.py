"""How fast answers come on this machine: ``make bench``.

The same prompts, sampling and lengths through four ways, interleaved in one run, medians of
several rounds. The ceiling is the rate at which the model reads one long prompt, the fastest that
it computes tokens at all. The last line is one JSON object with the figures.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import psutil
from langchain_core.messages import BaseMessage, convert_to_openai_messages

from models.evaluation.voice import thoughts
from reframer import catalog, prompts, seal, settings
from reframer.llama.chat import ChatLlama
from reframer.threads import usable_cores

_ROUNDS = 3
_AT_ONCE = 16
_ROWS = (1, 4, 16)
_TOKENS = 40
_LONG_PROMPT = 512
_CONTEXT = 2048

Prompts = Sequence[list[BaseMessage]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of getting answers; ``answer`` returns how many tokens were read and said."""

    name: str
    answer: Callable[[Prompts], int]


def main() -> None:
    """Print the table and the JSON line."""
    asked = _prompts(max(_ROWS))
    chosen = settings.load()
    model = catalog.default("chat")
    file = catalog.locate(model, chosen.models_dir)[0]
    adapter = catalog.locate_adapter(model)
    chat = ChatLlama.from_file(file, adapter=adapter, temperature=0, max_tokens=_TOKENS)
    bare = ChatLlama.from_file(file, temperature=0, max_tokens=_TOKENS)
    plain = llama_cpp.Llama(
        str(file),
        lora_path=str(adapter) if adapter else None,
        n_ctx=_CONTEXT,
        n_threads=usable_cores(),
        n_threads_batch=usable_cores(),
        verbose=False,
    )
    ways = (
        Way("reframer, together", lambda asked: _together(chat, asked)),
        Way("reframer, one after the other", lambda asked: _singly(chat, asked)),
        Way("the same without the adapter, together", lambda asked: _together(bare, asked)),
        Way("llama-cpp-python in a loop", lambda asked: _loop(plain, asked)),
    )
    rates = {(way.name, rows): list[float]() for way in ways for rows in _ROWS}
    ceiling: list[float] = []
    for _ in range(_ROUNDS):
        ceiling.append(_ceiling(chat))
        for rows in _ROWS:
            for way in ways:
                rates[way.name, rows].append(_timed(way, asked[:rows]))
    _print(ways, rates, statistics.median(ceiling))


def _prompts(count: int) -> Prompts:
    return [prompts.opening(one.thought) for one in thoughts()[:count]]


def _timed(way: Way, asked: Prompts) -> float:
    """Return the tokens that are read and said in a second."""
    started = time.perf_counter()
    return way.answer(asked) / (time.perf_counter() - started)


def _together(chat: ChatLlama, asked: Prompts) -> int:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(lambda messages: _tokens(chat, messages), asked))


def _singly(chat: ChatLlama, asked: Prompts) -> int:
    return sum(_tokens(chat, messages) for messages in asked)


def _tokens(chat: ChatLlama, messages: list[BaseMessage]) -> int:
    usage = chat.invoke(messages).usage_metadata
    return usage["total_tokens"] if usage else 0


def _loop(plain: llama_cpp.Llama, asked: Prompts) -> int:
    count = 0
    for messages in asked:
        answer: Any = plain.create_chat_completion(
            convert_to_openai_messages(messages),  # type: ignore[arg-type]
            temperature=0,
            max_tokens=_TOKENS,
        )
        count += answer["usage"]["total_tokens"]
    return count


def _ceiling(chat: ChatLlama) -> float:
    prompt = chat.weights.tokens(f"{time.perf_counter()} {'word ' * _LONG_PROMPT}")[:_LONG_PROMPT]
    started = time.perf_counter()
    list(chat.weights.speak(prompt, chat.sampling(max_tokens=1)))
    return _LONG_PROMPT / (time.perf_counter() - started)


def _print(ways: Sequence[Way], rates: dict[tuple[str, int], list[float]], ceiling: float) -> None:
    medians = {key: statistics.median(seen) for key, seen in rates.items()}
    out = sys.stdout.write
    out(f"| tokens a second | {' | '.join(f'{rows} rows' for rows in _ROWS)} |\n")
    out(f"|---|{'---:|' * len(_ROWS)}\n")
    for way in ways:
        cells = (
            f"{medians[way.name, rows]:.1f} ({min(rates[way.name, rows]):.1f} to "
            f"{max(rates[way.name, rows]):.1f})"
            for rows in _ROWS
        )
        out(f"| {way.name} | {' | '.join(cells)} |\n")
    out(f"| ceiling: one prompt of {_LONG_PROMPT} tokens | {ceiling:.1f} |\n\n")
    memory = psutil.Process().memory_info().rss
    figures = {
        "tokens_per_second": {
            f"{name}, {rows} rows": rate for (name, rows), rate in medians.items()
        },
        "ceiling": ceiling,
        "rounds": _ROUNDS,
        "threads": usable_cores(),
        "rss_bytes": memory,
        "model": Path(catalog.default("chat").id).name,
    }
    out(json.dumps(figures) + "\n")


if __name__ == "__main__":
    seal.close()
    main()
