"""The flow: what a user gets for a text, with a fake model and the real flow around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reframer.engine import LONGEST_TEXT, Reframer, Rooms, Speaker
from reframer.errors import ModelMissing, TextEmpty, TextTooLong
from reframer.records import Kind, Match, Notice, Risk, Source, Technique
from reframer.settings import Settings
from tests.fakes import FakeChatModel

THOUGHT = "I missed the deadline again, I'm such an idiot."
GOOD = (
    "Missing the deadline again must sting, and the word you reached for was harder than the page "
    "that was late. A late page is a late page."
)
BAD = "Don't worry! It's okay."
WORDS = ("One hard day has been made into a verdict on you, and it is far too small for that.",)

TECHNIQUE = Technique(
    id="behaviour-not-identity",
    title="Rate the act, not the person",
    move="Keep the act apart from the person.",
    why="One act can be changed.",
    when=("label",),
    not_when="",
    source=Source("Ellis, A., & Harper, R. A.", 1975, "A New Guide to Rational Living", "Wilshire"),
    evidence="",
    reviewed="2026-11-24",
    about="",
    step="",
    words=WORDS,
)


class OneCard:
    """A retriever that knows one card and remembers what it was asked."""

    def __init__(self) -> None:
        self.history: list[tuple[str, tuple[Kind, ...]]] = []

    def search(self, thought: str, kinds: Sequence[Kind] = (), k: int = 3) -> tuple[Match, ...]:
        self.history.append((thought, tuple(kinds)))
        return (Match(TECHNIQUE, (), 1.0, ("card",)),)


class PlainEar:
    """An ear that hears the critic in every text with the word idiot."""

    def notice(self, text: str, threshold: float | None = None) -> tuple[Notice, ...]:
        critical = "idiot" in text
        return (Notice(text, 0, len(text), critical, "label" if critical else None, 0.9),)


class PlainSafety:
    """A safety that finds danger in every text with the word danger."""

    def assess(self, text: str) -> Risk:
        return Risk("crisis", ("test",)) if "danger" in text else Risk()


def _reframer(*answers: str, retriever: OneCard | None = None) -> tuple[Reframer, FakeChatModel]:
    model = FakeChatModel(answers=list(answers))
    rooms = Rooms(
        PlainEar(),  # type: ignore[arg-type]
        retriever or OneCard(),  # type: ignore[arg-type]
        lambda: Speaker(model, "fake", "adapter"),
    )
    friend = Reframer(PlainSafety(), lambda: rooms, country="GB")  # type: ignore[arg-type]
    return friend, model


def test_a_self_critical_thought_is_answered_by_the_model_with_its_source() -> None:
    retriever = OneCard()
    friend, model = _reframer(GOOD, retriever=retriever)
    answer = friend.reframe(THOUGHT)
    assert (answer.text, answer.origin, answer.model) == (GOOD, "model", "fake")
    assert (answer.kinds, answer.techniques) == (("label",), (TECHNIQUE,))
    assert retriever.history == [(THOUGHT, ("label",))]
    assert [message.content for message in model.history[0]][-1] == THOUGHT
    assert answer.seconds >= 0


def test_a_bad_draft_is_never_shown_and_another_one_is_asked_for() -> None:
    friend, model = _reframer(BAD, GOOD)
    answer = friend.reframe(THOUGHT)
    assert answer.text == GOOD
    assert answer.rejected["opener"] == 1
    assert [options["seed"] for options in model.options] == [0, 1]


def test_when_no_draft_passes_the_cards_own_words_are_given_and_said_to_be() -> None:
    friend, _ = _reframer(*[BAD] * 8)
    answer = friend.reframe(THOUGHT)
    assert (answer.text, answer.origin, answer.model) == (WORDS[0], "card", "")


def test_a_draft_that_speaks_of_dying_is_never_shown() -> None:
    deadly = (
        "Missing the deadline again hurts so much that wanting to die tonight makes sense to you."
    )
    friend, _ = _reframer(deadly, GOOD)
    answer = friend.reframe(THOUGHT)
    assert answer.text == GOOD
    assert answer.rejected["unsafe"] == 1


def test_danger_is_met_with_written_words_and_the_model_is_not_asked() -> None:
    friend, model = _reframer()
    answer = friend.reframe("idiot, and in danger")
    assert (answer.origin, answer.risk.level) == ("safety", "crisis")
    assert "116 123" in answer.text
    assert model.history == []


def test_danger_is_read_in_texts_of_any_length_first() -> None:
    friend, _ = _reframer()
    assert friend.reframe("word " * LONGEST_TEXT + "danger").origin == "safety"


def test_a_text_without_self_criticism_comes_back_untouched() -> None:
    friend, model = _reframer()
    answer = friend.reframe("We had soup.")
    assert (answer.text, answer.origin) == ("We had soup.", "untouched")
    assert model.history == []


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_text_is_an_error_with_a_hint(text: str) -> None:
    friend, _ = _reframer()
    with pytest.raises(TextEmpty, match="Try"):
        friend.reframe(text)


def test_a_text_longer_than_a_thought_is_an_error_that_does_not_repeat_it() -> None:
    friend, _ = _reframer()
    with pytest.raises(TextTooLong) as caught:
        friend.reframe("idiot " * LONGEST_TEXT)
    assert "idiot" not in str(caught.value)


def test_many_texts_are_answered_one_by_one_as_they_are_ready() -> None:
    friend, model = _reframer(GOOD, GOOD)
    answers = friend.reframe_many([THOUGHT, "We had soup.", THOUGHT])
    assert next(answers).origin == "model"
    assert len(model.history) == 1
    assert [answer.origin for answer in answers] == ["untouched", "model"]


def test_the_flow_is_a_langchain_runnable() -> None:
    friend, _ = _reframer(GOOD)
    assert friend.as_runnable().invoke(THOUGHT).text == GOOD


def test_danger_is_met_even_when_no_model_can_be_opened() -> None:
    def missing() -> Rooms:
        raise ModelMissing("The model is not here.", "Run: reframer models pull")

    friend = Reframer(PlainSafety(), missing)  # type: ignore[arg-type]
    assert friend.reframe("danger").origin == "safety"
    with pytest.raises(ModelMissing):
        friend.reframe(THOUGHT)


def test_without_any_file_of_a_model_safety_still_answers(tmp_path: Path) -> None:
    friend = Reframer.open(Settings(models_dir=tmp_path))
    assert friend.reframe("i am going to kill myself tonight").risk.level == "crisis"
    with pytest.raises(ModelMissing, match="models pull"):
        friend.prepare()
