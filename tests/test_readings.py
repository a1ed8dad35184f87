"""What the reader learns from, and never what only measures it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from models.training.critic_data import labelled, part
from models.training.readings import known, lessons, turn_names
from models.training.safety_data import statements
from reframer import paths
from reframer.conversation import labelled as labelled_turns
from reframer.critic import unquoted
from reframer.knowledge import example_id, load_techniques
from reframer.reader import Reader

DIARY = ["Made soup and called my sister.", "It rained all day, so I read."]


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    file = tmp_path / "diary.csv"
    with file.open("w", encoding="utf-8", newline="") as table:
        rows = csv.writer(table)
        rows.writerows([["text"], *[[entry] for entry in DIARY]])
    return file


@pytest.fixture(scope="module")
def techniques() -> list[str]:
    return [card.id for card in load_techniques()]


def test_nothing_that_measures_is_learned_from(diary: Path, techniques: list[str]) -> None:
    learned = {one.text for one in known(diary, techniques, turn_names())}
    measures = {
        *(unquoted(row.text) for row in labelled() if part(row.text) == "test"),
        *(row.text for row in statements() if row.held_out),
        *(turn.text for turn in labelled_turns() if turn.held_out),
        *(turn.text for turn in labelled_turns("fresh.tsv")),
        *(e.thought for card in load_techniques() for e in card.examples if e.held_out),
    }
    for name in ("fresh", "unseen", "later"):
        file = paths.asset("knowledge", "safety", f"{name}.tsv")
        measures |= {row.text for row in statements(file)}
    measures |= {row.text for row in labelled(paths.asset("knowledge", "critic", "fresh.tsv"))}
    assert learned & measures == set()


def test_each_question_has_lessons_and_thresholds_something_to_be_chosen_on(
    diary: Path, techniques: list[str]
) -> None:
    made = list(known(diary, techniques, turn_names()))
    asked = {(head, one.part) for one in made for head in one.answers}
    assert {head for head, _ in asked} == {"voice", "kind", "harsh", "level", "technique", "turn"}
    assert {("voice", "validation"), ("level", "validation")} <= asked


@pytest.mark.model
def test_the_teacher_read_nothing_that_measures_and_its_answers_are_shares(
    diary: Path, techniques: list[str], reader: Reader
) -> None:
    file = Path(__file__).parent.parent / "models" / "training" / "teacher.npz"
    with np.load(file, allow_pickle=False) as teacher:
        ids = teacher["ids"].tolist()
        for head, count in {"voice": 3, "kind": 13, "level": 3, "technique": 48}.items():
            assert teacher[head].shape == (len(ids), count)
            assert np.allclose(teacher[head].astype(np.float32).sum(1), 1, atol=5e-3)
    assert example_id(next(row.text for row in statements() if row.held_out)) not in ids
    taught = {name: number for number, name in enumerate(ids)}
    made = lessons(known(diary, techniques, turn_names()), reader.embeddings, taught)
    read = {one.tokens: one.teacher >= 0 for one in made}  # some stand there several times
    assert sum(read.values()) > 0.75 * len(read)  # others were written later
    assert all(len(one.tokens) <= 256 for one in made)
