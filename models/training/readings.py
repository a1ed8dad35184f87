"""Make the lessons of the reader: ``python -m models.training.readings --diary DIARY.csv``.

The reader (`reframer.reader`) answers six questions about a text: whose voice it is, of which kind
the self-criticism, how harsh, how much danger, which technique it calls for, and what it is as a
turn of a conversation. Each was labelled by hand on texts of its own; a lesson is a text as tokens
with the answers that are known of it. Beside them stands what a teacher, the default model tuned on
the same lessons, thinks of a text (``teacher.npz``; docs/log.md says how it was made), also of
sentences that nobody labelled (Hinton et al. 2015, "Distilling the knowledge in a neural network").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

import click
import numpy as np

from models.training.critic_data import diary_sentences, labelled, part
from models.training.safety_data import Statement, statements
from models.training.turn_data import BY_OTHERS, name_of
from reframer import catalog, paths, settings
from reframer.conversation import labelled as labelled_turns
from reframer.critic import CLASSES, unquoted
from reframer.embedding import LocalEmbeddings
from reframer.knowledge import example_id, load_techniques
from reframer.records import KINDS
from reframer.safety import RANK
from reframer.sentences import split

Part = Literal["train", "validation"]
Answer = tuple[float, float]
"""The number of a class, or of ``harsh`` a share, and how much it counts."""

# How much an answer counts that was given to a text of another question: whoever labelled a
# sentence as self-critical, or wrote an ordinary diary, saw no danger in it, but looked less.
_BY_THE_WAY = 0.3
_DIARY = 0.5
_TURN_TIMES = 3  # there are few
_BESIDE_SHARE = 0.3  # of the statements, which are read beside an ordinary sentence, too
_SEED = 7


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text with what is known of it.

    Attributes:
        tokens: Its tokens.
        part: Whether it is learned from, or chooses the thresholds.
        of: Where it comes from: ``ear``, ``diary``, ``safety``, ``technique``, ``turn``, ``none``.
        answers: By the name of the head.
        teacher: Its number among the teacher's texts; -1 where the teacher did not read it.
    """

    tokens: tuple[int, ...]
    part: Part
    of: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    teacher: int = -1


@dataclass(frozen=True, slots=True)
class _Known:
    text: str
    part: Part
    of: str
    answers: Mapping[str, Answer] = field(default_factory=dict)


def known(diary: Path, techniques: list[str], turns: list[str]) -> Iterator[_Known]:
    """Yield all texts with what is known of them; those for evaluation are left out.

    Args:
        diary: A table of ordinary diary entries with the column ``text``.
        techniques: Ids of the techniques, in the order of their numbers.
        turns: Names of the turns, likewise.
    """
    measures = set(measuring())  # short texts stand in several tables
    everything = chain(
        _heard(), _everyday(diary), _in_danger(diary), _called_for(techniques, turns), _said(turns)
    )
    yield from (one for one in everything if one.text not in measures)


def measuring() -> Iterator[str]:
    """Yield the texts that only ever measure."""
    later = labelled(paths.asset("knowledge", "critic", "fresh.tsv"))
    yield from (unquoted(row.text) for row in labelled() if part(row.text) == "test")
    yield from (unquoted(row.text) for row in later)
    yield from (row.text for row in statements() if row.held_out)
    for name in ("fresh", "unseen", "later"):
        file = paths.asset("knowledge", "safety", f"{name}.tsv")
        yield from (row.text for row in statements(file))
    yield from (turn.text for turn in labelled_turns() if turn.held_out)
    yield from (turn.text for turn in labelled_turns("fresh.tsv"))
    for card in load_techniques():
        yield from (example.thought for example in card.examples if example.held_out)


def _heard() -> Iterator[_Known]:
    for row in labelled():
        if (of := part(row.text)) == "test":
            continue
        answers: dict[str, Answer] = {"voice": (CLASSES.index(row.label), 1), "level": _CALM}
        if row.label == "critical":
            answers["kind"] = ([*KINDS].index(row.group), 0.5)  # type: ignore[arg-type]
            answers["harsh"] = ((row.strength - 1) / 2, _BY_THE_WAY)
        yield _Known(unquoted(row.text), of, "ear", answers)


