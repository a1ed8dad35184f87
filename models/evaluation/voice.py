"""How the voice speaks: five configurations side by side, judged by the review's rules.

The thoughts were fixed before any answer was seen: sixty hard ones and a hundred of fourteen kinds,
written for this (``hard.tsv``, ``kinds.tsv``), and the hundred held-out examples with the lowest
ids. The untuned model, which is slow with its long prompts, answers the hard ones alone. A rule
sees form and some content; it does not see whether an answer is wise. So the answers are kept, to
be read as well: ``python -m models.evaluation.voice docs/examples.md`` writes down those to the
thoughts written for this.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reframer import catalog, paths, prompts, settings
from reframer.engine import Reframer
from reframer.knowledge import load_techniques
from reframer.llama.chat import ChatLlama
from reframer.reader import Reader
from reframer.records import Match, Origin
from reframer.retrieval import TechniqueRetriever
from reframer.review import RULES, review
from reframer.settings import Settings

_HARD = Path(__file__).with_name("hard.tsv")
_KINDS = Path(__file__).with_name("kinds.tsv")
_KEPT = Path("build/voice/answers.json")
_FROM_STORE = "held out"
_HELD_OUT = 100
_SHOWN = 3
_AT_ONCE = 16
_PEOPLE = 4  # who ask the whole program at once
_VOWELS = re.compile(r"[aeiouy]+")
_WORD = re.compile(r"[a-z']+")

Matches = Mapping[str, Match]


@dataclass(frozen=True, slots=True)
class Asked:
    """A thought of the evaluation, and what it stands for."""

    group: str
    thought: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one configuration said.

    Attributes:
        name: Its name.
        answers: Its answer to each thought, or to the first ones, the hard ones.
        seconds: What an answer took, of the time for all.
        origins: Where each answer came from, if that is told.
    """

    name: str
    answers: Sequence[str]
    seconds: float
    origins: Sequence[Origin] = ()


def report(data: Path | None = None) -> str:  # noqa: ARG001 - the cards are all that is needed
    """Return the tables of all configurations, and keep what they said."""
    asked = thoughts()
    rows: list[Row] = []
    for row in speak_all(asked):
        rows.append(row)
        with paths.atomic_write(_KEPT) as file:
            file.write(json.dumps([asdict(each) for each in rows]).encode())
    return "\n\n".join(
        [
            f"{len(asked)} thoughts: {_told(Counter(one.group for one in asked))}.",
            _table([_figures(asked, row) for row in rows]),
            "Share of answers that keep each rule:",
            _table([_rules(asked, row) for row in rows]),
        ]
    )


def thoughts() -> list[Asked]:
    """Return the thoughts, the hard ones first."""
    held_out = [e for technique in load_techniques() for e in technique.examples if e.held_out]
    chosen = sorted(held_out, key=lambda example: example.id)[:_HELD_OUT]
    from_store = (Asked(_FROM_STORE, example.thought) for example in chosen)
    return [*_written_for_this(_HARD), *_written_for_this(_KINDS), *from_store]


def _written_for_this(file: Path) -> list[Asked]:
    lines = file.read_text("utf-8").splitlines()
    return [Asked(*line.split("\t")) for line in lines if not line.startswith("#")]


def speak_all(asked: Sequence[Asked]) -> Iterator[Row]:
    """Let every configuration answer the thoughts, one after the other."""
    chosen = settings.load()
    yield _run("the thought itself", asked, lambda thought: thought)
    yield _shipped(asked)
    yield _adapter(asked, chosen)
    hard = _written_for_this(_HARD)
    reader = Reader.from_catalog(chosen.models_dir)
    retriever = TechniqueRetriever.open(load_techniques(), reader.embeddings, reader)
    matches = {one.thought: retriever.search(one.thought, k=1)[0] for one in hard}
    yield from _base(hard, matches, chosen)


def _base(asked: Sequence[Asked], matches: Matches, chosen: Settings) -> Iterator[Row]:
    model = catalog.default("chat")
    sampling: dict[str, Any] = dict(model.sampling)
    base = ChatLlama.from_file(catalog.locate(model, chosen.models_dir)[0], **sampling)

    def say(thought: str, examples: int) -> str:
        match = matches[thought]
        messages = prompts.answer(thought, match.technique, match.examples[:examples])
        return base.invoke(messages, seed=0).text

    yield _run("base model alone", asked, lambda thought: say(thought, 0))
    yield _run("base with nearest examples", asked, lambda thought: say(thought, _SHOWN))


def _adapter(asked: Sequence[Asked], chosen: Settings) -> Row:
    tuned = ChatLlama.from_catalog(catalog.default("chat"), chosen.models_dir)

    def say(thought: str) -> str:
        messages = prompts.opening(thought)
        return tuned.invoke(messages, seed=0).text

    return _run("adapter alone", asked, say)


