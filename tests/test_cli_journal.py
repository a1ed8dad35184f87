"""``reframer journal``: what a user sees, what lies where in the end, and what it ends with."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console
from rich.progress import Progress

from reframer import history as room
from reframer import paths, settings
from reframer.cli import history, journaling, run
from reframer.engine import Reframer
from reframer.journal import checkpoint
from reframer.journal.formats import FORMATS
from reframer.journal.records import AskPassword, Unread
from reframer.records import KINDS, Wishes
from tests.journal.conftest import DAYS
from tests.journal.friend import SAYINGS, PlainModel, friend
from tests.journal.test_formats_reading import FILES


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlainModel:
    """The model that speaks, in a home of its own."""
    plain = PlainModel()
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setattr(settings, "settings_file", lambda: tmp_path / "settings.toml")
    monkeypatch.setattr(journaling, "open_reframer", lambda _: friend(plain))
    return plain


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    for name, text in DAYS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives answers to the questions of a review, first in, first out."""

    def give(*replies: str) -> None:
        waiting = list(replies)

        def prompt(*_: object, **__: object) -> str:
            if not waiting:
                raise click.Abort
            return waiting.pop(0)

        monkeypatch.setattr(click, "prompt", prompt)

    return give


def texts(vault: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in vault.iterdir()}


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "reframes.jsonl").read_text().splitlines()]


# A run


def test_a_report_lies_beside_the_journal_and_the_end_says_where(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journal", str(vault)]) == 0
    out = vault.with_name("vault-reframed")
    said = capsys.readouterr().out
    assert "Read 5 entries, from 2024-01-14 to 2024-03-03. Answered 5 sentences." in said
    assert str(out / "report.html") in said
    assert len(records(out)) == 5
    assert texts(vault) == DAYS


def test_where_to_turn_comes_before_everything_else(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / "2024-03-04.md").write_text("I am in danger.")
    assert run(["journal", str(vault), "--country", "GB"]) == 0
    out, err = capsys.readouterr()
    assert "116 123" in err
    assert "2024-03-04" in err
    assert err.count("116 123") == 1
    assert "Set aside, with where to turn: 1." in out


def test_a_file_that_cannot_be_read_is_named_and_the_exit_code_tells(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / "broken.md").write_bytes(b"\0\1")
    assert run(["journal", str(vault)]) == 1
    out, err = capsys.readouterr()
    assert "Answered 5 sentences." in out
    assert "broken.md" in err
    assert len(err.splitlines()) == 2


def test_a_journal_without_entries_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: PlainModel
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["journal", str(tmp_path / "empty")]) == 0
    assert "There are no entries to read." in capsys.readouterr().out
    assert model.history == []


def test_a_journal_comes_on_standard_input_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(b"2024-01-15\nI'm such an idiot.\n"))
    )
    assert run(["journal", "-", "--out", str(tmp_path / "out"), "--write", "below"]) == 0
    assert len(records(tmp_path / "out")) == 1
    (copy,) = (tmp_path / "out" / "journal").iterdir()
    assert "Friend: You" in copy.read_text()


def test_a_journal_that_comes_through_a_pipe_can_be_copied_and_not_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    its, ours = os.pipe()
    os.write(ours, b"2024-01-15\nI'm such an idiot.\n")
    os.close(ours)
    command = ["journal", f"/dev/fd/{its}", "--out", str(tmp_path / "out"), "--write", "below"]
    assert run([*command, "--in-place"]) == 2
    assert "A pipe cannot be changed." in capsys.readouterr().err
    assert run(command) == 0
    os.close(its)
    (copy,) = (tmp_path / "out" / "journal").iterdir()
    assert "Friend: You" in copy.read_text()