_CALM: Answer = (RANK["none"], _BY_THE_WAY)


def _everyday(diary: Path) -> Iterator[_Known]:
    neutral: Answer = (CLASSES.index("neutral"), _DIARY)
    for text in diary_sentences(diary):
        if (of := part(text)) != "test":
            answers = {"voice": neutral, "level": (RANK["none"], _DIARY)}
            yield _Known(unquoted(text), of, "diary", answers)


def _in_danger(diary: Path) -> Iterator[_Known]:
    random = np.random.default_rng(_SEED)
    ordinary = [text for text in diary_sentences(diary) if part(text) == "train"]
    for row in statements():
        if row.held_out:
            continue
        answers: dict[str, Answer] = {"level": (RANK[row.level], 1)}
        yield _Known(row.text, _part(row), "safety", answers)
        if random.random() < _BESIDE_SHARE:
            pair = [row.text, ordinary[random.integers(len(ordinary))]]
            random.shuffle(pair)
            yield _Known(" ".join(pair), _part(row), "safety", answers)


def _part(row: Statement) -> Part:
    return "validation" if part(row.text) == "validation" else "train"


def _called_for(techniques: list[str], turns: list[str]) -> Iterator[_Known]:
    for card in load_techniques():
        for example in card.examples:
            if not example.held_out:
                answers: dict[str, Answer] = {
                    "technique": (techniques.index(card.id), 1),
                    "turn": (turns.index("thought"), _BY_THE_WAY),
                }
                yield _Known(example.thought, "train", "technique", answers)
                for piece in split(example.thought):
                    yield _Known(unquoted(piece.text.strip()), "train", "none")


def _said(turns: list[str]) -> Iterator[_Known]:
    for turn in labelled_turns():
        if not turn.held_out and (name := name_of(turn)) in turns:
            answers: dict[str, Answer] = {
                "turn": (turns.index(name), 1),
                "level": (RANK["none"], 1),
            }
            yield from [_Known(turn.text, "train", "turn", answers)] * _TURN_TIMES


def turn_names() -> list[str]:
    """Return the names of the turns that are told apart; danger and languages are for others."""
    return sorted(
        {
            name_of(turn)
            for turn in labelled_turns()
            if turn.kind not in BY_OTHERS and turn.detail != "went-on"
        }
    )


def lessons(
    texts: Iterable[_Known], embeddings: LocalEmbeddings, taught: Mapping[str, int]
) -> list[Lesson]:
    """Return the lessons; of texts of which nothing is known, those that the teacher read, once."""
    seen: set[str] = set()
    made = []
    for one in texts:
        number = taught.get(example_id(one.text), -1)
        if not one.answers and (number < 0 or one.text in seen):
            continue
        seen.add(one.text)
        tokens = tuple(embeddings.encoder.tokens(one.text))
        made.append(Lesson(tokens, one.part, one.of, one.answers, number))
    return made


@click.command()
@click.option("--diary", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=Path, default=Path("build/reading/lessons.json"), show_default=True)
def main(diary: Path, out: Path) -> None:
    """Write the lessons as tokens of the embedder."""
    folder = settings.load().models_dir
    techniques, turns = [card.id for card in load_techniques()], turn_names()
    with np.load(Path(__file__).with_name("teacher.npz"), allow_pickle=False) as teacher:
        taught = {str(name): number for number, name in enumerate(teacher["ids"])}
    texts = known(diary, techniques, turns)
    made = lessons(texts, LocalEmbeddings.from_catalog(folder), taught)
    base = catalog.hash_file(catalog.locate(catalog.default("embedding"), folder)[0])
    facts = {"base": base, "techniques": techniques, "turns": turns, "kinds": [*KINDS]}
    with paths.atomic_write(out) as file:
        file.write(json.dumps({**facts, "lessons": [asdict(one) for one in made]}).encode())
    click.echo(f"{len(made)} lessons, {sum(one.teacher >= 0 for one in made)} read by the teacher")


if __name__ == "__main__":
    main()
