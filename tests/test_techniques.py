"""`reframer techniques`: cards for people, and for programs with --json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reframer import paths
from reframer.cli import cli
from reframer.errors import TextEmpty, TextUnreadable, UsageError
from reframer.knowledge import load_techniques


def _run(*words: str, stdin: str | bytes = "") -> Result:
    result = CliRunner().invoke(cli, ["techniques", *words], input=stdin)
    if result.exception:
        raise result.exception
    return result


def test_list_shows_every_card_on_a_line() -> None:
    lines = _run("list").stdout.splitlines()
    assert len(lines) == len(load_techniques())
    assert any(line.split() == ["both-and", "Two", "things", "can", "be", "true"] for line in lines)


def test_list_as_json_is_an_array_of_summaries() -> None:
    cards = json.loads(_run("list", "--json").stdout)
    assert len(cards) == len(load_techniques())
    assert {frozenset(card) for card in cards} == {
        frozenset({"id", "title", "source", "kinds", "examples"})
    }
    assert all(isinstance(card["examples"], int) for card in cards)


def test_show_tells_of_a_card_and_its_source() -> None:
    shown = " ".join(_run("show", "inner-child").stdout.split())
    for words in ("The need that is still there", "a trained person", "A small step:", "(2003)"):
        assert words in shown


def test_show_as_json_holds_the_whole_card() -> None:
    card = json.loads(_run("show", "both-and", "--json").stdout)
    assert card["id"] == "both-and"
    assert {"thought", "answer"} <= set(card["examples"][0])


def test_an_unknown_id_brings_the_nearest_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean both-and"):
        _run("show", "both-end")


def test_search_finds_by_a_text_or_by_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "cache_dir", lambda: tmp_path)
    found = json.loads(_run("search", "I relapsed and smoked again", "-k", "2", "--json").stdout)
    assert [len(found), found[0]["id"]] == [2, "lapse-not-relapse"]
    assert {"score", "reasons", "nearest"} <= set(found[0])
    shown = _run("search", "-", stdin="I relapsed and smoked again\n").stdout
    assert "lapse-not-relapse" in shown


@pytest.mark.parametrize(("options", "shown"), [((), ""), (("--json",), "[]\n")])
def test_search_meets_a_crisis_with_help_lines_and_no_card(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], shown: str
) -> None:
    monkeypatch.setenv("REFRAMER_COUNTRY", "GB")
    found = _run("search", "I want to kill myself tonight.", *options)
    assert found.stdout == shown
    assert "116 123" in found.stderr


def test_search_says_of_bytes_that_they_are_no_text() -> None:
    with pytest.raises(TextUnreadable):
        _run("search", "-", stdin=b"I\x92m lazy.")


def test_search_needs_a_text() -> None:
    with pytest.raises(TextEmpty):
        _run("search", " ")
