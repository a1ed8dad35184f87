"""The rooms of the page: what they show of what, and that the page is only there for its user."""

from __future__ import annotations

import gc
import http.client
import os
import re
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest

from reframer import history, paths, pictures
from reframer.conversation import Conversation, Turn
from reframer.engine import Speaker
from reframer.errors import ModelMissing
from reframer.history import Entry, History
from reframer.journal.records import Held, Unread
from reframer.journal.run import Answered
from reframer.journal.scan import Scanned
from reframer.knowledge import load_background, load_techniques, todays
from reframer.records import KINDS, Kind, Notice, Reframe, Technique
from reframer.safety import Safety, load_directory
from reframer.settings import Settings
from reframer.ui import page
from reframer.ui.chat import conversation_markup
from reframer.ui.choices import Choices
from reframer.ui.countries import COUNTRIES
from reframer.ui.desk import Desk
from reframer.ui.friend import Friend
from reframer.ui.help import Help, helplines_markup
from reframer.ui.house import House
from reframer.ui.journal import Journal
from reframer.ui.keeper import Keeper
from reframer.ui.over_time import over_time_markup, parts
from reframer.ui.practice import found_markup, library_markup, today_markup
from reframer.ui.privacy import Privacy, findings
from reframer.ui.talk import Say, Talk, Wanted
from reframer.ui.visitors import Visitors
from tests.fakes import FakeChatModel
from tests.free_port import free_port
from tests.journal import friend as plain
from tests.test_engine import DRAFTS, GOOD, THOUGHT, WORDS, PlainSafety, rooms
from tests.visit import Browser

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "![x](https://e.org)",
    "one\n\n# two",
    "a\u2028\u2028b\r\rc",
)


@pytest.fixture(scope="module")
def techniques() -> tuple[Technique, ...]:
    return load_techniques()


def turn(said: str, technique: Technique, origin: Any = "model", words: str = GOOD) -> Turn:
    answer = Reframe(said, words, origin, techniques=(technique,))
    return Turn(said, "thought", words, answer, said)


# Chat


def test_an_answer_shows_words_technique_source_and_step(
    techniques: tuple[Technique, ...],
) -> None:
    card = next(t for t in techniques if t.id == "not-yet")
    shown = conversation_markup((turn("I can't swim", card),))
    for part in ("I can&#x27;t swim", "Not yet", "Dweck", "A small step", "Missing the deadline"):
        assert part in shown


def test_only_the_cards_own_words_are_called_so(techniques: tuple[Technique, ...]) -> None:
    for origin, said in (("model", False), ("card", True)):
        shown = conversation_markup((turn("x", techniques[0], origin),))
        assert ("No model worded this: the card’s own words" in shown) is said


def test_a_wish_about_nothing_is_shown_once() -> None:
    shown = conversation_markup((Turn("Softer", "wish", "There is no answer yet."),))
    assert shown.count("Softer") == 1


def test_each_sentence_stands_by_itself(techniques: tuple[Technique, ...]) -> None:
    assert conversation_markup((turn("x", techniques[0]),)).count("<span>") == 2


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_can_leave_its_place(hostile: str, techniques: tuple[Technique, ...]) -> None:
    """Markdown begins at a line break, markup at a bracket: there is none of either."""
    shown = conversation_markup((turn(hostile, techniques[0], words=hostile),), waiting=(hostile,))
    assert len(shown.splitlines()) == 1
    assert "<img" not in shown
    assert "<script" not in shown


def test_a_list_of_help_lines_becomes_a_list() -> None:
    shown = conversation_markup((Turn("x", "safety", "Call.\n\n- one: 1\n- two: 2"),))
    assert "<ul><li>one: 1</li><li>two: 2</li></ul>" in shown


def test_the_address_of_a_help_line_can_be_followed() -> None:
    shown = conversation_markup((Turn("x", "safety", "- one: 1, https://help.example/a?b&c."),))
    assert "<a href='https://help.example/a?b&amp;c'>https://help.example/a?b&amp;c</a>." in shown


# The friend, and stopping


def _friend(answers: list[str | Exception], opened: threading.Event) -> Friend:
    def speaker() -> Speaker:
        opened.wait()
        if answers and isinstance(answers[0], Exception):
            raise answers[0]
        drafts = [answer for answer in answers for _ in range(DRAFTS)]
        return Speaker(FakeChatModel(answers=drafts), "fake", "answers")

    house = rooms(speaker)
    return Friend(PlainSafety(), lambda: house, "GB")  # type: ignore[arg-type]


