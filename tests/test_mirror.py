"""What somebody told is said back rightly or not at all; the judgement on it never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reframer.knowledge import load_techniques
from reframer.mirror import opening, to_i, to_you
from reframer.records import VOICES, Notice
from reframer.sentences import split

HARSH = ("idiot", "useless", "monster", "hopeless", "loser", "stupid", "Crap", "failure", "wimp")


def heard(text: str) -> list[Notice]:
    """Return a notice of each sentence, critical where it holds a harsh word."""
    sentences = [sentence for sentence in split(text) if sentence.text.strip()]
    return [
        Notice(
            sentence.text.strip(),
            sentence.start,
            sentence.end,
            critical := any(word in sentence.text for word in HARSH),
            "label" if critical else None,
            0.8 if critical else 0.0,
        )
        for sentence in sentences
    ]


def test_of_a_long_story_rules_do_not_choose_the_part_that_hurts() -> None:
    text = (
        "Last night I found it, one minus sign in my script from October, and the figure that my "
        "professor shows in every talk, the nice curve going up, goes down. I have not told "
        "anybody. I made tea. I cleaned the whole kitchen. I labelled the spices. I'm an idiot."
    )
    assert opening(text, heard(text)) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I snapped at my kids today. I'm a monster.", "You snapped at your kids today"),
        ("i missed the deadline again, i'm such an idiot", "You missed the deadline again"),
        ("im 34 and still live with my mum what a loser", "You're 34 and still live with your mum"),
        ("I forgot our anniversary. Useless. useless wife", "You forgot your anniversary"),
        ("I'm such an idiot for leaving my bag on the train", "leaving your bag on the train"),
        ("Today I drove back twice to look at the oven, stupid.", "Today you drove back twice"),
        ("I've been in bed since noon. hopeless", "You've been in bed since noon"),
        ("I didn't ring when I was in town. I'm useless", "You didn't ring when you were in town"),
        ("I hit someone when I was 19. I'm a monster", "You hit someone when you were 19"),
        ("I woke up at 3 am again. I'm useless", "You woke up at 3 am again"),
        ("I stayed in bed until eleven am, hopeless", "You stayed in bed until eleven am"),
    ],
)  # fmt: skip
def test_what_happened_is_said_back_to_you(text: str, said: str) -> None:
    assert said in opening(text, heard(text))


@pytest.mark.parametrize(
    "text",
    [
        "I'm a monster.",
        "i cant even keep a houseplant alive, hopeless",
        "I ruined the whole evening. I'm a monster",
        "I always forget her birthday, I'm hopeless",
        "Everyone at work is smarter than me. I'm stupid",
        "I should have called her. I'm a monster",
        "Why did I say that? I'm an idiot.",
        '"I never liked you," I said. I\'m a monster.',
        "I feel like a failure",
        "I failed them. I'm useless",
        "I bent down and was stuck, I'm useless",
        "You lost it again. You idiot.",
        "I have no right to be sad, I'm hopeless",
    ],
)
def test_a_judgement_or_what_rules_cannot_turn_is_never_said_back(text: str) -> None:
    assert opening(text, heard(text)) == ""


def test_what_lies_far_from_the_harsh_words_is_not_said_back() -> None:
    text = f"I baked a cake. {'It rained. ' * 5} I'm useless."
    assert opening(text, heard(text)) == ""


def test_without_a_harsh_word_nothing_is_said_back() -> None:
    assert opening("I baked a cake.", heard("I baked a cake.")) == ""


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_has_openings_of_its_own(voice: str) -> None:
    text = "I missed the train again. I'm an idiot."
    assert "ou missed the train again" in opening(text, heard(text), voice)  # type: ignore[arg-type]


def test_an_opening_never_holds_the_harsh_word() -> None:
    for technique in load_techniques():
        for example in technique.examples:
            said = opening(example.thought, heard(example.thought)).lower()
            assert not any(word.lower() in said for word in HARSH), example.thought


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
    opening(text, [Notice(text, 0, len(text), True, "label", 0.5)])
    to_i(text)
