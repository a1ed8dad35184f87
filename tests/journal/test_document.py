"""A journal that is no file of this machine: answered in memory, and kept nowhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from reframer.journal import formats
from reframer.journal.choices import Choices, no_password
from reframer.journal.records import Unread
from reframer.journal.run import Answered, Finished, reframe_document
from reframer.settings import Settings
from reframer.ui.desk import Desk
from tests.journal.conftest import DAYS
from tests.journal.friend import friend

NAME = "2024-01-15.md"
DATA = DAYS[NAME].encode()


def test_it_is_answered_as_a_file_would_be() -> None:
    document = formats.parse(DATA, NAME, no_password)
    *_, answered, finished = reframe_document(friend(), document, Choices())
    assert isinstance(answered, Answered)
    assert isinstance(finished, Finished)
    assert [reply.answer.sentence for reply in finished.result.replies] == ["I'm such an idiot."]
    assert (
        answered.reply.answer.words in document.written([answered.reply.answer], "below").decode()
    )


def test_an_entry_that_cannot_be_read_is_named() -> None:
    data = b'{"metadata": {}, "entries": [{"text": "I\'m an idiot."}, {"text": 7}]}'
    document = formats.parse(data, "Journal.json", no_password)
    *events, _ = reframe_document(friend(), document, Choices())
    (unread,) = (event for event in events if isinstance(event, Unread))
    assert unread.reason == "Entry 2 of Journal.json has no text that is one."


def desk() -> Desk:
    house = SimpleNamespace(friend=friend(), settings=Settings(), country="GB")
    return Desk(house)  # type: ignore[arg-type]


def test_on_the_page_words_are_the_persons_own_only_where_they_are_others() -> None:
    own = desk()
    list(own.run("I'm an idiot. I'm an ugly idiot.", "diary.md"))
    own.decide(f" {own.answers[0].reply.answer.words}\n", stays=True)
    own.decide("My own words.", stays=True)
    first, second = (decided.reply.answer for decided in own.answers)
    assert first.origin in ("model", "card")
    assert (second.words, second.origin) == ("My own words.", "person")


WORRY = "2026-11-20\n\nI am an idiot.\n\n2026-11-21\n\nA worry. Again an idiot.\n"


def test_on_the_page_a_stop_leaves_what_was_set_aside_and_not_answered_yet() -> None:
    own = desk()
    list(own.run(WORRY, "diary.md"))
    held = own.held[:]
    going = own.go_on()
    next(going)
    own.stop()
    assert list(going) == []
    assert own.held == held
    assert own.may_go_on
    list(own.go_on())
    assert (own.held, len(own.answers)) == ([], 2)


def test_on_the_page_own_words_stay_when_one_goes_back() -> None:
    own = desk()
    list(own.run("I'm an idiot. I'm an ugly idiot.", "diary.md"))
    own.decide("", stays=False)
    own.back("My own words.")
    own.back(own.answers[0].reply.answer.words)
    assert own.at == 0
    assert [decided.stays for decided in own.answers] == [False, True]
    assert own.answers[1].reply.answer.words == "My own words."


def test_the_page_is_told_of_entries_that_could_not_be_read() -> None:
    own = desk()
    list(own.run('{"metadata": {}, "entries": [{"text": 7}]}', "Journal.json"))
    assert own.unread == ["Entry 1 of Journal.json has no text that is one."]


def test_nothing_of_it_is_written_anywhere(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    list(reframe_document(friend(), formats.parse(DATA, NAME, no_password), Choices()))
    assert not data.exists()
    assert list(tmp_path.iterdir()) == []