def _wait_for(friend: Friend) -> None:
    for thread in threading.enumerate():
        if thread.name == "open-model":
            thread.join()
    assert friend.awake


def test_the_card_answers_until_the_model_is_there() -> None:
    opened = threading.Event()
    friend = _friend([GOOD], opened)
    friend.wake()
    assert "waking up" in friend.state
    early = friend.reframe(THOUGHT)
    assert early.origin == "card"
    assert early.text.endswith(WORDS[0])
    opened.set()
    _wait_for(friend)
    assert friend.state == ""
    assert friend.reframe(THOUGHT).text == GOOD


def test_without_a_model_the_card_answers_and_the_state_says_why() -> None:
    opened = threading.Event()
    opened.set()
    friend = _friend([ModelMissing("It is not here.", "Run: reframer models pull")], opened)
    friend.wake()
    _wait_for(friend)
    assert friend.state == "It is not here. Run: reframer models pull"
    assert friend.reframe(THOUGHT).origin == "card"


def test_whatever_keeps_the_model_from_opening_the_page_stops_saying_that_it_wakes_up() -> None:
    opened = threading.Event()
    opened.set()
    friend = _friend([MemoryError("/home/somebody/model.gguf")], opened)
    friend.wake()
    _wait_for(friend)
    assert friend.state.startswith("The friend could not be woken.")
    assert "somebody" not in friend.state
    assert friend.reframe(THOUGHT).origin == "card"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House.open(Settings(port=free_port(), models_dir=tmp_path, country="GB"))


def want(talk: Talk, say: Say, typed: str = "") -> None:
    talk.want(Wanted(say, typed, typed))


def take(talk: Talk, text: str) -> bool:
    want(talk, lambda conversation: conversation.take(text))
    return talk.run()


def test_every_browser_tab_gets_a_conversation_of_its_own(house: House) -> None:
    talk = Talk(house)
    take(talk, "hello")
    assert len(talk.turns) == 1
    assert deepcopy(talk).turns == ()


def test_what_was_typed_is_edited_however_many_buttons_were_pressed_since(house: House) -> None:
    talk, danger = Talk(house), "I want to kill myself tonight."
    take(talk, danger)
    for _ in range(2):
        want(talk, lambda conversation: conversation.wish("went-on"))
        talk.run()
    assert talk.last is not None
    assert talk.last.said != danger
    assert talk.written == danger


def test_a_stopped_answer_leaves_no_trace(house: House) -> None:
    talk = Talk(house)

    def say(conversation: Conversation) -> Turn:
        talk.stop()
        return conversation.take("hello")

    want(talk, say)
    assert not talk.run()
    assert talk.turns == ()


def test_messages_sent_in_quick_succession_are_all_answered_in_turn(house: House) -> None:
    """The middle one is danger: safety has to read it, whatever is sent after it."""
    talk = Talk(house)
    said = ("hello", "I want to kill myself tonight.", "thank you")
    reading = threading.Event()

    def slowly(text: str) -> Say:
        def say(conversation: Conversation) -> Turn:
            reading.wait()
            return conversation.take(text)

        return say

    for text in said:
        want(talk, slowly(text), text)
    with ThreadPoolExecutor() as pool:
        taken = [pool.submit(talk.run) for _ in said]
        assert talk.waiting == said
        reading.set()
        assert all(turn.result() for turn in taken)
    assert tuple(turn.said for turn in talk.turns) == said
    assert [turn.kind for turn in talk.turns if turn.said == said[1]] == ["safety"]
    assert not talk.waiting


def test_a_stop_ends_all_that_is_waited_for_and_gives_back_what_was_typed(house: House) -> None:
    talk = Talk(house)
    for text in ("one", "other"):
        want(talk, lambda conversation: conversation.take("hello"), text)
    assert talk.stop() == ("one", "other")
    assert not talk.run()
    assert talk.turns == ()
    assert take(talk, "hello")


def test_a_cleared_conversation_knows_nothing_of_an_answer_that_was_under_way(
    house: House,
) -> None:
    talk = Talk(house)

    def say(conversation: Conversation) -> Turn:
        talk.clear()
        return conversation.take("hello")

    want(talk, say)
    assert not talk.run()
    assert talk.turns == ()


