"""How the voice speaks: drafts of four configurations side by side, judged by the review's rules.

The thoughts are a fixed sample of the held-out tenth: those with the lowest ids. A rule of the
review sees form and some content; it does not see whether an answer is wise. So the drafts are to
be read as well: ``python -m models.evaluation.voice`` prints them all.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reframer import catalog, seal, settings
from reframer.embedding import LocalEmbeddings
from reframer.engine import LONGEST_TEXT, Reframer
from reframer.knowledge import load_techniques
from reframer.llama.chat import ChatLlama
from reframer.prompts import compose
from reframer.records import Example, Match
from reframer.retrieval import TechniqueRetriever
from reframer.review import review

_SAMPLE = 24
_SHOWN = 3

Speak = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """What one configuration said to the sample."""

    name: str
    answers: tuple[str, ...]
    seconds: float
    note: str = ""


def report(data: Path | None = None) -> str:  # noqa: ARG001 - the cards are all that is needed
    """Return the table of all configurations."""
    thoughts = [example.thought for example in _sample()]
    rows = [_row(thoughts, row) for row in _speak_all(thoughts)]
    head = (
        "| configuration | drafts that pass | broken rules | median words | distinct-2 "
        "| seconds an answer | note |\n|---|---:|---|---:|---:|---:|---|"
    )
    return "\n".join([f"{len(thoughts)} held-out thoughts.\n", head, *rows])


def _sample() -> list[Example]:
    held_out = [e for technique in load_techniques() for e in technique.examples if e.held_out]
    return sorted(held_out, key=lambda example: example.id)[:_SAMPLE]


def _speak_all(thoughts: Sequence[str]) -> list[Row]:
    chosen = settings.load()
    embeddings = LocalEmbeddings.from_catalog(chosen.models_dir)
    retriever = TechniqueRetriever.open(load_techniques(), embeddings)
    matches = {thought: retriever.search(thought, k=1)[0] for thought in thoughts}
    model = catalog.default("chat")
    sampling: dict[str, Any] = dict(model.sampling)
    base = ChatLlama.from_file(catalog.locate(model, chosen.models_dir)[0], **sampling)
    tuned = ChatLlama.from_catalog(model, chosen.models_dir)
    rows = [
        _run("the thought itself", thoughts, lambda thought: thought),
        _run("base model alone", thoughts, lambda t: _plain(base, t, matches[t], 0)),
        _run("base with nearest examples", thoughts, lambda t: _plain(base, t, matches[t], _SHOWN)),
        _run("adapter alone", thoughts, lambda t: _tuned(tuned, t, matches[t])),
    ]
    return [*rows, _shipped(thoughts)]


def _run(name: str, thoughts: Sequence[str], speak: Speak) -> Row:
    started = time.perf_counter()
    answers = tuple(" ".join(speak(thought).split()) for thought in thoughts)
    return Row(name, answers, (time.perf_counter() - started) / len(thoughts))


def _plain(model: ChatLlama, thought: str, match: Match, examples: int) -> str:
    messages = compose(thought, match.technique, match.examples[:examples], style="plain")
    return model.invoke(messages, seed=0).text


def _tuned(model: ChatLlama, thought: str, match: Match) -> str:
    return model.invoke(compose(thought, match.technique, style="adapter"), seed=0).text


def _shipped(thoughts: Sequence[str]) -> Row:
    friend = Reframer.open(settings.load())
    friend.prepare()
    started = time.perf_counter()
    answers = [friend.reframe(thought) for thought in thoughts]
    seconds = (time.perf_counter() - started) / len(thoughts)
    origins = Counter(answer.origin for answer in answers)
    note = ", ".join(f"{origin} {count}" for origin, count in origins.most_common())
    return Row("as shipped", tuple(answer.text for answer in answers), seconds, note)


def _row(thoughts: Sequence[str], row: Row) -> str:
    problems = [review(a, t) for t, a in zip(thoughts, row.answers, strict=True)]
    rules = Counter(problem.rule for found in problems for problem in found)
    words = [answer.lower().split() for answer in row.answers]
    pairs = [pair for answer in words for pair in zip(answer, answer[1:], strict=False)]
    return (
        f"| {row.name} | {sum(not found for found in problems)} of {len(problems)} "
        f"| {', '.join(f'{rule} {count}' for rule, count in rules.most_common(5)) or '–'} "
        f"| {statistics.median(map(len, words)):.0f} | {len(set(pairs)) / max(len(pairs), 1):.2f} "
        f"| {row.seconds:.1f} | {row.note} |"
    )


def main() -> None:
    """Print every answer of every configuration."""
    thoughts = [example.thought for example in _sample()]
    rows = _speak_all(thoughts)
    for index, thought in enumerate(thoughts):
        sys.stdout.write(f"\n> {thought[:LONGEST_TEXT]}\n\n")
        for row in rows[1:]:
            sys.stdout.write(f"- {row.name}: {row.answers[index]}\n")


if __name__ == "__main__":
    seal.close()
    main()
