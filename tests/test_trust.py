"""A draft that the model doubts is trusted less than one that it is sure of."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("logprob", [0.0, -50.0])
def test_it_is_a_probability(logprob: float) -> None:
    assert 0 <= trust(OPENING, [logprob]) <= 1