def test_a_cleared_conversation_is_forgotten_whole(
    house: House, keeper: Keeper, techniques: tuple[Technique, ...]
) -> None:
    talk, answered = Talk(house), turn("I can't swim", techniques[0])
    talk.keeper = keeper

    def say(conversation: Conversation) -> Turn:
        return conversation.take("hello")

    typed = weakref.ref(say)
    want(talk, say)
    talk.run()
    keeper.keep(answered, ())
    talk.clear()
    del say
    gc.collect()
    assert typed() is None
    assert keeper.may_keep(answered)


def test_a_choice_holds_from_the_next_turn_on(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "config_dir", lambda: tmp_path)
    talk = Talk(house)
    take(talk, "hello")
    house.remember(voice="child")
    take(talk, "hello")
    to_a_child = Talk(house)
    take(to_a_child, "hello")
    assert talk.turns[1].words == to_a_child.turns[0].words != talk.turns[0].words


# The journal


def test_an_answer_of_a_cleared_journal_does_not_get_into_the_next(house: House) -> None:
    desk = Desk(replace(house, friend=plain.friend()))  # type: ignore[arg-type]
    old = desk.run("2026-11-20\n\nI am an idiot.\n", "old.md")
    assert isinstance(next(old), Scanned)
    desk.clear()
    list(desk.run("2026-11-21\n\nAgain an idiot.\n", "new.md"))
    before = list(desk.answers)
    assert before
    assert list(old) == []
    assert desk.answers == before


def test_a_stopped_journal_tells_of_no_more_answers_and_keeps_those_it_has(house: House) -> None:
    desk = Desk(replace(house, friend=plain.friend()))  # type: ignore[arg-type]
    going = desk.run("2026-11-20\n\nI am an idiot. Again an idiot.\n", "old.md")
    assert any(isinstance(event, Answered) for event in going)
    before = list(desk.answers)
    desk.stop()
    assert list(going) == []
    assert desk.answers == before
    assert desk.written()


def test_a_journal_stopped_before_any_answer_still_tells_what_could_not_be_read(
    house: House,
) -> None:
    with gr.Blocks():
        tab = Journal(replace(house, friend=plain.friend()))  # type: ignore[arg-type]
    desk: Desk = tab.desk.value
    going = desk.run(
        '{"metadata": {}, "entries": [{"text": 3}, {"text": "I am an idiot."}]}', "Journal.json"
    )
    assert any(isinstance(event, Unread) for event in going)
    said = tab._stopped(desk)[tab._progress]
    assert "Nothing was answered yet." in said
    assert "Entry 1 of Journal.json" in said


# Practice


def test_the_small_step_of_the_day_goes_through_all_cards_in_turn(
    techniques: tuple[Technique, ...],
) -> None:
    led = [technique for technique in techniques if technique.led]
    start = date(2026, 11, 25)
    days = [todays(techniques, start + timedelta(days=n)) for n in range(len(led))]
    assert {technique.id for technique in days} == {technique.id for technique in led}
    assert todays(techniques, start) == todays(techniques, start)
    assert days[0].title.replace("'", "&#x27;") in today_markup(techniques, start)


def test_every_card_stands_in_the_library_once(techniques: tuple[Technique, ...]) -> None:
    background = load_background()
    shown = library_markup(techniques, background)
    assert shown.count("class='entry'") + shown.count('class="entry"') == 64
    assert len(techniques) + len(background) == 64


def test_a_search_finds_cards_with_all_words(techniques: tuple[Technique, ...]) -> None:
    shown = library_markup(techniques, load_background(), "polish COFFEE")
    assert "Not yet" in shown
    assert shown.count("<summary>") == 1
    assert "No card has these words" in library_markup(techniques, (), "xyzzy")


def test_a_search_that_sounds_like_danger_is_met_above_the_cards(
    techniques: tuple[Technique, ...],
) -> None:
    friend = Friend(Safety(), lambda: rooms(lambda: Speaker(FakeChatModel(), "fake", "answers")))
    house = House(Settings(country="GB"), friend, None, techniques, ())  # type: ignore[arg-type]
    assert "116 123" in found_markup(house, "I want to kill myself tonight.")
    assert "116 123" not in found_markup(house, "polish COFFEE")


# Help


def test_every_country_with_help_lines_has_a_name() -> None:
    directory = load_directory()
    known = {line.country for line in directory.helplines} | set(directory.emergency)
    assert known - {"*"} == set(COUNTRIES)


def test_the_lines_of_a_country_are_shown_with_the_emergency_number() -> None:
    shown = helplines_markup("GB", load_directory())
    for part in ("Samaritans", "tel:116123", "tel:999", "For young people"):
        assert part in shown


def test_without_a_country_there_is_the_world() -> None:
    assert "findahelpline.com" in helplines_markup("", load_directory())


