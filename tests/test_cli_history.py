"""The history of the command line: off at first, locked, and the person's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from reframer import history as room
from reframer import paths
from reframer.cli import run
from reframer.errors import UsageError
from reframer.history import History
from reframer.records import Notice, Reframe, Wishes
from reframer.settings import Settings

PASSPHRASE = "three quiet words"
ANSWER = Reframe("I failed Anna.", "Anna knows you tried.", "model", kinds=("guilt",))


class Friend:
    def reframe(self, text: str, wishes: Wishes) -> Reframe:
        return ANSWER

    def notice_many(self, texts: Sequence[str]) -> tuple[tuple[Notice, ...], ...]:
        """Hear kind words in every text."""
        heard = (Notice(text, 0, len(text), False, None, 0.0, kind_talk=True) for text in texts)
        return tuple((notice,) for notice in heard)


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed where no letter is shown, first in, first out; in a fresh home."""
    answers: list[str] = []
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda _: answers.pop(0))
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setattr(paths, "config_dir", lambda: tmp_path / "config")
    monkeypatch.setattr(room, "_MEMORY", 32)
    monkeypatch.setattr(room, "_PASSES", 1)

    def open_friend(chosen: Settings) -> Friend:
        return Friend()

    monkeypatch.setattr("reframer.cli.reframe.open_reframer", open_friend)
    return answers


@pytest.fixture
def file(typed: list[str]) -> Path:
    """The file of a history that is on and holds one answer."""
    typed += [PASSPHRASE, PASSPHRASE, PASSPHRASE]
    assert run(["history", "on"]) == 0
    assert run(["reframe", "--keep", "I failed Anna."]) == 0
    assert typed == []
    return paths.data_dir() / "history" / "entries"


def _id(file: Path) -> str:
    return History.unlock(file, PASSPHRASE).records()[0].id


def test_nothing_is_kept_unless_it_was_turned_on_and_asked_for(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reframe", "--keep", "I failed Anna."]) == 7
    out, err = capsys.readouterr()
    assert out == ""
    assert "reframer history on" in err
    typed += [PASSPHRASE, PASSPHRASE]
    assert run(["history", "on"]) == 0
    assert run(["I failed Anna."]) == 0
    assert History.unlock(paths.data_dir() / "history" / "entries", PASSPHRASE).records() == ()


def test_kind_words_to_oneself_are_counted_with_a_kept_answer(file: Path) -> None:
    assert History.unlock(file, PASSPHRASE).records()[0].kind_talk == 1


def test_a_kept_answer_is_shown_again(
    file: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += [PASSPHRASE]
    assert run(["history", "show"]) == 0
    out, _ = capsys.readouterr()
    for part in ("I failed Anna.", "Anna knows you tried.", _id(file)):
        assert part in out


def test_the_answer_comes_before_the_question_for_the_passphrase(
    file: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ["wrong", "wrong", "wrong"]
    capsys.readouterr()
    assert run(["reframe", "--keep", "I failed Anna."]) == 7
    out, err = capsys.readouterr()
    assert ANSWER.text in out
    assert err.count("passphrase is wrong") == 3


def test_a_slip_in_the_passphrase_may_be_mended(file: Path, typed: list[str]) -> None:
    typed += ["wrong", PASSPHRASE]
    assert run(["history", "show"]) == 0


@pytest.mark.parametrize("arguments", [["search", "ANNA"], ["search"]])
def test_a_search_asks_where_no_text_was_given(
    file: Path,
    typed: list[str],
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _: "anna")
    typed += [PASSPHRASE, PASSPHRASE]
    assert run(["history", *arguments]) == 0
    assert "I failed Anna." in capsys.readouterr().out
    assert run(["history", "search", "elephant"]) == 0
    assert capsys.readouterr().out == ""


def test_an_export_is_the_owners_alone_and_may_be_without_names(
    file: Path, typed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "for-my-therapist.md"
    typed += [PASSPHRASE, PASSPHRASE]
    assert run(["history", "export", str(target), "--without-names"]) == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert "> I failed [name]." in target.read_text()
    assert "Anna" not in target.read_text()
    assert run(["history", "export", str(target)]) == UsageError.exit_code
    capsys.readouterr()
    assert run(["history", "export"]) == 0
    assert "Anna knows you tried." in capsys.readouterr().out


def test_an_export_to_a_place_that_takes_no_file_says_so(
    file: Path, typed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note").write_text("")
    typed += [PASSPHRASE]
    assert run(["history", "export", str(tmp_path / "note" / "export.md")]) == UsageError.exit_code
    assert "cannot be written" in capsys.readouterr().err


def test_an_entry_can_be_deleted(file: Path, typed: list[str]) -> None:
    typed += [PASSPHRASE, PASSPHRASE]
    name = _id(file)
    assert run(["history", "delete", name]) == 0
    assert run(["history", "delete", name]) == UsageError.exit_code
    assert History.unlock(file, PASSPHRASE).records() == ()


def test_off_keeps_what_there_is_and_on_goes_on_with_it(
    file: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["history", "off"]) == 0
    assert run(["reframe", "--keep", "I failed Anna."]) == 7
    typed += [PASSPHRASE]
    assert run(["history", "show"]) == 0
    assert "I failed Anna." in capsys.readouterr().out
    assert run(["history", "on"]) == 0
    assert len(History.unlock(file, PASSPHRASE).records()) == 1


def test_off_puts_no_history_over_an_older_one(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = file.with_suffix(".off")
    older.write_bytes(b"an older one")
    assert run(["history", "off"]) == 2
    assert "Move that file somewhere else" in capsys.readouterr().err
    assert older.read_bytes() == b"an older one"
    assert file.exists()


def test_a_purge_asks_once_and_needs_no_passphrase(
    file: Path, typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _: "n")
    assert run(["history", "purge"]) == 130
    assert file.exists()
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _: "y")
    assert run(["history", "purge"]) == 0
    assert not file.exists()
    assert run(["history", "show"]) == 7


def test_a_purge_leaves_nothing_that_was_put_away_either(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_away = file.with_suffix(".off")
    put_away.write_bytes(file.read_bytes())
    monkeypatch.setattr(click.termui, "visible_prompt_func", lambda _: "y")
    assert run(["history", "purge"]) == 0
    assert not file.exists()
    assert not put_away.exists()


def test_the_passphrase_can_be_changed(file: Path, typed: list[str]) -> None:
    typed += [PASSPHRASE, "another one", "another one"]
    assert run(["history", "passphrase"]) == 0
    assert len(History.unlock(file, "another one").records()) == 1


def test_damage_is_said_and_the_rest_is_shown(
    file: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(file.read_bytes()[:-3])
    typed += [PASSPHRASE]
    assert run(["history", "show"]) == 0
    out, err = capsys.readouterr()
    assert "I failed Anna." in out
    assert "end of the history file is missing" in err


def test_lines_cannot_be_kept(file: Path) -> None:
    assert run(["--jsonl", "--keep"]) == UsageError.exit_code
