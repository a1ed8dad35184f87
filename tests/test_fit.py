"""Answers that speak of the thought are told from those that speak of something else."""

from __future__ import annotations

import pytest

from reframer.fit import LEAST, Fit
from reframer.knowledge import load_techniques
from reframer.sentences import stems

TECHNIQUES = load_techniques()
FIT = Fit.learn(TECHNIQUES)
HELD_OUT = [
    example for technique in TECHNIQUES for example in technique.examples if example.held_out
]


def test_most_answers_fit_their_own_thought_and_hardly_any_another() -> None:
    own = [FIT.score(one.answer, one.thought) >= LEAST for one in HELD_OUT]
    half = len(HELD_OUT) // 2
    shifted = zip(HELD_OUT, HELD_OUT[half:] + HELD_OUT[:half], strict=True)
    other = [FIT.score(one.answer, another.thought) >= LEAST for one, another in shifted]
    assert sum(own) / len(own) > 0.7
    assert sum(other) / len(other) < 0.05


@pytest.mark.parametrize(
    "answer",
    [
        "Lying on your CV isn't a loser's job.",
        "The cake was meant for her, and she never came to the party.",
    ],
)
def test_what_the_thought_never_spoke_of_does_not_fit(answer: str) -> None:
    assert FIT.score(answer, "im 34 and still live with my parents what a loser") < LEAST


def test_endings_do_not_matter() -> None:
    assert stems("deadlines missed, missing a deadline") == stems("a deadline missed")