def test_where_no_country_is_chosen_the_lines_of_the_locale_are_shown_at_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same that words of danger will give, and that stand there when the page is opened."""
    monkeypatch.setattr(paths, "config_dir", lambda: tmp_path)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    with gr.Blocks():
        help_tab = Help(house)
        choices = Choices(house, help_tab, gr.Markdown())
    *shown, lines, said = choices._move("")
    assert shown == ["US", "US"]
    assert "tel:988" in lines
    assert "tel:116123" not in lines
    assert "Remembered." in said


def test_a_choice_that_cannot_be_saved_is_said_to_be_none(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").symlink_to(tmp_path / "a disk that is not there")
    monkeypatch.setattr(paths, "config_dir", lambda: tmp_path / "config")
    with gr.Blocks():
        choices = Choices(house, Help(house), gr.Markdown())
    *shown, lines, said = choices._move("IE")
    assert shown == ["GB", "GB"]
    assert "tel:999" in lines
    assert "cannot be written" in said


# Over time


def kept_on(
    day: str, thought: str, *kinds: Kind, kind_talk: int = 0, origin: str = "model"
) -> Entry:
    return Entry(
        thought, "words", kinds, origin=origin, kind_talk=kind_talk, at=f"{day}T10:00+00:00"
    )


KEPT = (
    kept_on("2026-09-07", "one", "label", "guilt"),
    kept_on("2026-09-13", "two", "label"),
    kept_on("2026-09-28", "three", kind_talk=2, origin=""),
    kept_on("2026-10-01", "four", "shame"),
)


def test_what_was_kept_is_counted_by_week_and_month_whatever_its_order() -> None:
    weeks = parts(KEPT[::-1], pictures.WEEKS)
    assert [part.first for part in weeks] == [date(2026, 9, 7), date(2026, 9, 28)]
    assert [part.kinds for part in weeks] == [{"label": 2, "guilt": 1}, {"shame": 1}]
    assert [(part.entries, part.kind_talk) for part in weeks] == [(2, 0), (1, 2)]
    months = parts(KEPT, pictures.MONTHS)
    assert [part.entries for part in months] == [2, 1]


def test_a_thought_with_several_kept_answers_came_up_once_that_day() -> None:
    again = (KEPT[1], replace(KEPT[1], id="other"), kept_on("2026-09-12", "two", "label"))
    (week,) = parts(again, pictures.WEEKS)
    assert (week.entries, week.kinds) == (2, {"label": 2})


def test_the_pictures_stand_in_the_page_with_their_words_and_without_a_judgement() -> None:
    shown = over_time_markup(KEPT, pictures.WEEKS)
    assert len(shown.splitlines()) == 1
    assert (
        "Hard names for yourself: twice in all, most in the week of 7 September 2026 (2)." in shown
    )
    assert "3 thoughts got an answer that you kept." in shown
    assert "did not fit" not in shown
    assert not re.search("better|worse|streak|score|well done|fewer|goal", shown, re.IGNORECASE)
    one = over_time_markup((replace(KEPT[0], misfit="Too soft"),), pictures.MONTHS)
    assert "One thought got an answer that you kept." in one
    assert "One answer did not fit, as you said." in one


def test_ten_years_of_weeks_are_drawn_at_once() -> None:
    entries = [
        kept_on(str(date(2016, 1, 4) + timedelta(days=day)), f"{day}", *KINDS, kind_talk=1)
        for day in range(3650)
    ]
    started = time.process_time()
    shown = over_time_markup(entries, pictures.WEEKS)
    assert time.process_time() - started < 2
    assert shown.count("<text") == 0
    assert shown.count('<p class="ticks"') == 2


# Keeping


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper that was unlocked; the passphrase costs little."""
    monkeypatch.setattr(history, "_MEMORY", 32)
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path)
    History.create(history.kept_file(), "three quiet words")
    keeper = Keeper()
    keeper.unlock("three quiet words")
    return keeper


def test_a_turn_can_be_kept_once_and_only_where_it_was_answered(
    keeper: Keeper, techniques: tuple[Technique, ...]
) -> None:
    answered = turn("I can't swim", techniques[0])
    for other in (Turn("hello", "small-talk", "Hello."), Turn("I want to die", "safety", "Call.")):
        assert not keeper.may_keep(other)
    assert keeper.may_keep(answered)
    keeper.keep(answered, ())
    assert not keeper.may_keep(answered)
    assert [entry.thought for entry in keeper.entries()] == ["I can't swim"]


