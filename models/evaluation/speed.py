"""How fast answers come on this machine: ``make bench``.

    rows      the same drafts through every contender, interleaved in one run, medians of rounds
    answers   whole answers of the program: warm, in a fresh process, four people at once
    memory    what the process holds while it computes a thousand rows

The rows are what a journal asks for: some drafts each of different thoughts, with the default model
and its adapter. The ceiling is the rate at which the model reads one long prompt, the fastest that
it computes tokens at all. The last line is one JSON object with all figures.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import psutil
from langchain_core.messages import BaseMessage, convert_to_openai_messages

from models.evaluation.voice import thoughts
from reframer import catalog, prompts, seal, settings
from reframer.engine import Reframer
from reframer.llama.chat import ChatLlama
from reframer.llama.pace import reads
from reframer.threads import usable_cores

_ROUNDS = 5
_ROWS = (1, 4, 16, 64)
_DRAFTS = 4  # of each thought
_AT_ONCE = 16
_TOKENS = 40
_LONG_PROMPT = 512
_CONTEXT = 2048
_MEMORY_ROWS = (100, 250, 500, 1000)
_PEOPLE = 4
_SAMPLING: Mapping[str, Any] = {"temperature": 0.5, "max_tokens": _TOKENS}
_A_THOUGHT = "I am such an idiot for missing the deadline again."

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A row: what the model is given, and the seed of its draft."""

    messages: list[BaseMessage]
    seed: int

    @property
    def plain(self) -> Any:
        """The messages in OpenAI's form."""
        return convert_to_openai_messages(self.messages)


@dataclass(frozen=True, slots=True)
class Way:
    """A contender; ``answer`` returns how many new tokens were said."""

    name: str
    answer: Callable[[Sequence[Asked]], int]


def main() -> None:
    """Print the tables and the JSON line."""
    seal.close()
    figures = {
        "cores": usable_cores(),
        "model": catalog.default("chat").id,
        "rows": measure_rows(),
        "answers": measure_answers(),
        "memory": measure_memory(),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def rows(count: int, skipped: int = 0) -> list[Asked]:
    """Return so many rows: drafts of one thought beside each other, as they are asked for.

    Args:
        count: How many.
        skipped: How many others come before them.
    """
    asked = (
        Asked(prompts.opening(one.thought), seed)
        for one in thoughts() * 2
        for seed in range(_DRAFTS)
    )
    return list(islice(asked, skipped, skipped + count))


def measure_rows() -> Figures:
    """Let every contender draft the same rows, in turn."""
    file, adapter = _files()
    ours = ChatLlama.from_file(file, adapter=adapter, **_SAMPLING)
    bare = ChatLlama.from_file(file, **_SAMPLING)
    plain = llama_cpp.Llama(
        str(file), lora_path=str(adapter), n_ctx=_CONTEXT, n_threads=usable_cores(),
        n_threads_batch=usable_cores(), verbose=False,
    )  # fmt: skip
    ways = (
        Way("reframer", lambda asked: _together(ours, asked)),
        Way("reframer without the adapter", lambda asked: _together(bare, asked)),
        Way("llama-cpp-python in a loop", lambda asked: _loop(plain, asked)),
        _through_langchain(file, adapter),
        _server(file, adapter),
    )
    rates: dict[str, dict[int, list[float]]] = {way.name: {n: [] for n in _ROWS} for way in ways}
    ceiling: list[float] = []
    computed: list[float] = []
    done = 0
    for _ in range(_ROUNDS):
        ceiling.append(reads(ours, _LONG_PROMPT))
        for number in _ROWS:
            asked = rows(number, done)  # others each time: some contenders keep what they read
            done += max(number, _DRAFTS)
            for way in ways:
                started = time.perf_counter()
                said = way.answer(asked)
                seconds = time.perf_counter() - started
                rates[way.name][number].append(said / seconds)
                if way is ways[0] and number == max(_ROWS):
                    computed.append((said + _read(ours, asked)) / seconds)
    return _told_rows(rates, statistics.median(ceiling), statistics.median(computed))


def _files() -> tuple[Path, Path]:
    model = catalog.default("chat")
    adapter = catalog.locate_adapter(model) or Path()
    return catalog.locate(model, settings.load().models_dir)[0], adapter


def _together(chat: ChatLlama, asked: Sequence[Asked]) -> int:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(lambda one: _said(chat, one), asked))


def _said(chat: ChatLlama, one: Asked) -> int:
    usage = chat.invoke(one.messages, seed=one.seed).usage_metadata
    return usage["output_tokens"] if usage else 0


def _read(chat: ChatLlama, asked: Sequence[Asked]) -> int:
    """Return how many tokens of prompts there are to read, each prompt once."""
    texts = {json.dumps(one.plain): one.plain for one in asked}
    return sum(len(chat.weights.prompt(plain)) for plain in texts.values())


def _loop(plain: llama_cpp.Llama, asked: Sequence[Asked]) -> int:
    answers: Any = (
        plain.create_chat_completion(one.plain, seed=one.seed, **_SAMPLING) for one in asked
    )
    return sum(answer["usage"]["completion_tokens"] for answer in answers)


