"""What a conversation makes of a turn, with real rules, ear and cards, and a fake voice."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from reframer.conversation import Conversation, Library, TurnKind, labelled
from reframer.critic import Critic
from reframer.engine import LONGEST_TEXT, Reframer, Rooms, Speaker
from reframer.errors import TextEmpty, TextTooLong
from reframer.knowledge import Background, load_background, load_techniques
from reframer.reader import Reader
from reframer.records import VOICES, Voice, Wishes
from reframer.safety import Safety, stays, went_on
from tests.fakes import EverythingFits, FakeChatModel, FakeProbe, FakeRetriever

THOUGHT = "I missed the deadline again, I'm such an idiot."
GOOD = (
    "Missing the deadline again must sting, and the word you reached for was harder than the page "
    "that was late. A late page is a late page.",
    "A deadline went by and your stomach dropped with it. The page was late, and the rest of what "
    "you are was there before it and is there after.",
    "The deadline is gone and that hurts tonight. What slipped was one date, and dates are things "
    "that people talk about and move.",
)
CONCERN = "I wish I'd never been born, I'm such an idiot."
DRAFTS = 6
Begin = Callable[..., Conversation]


@pytest.fixture(scope="module")
def library(reader: Reader) -> Library:
    return Library(lambda: reader, load_techniques(), load_background())


@pytest.fixture(scope="module")
def cards() -> FakeRetriever:
    return FakeRetriever(*load_techniques())


@pytest.fixture
def begin(reader: Reader, library: Library, cards: FakeRetriever) -> Begin:
    """Begin a conversation in which the model says what it is told to."""
    critic, safety = Critic(reader), Safety(reader)
    cards.history.clear()

    def begin(
        *answers: str, wishes: Wishes | None = None, probe: FakeProbe | None = None
    ) -> Conversation:
        model = FakeChatModel(answers=[answer for answer in answers for _ in range(DRAFTS)])
        rooms = Rooms(
            critic,
            cards,  # type: ignore[arg-type]
            EverythingFits,  # type: ignore[arg-type]
            lambda: Speaker(model, "fake", "answers", probe=probe),  # type: ignore[arg-type]
        )
        reframer = Reframer(safety, lambda: rooms, country="GB")
        return Conversation(reframer, library, wishes or Wishes())

    return begin


def test_a_thought_is_answered_and_kept_beside_its_answer(begin: Begin) -> None:
    conversation = begin(GOOD[0])
    turn = conversation.take(THOUGHT)
    assert (turn.kind, turn.words, turn.thought) == ("thought", GOOD[0], THOUGHT)
    assert turn.answer is not None
    assert turn.answer.origin == "model"
    assert conversation.turns == (turn,)


def test_of_a_long_message_only_the_harsh_sentence_and_the_one_before_are_answered(
    begin: Begin, cards: FakeRetriever
) -> None:
    before = "We had the auditors in, and lunch was cold pizza, and the train was late as usual. "
    harsh = "I missed the deadline again. I am such a useless idiot. "
    after = "Then I bought bread and watered the plants, and my sister rang about the garden. " * 2
    turn = begin(GOOD[0]).take(before + harsh + after)
    assert turn.kind == "thought"
    assert turn.thought == harsh.strip()
    assert cards.history[-1][0] == harsh.strip()


def test_another_way_is_found_by_another_technique(begin: Begin) -> None:
    conversation = begin(GOOD[0], GOOD[1])
    first = conversation.take(THOUGHT)
    second = conversation.wish("another")
    assert (second.kind, second.thought) == ("wish", THOUGHT)
    assert first.answer and second.answer
    assert first.answer.techniques != second.answer.techniques
    assert first.words != second.words


def test_the_same_thought_gets_no_words_twice(begin: Begin) -> None:
    conversation = begin(GOOD[0], GOOD[0], GOOD[1])
    assert conversation.take(THOUGHT).words == GOOD[0]
    assert conversation.take(THOUGHT).words == GOOD[1]


def test_a_wish_with_nothing_before_it_says_so(begin: Begin) -> None:
    turn = begin().take("shorter please")
    assert (turn.kind, turn.answer) == ("wish", None)
    assert turn.words


def test_a_wish_that_cannot_be_met_still_names_its_thought(begin: Begin) -> None:
    conversation = begin(*[GOOD[0]] * 4)
    conversation.take(THOUGHT)
    turn = conversation.wish("softer")
    assert (turn.answer, turn.thought) == (None, THOUGHT)


def test_it_is_known_whose_words_the_last_ones_are_also_after_a_typed_wish(begin: Begin) -> None:
    conversation = begin(*GOOD * 4)
    people = [conversation.person]
    for text in (THOUGHT, "in my own words please", "I am useless."):
        conversation.take(text)
        people.append(conversation.person)
    assert people == ["you", "you", "i", "you"]


def test_words_of_concern_are_gone_on_from_when_it_was_not_meant_so(begin: Begin) -> None:
    conversation = begin(GOOD[0].replace("Missing", "Having missed"))
    concern = conversation.take(CONCERN)
    assert concern.kind == "safety"
    turn = conversation.take("thats not what i meant")
    assert turn.kind == "wish"
    assert turn.words.startswith(went_on())
    assert turn.answer is not None
    assert turn.answer.origin != "safety"


@pytest.mark.parametrize(
    "text",
    [
        "I don't think I'm safe tonight",
        "everyone thinks I am fine but I want it all to stop",
        "I don't see how to go on",
        "I'm fine. I can't see a reason to go on living.",
    ],
)
def test_after_words_of_concern_danger_is_not_taken_for_going_on(begin: Begin, text: str) -> None:
    conversation = begin(GOOD[0])
    conversation.take(CONCERN)
    assert conversation.take(text).kind == "safety"


def test_words_of_crisis_stay_whatever_is_said_to_them(begin: Begin) -> None:
    conversation = begin()
    first = conversation.take("I want to die, I am such an idiot.")
    again = conversation.wish("went-on")
    assert (first.kind, again.kind) == ("safety", "safety")
    assert "116 123" in again.words
    assert again.words.startswith(stays("adult"))
    assert stays("adult") not in first.words


@pytest.mark.parametrize("story", ["", "I sat in the park and watched the ducks. " * 8])
def test_words_of_crisis_stay_however_long_the_text_and_often_it_is_said(
    begin: Begin, story: str
) -> None:
    conversation = begin(GOOD[0])
    conversation.take(f"I want to kill myself tonight. {story}I am such a failure.")
    for _ in range(3):
        again = conversation.wish("went-on")
        assert again.kind == "safety"
        assert "116 123" in again.words


def test_no_wish_reaches_behind_words_of_danger(begin: Begin) -> None:
    conversation = begin(GOOD[0])
    conversation.take(THOUGHT)
    conversation.take("I want to die.")
    assert conversation.wish("shorter").answer is None


def test_undo_takes_the_last_turn_back_and_clear_all(begin: Begin) -> None:
    conversation = begin(GOOD[0], GOOD[0], GOOD[0])
    conversation.take("hello")
    conversation.take(THOUGHT)
    conversation.undo()
    assert [turn.said for turn in conversation.turns] == ["hello"]
    conversation.clear()
    conversation.undo()
    assert conversation.turns == ()
    assert conversation.take(THOUGHT).words == GOOD[0]


@pytest.mark.parametrize(
    ("text", "kind", "detail"),
    [
        ("why am i so stupid?", "thought", ""),
        ("They gave me the job. They must have been desperate, I'm useless.", "thought", ""),
        ("Why am I so hard on myself?", "question", ""),
        ("what's the capital of France?", "question", ""),
        ("Does anything leave my computer?", "question", "private"),
        ("I got the job!", "good-news", ""),
        ("I did my best and that is enough.", "good-news", ""),
        ("Are you a real person?", "small-talk", "who"),
        ("thank you, that helped", "small-talk", "thanks"),
        ("bye", "small-talk", "bye"),
        ("i'll come back later", "small-talk", "bye"),
        ("bye. i want to die", "safety", "crisis"),
        ("i dont believe that", "wish", "plain"),
        ("Could you say that more gently?", "wish", "softer"),
        ("Ich bin so dumm, ich kann gar nichts.", "other-language", "de"),
        ("私はいつも失敗ばかりです。", "other-language", "ja"),
        ("We had soup for lunch.", "unclear", ""),
        ("🙂", "unclear", ""),
        ("Shorter please. I want to die and I mean it.", "safety", "crisis"),
        ("hello i am suicidal", "safety", "crisis"),
        ("Can anybody keep me here?", "safety", "crisis"),
        ("i am talking about not being here", "safety", "crisis"),
        ("Dan left. Worthless idiot.", "thought", ""),
        ("Disappointed Ben. Useless.", "thought", ""),
        ("Hola", "other-language", "es"),
        ("I've written the letters and given the cat away.", "safety", "crisis"),
    ],
)
def test_a_turn_is_taken_for_what_it_is(begin: Begin, text: str, kind: str, detail: str) -> None:
    reading = begin().read(text)
    assert (reading.kind, reading.detail) == (kind, detail)


@pytest.mark.parametrize(
    ("turn", "kind", "detail"),
    [
        ("thought", "thought", ""),
        ("good-news", "good-news", ""),
        ("small-talk:thanks", "small-talk", "thanks"),
    ],
)
@pytest.mark.parametrize(
    "story", ["", "The number four was late, and it rained all day long. " * 4]
)
def test_what_the_model_makes_of_a_turn_counts_also_of_a_long_one(
    begin: Begin, story: str, turn: str, kind: str, detail: str
) -> None:
    text = f"{story}smoked again, what a champion"
    reading = begin(probe=FakeProbe(turn)).read(text)
    assert (reading.kind, reading.detail) == (kind, detail)


def test_danger_that_the_model_sees_is_met(begin: Begin) -> None:
    text = "told the doctor everything is fine"
    assert begin(probe=FakeProbe("unclear", danger=1)).take(text).kind == "safety"
    assert begin(probe=FakeProbe("unclear")).take(text).kind == "unclear"


def test_what_a_rule_knows_the_model_is_not_asked(begin: Begin) -> None:
    probe = FakeProbe(danger=1)
    conversation = begin(probe=probe)
    assert [conversation.read(text).kind for text in ("thanks", "say it as I")] == [
        "small-talk",
        "wish",
    ]
    assert probe.history == []


def test_a_question_is_answered_from_the_card_that_is_named(begin: Begin) -> None:
    conversation = begin()
    first = conversation.take("What is the inner critic?")
    assert isinstance(first.card, Background)
    assert first.card.title in first.words
    assert first.card.body.split("\n\n")[0] in first.words
    again = conversation.take("what is the inner critic?")
    assert again.card == first.card
    assert again.words.partition("\n\n")[2] != first.words.partition("\n\n")[2]


def test_where_the_cards_do_not_know_it_is_said(begin: Begin) -> None:
    turn = begin().take("what's the capital of France?")
    assert turn.card is None
    assert "cards" in turn.words


def test_children_are_told_from_their_own_cards(library: Library) -> None:
    ((card, _), *_) = library.passages("What is the inner critic?", "child")
    assert isinstance(card, Background)
    assert card.readers == ("child",)


def test_who_speaks_another_language_is_told_in_it_what_is_possible_and_where_help_is(
    begin: Begin,
) -> None:
    words = begin().take("Ich bin so dumm, ich kann gar nichts.").words
    assert "nur Englisch" in words
    assert "112" in words


def test_written_words_are_not_repeated_while_others_are_left(begin: Begin) -> None:
    conversation = begin()
    words = [conversation.take("hello").words for _ in range(4)]
    assert len(set(words)) == 4
    assert conversation.take("hello").words == words[0]


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_has_words_for_every_turn(begin: Begin, voice: Voice) -> None:
    conversation = begin(wishes=Wishes(voice=voice))
    texts = ["hello", "thanks", "bye", "who are you?", "how are you?", "ok", "is this private?"]
    texts += ["how do you work?", "I got the job!", "We had soup.", "who won the cup in 1990?"]
    words = [conversation.take(text).words for text in (*texts, "shorter", "you misunderstood me")]
    assert all(words)
    assert not any("{" in said or "!" in said for said in words)


def test_what_safety_hears_is_never_taken_for_anything_else_and_it_hears_every_crisis(
    begin: Begin, reader: Reader
) -> None:
    conversation, concerned, safety = begin(), begin(), Safety(reader)
    concerned.take(CONCERN)
    for row in labelled():
        if row.kind == "safety":
            heard = safety.assess(row.text).level != "none"
            assert heard or row.detail == "concern"
            assert (conversation.read(row.text).kind == "safety") == heard
            assert concerned.read(row.text).kind == "safety" or not heard


def test_the_labelled_turns_are_many_of_every_kind_and_each_is_there_once() -> None:
    rows = labelled()
    assert len(rows) >= 320
    assert {row.kind for row in rows} == set(get_args(TurnKind))
    assert len({row.text for row in rows}) == len(rows)
    assert not {row.text for row in rows} & {row.text for row in labelled("fresh.tsv")}
    assert 0.4 < sum(row.held_out for row in rows) / len(rows) < 0.6


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_is_no_turn(begin: Begin, text: str) -> None:
    conversation = begin()
    with pytest.raises(TextEmpty):
        conversation.take(text)
    assert conversation.turns == ()


def test_a_message_may_not_be_endless_but_its_danger_is_read(begin: Begin) -> None:
    with pytest.raises(TextTooLong):
        begin().take("soup " * LONGEST_TEXT)
    assert begin().take("soup. " * LONGEST_TEXT + "I want to die.").kind == "safety"
