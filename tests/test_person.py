"""What somebody says of themselves becomes words to a friend, and a friend's words one's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reframer.person import to_i, to_you


@pytest.mark.parametrize(
    ("clause", "turned"),
    [
        ("I lost my keys and blamed myself", "you lost your keys and blamed yourself"),
        ("im 34 and i dont drive", "you're 34 and you don't drive"),
        ("I was late and she told me off", "you were late and she told you off"),
        ("it was mine", "it was yours"),
    ],
)
def test_i_becomes_you(clause: str, turned: str) -> None:
    assert to_you(clause) == turned


@pytest.mark.parametrize(
    ("words", "turned"),
    [
        ("You're tired, and you were tired before.", "I'm tired, and I was tired before."),
        ("She got warmth from you and no verdict.", "She got warmth from me and no verdict."),
        ("What you felt was real.", "What I felt was real."),
        ("They saw you.", "They saw me."),
        ("It's the one you wrote to yourself.", "It's the one I wrote to myself."),
        ("Are you sure? You still are.", "Am I sure? I still am."),
        ("Something that matters to you may be hard.", "Something that matters to me may be hard."),
    ],
)
def test_a_friends_words_become_words_to_oneself(words: str, turned: str) -> None:
    assert to_i(words) == turned


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    to_you(text)
    to_i(text)