def _through_langchain(file: Path, adapter: Path) -> Way:
    """Return LangChain's own chat model for llama-cpp-python, called in a loop."""
    from langchain_community.chat_models import ChatLlamaCpp  # for the bench alone

    chat = ChatLlamaCpp(
        model_path=str(file), lora_path=str(adapter), n_ctx=_CONTEXT, n_threads=usable_cores(),
        n_batch=_LONG_PROMPT, verbose=False, **_SAMPLING,
    )  # fmt: skip

    def answer(asked: Sequence[Asked]) -> int:
        said = (chat.invoke(one.messages, seed=one.seed).text for one in asked)
        return sum(len(chat.client.tokenize(text.encode(), add_bos=False)) + 1 for text in said)

    return Way("LangChain's ChatLlamaCpp in a loop", answer)


def _server(file: Path, adapter: Path) -> Way:
    """Return llama.cpp's server with as many slots, continuous batching and prompt cache."""
    import xllamacpp  # for the bench alone

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    lora = xllamacpp.CommonAdapterLoraInfo()
    lora.path, lora.scale = str(adapter), 1.0
    params.lora_adapters = [lora]
    params.n_parallel, params.n_ctx, params.cont_batching = _AT_ONCE, _AT_ONCE * 512, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = usable_cores()
    server = xllamacpp.Server(params)

    def one_answer(one: Asked) -> int:
        wanted = {"messages": one.plain, "seed": one.seed, "cache_prompt": True, **_SAMPLING}
        answer: Any = server.handle_chat_completions(wanted)
        return int(answer["usage"]["completion_tokens"])

    def answer(asked: Sequence[Asked]) -> int:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(one_answer, asked))

    return Way(f"llama.cpp's server, {_AT_ONCE} slots", answer)


def _told_rows(
    rates: dict[str, dict[int, list[float]]], ceiling: float, computed: float
) -> Figures:
    out = sys.stdout.write
    out(f"| new tokens a second | {' | '.join(f'{number} rows' for number in _ROWS)} |\n")
    out(f"|---|{'---:|' * len(_ROWS)}\n")
    for name, seen in rates.items():
        cells = (
            f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"
            for values in seen.values()
        )
        out(f"| {name} | {' | '.join(cells)} |\n")
    out(
        f"\nThe model reads a prompt of {_LONG_PROMPT} tokens at {ceiling:.1f} tokens a second; at "
        f"{max(_ROWS)} rows reframer computes {computed:.1f} (prompts, each once, and answers): "
        f"{computed / ceiling:.0%} of it.\n\n"
    )
    medians = {
        name: {str(number): statistics.median(values) for number, values in seen.items()}
        for name, seen in rates.items()
    }
    return {"tokens_per_second": medians, "ceiling": ceiling, "computed": computed}


def measure_answers() -> Figures:
    """Time whole answers, from the text to the reviewed words."""
    asked = [one.thought for one in thoughts()[: 2 * _PEOPLE]]
    reframer = Reframer.open(settings.load())
    reframer.prepare()
    warm = [reframer.reframe(thought).seconds for thought in asked]
    with ThreadPoolExecutor(_PEOPLE) as pool:
        several = [answer.seconds for answer in pool.map(reframer.reframe, asked)]
    seconds = {
        "one thought, warm": warm,
        f"each of {_PEOPLE} people at once": several,
        "one thought in a fresh process": [
            _run("reframe", _A_THOUGHT, "--json") for _ in range(_ROUNDS)
        ],
        "reframer --help": [_run("--help") for _ in range(_ROUNDS)],
    }
    sys.stdout.write("| seconds | median | least to most |\n|---|---:|---:|\n")
    for name, values in seconds.items():
        least, most = min(values), max(values)
        median = statistics.median(values)
        sys.stdout.write(f"| {name} | {median:.2f} | {least:.2f} to {most:.2f} |\n")
    sys.stdout.write("\n")
    return {name: statistics.median(values) for name, values in seconds.items()}


def _run(*words: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "reframer", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def measure_memory() -> Figures:
    """Compute rows in a fresh process, and tell what it holds as they become more."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, "memory"],
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    held: dict[str, dict[str, float]] = json.loads(done.stdout)
    out = sys.stdout.write
    out("| rows computed | seconds | new tokens a second | MB in memory | the process's own |\n")
    out("|---:|---:|---:|---:|---:|\n")
    for number, seen in held.items():
        cells = (
            f"{seen['seconds']:,.0f}",
            f"{seen['said'] / seen['seconds']:.1f}",
            f"{seen['all'] / 1e6:,.0f}",
            f"{seen['own'] / 1e6:,.0f}",
        )
        out(f"| {number} | {' | '.join(cells)} |\n")
    out("\n")
    return held


def tell_memory() -> None:
    """Print what this process holds after so many rows, and what they took, as JSON.

    What is not its own are pages of files, above all the model's, that the system may take back.
    """
    file, adapter = _files()
    chat = ChatLlama.from_file(file, adapter=adapter, **_SAMPLING)
    held = {}
    done = said = 0
    started = time.perf_counter()
    for number in _MEMORY_ROWS:
        said += _together(chat, rows(number - done, done))
        done = number
        seconds = time.perf_counter() - started
        size = psutil.Process().memory_info()
        own = size.rss - size.shared
        held[number] = {"all": size.rss, "own": own, "seconds": seconds, "said": said}
    sys.stdout.write(json.dumps(held))


if __name__ == "__main__":
    if sys.argv[1:] == ["memory"]:
        tell_memory()
    else:
        main()
