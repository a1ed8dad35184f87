"""A draft that the model doubts is trusted less than one that it is sure of."""

from __future__ import annotations

import pytest

from models.training import trust as training
from reframer import trust as room
from reframer.trust import LEAST, trust

OPENING = "You missed the train again, and that stings."


def test_the_surer_the_model_the_further_its_draft_is_trusted() -> None:
    marks = [trust(OPENING, [logprob] * 9) for logprob in (-2.0, -1.0, -0.5, -0.1)]
    assert marks == sorted(marks)
    assert marks[0] < LEAST < marks[-1]


def test_of_two_drafts_alike_the_shorter_one_is_trusted_more() -> None:
    longer = (
        "You missed the train again this morning, and that stings, and it hurts to think of it."
    )
    assert trust(longer, [-0.3]) < trust(OPENING, [-0.3])


def test_of_two_drafts_alike_the_one_that_begins_with_you_is_trusted_more() -> None:
    other = "The train was missed again, and that stings."
    assert trust(OPENING, [-0.3] * 9) > trust(other, [-0.3] * 9)


def test_the_weights_are_those_of_the_marked_drafts() -> None:
    inputs, marks, _ = training.read()
    shipped = (room._LIKELIHOOD, room._WORD, room._YOU, room._BIAS)
    assert training.fit(inputs, marks) == pytest.approx(shipped, abs=0.005)


def test_marked_drafts_are_told_apart_on_thoughts_that_were_left_out() -> None:
    inputs, marks, thoughts = training.read()
    assert training.told_apart(training.left_out(inputs, marks, thoughts), marks) > 0.75


@pytest.mark.parametrize("logprob", [0.0, -50.0, -1e38])
def test_it_is_a_probability(logprob: float) -> None:
    assert 0 <= trust(OPENING, [logprob]) <= 1
