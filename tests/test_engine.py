"""The flow: what a user gets for a text, with a fake model and the real flow around it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from reframer import catalog
from reframer.encoder import Vectors
from reframer.engine import LONGEST_TEXT, Reframer, Rooms, Speaker
from reframer.errors import KnowledgeError, ModelError, ModelMissing, TextEmpty, TextTooLong
from reframer.fit import Fit
from reframer.knowledge import load_techniques
from reframer.reader import Reader
from reframer.records import (
    Example,
    Notice,
    Risk,
    Source,
    Technique,
    Thought,
    Wishes,
)
from reframer.settings import Settings
from reframer.trust import LEAST, SURER, trust
from tests.fakes import FakeChatModel, FakeProbe, FakeRetriever

THOUGHT = "I missed the deadline again, I'm such an idiot."
GOOD = (
    "Missing the deadline must sting, and the word you reached for was harder than anything that "
    "happened. It was one deadline, and you are more than that."
)
BETTER = (
    "The deadline went by again, and missing the deadline was enough to be called names for. "
    "Missing a deadline is something that happened, and it is over."
)
BESIDE = (
    "It must be hard to be so far from home, and harder still when nobody there calls you back."
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
    words_child=("That word hurts. One thing went wrong today, and you are still you.",),
)
OTHER = replace(TECHNIQUE, id="double-standard")


class PlainEar:
    """An ear that hears the critic in every text with the word idiot."""

    def notice(self, text: str, threshold: float | None = None) -> tuple[Notice, ...]:
        critical = "idiot" in text
        return (Notice(text, 0, len(text), critical, "label" if critical else None, 0.9),)


class PlainSafety:
    """A safety that finds danger in texts with the word danger, concern in those with worrying.

    Where it is told what a model makes of a text, it believes the model.
    """

    def assess(self, text: str, probed: Vectors | None = None) -> Risk:
        if "danger" in text:
            return Risk("crisis", ("test",))
        if probed is not None:
            return Risk("concern", ("resemblance",)) if probed[0] < 0.5 else Risk()
        if "like it" in text:
            return Risk("concern", ("resemblance",))
        return Risk("concern", ("test",)) if "worrying" in text else Risk()


FIT = Fit.learn(load_techniques())
DRAFTS = 6


def rooms(open_speaker: Callable[[], Speaker], retriever: FakeRetriever | None = None) -> Rooms:
    """Return rooms with a plain ear and one card, or the cards of a retriever."""
    return Rooms(
        PlainEar(),  # type: ignore[arg-type]
        retriever or FakeRetriever(TECHNIQUE),  # type: ignore[arg-type]
        lambda: FIT,
        open_speaker,
    )


def _reframer(
    *answers: str,
    retriever: FakeRetriever | None = None,
    says: Literal["openings", "answers"] = "answers",
    probe: FakeProbe | None = None,
) -> tuple[Reframer, FakeChatModel]:
    """Return the flow with a model that says these drafts, the last of them as often as needed."""
    model = FakeChatModel(answers=[*answers, *[*answers][-1:] * (DRAFTS - len(answers))])
    speaker = Speaker(model, "fake", says, probe=probe)  # type: ignore[arg-type]
    opened = rooms(lambda: speaker, retriever)
    friend = Reframer(PlainSafety(), lambda: opened, country="GB")  # type: ignore[arg-type]
    return friend, model


def test_a_self_critical_thought_is_answered_by_the_model_with_its_source() -> None:
    retriever = FakeRetriever(TECHNIQUE)
    friend, model = _reframer(GOOD, retriever=retriever)
    answer = friend.reframe(THOUGHT)
    assert (answer.text, answer.origin, answer.model) == (GOOD, "model", "fake")
    assert (answer.kinds, answer.techniques) == (("label",), (TECHNIQUE,))
    assert retriever.history == [(THOUGHT, ("label",))]
    assert THOUGHT in str(model.history[0][-1].content)
    assert answer.seconds >= 0


def test_danger_that_only_the_model_sees_is_met_with_written_words() -> None:
    friend, model = _reframer(probe=FakeProbe(danger=1))
    answer = friend.reframe(THOUGHT)
    assert (answer.origin, answer.risk.level) == ("safety", "concern")
    assert "116 123" in answer.text
    assert model.history == []


def test_a_mere_likeness_to_danger_is_none_where_the_model_sees_none() -> None:
    text = f"{THOUGHT} I sound like it."
    alone, _ = _reframer()
    assert alone.reframe(text).origin == "safety"
    friend, _ = _reframer(GOOD, probe=FakeProbe())
    assert friend.reframe(text).origin == "model"


@pytest.mark.parametrize(
    "text", ["I am in danger, idiot.", "This is worrying, idiot.", "idiot " * 200]
)
def test_the_model_is_not_asked_where_words_name_a_danger_or_there_is_too_much(text: str) -> None:
    probe = FakeProbe()
    friend, _ = _reframer(GOOD, probe=probe)
    friend.reframe(text)
    assert probe.history == []


def test_rough_pride_comes_back_untouched_and_an_attack_does_not() -> None:
    text = "Get in, you old idiot, the engine runs!"
    friend, _ = _reframer(probe=FakeProbe("good-news"))
    assert (friend.reframe(text).origin, friend.reframe(text).text) == ("untouched", text)
    friend, _ = _reframer(GOOD, probe=FakeProbe("thought"))
    assert friend.reframe(text).origin == "card"


def test_a_failing_told_without_a_harsh_word_is_answered() -> None:
    text = "smoked again. day nine"
    alone, _ = _reframer()
    assert alone.reframe(text).origin == "untouched"
    friend, _ = _reframer(GOOD, probe=FakeProbe("thought"))
    answer = friend.reframe(text)
    assert (answer.origin, answer.source, answer.kinds) == ("card", text, ())


def test_without_its_model_the_program_still_knows_what_asks_for_no_answer() -> None:
    def missing() -> Speaker:
        raise ModelMissing("The model is missing.", "Run: reframer models pull")

    friend = Reframer(PlainSafety(), lambda: rooms(missing))  # type: ignore[arg-type]
    assert friend.probe("The bread rose.") is None
    assert friend.reframe("The bread rose.").origin == "untouched"
    assert friend.reframe("I am in danger.").origin == "safety"
    with pytest.raises(ModelMissing):
        friend.reframe(THOUGHT)


class Endless(FakeChatModel):
    """Speaks until it is stopped."""

    begun: int = 0
    stopped: int = 0

    def _stream(self, *_: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        if options["seed"] < len(self.answers):
            raise ModelError(str(self.answers[options["seed"]]), "")
        self.begun += 1
        try:
            while True:
                time.sleep(0.01)
                yield ChatGenerationChunk(message=AIMessageChunk(content="Missing it stings. "))
        finally:
            self.stopped += 1


def _endless(*errors: str) -> tuple[Reframer, Endless]:
    model = Endless(answers=[*errors])
    opened = rooms(lambda: Speaker(model, "fake", "answers"))
    return Reframer(PlainSafety(), lambda: opened, country="GB"), model  # type: ignore[arg-type]


def _soon(true: Callable[[], bool]) -> bool:
    """Whether something becomes true within some seconds."""
    for _ in range(500):
        if true():
            return True
        time.sleep(0.01)
    return False


def test_the_model_falls_silent_when_nobody_waits_any_more() -> None:
    friend, model = _endless()
    answer = friend.reframe(THOUGHT, stopped=lambda: model.begun == DRAFTS)
    assert answer.origin == "card"
    assert "Missing it stings." not in answer.text
    assert model.stopped == DRAFTS


def test_a_draft_that_nobody_waits_for_is_not_begun() -> None:
    friend, model = _endless()
    assert friend.reframe(THOUGHT, stopped=lambda: True).origin == "card"
    assert model.begun == 0


class EndlessButOnce(Endless):
    """Speaks until it is stopped, but says nothing of soup."""

    def _stream(self, *given: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        messages: list[BaseMessage] = given[0]
        if "soup" in messages[-1].text:
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))
        else:
            yield from super()._stream(**options)


def test_who_leaves_a_journal_leaves_no_draft_running() -> None:
    model = EndlessButOnce()
    opened = rooms(lambda: Speaker(model, "fake", "answers"))
    friend = Reframer(PlainSafety(), lambda: opened)  # type: ignore[arg-type]
    answers = friend.answer_as_completed([Thought(THOUGHT), Thought("idiot, the soup burnt")])
    assert next(iter(answers))[0] == 1
    assert _soon(lambda: model.begun > 0)
    answers.close()  # type: ignore[attr-defined]
    assert model.stopped == model.begun


def test_where_one_draft_fails_the_others_are_stopped() -> None:
    friend, model = _endless("The model broke off.")
    with pytest.raises(ModelError, match="broke off"):
        friend.reframe(THOUGHT)
    assert _soon(lambda: model.stopped == model.begun)


def test_of_several_drafts_a_bad_one_is_never_shown() -> None:
    friend, model = _reframer(BAD, GOOD)
    answer = friend.reframe(THOUGHT)
    assert answer.text == GOOD
    assert answer.rejected["opener"] == 1
    assert sorted(options["seed"] for options in model.options) == list(range(DRAFTS))


@pytest.mark.parametrize("drafts", [(GOOD, BETTER), (BETTER, GOOD)])
def test_of_good_drafts_the_one_that_speaks_most_of_the_thought_is_shown(
    drafts: tuple[str, str],
) -> None:
    friend, _ = _reframer(*drafts)
    assert friend.reframe(THOUGHT).text == BETTER


def test_a_draft_beside_the_point_is_never_shown() -> None:
    friend, _ = _reframer(BESIDE, GOOD)
    answer = friend.reframe(THOUGHT)
    assert answer.text == GOOD
    assert answer.rejected["beside the point"] == 1


def test_when_no_draft_passes_the_cards_own_words_are_given_and_said_to_be() -> None:
    friend, _ = _reframer(BAD)
    answer = friend.reframe(THOUGHT)
    assert (answer.origin, answer.model) == ("card", "")
    assert answer.text.startswith("You missed the deadline again")
    assert answer.text.endswith(WORDS[0])


def test_the_small_model_words_the_opening_and_the_card_the_rest() -> None:
    opening = "The deadline went by again, and that stings."
    friend, model = _reframer("You're an idiot about deadlines.", opening, says="openings")
    answer = friend.reframe(THOUGHT)
    assert (answer.text, answer.origin) == (f"{opening} {WORDS[0]}", "model")
    assert answer.rejected["label"] == 1
    assert model.history[0][-1].content == THOUGHT


def test_an_opening_that_the_model_doubts_is_not_shown() -> None:
    opening = "The deadline went by again, and that stings."
    friend, model = _reframer(opening, says="openings")
    model.logprob = -2.0
    answer = friend.reframe(THOUGHT)
    assert answer.origin == "card"
    assert opening not in answer.text
    assert answer.rejected == {"doubtful": 1}


@pytest.mark.parametrize(("logprob", "origin"), [(-0.40, "model"), (-0.47, "card")])
def test_where_rules_say_it_back_a_draft_that_is_less_sure_gives_way(
    logprob: float, origin: str
) -> None:
    opening = "The deadline went by again, and that stings."
    assert (trust(opening, [logprob]) >= SURER) == (origin == "model")
    assert trust(opening, [logprob]) >= LEAST
    friend, model = _reframer(opening, says="openings")
    model.logprob = logprob
    answer = friend.reframe(THOUGHT)
    assert answer.origin == origin
    assert answer.text.startswith(opening if origin == "model" else "You missed the deadline again")


def test_what_rules_cannot_say_back_is_left_to_a_draft_that_is_less_sure() -> None:
    opening = "The deadline went by again, and that stings."
    friend, model = _reframer(opening, says="openings")
    model.logprob = -0.47
    assert friend.reframe("what an idiot, and again the deadline").text.startswith(opening)


def test_a_sentence_of_a_journal_is_answered_knowing_what_led_to_it() -> None:
    opening = "Your sister waited an hour at the station, and that's hard to think of."
    friend, _ = _reframer(opening, says="openings")
    before = "My sister waited an hour for me at the station."
    ((_, answer),) = friend.answer_as_completed([Thought("I'm an idiot.", ("label",), before)])
    assert answer.text.startswith(opening)


def test_what_was_written_for_the_same_thought_answers_it() -> None:
    example = Example("00000001", TECHNIQUE.id, "missed the deadline again, idiot", GOOD)
    friend, model = _reframer(retriever=FakeRetriever(TECHNIQUE, examples=[example], twin=True))
    answer = friend.reframe(THOUGHT)
    assert (answer.text, answer.origin, model.history) == (GOOD, "card", [])


def test_what_is_opened_is_opened_once_however_many_ask_at_once() -> None:
    opened: list[str] = []

    def slow(what: str, made: Any) -> Any:
        time.sleep(0.05)
        opened.append(what)
        return made

    model = FakeChatModel(answers=[*[GOOD] * 4 * DRAFTS])
    made = rooms(lambda: slow("model", Speaker(model, "fake", "answers")))
    friend = Reframer(PlainSafety(), lambda: slow("rooms", made))  # type: ignore[arg-type]
    friend.as_runnable().batch([THOUGHT] * 4)
    assert opened == ["rooms", "model"]


def test_a_fingerprint_tells_models_and_cards_apart() -> None:
    def of(name: str, technique: Technique) -> str:
        speaker = Speaker(FakeChatModel(), name, "answers")
        opened = rooms(lambda: speaker, FakeRetriever(technique))
        return Reframer(PlainSafety(), lambda: opened).fingerprint()  # type: ignore[arg-type]

    assert of("one", TECHNIQUE) == of("one", TECHNIQUE)
    assert len({of("one", TECHNIQUE), of("other", TECHNIQUE), of("one", OTHER)}) == 3


def test_words_can_be_had_to_say_to_oneself() -> None:
    friend, _ = _reframer(GOOD)
    answer = friend.reframe(THOUGHT, Wishes(person="i"))
    assert answer.text.endswith("It was one deadline, and I am more than that.")


def test_a_child_gets_the_words_that_were_written_for_children() -> None:
    friend, model = _reframer()
    answer = friend.reframe(THOUGHT, Wishes(voice="child"))
    assert answer.text.endswith(TECHNIQUE.words_child[0])
    assert model.history == []


def test_another_way_is_another_technique() -> None:
    friend, _ = _reframer(GOOD, retriever=FakeRetriever(TECHNIQUE, OTHER))
    answer = friend.reframe(THOUGHT, Wishes(other_than=(TECHNIQUE.id,)))
    assert answer.techniques == (OTHER,)


def test_thoughts_of_a_journal_are_answered_several_at_a_time_each_with_its_number() -> None:
    friend, _ = _reframer(*[GOOD] * 2 * DRAFTS)
    thoughts = [Thought(THOUGHT, ("label",)), Thought("We missed the deadline. I'm an idiot.")]
    answers = dict(friend.answer_as_completed(thoughts))
    assert [answers[number].source for number in range(2)] == [one.text for one in thoughts]


def test_who_goes_on_after_words_of_concern_is_answered_and_who_is_in_crisis_is_not() -> None:
    friend, _ = _reframer(*[GOOD] * 2 * DRAFTS)
    assert friend.reframe(f"{THOUGHT} worrying").origin == "safety"
    assert friend.reframe(f"{THOUGHT} worrying", went_on=True).origin == "model"
    assert friend.reframe(f"{THOUGHT} danger", went_on=True).origin == "safety"


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


def test_of_a_long_text_the_last_part_is_answered_from_a_whole_word_on() -> None:
    friend, model = _reframer(GOOD)
    friend.reframe(f"{'reallylongwords ' * 60}{THOUGHT}")
    asked = str(model.history[0][-1].content)
    assert THOUGHT in asked
    assert set(re.findall(r"\w*longwords", asked)) == {"reallylongwords"}


def test_many_texts_are_answered_one_by_one_as_they_are_ready() -> None:
    friend, model = _reframer(*[GOOD] * 2 * DRAFTS)
    answers = friend.reframe_many([THOUGHT, "We had soup.", THOUGHT])
    assert next(answers).origin == "model"
    assert len(model.history) == DRAFTS
    assert [answer.origin for answer in answers] == ["untouched", "model"]


def test_the_flow_is_a_langchain_runnable() -> None:
    friend, _ = _reframer(GOOD)
    assert friend.as_runnable().invoke(THOUGHT).text == GOOD


def test_the_runnable_takes_what_a_reframe_takes() -> None:
    friend, _ = _reframer(*[GOOD] * DRAFTS)
    worrying = f"{THOUGHT} worrying"
    assert friend.as_runnable().invoke(worrying).origin == "safety"
    assert friend.as_runnable().bind(went_on=True).invoke(worrying).origin == "model"


def test_danger_is_met_even_when_no_model_can_be_opened() -> None:
    def missing() -> Rooms:
        raise ModelMissing("The model is not here.", "Run: reframer models pull")

    friend = Reframer(PlainSafety(), missing)  # type: ignore[arg-type]
    assert friend.reframe("danger").origin == "safety"
    with pytest.raises(ModelMissing):
        friend.reframe(THOUGHT)


def test_with_a_damaged_reader_safety_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_: Path) -> Reader:
        raise KnowledgeError("The reader cannot be read.", "Install the program again.")

    monkeypatch.setattr(Reader, "from_catalog", damaged)
    friend = Reframer.open(Settings())
    assert friend.reframe("i am going to kill myself tonight").risk.level == "crisis"
    with pytest.raises(KnowledgeError, match="Install the program again"):
        friend.prepare()


def test_with_model_files_that_cannot_be_read_safety_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.is_relative_to(tmp_path):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    for file in catalog.default("embedding").files:
        (tmp_path / file.name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.name).touch()
    monkeypatch.setattr(Path, "open", refuse)
    friend = Reframer.open(Settings(models_dir=tmp_path))
    assert friend.reframe("i am going to kill myself tonight").risk.level == "crisis"
    with pytest.raises(ModelError, match="cannot be read: Permission denied"):
        friend.prepare()


def test_with_a_disk_that_fails_safety_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> Reader:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Reader, "from_catalog", fail)
    friend = Reframer.open(Settings())
    assert friend.reframe("i am going to kill myself tonight").risk.level == "crisis"


def test_without_any_file_of_a_model_safety_still_answers(tmp_path: Path) -> None:
    friend = Reframer.open(Settings(models_dir=tmp_path))
    assert friend.reframe("i am going to kill myself tonight").risk.level == "crisis"
    with pytest.raises(ModelMissing, match="models pull"):
        friend.prepare()
