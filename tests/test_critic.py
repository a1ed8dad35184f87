"""The ear hears the inner critic, and not what others say, sing or are."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from reframer import paths
from reframer.cli import cli
from reframer.critic import Critic, unquoted
from reframer.errors import TextUnreadable
from reframer.reader import Reader
from reframer.records import KINDS
from reframer.sentences import split

DIARY = (
    "Went to the market with Ana, bought plums.\n"
    "  I'm such an idiot, I forgot her birthday again. The plums were sweet!\n\n"
    "I did my best today and that's enough."
)


@pytest.fixture(scope="module")
def critic(reader: Reader) -> Critic:
    return Critic(reader)


def test_hears_which_sentence_and_where(critic: Critic) -> None:
    notices = critic.notice(DIARY)
    assert [notice.self_critical for notice in notices] == [False, True, False, False]
    assert [notice.kind_talk for notice in notices] == [False, False, False, True]
    assert notices[1].text == "I'm such an idiot, I forgot her birthday again."
    assert notices[1].kind == "label"
    assert all(DIARY[notice.start : notice.end] == notice.text for notice in notices)
    assert all(notice.text == notice.text.strip() for notice in notices)


@pytest.mark.parametrize(
    ("critical", "other"),
    [
        ("I'm useless.", "The printer is useless."),
        ("I hate myself.", "I hate Mondays."),
        ("I look disgusting.", "That soup looks disgusting."),
        ("everyone is smarter than me", "everyone is nicer than him"),
        ("I'm such an idiot.", "He's such an idiot."),
        ("I should be further along by now.", "I should be home by six."),
        ("i never get anything right", "he never gets anything right"),
        ("I'm a failure.", "I'm not a failure."),
    ],
)
def test_tells_an_attack_from_the_same_words_meant_otherwise(
    critic: Critic, critical: str, other: str
) -> None:
    assert critic.notice(critical)[0].self_critical
    assert not critic.notice(other)[0].self_critical


@pytest.mark.parametrize(
    "text",
    [
        'Mum said "you are useless" because of the bread.',
        "He shouted 'you stupid cow' out of his van.",
        "«Je suis nul», dit-il, et il est parti.",
        "\"I'm a failure. I'm a terrible father,\" Karim said. We had tea.",
    ],
)
def test_what_others_say_is_not_the_inner_critic(critic: Critic, text: str) -> None:
    assert not any(notice.self_critical for notice in critic.notice(text))


def test_the_voice_in_ones_own_head_is_listened_for() -> None:
    assert unquoted('Mum said "you are useless".') == "Mum said “…”."
    assert unquoted('I thought "you are useless".') == 'I thought "you are useless".'
    assert unquoted('"you are useless"') == '"you are useless"'
    for own in (
        "the dogs' bowl and the cats' bed",
        "I'm late 'cause I'm an idiot who forgot the kids' lunches.",
        "I'm 5'2\" and a pig with a 44\" waist.",
    ):
        assert unquoted(own) == own


def test_a_lower_threshold_is_more_eager(critic: Critic) -> None:
    eager = critic.notice(DIARY, threshold=0.0)
    deaf = critic.notice(DIARY, threshold=1.1)
    assert all(notice.self_critical and notice.kind in KINDS for notice in eager)
    assert not any(notice.self_critical or notice.kind or notice.strength for notice in deaf)


def test_harsher_is_stronger(critic: Critic) -> None:
    mild, harsh = critic.notice(
        "silly me, I forgot the bins.\nI'm a worthless, pathetic failure.", 0
    )
    assert 0 <= mild.strength < harsh.strength <= 1


def test_many_hear_the_same_as_one(critic: Critic) -> None:
    texts = [DIARY, "", "  \n", "I ruin everything."]
    many = critic.notice_many(texts)
    assert [len(notices) for notices in many] == [4, 0, 0, 1]
    for text, notices in zip(texts, many, strict=True):
        for one, other in zip(critic.notice(text), notices, strict=True):
            assert (one.text, one.kind, one.self_critical) == (
                other.text,
                other.kind,
                other.self_critical,
            )
            assert one.strength == pytest.approx(other.strength, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["", " ", "...", "😂", "12:30", "\0", "a" * 100_000, "I " * 50_000]
)
def test_odd_texts_are_heard_without_fail(critic: Critic, text: str) -> None:
    assert len(critic.notice(text)) == (1 if text.strip() else 0)


@pytest.mark.parametrize("text", ["...", "😂", "12:30"])
def test_nothing_is_heard_in_a_text_without_a_letter(critic: Critic, text: str) -> None:
    (notice,) = critic.notice(text, threshold=0.001)
    assert not notice.self_critical
    assert not notice.kind_talk


def test_labelled_sentences_are_well_formed() -> None:
    file = paths.asset("knowledge", "critic", "sentences.tsv")
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(len(row) == 4 for row in rows)
    texts = [row[3] for row in rows]
    assert len(set(texts)) == len(texts) > 2000
    for label, group, strength, text in rows:
        assert text == text.strip()
        assert (label == "critical") == (group in KINDS) == (strength in {"1", "2", "3"})


def test_the_command_prints_every_sentence_as_json() -> None:
    result = CliRunner().invoke(cli, ["notice", "--json"], input=DIARY)
    assert result.exit_code == 0
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["text"] for record in records] == [piece.text.strip() for piece in split(DIARY)]
    assert [record["self_critical"] for record in records] == [False, True, False, False]
    assert list(records[1]) == [
        "text",
        "start",
        "end",
        "self_critical",
        "kind",
        "strength",
        "kind_talk",
    ]


def test_the_command_lists_what_it_heard() -> None:
    result = CliRunner().invoke(cli, ["notice"], input=DIARY)
    assert "label" in result.stdout
    assert "kind words" in result.stdout
    assert "plums" not in result.stdout
    assert "1 of 4" in result.stderr


def test_the_command_refuses_what_is_no_text() -> None:

    result = CliRunner().invoke(cli, ["notice"], input=b"\xff\xfe\x00")
    assert isinstance(result.exception, TextUnreadable)
