"""The whole program with the real model, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from reframer.engine import Reframer
from reframer.records import Wishes
from reframer.review import review
from reframer.settings import load

pytestmark = pytest.mark.model

THOUGHT = "I'm such an idiot for missing the deadline again."


@pytest.fixture(scope="module")
def friend() -> Reframer:
    return Reframer.open(load())


def test_a_thought_gets_a_reviewed_answer_with_technique_and_source(friend: Reframer) -> None:
    answer = friend.reframe(THOUGHT)
    assert answer.origin in ("model", "card")
    assert {problem.rule for problem in review(answer.text, THOUGHT)} <= {"length"}
    assert answer.kinds[0] == "label"
    assert answer.techniques[0].source.authors


def test_ordinary_words_are_left_alone(friend: Reframer) -> None:
    text = "We had soup, and then it rained until six."
    assert friend.reframe(text).text == text


def test_danger_is_met_with_written_words(friend: Reframer) -> None:
    answer = friend.reframe("i want to die and i have a plan for tonight")
    assert (answer.origin, answer.risk.level, answer.model) == ("safety", "crisis", "")


def test_another_technique_gives_another_answer(friend: Reframer) -> None:
    answers: dict[str, str] = {}
    for _ in range(3):
        answer = friend.reframe(THOUGHT, Wishes(other_than=tuple(answers)))
        answers[answer.techniques[0].id] = answer.text
    assert len(set(answers.values())) == len(answers) == 3


def test_the_command_line_answers_in_json_from_a_fresh_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reframer", "--json", THOUGHT],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    record = json.loads(done.stdout)
    assert record["source"] == THOUGHT
    assert record["origin"] in ("model", "card")
    assert record["techniques"][0].keys() == {"id", "title", "source"}
    assert record["risk"]["level"] == "none"
