"""The rules of the voice: which drafts a person never sees."""

from __future__ import annotations

import pytest

from reframer.records import Example
from reframer.review import review, review_opening

GOOD = [
    (
        "I left my laptop on the train again, I'm such an idiot.",
        "Leaving your laptop on the train, for the second time, must have made your stomach drop. "
        "That's something that happened on a tired day, and it belongs to the day.",
    ),
    (
        "Everyone at this company is smarter than me.",
        "You hear their finished sentences in meetings and your own unfinished ones all day. "
        "Those two were never a fair match.",
    ),
    (
        "I should be over him by now.",
        "Nobody handed you a date by which missing him had to stop. You're still sad because it "
        "mattered, and that needs no apology.",
    ),
]

# (rule, thought, draft): the drafts are of the kind that an untuned small model writes.
BAD = [
    (
        "critic",
        "I'm thirty-four and still live with my parents, what a loser.",
        "You're thirty-four and still living with your parents, and that's a real shame.",
    ),
    (
        "critic",
        "I forgot her birthday.",
        "Forgetting her birthday hurt. You failed as a friend and you know that well today.",
    ),
    (
        "speaker",
        "I snapped at my kid this morning. I'm a terrible mother.",
        "I snapped at my kid this morning and I'm sorry about the way that it all came out.",
    ),
    (
        "insult",
        "I missed the deadline again.",
        "Missing the deadline again is hard, and you are lazy on days like these ones here.",
    ),
    (
        "invented",
        "I burnt the dinner.",
        "A burnt dinner after cooking for your mother is a sad sight. The pan can be scrubbed.",
    ),
    (
        "invented",
        "I burnt the dinner.",
        "A burnt dinner is a sad sight after 45 minutes at the stove. The pan can be scrubbed.",
    ),
    (
        "invented",
        "I burnt the dinner.",
        "A burnt dinner is a sad sight, and Martin was hungry as well. The pan can be scrubbed.",
    ),
    (
        "promise",
        "I'll never find work.",
        "Looking for work this long wears anybody down. It will get better with the next letter.",
    ),
    (
        "praise",
        "I'm bad at my job.",
        "The job has been hard on you lately. You are an amazing person and so very talented.",
    ),
    (
        "advice",
        "My flat is a mess.",
        "A messy flat is tiring to come home to. You should tidy one room every single evening.",
    ),
    (
        "again",
        "I missed the deadline again.",
        "Missing the deadline stings a lot. It happened this first time and it can be looked at.",
    ),
    (
        "opener",
        "I failed my exam.",
        "Don't worry about the exam, because one result says very little about all your work.",
    ),
    (
        "phrase",
        "I failed my exam.",
        "Failing the exam hurts after all that. At least there is a second date for taking it.",
    ),
    ("length", "I failed my exam.", "That exam hurt."),
    (
        "form",
        "I failed my exam.",
        "Failing that exam hurts after all the work! One result is far from the whole of you.",
    ),
    (
        "form",
        "I failed my exam.",
        "Failing that exam hurts after all the work. 没关系, one result is far from all of you.",
    ),
    (
        "fluency",
        "I failed my exam.",
        "Failing that exam hurts after all the work, and one result is far from the whole of",
    ),
    (
        "fluency",
        "I failed my exam.",
        "Failing that exam hurts a lot. The exam was hard for you. The exam was hard for you.",
    ),
    (
        "echo",
        "I walked out of the exam room after ten minutes and cried in the car until it was dark",
        "You walked out of the exam room after ten minutes and cried in the car until it was dark.",
    ),
]


@pytest.mark.parametrize(("thought", "answer"), GOOD)
def test_a_good_answer_passes(thought: str, answer: str) -> None:
    assert review(answer, thought) == ()


@pytest.mark.parametrize(("rule", "thought", "draft"), BAD)
def test_a_bad_draft_is_refused_for_its_reason(rule: str, thought: str, draft: str) -> None:
    assert rule in [problem.rule for problem in review(draft, thought)]


def test_an_insult_is_refused_even_where_a_draft_denies_it() -> None:
    draft = "Missing the deadline again must hurt. It's one late page, and you are not lazy for it."
    problems = review(draft, "I missed the deadline again, lazy cow")
    assert [problem.rule for problem in problems] == ["insult"]


def test_names_and_numbers_of_the_thought_may_be_used() -> None:
    draft = "Jonas waited 20 minutes, and that will ache. One late day is not all of you."
    thought = "I was 20 minutes late and Jonas was the last kid waiting. Awful father."
    assert review(draft, thought) == ()


def test_a_copy_of_an_example_is_refused() -> None:
    example = Example(
        "0" * 8,
        "x",
        "I dropped the cake.",
        "Dropping the cake in front of all of them must have stung a lot.",
    )
    problems = review(
        "Dropping the cake in front of all of them must have stung.", "I dropped it.", [example]
    )
    assert [problem.rule for problem in problems] == ["echo"]


MISSED = "I missed the train again. I'm such an idiot."


@pytest.mark.parametrize(
    "opening",
    ["You missed the train again, and it's still with you.", "Missing the train again stings."],
)
def test_what_says_back_what_happened_may_open_an_answer(opening: str) -> None:
    assert review_opening(opening, MISSED) == ()


@pytest.mark.parametrize(
    ("opening", "rule"),
    [
        ("You missed the train again, you idiot.", "insult"),
        ("You're the one who missed the train again.", "label"),
        ("Missing the train again is a real shame.", "critic"),
        ("You always miss the train.", "verdict"),
        ("You missed the train again and the rain poured.", "foreign"),
        ("You missed the train again. It hurts. It stings.", "length"),
        ("You should have left the house for the train.", "verdict"),
        ("You missed the train again, and it's all over.", "verdict"),
        ("You even missed the train again.", "foreign"),
        ("I missed the train again, and that stings.", "speaker"),
        ("My train left again without you.", "speaker"),
        ("The train went straight past, and you ran past you.", "fluency"),
    ],
)
def test_what_judges_or_invents_may_not(opening: str, rule: str) -> None:
    assert rule in {problem.rule for problem in review_opening(opening, MISSED)}


def test_what_was_not_done_is_not_said_to_have_been_done() -> None:
    thought = "I never took care of myself and now I'm sick."
    problems = review_opening("You took care of yourself, and now you're sick.", thought)
    assert [problem.rule for problem in problems] == ["negation"]
    assert (
        review_opening("You took a fall, and now you're sick.", f"I took a fall. {thought}") == ()
    )


def test_mock_praise_is_not_said_back_as_if_it_were_meant() -> None:
    thought = "lost again. nice walk home"
    problems = review_opening("A nice walk home, and then you lost again.", thought)
    assert [problem.rule for problem in problems] == ["verdict"]


@pytest.mark.parametrize(("rule", "thought", "draft"), BAD)
def test_curly_marks_hide_nothing(rule: str, thought: str, draft: str) -> None:
    curly = draft.replace("'", "’")
    assert rule in [problem.rule for problem in review(curly, thought)]


def test_curly_marks_are_no_problem_of_their_own() -> None:
    for thought, draft in GOOD:
        assert review(draft.replace("'", "’"), thought) == ()


def test_a_name_with_a_large_i_is_a_name() -> None:
    draft = "You missed the train, and Ian waited for you on the platform all that time."
    assert "invented" in [problem.rule for problem in review(draft, "I missed the train.")]