def _run(name: str, asked: Sequence[Asked], speak: Callable[[str], str]) -> Row:
    started = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = list(pool.map(lambda one: " ".join(speak(one.thought).split()), asked))
    return Row(name, tuple(said), (time.perf_counter() - started) / len(asked))


def _shipped(asked: Sequence[Asked]) -> Row:
    friend = Reframer.open(settings.load())
    friend.prepare()
    started = time.perf_counter()
    with ThreadPoolExecutor(_PEOPLE) as pool:
        answers = list(pool.map(lambda one: friend.reframe(one.thought), asked))
    seconds = (time.perf_counter() - started) / len(asked)
    origins = tuple(answer.origin for answer in answers)
    return Row("as shipped", tuple(answer.text for answer in answers), seconds, origins)


def _figures(asked: Sequence[Asked], row: Row) -> dict[str, str]:
    asked = asked[: len(row.answers)]
    words = [_WORD.findall(answer.lower()) for answer in row.answers]
    openings = Counter(" ".join(answer[:3]) for answer in words)
    clean = sum(
        not review(answer, one.thought) for one, answer in zip(asked, row.answers, strict=True)
    )
    return {
        "configuration": row.name,
        "thoughts": str(len(asked)),
        "pass every rule": f"{clean / len(asked):.0%}",
        "median words": f"{statistics.median(map(len, words)):.0f}",
        "school grade": f"{_grade(row.answers):.1f}",
        "distinct-1": f"{_distinct(words, 1):.2f}",
        "distinct-2": f"{_distinct(words, 2):.2f}",
        "opening used before": f"{1 - len(openings) / len(asked):.0%}",
        "same answer twice": str(len(row.answers) - len(set(row.answers))),
        "origins": _told(Counter(row.origins)) or "–",
        "seconds each": f"{row.seconds:.1f}",
    }


def _rules(asked: Sequence[Asked], row: Row) -> dict[str, str]:
    asked = asked[: len(row.answers)]
    broken = Counter(
        rule
        for one, answer in zip(asked, row.answers, strict=True)
        for rule in {problem.rule for problem in review(answer, one.thought)}
    )
    kept = {rule: f"{1 - broken[rule] / len(asked):.0%}" for rule in RULES}
    return {"configuration": row.name, **kept}


def _distinct(answers: Sequence[Sequence[str]], length: int) -> float:
    """Return the share of runs of words that occur once (Li et al. 2016, distinct-n)."""
    runs = [tuple(words[at : at + length]) for words in answers for at in range(len(words))]
    return len(set(runs)) / max(1, len(runs))


def _grade(answers: Sequence[str]) -> float:
    """Return the Flesch-Kincaid grade of all answers together (Kincaid et al. 1975)."""
    text = " ".join(answers).lower()
    words = _WORD.findall(text)
    sentences = max(1, len(re.findall(r"[.?!]+", text)))
    syllables = sum(max(1, len(_VOWELS.findall(word.removesuffix("e")))) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / max(1, len(words)) - 15.59


def _table(rows: Sequence[dict[str, str]]) -> str:
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _told(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _written(asked: Sequence[Asked], rows: Sequence[Row]) -> str:
    """Return the thoughts written for this with what was said to them, as Markdown."""
    parts = [
        "# Examples",
        f"Sixty hard thoughts and what {len(rows) - 1} configurations said to them, then a hundred "
        "of fourteen kinds, which the untuned model was not asked; unedited and not chosen, by "
        "`python -m models.evaluation.voice docs/examples.md`. What is wrong with "
        "them is in [evaluation.md](evaluation.md).",
    ]
    for index, one in enumerate(asked):
        if one.group != _FROM_STORE:
            asked_too = (row for row in rows[1:] if index < len(row.answers))
            said = [f"- **{row.name}**: {_quiet(row.answers[index])}" for row in asked_too]
            parts += [f"## {index + 1}. {one.group}", f"> {one.thought}", "\n".join(said)]
    return "\n\n".join(parts) + "\n"


def _quiet(answer: str) -> str:
    """Return an answer as one line in which nothing acts as Markdown."""
    return re.sub(r"([*_`#<>\[\]])", r"\\\1", " ".join(answer.split()))


def main() -> None:
    """Write down what was said when the voice was last measured."""
    rows = [Row(**row) for row in json.loads(_KEPT.read_text("utf-8"))]
    page = Path(sys.argv[1])
    with paths.atomic_write(page) as file:
        file.write(_written(thoughts(), rows).encode())
    page.chmod(0o644)


if __name__ == "__main__":
    main()
