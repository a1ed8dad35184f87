"""What somebody told is said back rightly or not at all; the judgement on it never is."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reframer.knowledge import load_techniques
from reframer.mirror import opening
from reframer.records import VOICES, Thought, Voice

HARSH = ("idiot", "useless", "monster", "hopeless", "loser", "stupid", "Crap", "failure", "wimp")


def harsh(sentence: str) -> bool:
    """Whether a sentence holds a harsh word."""
    return any(word in sentence for word in HARSH)


def said(text: str, before: str = "", voice: Voice = "adult") -> str:
    """Return what is said back of a thought."""
    return opening(Thought(text, before=before), harsh, voice)


@pytest.mark.parametrize(
    ("text", "back"),
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
        ("forgot my tablets 3 days running. useless", "You forgot your tablets 3 days running"),
        ("clapped in the wrong place like an idiot", "You clapped in the wrong place"),
        ("picked last in PE again, im a loser", "You were picked last in PE again"),
        ("took me a year to make one chair. stupid", "It took you a year to make one chair"),
        ("My boss laughed at my idea, I'm an idiot", "Your boss laughed at your idea"),
        ("nobody laughed at my joke. loser", "Nobody laughed at your joke"),
        ("im biting my nails again, stupid", "You're biting your nails again"),
        ("snapped at mum before school. monster", "You snapped at your mum before school"),
        ("Burnt the rice, left the table. monster", "You burnt the rice, left the table"),
    ],
)  # fmt: skip
def test_what_happened_is_said_back_to_you(text: str, back: str) -> None:
    assert back in said(text)


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
        "Still scared of the dark at thirty-three, stupid.",
        "Closed six years, the shipyard. I'm hopeless",
        "I was a coward in the strike, monster",
        "My twin got the looks, I got the leftovers",
        "The plan is off. She left before it began. I'm hopeless",
        "I have no right to be sad, I'm hopeless",
    ],
)
def test_a_judgement_or_what_rules_cannot_turn_is_never_said_back(text: str) -> None:
    assert said(text) == ""


def test_a_small_part_of_a_story_is_not_said_back() -> None:
    assert said(f"I baked a cake. {'It rained and rained. ' * 5} I'm useless.") == ""


def test_what_the_ear_finds_harsh_is_not_said_back() -> None:
    assert opening(Thought("I earned two pounds today."), lambda _: True) == ""


def test_the_thought_itself_comes_before_what_led_to_it() -> None:
    assert said("I missed the train. I'm useless.", "I made some tea.").startswith("You missed")
    assert said("I'm useless.", "I missed the train.").startswith("You missed the train")


def test_a_chain_of_clauses_ends_before_the_frame_begins() -> None:
    for number in range(20):  # the frame is chosen by the text
        text = f"I ate all {number} rolls, went to bed, cried. stupid"
        assert said(text).startswith(f"You ate all {number} rolls, went to bed, cried. ")


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_has_openings_of_its_own(voice: Voice) -> None:
    assert "ou missed the train again" in said("I missed the train again. I'm an idiot.", "", voice)


def test_an_opening_never_holds_the_harsh_word() -> None:
    for technique in load_techniques():
        for example in technique.examples:
            back = said(example.thought).lower()
            assert not any(re.search(rf"\b{word.lower()}", back) for word in HARSH), back


@pytest.mark.parametrize("piece", ["I ate, ", "my mum was ", "today ", "I did and ", "a, "])
def test_a_long_text_takes_no_time(piece: str) -> None:
    begun = time.monotonic()
    said(piece * (4000 // len(piece)))
    assert time.monotonic() - begun < 2


@given(st.text(), st.text())
def test_no_text_is_too_odd(text: str, before: str) -> None:
    said(text, before)
