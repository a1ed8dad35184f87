"""The probes are fitted on what does not measure them, and find what can be found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

from models.training import probe
from models.training.readings import measuring
from reframer.conversation import labelled

DIARY = "text\nWent to the market. Bought plums.\nThe bus was late.\n"


@pytest.fixture
def lessons(tmp_path: Path) -> list[probe.Lesson]:
    diary = tmp_path / "diary.csv"
    diary.write_text(DIARY)
    return probe.lessons(diary)


def test_no_text_for_evaluation_is_a_lesson(lessons: list[probe.Lesson]) -> None:
    assert {one.text for one in lessons}.isdisjoint(measuring())
    assert {one.text for one in lessons}.isdisjoint(t.text for t in labelled() if t.held_out)


def test_every_lesson_has_a_level_and_a_turn_is_harmless(lessons: list[probe.Lesson]) -> None:
    assert {one.level for one in lessons} == {0, 1, 2}
    assert {one.level for one in lessons if one.turn} == {0}
    assert {one.counts for one in lessons if one.turn != "thought"} == {1}


def test_a_fit_finds_what_decides_and_what_counts_more_decides_more() -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(300, 20)).astype(np.float32)
    answers = (states[:, 3] > 0).astype(int)
    weight, bias = probe.fit(states, answers.tolist(), [1.0] * len(states), 2)
    assert ((states @ weight + bias).argmax(1) == answers).mean() > 0.95
    torn = np.zeros((2, 20), np.float32)  # the same state with two answers
    weight, bias = probe.fit(torn, [0, 1], [1.0, 3.0], 2)
    assert (torn[0] @ weight + bias).argmax() == 1
