"""Is the right technique found for examples that neither index nor training has seen?

Every held-out example belongs to one card. That many thoughts could as well be answered with
another card's move makes the figures low for all methods; they say which method is better.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from reframer import settings
from reframer.critic import Critic
from reframer.embedding import LocalEmbeddings
from reframer.engine import EAGER, kinds_of
from reframer.knowledge import load_techniques
from reframer.reader import Reader
from reframer.records import Example, Kind, Technique
from reframer.retrieval import TechniqueRetriever

Ranking = Callable[[Example], Sequence[str]]
"""From an example to the ids of the techniques, best first."""

_WORD = re.compile(r"\w+")


def report(data: Path | None = None) -> str:  # noqa: ARG001 - the cards are all that is needed
    """Return the table of hits, and how long a search takes."""
    techniques = load_techniques()
    reader = Reader.from_catalog(settings.load().models_dir)
    held_out = [e for technique in techniques for e in technique.examples if e.held_out]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        retriever = _open(techniques, reader, Path(folder))
        built = time.perf_counter() - started
        started = time.perf_counter()
        _open(techniques, reader, Path(folder))
        opened = time.perf_counter() - started
        kinds = _kinds(Critic(reader), held_out)
        methods: dict[str, Ranking] = {
            "reframer, with the kinds that the ear hears": lambda e: retriever.rank(
                e.thought, kinds[e.id]
            ),
            "reframer, without kinds": lambda e: retriever.rank(e.thought),
            "nearest example by embedding": _by_embedding(techniques, reader.embeddings),
            "BM25 over examples and cards": _by_bm25(techniques),
            "chance": _by_chance(techniques),
        }
        rows = [_row(name, held_out, ranking) for name, ranking in methods.items()]
        speed = _speed(retriever, held_out)
    head = "| method | hit@1 | hit@3 | hit@5 | MRR |\n|---|---:|---:|---:|---:|"
    return "\n".join(
        [
            f"{len(held_out)} held-out examples, {len(techniques)} techniques.\n",
            head,
            *rows,
            "",
            f"A search with its embedding, warm: {speed}. "
            f"Opening the index: {opened * 1000:.0f} ms; making it: {built:.1f} s.",
        ]
    )


def _open(techniques: Sequence[Technique], reader: Reader, folder: Path) -> TechniqueRetriever:
    return TechniqueRetriever.open(techniques, reader.embeddings, reader, folder, lambda _: None)


def _kinds(critic: Critic, examples: Sequence[Example]) -> dict[str, tuple[Kind, ...]]:
    """Return the kinds that the ear hears in each thought, strongest first."""
    heard = {}
    for example in examples:
        notices = critic.notice(example.thought, threshold=EAGER)
        heard[example.id] = kinds_of(notice for notice in notices if notice.self_critical)
    return heard


def _by_embedding(techniques: Sequence[Technique], embeddings: LocalEmbeddings) -> Ranking:
    """Rank techniques by their one nearest example."""
    examples = [e for technique in techniques for e in technique.examples if not e.held_out]
    vectors = embeddings.vectors([example.thought for example in examples])

    def rank(example: Example) -> list[str]:
        likeness = vectors @ np.asarray(embeddings.embed_query(example.thought))
        return list(dict.fromkeys(examples[i].technique for i in np.argsort(-likeness)))

    return rank


def _by_bm25(techniques: Sequence[Technique], k1: float = 1.5, b: float = 0.75) -> Ranking:
    """Rank techniques by the words of their card and examples (Robertson & Zaragoza 2009)."""
    texts = {
        technique.id: " ".join(
            [technique.title, technique.move, technique.about]
            + [example.thought for example in technique.examples if not example.held_out]
        )
        for technique in techniques
    }
    counts = {name: Counter(_words(text)) for name, text in texts.items()}
    lengths = {name: sum(count.values()) for name, count in counts.items()}
    usual = sum(lengths.values()) / len(lengths)
    spread = Counter(word for count in counts.values() for word in count)

    def score(name: str, words: Sequence[str]) -> float:
        norm = k1 * (1 - b + b * lengths[name] / usual)
        return sum(
            math.log(1 + (len(counts) - spread[word] + 0.5) / (spread[word] + 0.5))
            * (counts[name][word] * (k1 + 1) / (counts[name][word] + norm))
            for word in words
        )

    def rank(example: Example) -> list[str]:
        words = _words(example.thought)
        return sorted(counts, key=lambda name: -score(name, words))

    return rank


def _by_chance(techniques: Sequence[Technique]) -> Ranking:
    order = np.random.default_rng(0)
    names = [technique.id for technique in techniques]
    return lambda _: [names[i] for i in order.permutation(len(names))]


def _row(name: str, examples: Sequence[Example], ranking: Ranking) -> str:
    ranks = np.array([list(ranking(e)).index(e.technique) + 1 for e in examples])
    hits = " | ".join(f"{np.mean(ranks <= k):.3f}" for k in (1, 3, 5))
    return f"| {name} | {hits} | {np.mean(1 / ranks):.3f} |"


def _speed(retriever: TechniqueRetriever, examples: Sequence[Example]) -> str:
    seconds = []
    for example in examples:
        started = time.perf_counter()
        retriever.search(example.thought, ("label",), k=1)
        seconds.append(time.perf_counter() - started)
    p50, p95 = np.quantile(seconds, (0.5, 0.95)) * 1000
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms"


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
