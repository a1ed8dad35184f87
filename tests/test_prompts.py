"""What the model is given."""

from __future__ import annotations

from reframer import prompts
from reframer.records import Example, Source, Technique

TECHNIQUE = Technique(
    id="not-yet",
    title="Not yet",
    move="Turn cannot into not yet.",
    why="Skills grow.",
    when=("label",),
    not_when="",
    source=Source("A", 2000, "T", "V"),
    evidence="",
    reviewed="2026-11-24",
    about="",
    step="",
)
EXAMPLE = Example("00000000", "not-yet", "I can't cook", "You burnt one dish.")


def test_the_technique_steers_the_prompt() -> None:
    text = " ".join(str(m.content) for m in prompts.answer("I can't swim", TECHNIQUE))
    assert TECHNIQUE.move in text
    assert "I can't swim" in text


def test_examples_are_shown_as_earlier_turns() -> None:
    messages = prompts.answer("I can't swim", TECHNIQUE, [EXAMPLE])
    assert [message.type for message in messages] == ["system", "human", "ai", "human"]


def test_braces_in_a_thought_are_only_text() -> None:
    thought = "I {move} {0} {unknown}"
    assert prompts.opening(thought)[-1].content == thought
    assert thought in str(prompts.answer(thought, TECHNIQUE)[-1].content)


def test_what_is_the_same_for_everyone_comes_first() -> None:
    assert prompts.opening("I can't swim")[0] == prompts.opening("nobody likes me")[0]
    one = prompts.answer("I can't swim", TECHNIQUE)
    other = prompts.answer("nobody likes me", TECHNIQUE, [EXAMPLE])
    assert one[0] == other[0]
