"""A run over a journal: what is answered, how, and what is never answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reframer.errors import JournalError
from reframer.journal import outputs
from reframer.journal.choices import Choices, StopReview
from reframer.journal.records import Held, JournalResult, Reply, Unread, Way
from reframer.journal.run import Answered, Event, Finished, reframe_journal
from reframer.journal.scan import Scanned
from reframer.records import Thought, Wishes
from tests.journal import friend as friends
from tests.journal.friend import Ear, PlainModel, friend
from tests.journal.journals import FIXTURES, ask


def result_of(path: Path, choices: Choices | None = None, **parts: object) -> JournalResult:
    return finished(reframe_journal(friend(**parts), path, choices)).result  # type: ignore[arg-type]


def finished(events: Iterator[Event]) -> Finished:
    *_, last = events
    assert isinstance(last, Finished)
    return last


# What is answered


def test_every_self_critical_sentence_is_answered_where_it_stands(vault: Path) -> None:
    result = result_of(vault)
    assert (result.title, result.entries, len(result.replies)) == ("vault", 5, 5)
    assert (result.first, result.last) == (date(2024, 1, 14), date(2024, 3, 3))
    for reply in result.replies:
        answer = reply.answer
        text = (vault / answer.entry.rpartition("#")[0]).read_text()
        assert text[answer.start : answer.end] == answer.sentence
        assert "idiot" in answer.sentence
        assert answer.words in friends.SAYINGS
        assert reply.day is not None and answer.entry.startswith(reply.day.isoformat())


def test_the_journal_is_only_read(vault: Path) -> None:
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in vault.iterdir()}
    result_of(vault)
    assert before == {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in vault.iterdir()
    }


def test_an_answer_knows_what_stands_before_it_in_its_own_entry_only(vault: Path) -> None:
    thoughts: list[Thought] = []

    def look(reply: Reply, thought: Thought) -> Reply:
        thoughts.append(thought)
        return reply

    result_of(vault, Choices(review=look))
    assert thoughts[0].before == "Anna called about Friday. She was kind."
    assert thoughts[1].before == ""


def test_what_stands_before_is_cut_at_a_word(tmp_path: Path) -> None:
    (tmp_path / "2024-01-01.md").write_text("word " * 200 + "end. I'm an idiot.")
    thoughts: list[Thought] = []

    def look(reply: Reply, thought: Thought) -> Reply:
        thoughts.append(thought)
        return reply

    result_of(tmp_path, Choices(review=look))
    assert 200 < len(thoughts[0].before) <= 300
    assert set(thoughts[0].before.split()) == {"word", "end."}


def test_a_complaint_that_comes_back_is_answered_another_way(vault: Path) -> None:
    result = result_of(vault)
    again = [r.answer.technique for r in result.replies if "such an idiot" in r.answer.sentence]
    assert len(again) == len(set(again)) == 3


def test_when_every_way_was_used_the_words_come_round_and_are_not_made_again(
    tmp_path: Path,
) -> None:
    for day in range(1, 29):
        (tmp_path / f"2024-01-{day:02}.md").write_text("I'm such an idiot.")
    model = PlainModel()
    result = result_of(tmp_path, model=model)
    assert len(result.replies) == 28
    assert len(set(model.history)) < 28


@pytest.mark.parametrize("journal", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_a_journal_of_every_format_is_answered_and_only_copies_are_written(
    journal: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}
    events = reframe_journal(friend(ear=Ear("I")), journal, Choices(ask=ask))
    end = finished(events)
    assert end.result.replies
    assert end.result.unread == ()
    written = outputs.write_copies(end, "below", tmp_path)
    answered = {reply.answer.entry.rpartition("#")[0] for reply in end.result.replies}
    if journal.name in ("journey", "day_one_classic"):
        assert len(written.left) == len(answered)
    else:
        copies = {str(file.relative_to(tmp_path / "journal")) for file in written.files}
        assert copies == answered
        replies = len(end.result.replies)
        heard = result_of(tmp_path / "journal", Choices(ask=ask), ear=Ear("I"))
        assert len(heard.replies) == replies  # a friend's words are not taken for the writer's
    assert before == {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}


def test_a_journal_without_entries_is_no_error(tmp_path: Path) -> None:
    result = result_of(tmp_path)
    assert (result.entries, result.replies, result.model, result.asked) == (0, (), "", "")


def test_a_very_long_entry_is_heard_to_its_end(tmp_path: Path) -> None:
    text = "A plain line.\n" * 8000 + "I'm such an idiot.\n"
    (tmp_path / "2024-01-01.md").write_text(text)
    (reply,) = result_of(tmp_path).replies
    assert text[reply.answer.start : reply.answer.end] == "I'm such an idiot."


def test_who_was_given_the_sentences_is_known_also_where_the_cards_spoke_in_the_end(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(friends, "SAYINGS", ("You are a useless idiot.",))
    model = PlainModel()
    result = result_of(vault, model=model, name="openai:big")
    assert model.history
    assert {reply.answer.origin for reply in result.replies} == {"card"}
    assert (result.model, result.asked) == ("", "openai:big")
    child = result_of(vault, Choices(wishes=Wishes(voice="child")), name="openai:big")
    assert child.asked == ""


# What is chosen


@pytest.mark.parametrize(
    ("choices", "days"),
    [
        (Choices(since=date(2024, 2, 1)), ["2024-02-01", "2024-02-01", "2024-03-03", "2024-03-03"]),
        (Choices(until=date(2024, 1, 31)), ["2024-01-15"]),
        (Choices(limit=2), ["2024-01-15", "2024-02-01"]),
        (Choices(kinds=("body",)), ["2024-03-03"]),
        (Choices(min_strength=0.5, until=date(2024, 2, 2)), ["2024-01-15", "2024-02-01"]),
    ],
)
def test_a_user_may_choose_what_is_answered(vault: Path, choices: Choices, days: list[str]) -> None:
    result = result_of(vault, choices)
    assert [str(reply.day) for reply in result.replies] == days


def test_entries_without_a_day_are_left_out_where_days_are_chosen(vault: Path) -> None:
    (vault / "notes.md").write_text("I'm an idiot at chess.")
    assert len(result_of(vault).replies) == 6
    assert len(result_of(vault, Choices(since=date(2000, 1, 1))).replies) == 5


# What is never answered


def test_entries_in_danger_are_told_of_before_any_answer_and_are_not_heard(vault: Path) -> None:
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot on the twentieth.")
    (vault / "2024-01-21.md").write_text("I am in danger. I'm an idiot on the day after.")
    ear = Ear()
    events = list(reframe_journal(friend(ear=ear), vault, Choices(country="GB")))
    held = [event for event in events if isinstance(event, Held)]
    assert [(one.level, str(one.day)) for one in held] == [
        ("crisis", "2024-01-21"),
        ("concern", "2024-01-20"),
    ]
    assert all("116 123" in one.words for one in held)
    kinds = [type(event) for event in events]
    assert kinds.index(Held) < kinds.index(Answered)
    assert not any("twentieth" in text or "day after" in text for text in ear.history)
    assert len(finished(iter(events)).result.replies) == 5


def test_danger_that_shows_only_where_two_entries_meet_holds_both(tmp_path: Path) -> None:
    (tmp_path / "2024-01-01.md").write_text("I'm an idiot. I am alone.")
    (tmp_path / "2024-01-02.md").write_text("It will be tonight. I'm an idiot.")
    (tmp_path / "2024-01-03.md").write_text("I'm an idiot.")
    result = result_of(tmp_path)
    assert [one.entry for one in result.held] == ["2024-01-01.md#1", "2024-01-02.md#1"]
    assert len(result.replies) == 1


def test_a_line_of_danger_is_found_deep_in_a_very_long_entry(tmp_path: Path) -> None:
    (tmp_path / "2024-01-01.md").write_text("A plain line.\n" * 8000 + "danger\n")
    assert [one.level for one in result_of(tmp_path).held] == ["crisis"]


# "That's not what I meant"


def test_an_entry_of_concern_is_answered_where_the_person_says_it_was_not_meant_so(
    vault: Path,
) -> None:
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot on the twentieth.")
    (vault / "2024-01-21.md").write_text("I worry. I'm an idiot on the day after.")
    asked: list[Held] = []

    def first_one(held: Held) -> bool:
        asked.append(held)
        return held.entry == "2024-01-20.md#1"

    result = result_of(vault, Choices(go_on=first_one))
    assert [held.entry for held in asked] == ["2024-01-20.md#1", "2024-01-21.md#1"]
    assert all(held.words for held in asked)
    assert [held.went_on for held in result.held] == [True, False]
    sentences = [reply.answer.sentence for reply in result.replies]
    assert sentences[1] == "I'm an idiot on the twentieth."  # in the journal's order
    assert len(sentences) == 6
    assert sum(month.entries for month in result.insight.months) == 6


@pytest.mark.parametrize(("limit", "answered"), [(3, 3), (5, 5), (6, 6)])
def test_a_limit_holds_for_what_was_not_meant_so_as_well(
    vault: Path, limit: int, answered: int
) -> None:
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot. I'm an idiot on the twentieth.")
    result = result_of(vault, Choices(limit=limit, go_on=lambda _: True))
    assert len(result.replies) == answered
    assert [held.went_on for held in result.held] == [limit > 5]


def test_an_entry_of_crisis_is_neither_asked_about_nor_answered(vault: Path) -> None:
    (vault / "2024-01-20.md").write_text("I am in danger. I'm an idiot on the twentieth.")

    def ask_nobody(held: Held) -> bool:
        raise AssertionError(held.entry)

    result = result_of(vault, Choices(go_on=ask_nobody))
    assert len(result.replies) == 5
    assert [held.went_on for held in result.held] == [False]


def test_nobody_is_asked_twice_whether_it_was_meant_so(vault: Path) -> None:
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot on the twentieth.")
    asked: list[Held] = []

    def yes(held: Held) -> bool:
        asked.append(held)
        return True

    def stop(reply: Reply, thought: Thought) -> Reply:
        raise StopReview

    finished(reframe_journal(friend(), vault, Choices(go_on=yes, review=stop)))
    assert len(result_of(vault, Choices(go_on=yes)).replies) == 6
    assert len(asked) == 1


def test_of_two_entries_in_the_same_words_each_is_asked_about(vault: Path) -> None:
    for day in ("2024-01-20.md", "2024-01-21.md"):
        (vault / day).write_text("I worry. I'm an idiot on that day.")
    result = result_of(vault, Choices(go_on=lambda held: held.entry == "2024-01-20.md#1"))
    assert [held.went_on for held in result.held] == [True, False]
    assert len(result.replies) == 6


# What is counted


def test_insight_counts_by_month_and_judges_nothing(vault: Path) -> None:
    (vault / "2024-02-10.md").write_text("danger, and an idiot")
    insight = result_of(vault).insight
    january, february, march = insight.months
    assert (january.first, january.entries, january.quiet) == (date(2024, 1, 1), 2, 1)
    assert (january.kinds, january.kind_talk) == ({"label": 1}, 1)
    assert (february.entries, february.quiet, february.kinds) == (2, 1, {"label": 2})
    assert march.kinds == {"label": 1, "body": 1}
    assert [(phrase.text, phrase.count) for phrase in insight.phrases] == [
        ("I'm such an idiot.", 3)
    ]
    assert sum(fit.count for fit in insight.techniques) == 5


# What happens on the way


def test_a_file_that_cannot_be_read_is_told_of_and_the_rest_goes_on(vault: Path) -> None:
    (vault / "2024-01-16.md").write_bytes(b"\0\1\2")
    events = list(reframe_journal(friend(), vault))
    (unread,) = [event for event in events if isinstance(event, Unread)]
    assert unread.path.name == "2024-01-16.md"
    assert len(finished(iter(events)).result.replies) == 5


def test_events_tell_how_far_it_is(vault: Path) -> None:
    events = list(reframe_journal(friend(), vault))
    scanned = [event for event in events if isinstance(event, Scanned)]
    assert (scanned[-1].entries, scanned[-1].found) == (5, 5)
    answered = [event for event in events if isinstance(event, Answered)]
    assert [event.done for event in answered] == [1, 2, 3, 4, 5]
    assert all(event.per_minute > 0 for event in answered)
    assert answered[-1].seconds_left == 0


def test_two_runs_on_one_journal_do_not_mix(vault: Path) -> None:
    first = reframe_journal(friend(), vault)
    next(first)
    with pytest.raises(JournalError, match="Another run"):
        next(reframe_journal(friend(), vault))
    first.close()  # type: ignore[attr-defined]
    assert len(result_of(vault).replies) == 5


# Going through the answers


def test_a_reviewer_has_the_last_word(vault: Path) -> None:
    def review(reply: Reply, thought: Thought) -> Reply | None:
        if "ugly" in thought.text:
            return None
        return replace(reply, answer=replace(reply.answer, words="My own words."))

    result = result_of(vault, Choices(review=review))
    assert [reply.answer.words for reply in result.replies] == ["My own words."] * 4


def test_a_review_that_was_stopped_goes_on_at_the_next_answer(vault: Path) -> None:
    seen: list[str] = []

    def review(reply: Reply, thought: Thought) -> Reply:
        if len(seen) == 2:
            raise StopReview
        seen.append(reply.answer.entry)
        return reply

    stopped = finished(reframe_journal(friend(), vault, Choices(review=review)))
    assert (len(stopped.result.replies), stopped.reviewed) == (2, False)
    model = PlainModel()

    def go_on(reply: Reply, thought: Thought) -> Reply:
        seen.append(reply.answer.entry)
        return reply

    ended = finished(reframe_journal(friend(model), vault, Choices(review=go_on)))
    assert (len(ended.result.replies), ended.reviewed) == (5, True)
    assert [reply.answer.entry for reply in ended.result.replies] == seen
    assert model.history == []


ENTRIES = [
    {"creationDate": f"2021-03-0{day}T01:00:00Z", "text": f"I'm such an idiot on day {day}."}
    for day in range(1, 5)
]
PARAGRAPHS = "".join(f"Line {n}. I'm such an idiot, number {n}.\n\n" for n in range(1, 5))


@pytest.mark.parametrize(
    ("name", "text", "way"),
    [
        ("2024-01-01.md", PARAGRAPHS, "callout"),
        ("2024-01-01.md", PARAGRAPHS, "below"),
        ("2024-01-01.md", "I'm such an idiot.\n\n" * 9, "callout"),
        ("Journal.json", json.dumps({"metadata": {}, "entries": ENTRIES}), "below"),
    ],
)
def test_a_review_goes_on_at_the_next_answer_also_where_it_was_written_into_the_journal(
    tmp_path: Path, name: str, text: str, way: Way
) -> None:
    journal = tmp_path / name
    journal.write_text(text)
    count = text.count("idiot")
    seen: list[str] = []

    def review(reply: Reply, thought: Thought) -> Reply | None:
        seen.append(thought.story)
        match len(seen):
            case 1:
                return reply.edited("My own words")
            case 2:
                return None
            case 4:
                raise StopReview
        return reply

    for stay in (2, count - 1):
        for event in reframe_journal(friend(), journal, Choices(review=review)):
            if isinstance(event, Finished):
                assert len(event.result.replies) == stay
                outputs.write_in_place(event, way)
    assert len(seen) == count + 1  # the fourth, at which it was stopped, is asked about again
    assert seen[3] == seen[4]
    assert journal.read_text().count("My own words") == 1