def test_good_news_can_be_kept_with_the_kind_words_in_it(keeper: Keeper) -> None:
    said = "I did my best and that is enough."
    kind = Notice(said, 0, len(said), self_critical=False, kind=None, strength=0, kind_talk=True)
    keeper.keep(Turn(said, "good-news", "Good."), (kind,))
    (entry,) = keeper.entries()
    assert (entry.thought, entry.kind_talk, entry.kinds) == (said, 1, ())


def test_a_closed_tab_forgets_the_key_and_what_was_kept(
    keeper: Keeper, techniques: tuple[Technique, ...]
) -> None:
    answered = turn("I can't swim", techniques[0])
    keeper.keep(answered, ())
    keeper.leave()
    assert not keeper.is_open
    keeper.unlock("three quiet words")
    assert keeper.may_keep(answered)


def test_nothing_is_kept_where_the_history_is_off_or_locked(
    keeper: Keeper, techniques: tuple[Technique, ...]
) -> None:
    answered = turn("I can't swim", techniques[0])
    history.kept_file().rename(history.kept_file().with_suffix(".off"))
    assert not keeper.may_keep(answered)
    assert keeper.entries() == ()
    history.kept_file().with_suffix(".off").rename(history.kept_file())
    assert keeper.may_keep(answered)
    keeper.lock()
    assert not keeper.may_keep(answered)


# Privacy


def test_a_model_of_another_program_is_not_passed_over(tmp_path: Path) -> None:
    assert any("runs inside" in finding for finding in findings(Settings()))
    served = Settings(model="openai:local")
    assert any("<b>The model is served" in finding for finding in findings(served))


def test_where_a_model_elsewhere_answers_nothing_is_said_to_be_answered_here() -> None:
    chosen = Settings(model="openai:local", base_url="http://models.example/v1")
    with gr.Blocks() as built:
        Privacy(SimpleNamespace(settings=chosen))  # type: ignore[arg-type]
    shown = str(built.get_config_file())
    assert "goes to models.example" in shown
    assert "answered there" not in shown


# The server


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    settings = Settings(port=free_port(), models_dir=paths.cache_dir() / "no-models-here")
    yield page.launch(House.open(settings), browser=False, block=False)


def test_the_page_opens_with_its_link_and_only_with_it(address: str) -> None:
    parts = urlsplit(address)
    home = f"{parts.scheme}://{parts.netloc}/"
    with httpx.Client(follow_redirects=True) as user, httpx.Client() as stranger:
        opened = user.get(address)
        assert opened.status_code == 200
        assert "reframer" in opened.text
        assert "k=" not in str(opened.url)
        assert user.get(f"{home}config").status_code == 200
        assert stranger.get(home).status_code == 401
        assert stranger.get(f"{home}config").status_code == 401


def test_what_was_said_and_shown_in_a_tab_is_gone_once_it_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = page.build(house)
    monkeypatch.setattr(page, "build", lambda _: built)
    parts = urlsplit(address := page.launch(house, browser=False, block=False))
    tab = Browser(address)
    tab.send("thought", "a word that is to be forgotten")
    (session,) = built.state_holder.session_data
    with httpx.Client(follow_redirects=True) as user:
        user.get(address)
        heartbeat = f"{parts.scheme}://{parts.netloc}/gradio_api/heartbeat/{session}"
        with user.stream("GET", heartbeat) as beats:
            next(beats.iter_lines())
    deadline = time.monotonic() + 20
    while built.state_holder.session_data and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not built.state_holder.session_data


def test_a_journal_is_forgotten_with_its_tab(house: House) -> None:
    talk, desk, request = Talk(house), Desk(house), gr.Request(session_hash="one")
    take(talk, "hello")
    desk.answers, desk.held = [], [Held("1", None, "", "crisis", "Call.")]
    visitors = Visitors(page.build(house))
    visitors.enter(talk, desk, request)
    visitors.leave(request)
    assert talk.turns == ()
    assert not desk.held


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells users apart")
def test_another_user_is_refused_even_with_the_link(address: str) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    os.seteuid(65534)
    try:
        connection.connect()
    finally:
        os.seteuid(0)
    connection.request("GET", f"/?{parts.query}")
    assert connection.getresponse().status == 403
    connection.close()


def test_the_browser_may_load_nothing_from_elsewhere(address: str) -> None:
    with httpx.Client(follow_redirects=True) as user:
        policy = user.get(address).headers["content-security-policy"]
    sources = {word for rule in policy.split(";") for word in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "data:"}
