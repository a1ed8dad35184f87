"""A card's own words, and how wishes shape an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reframer.knowledge import load_techniques
from reframer.records import Match, Technique, Tone, Wishes
from reframer.review import review, too_long
from reframer.wording import card_words, shaped

CARDS = {technique.id: technique for technique in load_techniques()}
CARD = CARDS["behaviour-not-identity"]
FOUND = Match(CARD, (), 1.0, ())
TEXT = "I missed the train again. I'm such an idiot."
OPENING = "You missed the train again, and it's still with you."
ANSWER = (
    "Missing the train again hurts, and it's a sore start to a day. Being late is one thing that "
    "happened this morning. It belongs to the morning, and you are more than one morning."
)


def test_the_cards_words_stand_behind_the_opening() -> None:
    words = card_words(FOUND, TEXT, OPENING, Wishes())
    assert words in {f"{OPENING} {own}" for own in CARD.words}


def test_an_answer_with_an_opening_is_no_longer_than_a_friends() -> None:
    long = "You put the letter from the pension office behind the clock in May and left it there."
    for technique in CARDS.values():
        for opening in (OPENING, f"{long[:-1]}, and it's still with you."):
            words = card_words(replace(FOUND, technique=technique), TEXT, opening, Wishes())
            assert not too_long(words), words


def test_without_an_opening_they_stand_alone() -> None:
    assert card_words(FOUND, TEXT, "", Wishes()) in CARD.words


def test_the_same_thought_keeps_its_words_and_others_get_others() -> None:
    said = [card_words(FOUND, f"I'm useless at {n}.", "", Wishes()) for n in range(20)]
    assert said == [card_words(FOUND, f"I'm useless at {n}.", "", Wishes()) for n in range(20)]
    assert len(set(said)) > 1


def test_the_most_apt_words_are_given_and_those_nearly_as_apt_take_turns() -> None:
    first, second, third, *_ = CARD.words
    match = replace(FOUND, apt={first: 0.1, second: 0.7, third: 0.69})
    said = {card_words(match, f"I'm useless at {n}.", "", Wishes()) for n in range(20)}
    assert said == {second, third}


@pytest.mark.parametrize("technique", CARDS.values(), ids=lambda technique: technique.id)
def test_every_cards_words_keep_the_rules_that_hold_for_any_thought(technique: Technique) -> None:
    # What is for a model's drafts alone, or looks at words beside the thought they are said to.
    others = {"length", "insult", "speaker", "label", "invented", "again", "fluency"}
    for words in technique.words:
        broken = [problem for problem in review(words, TEXT) if problem.rule not in others]
        assert broken == [], words
        assert len(words.split()) <= 45


@pytest.mark.parametrize("tone", ["plain", "practical", "shorter"])
def test_each_tone_changes_an_answer_and_adds_nothing_but_the_cards_step(tone: Tone) -> None:
    said = shaped(ANSWER, CARD, Wishes(tone=tone))
    assert said != ANSWER
    added = said.removeprefix(ANSWER)
    step = " ".join(CARD.step.split()).lower()
    assert added in ANSWER or added.split(": ", 1)[1].lower() in step


def test_shorter_is_shorter_and_keeps_the_turn() -> None:
    said = shaped(ANSWER, CARD, Wishes(tone="shorter"))
    assert len(said.split()) < len(ANSWER.split()) / 2 + 1
    assert ANSWER.endswith(said)


def test_plain_leaves_the_comfort_out() -> None:
    assert "hurts" not in shaped(ANSWER, CARD, Wishes(tone="plain"))


def test_what_is_gentle_and_to_you_stays_as_it_is() -> None:
    assert shaped(ANSWER, CARD, Wishes()) == ANSWER