def test_another_run_on_the_same_journal_is_told_in_one_line(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with checkpoint.alone(vault):
        assert run(["journal", str(vault)]) == 1
    err = capsys.readouterr().err
    assert "Another run is at work" in err
    assert len(err.splitlines()) == 1


def test_a_run_stopped_with_ctrl_c_says_that_it_can_go_on(
    vault: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PlainModel, "_generate", stop)
    assert run(["journal", str(vault)]) == 130
    assert "goes on from there" in capsys.readouterr().err


# Showing how far it is


def test_piped_a_run_is_quiet_and_says_a_line_every_ten_seconds(
    vault: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journal", str(vault)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(journaling, "_LINE_EVERY", 0.0)
    assert run(["journal", str(vault)]) == 0
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "Read 5 entries, found 5 sentences"
    assert re.fullmatch(r"Answering 2024-\S+, 2 of 5, \d+ a minute, \d+ s left", err[2])


def test_on_a_terminal_a_bar_shows_it_and_leaves_the_words_alone(
    vault: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        journaling, "Console", lambda **_: Console(stderr=True, force_terminal=True, width=120)
    )
    assert run(["journal", str(vault)]) == 0
    out, err = capsys.readouterr()
    assert "5 of 5" in err
    assert out.startswith("Read 5 entries")


def test_json_prints_an_event_on_every_line_and_nothing_else(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / "2024-03-04.md").write_text("I am in danger.")
    (vault / "broken.md").write_bytes(b"\0\1")
    assert run(["journal", str(vault), "--json"]) == 1
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == [
        "scanned",
        "held",
        "unread",
        *["answered"] * 5,
        "finished",
    ]
    assert events[1]["level"] == "crisis"
    assert {"sentence", "words", "done", "total", "seconds_left"} <= events[3].keys()
    assert (events[-1]["entries"], events[-1]["answered"]) == (6, 5)
    assert err == ""


def test_json_tells_of_a_file_whose_name_is_no_text(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = vault / os.fsdecode(b"caf\xe9.md")
    try:
        broken.write_bytes(b"\0\1")
    except OSError:
        pytest.skip("this disk takes no such names")
    assert run(["journal", str(vault), "--json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["path"] for event in events if event["event"] == "unread"] == [str(broken)]


@pytest.mark.parametrize("terminal", [True, False])
def test_an_encrypted_journal_asks_for_its_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Any,
    terminal: bool,
) -> None:
    monkeypatch.setattr(
        journaling, "Console", lambda **_: Console(stderr=True, force_terminal=terminal)
    )
    monkeypatch.setattr(history, "has_terminal", lambda: True)
    answer("secret")

    def read(path: Path, name: str | None, password: AskPassword) -> Iterator[Unread]:
        yield Unread(path, f"The password was {password(path)}.")

    monkeypatch.setattr("reframer.journal.run.open_journal", read)
    journal = tmp_path / "journal.jrnl"
    journal.write_bytes(b"JRNLv3")
    assert run(["journal", str(journal)]) == 1
    assert "The password was secret." in capsys.readouterr().err


def test_without_a_terminal_an_encrypted_file_is_named_and_the_rest_goes_on(
    vault: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(history, "has_terminal", lambda: False)
    encrypted = Path(__file__).parent / "journal" / "fixtures" / FILES["jrnl-encrypted"]
    shutil.copy(encrypted, vault / "secret.jrnl")
    assert run(["journal", str(vault)]) == 1
    out, err = capsys.readouterr()
    assert "Answered 5 sentences." in out
    assert "secret.jrnl is encrypted" in err


# With the history on


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed where no letter is shown, first in, first out; the history is on."""
    monkeypatch.setattr(room, "_MEMORY", 32)
    monkeypatch.setattr(room, "_PASSES", 1)
    typed = ["three quiet words"] * 2
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda _: typed.pop(0))
    assert run(["history", "on"]) == 0
    return typed


def test_with_the_history_on_what_is_kept_is_locked_with_its_passphrase(
    vault: Path, monkeypatch: pytest.MonkeyPatch, locked: list[str], model: PlainModel
) -> None:
    monkeypatch.setattr(history, "has_terminal", lambda: True)
    locked += ["wrong words", "three quiet words"]
    assert run(["journal", str(vault), "--keep"]) == 0
    assert locked == []
    (kept,) = checkpoint.folder().glob("*.jsonl")
    assert not any(saying.encode() in kept.read_bytes() for saying in SAYINGS)
    model.history.clear()
    locked.append("three quiet words")
    assert run(["journal", str(vault)]) == 0
    assert model.history == []


def test_with_the_history_on_and_no_terminal_one_line_says_what_to_do(
    vault: Path,
    monkeypatch: pytest.MonkeyPatch,
    locked: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(history, "has_terminal", lambda: False)
    capsys.readouterr()
    assert run(["journal", str(vault)]) == 7
    err = capsys.readouterr().err
    assert "reframer history off" in err
    assert len(err.splitlines()) == 1
    assert run(["history", "off"]) == 0
    assert run(["journal", str(vault)]) == 0


# Choosing


def test_a_dry_run_shows_what_would_be_answered_without_the_model_and_writes_nothing(
    vault: Path, model: PlainModel, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / "broken.md").write_bytes(b"\0\1")
    assert run(["journal", str(vault), "--dry-run", "--kinds", "body"]) == 1
    out, err = capsys.readouterr()
    assert "broken.md" in err
    assert out == "2024-03-03  body             0.80  Only an ugly idiot looks like that.\n"
    assert "1 sentence would be answered." in err
    assert model.history == []
    files = {path.name for path in vault.parent.rglob("*") if path.is_file()}
    assert {name for name in files if not name.endswith(".lock")} == {*DAYS, "broken.md"}


def test_a_dry_run_that_is_cut_off_leaves_nothing_behind(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(journaling._Words, "would_answer", closed)
        run(["journal", str(vault), "--dry-run"])
    assert list(checkpoint.folder().glob("*.jsonl")) == []
    assert run(["journal", str(vault), "--dry-run"]) == 0


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--since", "2024-02-01", "--until", "2024-02-29"], 2),
        (["--limit", "3"], 3),
        (["--kinds", "label,guilt"], 4),
        (["--min-strength", "0.5"], 4),
    ],
)
def test_a_user_chooses_what_is_answered(
    vault: Path, tmp_path: Path, options: list[str], count: int
) -> None:
    assert run(["journal", str(vault), "--out", str(tmp_path / "out"), *options]) == 0
    assert len(records(tmp_path / "out")) == count


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kinds", "label,nonsense"], "They are label, should"),
        (["--since", "yesterday"], "It is a day like 2024-01-31"),
        (["--in-place"], "--write"),
        (["--format", "papyrus"], "no format 'papyrus'"),
        (["--out", "VAULT"], "a folder of its own. For example: --out"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    vault: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    options = [str(vault) if option == "VAULT" else option for option in options]
    assert run(["journal", str(vault), *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "wishes"),
    [([], Wishes("plain", "teen", "i")), (["--voice", "child"], Wishes("plain", "child", "i"))],
)
def test_the_settings_say_how_the_friend_speaks_unless_the_command_does(
    vault: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    wishes: Wishes,
) -> None:
    (tmp_path / "settings.toml").write_text('tone = "plain"\nvoice = "teen"\n')
    monkeypatch.setenv("REFRAMER_PERSON", "i")
    asked: list[Wishes] = []

    def answer(self: Reframer, thoughts: object, wished: Wishes) -> Iterator[Any]:
        asked.append(wished)
        return iter(())

    monkeypatch.setattr(Reframer, "answer_as_completed", answer)
    assert run(["journal", str(vault), *options]) == 0
    assert asked[0] == wishes


def test_the_guide_names_every_kind_and_format_that_can_be_chosen() -> None:
    guide = (Path(__file__).parent.parent / "docs" / "journal.md").read_text(encoding="utf-8")
    names = {*KINDS, *(each.name for each in FORMATS)}
    assert {name for name in names if f"`{name}`" not in guide} == set()


# Writing


def test_write_puts_the_answers_into_copies(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journal", str(vault), "--write", "callout"]) == 0
    copy = vault.with_name("vault-reframed") / "journal" / "2024-01-15.md"
    assert "> [!friend]" in copy.read_text()
    assert texts(vault) == DAYS
    assert "Copies with the answers in: 3 files." in capsys.readouterr().out


def test_a_report_inside_the_journal_is_not_read_as_a_part_of_it(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["journal", str(vault), "--write", "below", "--out", str(vault / "answered")]
    assert run(command) == 0
    first = capsys.readouterr().out
    assert run(command) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("earlier", ["", "reframes.jsonl"])
def test_copies_never_take_the_place_of_a_journal_that_is_called_journal(
    vault: Path, earlier: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = vault.rename(vault.with_name("journal"))
    if earlier:
        journal.with_name(earlier).write_text("")
    assert run(["journal", str(journal), "--write", "below", "--out", str(journal.parent)]) == 2
    assert "a folder of its own" in capsys.readouterr().err
    assert texts(journal) == DAYS


@pytest.mark.parametrize("letter", ["x", "é", "日"])
def test_a_name_as_long_as_names_can_be_does_not_stop_a_run(
    tmp_path: Path, letter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    name = (letter * 255).encode()[:251].decode(errors="ignore")
    for journal in (folder / f"{name}.md", folder / f"{name[:-1]}.md"):
        journal.write_text("I'm such an idiot.\n")
        assert run(["journal", str(journal), "--write", "below"]) == 0
        assert run(["journal", str(journal), "--write", "below", "--in-place"]) == 0
        assert run(["journal", "undo", str(journal)]) == 0
        assert journal.read_text() == "I'm such an idiot.\n"
    reports = {path.name for path in folder.iterdir() if path.is_dir()}
    assert len(reports) == 2
    assert all(len(os.fsencode(report)) <= 255 for report in reports)
    assert run(["journal", str(folder)]) == 0
    assert "Read 2 entries" in capsys.readouterr().out


def test_in_place_can_be_undone_with_the_command_that_is_shown(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vault = vault.rename(vault.with_name("Tom's diary"))
    assert run(["journal", str(vault), "--write", "replace", "--in-place"]) == 0
    command = capsys.readouterr().out.splitlines()[-1].partition("was there: ")[2]
    assert "idiot" not in texts(vault)["2024-01-15.md"]
    assert shlex.split(command)[0] == "reframer"
    assert run(shlex.split(command)[1:]) == 0
    assert texts(vault) == DAYS
    assert "2024-01-15.md" in capsys.readouterr().out
    assert run(["journal", "undo", str(vault)]) == 1


def test_a_second_run_changes_nothing_that_the_first_has_answered(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["journal", str(vault), "--write", "callout", "--in-place"]
    assert run(command) == 0
    answered = texts(vault)
    capsys.readouterr()
    assert run(command) == 0
    assert texts(vault) == answered
    assert "Changed" not in capsys.readouterr().out
    assert run(["journal", "undo", str(vault)]) == 0
    assert texts(vault) == DAYS


def test_undo_names_what_it_leaves(vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["journal", str(vault), "--write", "below", "--in-place"])
    (vault / "2024-01-15.md").write_text("Mine.")
    assert run(["journal", "undo", str(vault)]) == 1
    assert "2024-01-15.md: It was changed after the run" in capsys.readouterr().err
    assert texts(vault) == {**DAYS, "2024-01-15.md": "Mine."}


# Reviewing


def test_a_review_keeps_edits_skips_and_other_ways(
    vault: Path, tmp_path: Path, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("", "e", "My own words.", "s", "w", "", "")
    assert run(["journal", str(vault), "--review", "--out", str(tmp_path / "out")]) == 0
    kept = records(tmp_path / "out")
    assert len(kept) == 4
    assert kept[0]["words"] in SAYINGS
    assert (kept[1]["words"], kept[1]["origin"]) == ("My own words.", "person")
    assert {line["origin"] for line in kept if line is not kept[1]} <= {"model", "card"}
    assert "These words are your own." in (tmp_path / "out" / "report.html").read_text()
    assert not any("bit of" in line["sentence"] for line in kept)
    assert kept[2]["technique"] != "not-yet"  # which was the third way for the same complaint
    assert "What a bit of an idiot I was at lunch." in capsys.readouterr().err


def test_a_stopped_review_keeps_what_was_done_and_goes_on_there(
    vault: Path, tmp_path: Path, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["journal", str(vault), "--review", "--out", str(tmp_path / "out")]
    answer("e", "First.", "q")
    assert run(command) == 0
    assert [line["words"] for line in records(tmp_path / "out")] == ["First."]
    assert "goes on from there" in capsys.readouterr().out
    answer("", "", "", "")
    assert run(command) == 0
    kept = records(tmp_path / "out")
    assert (len(kept), kept[0]["words"]) == (5, "First.")
    assert [line["origin"] == "person" for line in kept] == [True, *[False] * 4]


def test_a_review_begins_with_what_was_set_aside_and_answers_it_only_on_ones_word(
    vault: Path, tmp_path: Path, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot on the twentieth.")
    (vault / "2024-01-21.md").write_text("I worry. I'm an idiot on the day after.")
    (vault / "2024-03-04.md").write_text("I am in danger. I'm an idiot in danger.")
    out = tmp_path / "out"
    command = ["journal", str(vault), "--review", "--out", str(out), "--country", "GB"]
    answer("", "a", *[""] * 6)
    assert run(command) == 0
    said, err = capsys.readouterr()
    assert "Set aside, with where to turn: 2. Answered 6 sentences." in said
    review = err[err.index("2024-01-20", err.index("2024-01-21")) :]
    assert review.index("116 123") < review.index("2024-01-21") < review.index("Thank you for")
    assert review.index("Thank you for") < review.index("I'm such an idiot.")
    assert err.count("Thank you for saying so") == 1
    sentences = [line["sentence"] for line in records(out)]
    assert "I'm an idiot on the day after." in sentences
    assert not any("twentieth" in sentence or "danger" in sentence for sentence in sentences)
    assert "- 2024-01-21 (answered all the same)" in (out / "reframes.md").read_text()
    assert "116 123" in (out / "report.html").read_text()


def test_no_question_of_a_review_is_written_over(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[Progress] = []
    still: list[bool] = []

    class Watched(Progress):
        def __init__(self, *columns: Any, **options: Any) -> None:
            super().__init__(*columns, **options)
            bars.append(self)

    def prompt(*_: object, **__: object) -> str:
        still.append(not bars[0].live.is_started)
        return "a" if len(still) == 1 else ""

    for name in DAYS:
        (vault / name).unlink()
    (vault / "2024-01-20.md").write_text("I worry. I'm an idiot on the twentieth.")
    monkeypatch.setattr(journaling, "Progress", Watched)
    monkeypatch.setattr(
        journaling, "Console", lambda **_: Console(stderr=True, force_terminal=True)
    )
    monkeypatch.setattr(click, "prompt", prompt)
    assert run(["journal", str(vault), "--review"]) == 0
    assert still == [True, True]


def test_a_terminal_that_closes_in_a_review_loses_nothing(
    vault: Path, tmp_path: Path, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["journal", str(vault), "--review", "--out", str(tmp_path / "out")]
    answer("e", "First.")
    assert run(command) == 130
    assert "goes on from there" in capsys.readouterr().err
    answer("", "", "", "")
    assert run(command) == 0
    assert records(tmp_path / "out")[0]["words"] == "First."


# The whole


@pytest.mark.model
def test_a_small_vault_is_answered_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models_dir: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(models_dir))
    vault = tmp_path / "vault"
    shutil.copytree(Path(__file__).parent / "journal" / "fixtures" / "obsidian", vault)
    (vault / "2024-01-16.md").write_text(
        "Soup with Anna. I'm such an idiot for forgetting her birthday.\n"
    )
    (vault / "2024-01-17.md").write_text("I want to kill myself tonight. I am a failure.\n")
    before = {path: path.read_bytes() for path in vault.rglob("*") if path.is_file()}
    assert run(["journal", str(vault), "--write", "callout"]) == 0
    out = tmp_path / "vault-reframed"
    assert "2024-01-16.md#1" in [line["entry"] for line in records(out)]
    assert "2024-01-17.md#1" not in [line["entry"] for line in records(out)]
    assert "[!friend]" in (out / "journal" / "2024-01-16.md").read_text()
    assert before == {path: path.read_bytes() for path in vault.rglob("*") if path.is_file()}
