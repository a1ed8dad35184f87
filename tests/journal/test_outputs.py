"""What a run leaves: a report, copies, a journal changed only where asked, and the way back."""

from __future__ import annotations

import csv
import errno
import json
import os
import stat
from pathlib import Path

import pytest

from reframer.errors import JournalError, UsageError
from reframer.journal import outputs
from reframer.journal.choices import Choices
from reframer.journal.run import Finished, reframe_journal
from tests.journal.conftest import DAYS
from tests.journal.friend import SAYINGS, friend


def finish(journal: Path, choices: Choices | None = None) -> Finished:
    *_, end = reframe_journal(friend(), journal, choices)
    assert isinstance(end, Finished)
    return end


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


ORIGINAL = {name: text.encode() for name, text in DAYS.items()}
ANSWERED = {"2024-01-15.md", "2024-02-01.md", "2024-03-03.md"}


# The report


def test_the_report_comes_in_four_formats_for_their_owner_alone(
    vault: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = finish(vault).result
    assert outputs.write_report(result, out) == out / "report.html"
    assert {file.name for file in out.iterdir()} == {
        "report.html",
        "reframes.jsonl",
        "reframes.csv",
        "reframes.md",
    }
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in out.iterdir())
    lines = [json.loads(line) for line in (out / "reframes.jsonl").read_text().splitlines()]
    assert [line["words"] for line in lines] == [reply.answer.words for reply in result.replies]
    with (out / "reframes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["sentence"] for row in rows] == [line["sentence"] for line in lines]
    assert tuple(rows[0]) == outputs.COLUMNS == tuple(lines[0])


def test_the_markdown_begins_gently_with_what_was_not_answered(vault: Path, tmp_path: Path) -> None:
    (vault / "2024-02-20.md").write_text("danger")
    outputs.write_report(finish(vault, Choices(country="GB")).result, tmp_path / "out")
    text = (tmp_path / "out" / "reframes.md").read_text()
    assert text.index("116 123") < text.index("- 2024-02-20") < text.index("## 2024-01-15")
    assert "> I'm such an idiot." in text


@pytest.mark.parametrize(
    ("journal", "folder"),
    [
        ("vault", "vault-reframed"),
        ("diary.txt", "diary.txt-reframed"),
        ("diary.md", "diary.md-reframed"),
    ],
)
def test_the_report_lies_beside_the_journal(
    tmp_path: Path, vault: Path, journal: str, folder: str
) -> None:
    assert outputs.beside(tmp_path / journal) == tmp_path / folder


def test_the_report_never_mixes_with_the_journal(vault: Path) -> None:
    outputs.check_folder(vault / "report", vault)
    with pytest.raises(UsageError, match="a folder of its own"):
        outputs.check_folder(vault, vault)


@pytest.mark.parametrize("mine", ["report.html", "reframes.csv", "reframes.md", "journal/day.md"])
def test_a_report_takes_the_place_of_an_earlier_one_and_of_nothing_else(
    vault: Path, tmp_path: Path, mine: str
) -> None:
    out = tmp_path / "out"
    file = out / mine
    file.parent.mkdir(parents=True)
    file.write_text("Mine.")
    with pytest.raises(UsageError, match="a folder of its own"):
        outputs.check_folder(out, vault)
    assert file.read_text() == "Mine."
    outputs.check_folder(tmp_path / "other", vault)
    outputs.write_report(finish(vault).result, tmp_path / "other")
    outputs.check_folder(tmp_path / "other", vault)


def test_a_folder_that_cannot_be_made_is_named_before_the_run(vault: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Name another --out"):
        outputs.check_folder(tmp_path / "file" / "out", vault)


def test_a_read_only_folder_is_named_before_the_run(
    vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(UsageError, match="cannot be written"):
        outputs.check_folder(tmp_path / "out", vault)


# Copies


def test_copies_hold_the_answers_and_the_journal_stays(vault: Path, tmp_path: Path) -> None:
    written = outputs.write_copies(finish(vault), "callout", tmp_path / "out")
    assert {file.name for file in written.files} == ANSWERED
    for file in written.files:
        text = file.read_text()
        assert "> [!friend]" in text
        assert any(words in text for words in SAYINGS)
        assert DAYS[file.name].splitlines()[0] in text
    assert written.left == ()
    assert bytes_of(vault) == ORIGINAL


def test_copies_of_an_earlier_run_are_not_left_among_the_new_ones(
    vault: Path, tmp_path: Path
) -> None:
    outputs.write_copies(finish(vault), "callout", tmp_path / "out")
    (vault / "2024-01-15.md").write_text("Anna called.\n")
    (tmp_path / "out" / "journal" / "my own.md").write_text("Not of this journal.")
    written = outputs.write_copies(finish(vault), "callout", tmp_path / "out")
    assert {file.name for file in written.files} == ANSWERED - {"2024-01-15.md"}
    names = {file.name for file in (tmp_path / "out" / "journal").iterdir()}
    assert names == {*(file.name for file in written.files), "my own.md"}


def test_copies_keep_their_folders(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    (journal / "2024").mkdir(parents=True)
    (journal / "2024" / "2024-01-01.md").write_text("I'm an idiot.")
    (copy,) = outputs.write_copies(finish(journal), "below", tmp_path / "out").files
    assert copy == tmp_path / "out" / "journal" / "2024" / "2024-01-01.md"


# In place


def test_in_place_changes_only_what_was_answered_and_keeps_modes(vault: Path) -> None:
    (vault / "2024-01-15.md").chmod(0o640)
    written = outputs.write_in_place(finish(vault), "replace")
    assert {file.name for file in written.files} == ANSWERED
    after = bytes_of(vault)
    assert {name for name in after if after[name] != ORIGINAL[name]} == ANSWERED
    first = after["2024-01-15.md"].decode()
    assert first.startswith("Anna called about Friday. She was kind. ")
    assert first.endswith("\n\nI slept.\n")
    assert stat.S_IMODE((vault / "2024-01-15.md").stat().st_mode) == 0o640


def test_a_journal_that_is_a_link_stays_one(vault: Path, tmp_path: Path) -> None:
    link = tmp_path / "diary.md"
    link.symlink_to(vault / "2024-01-15.md")
    outputs.write_in_place(finish(link), "below")
    assert link.is_symlink()
    assert bytes_of(vault)["2024-01-15.md"] != ORIGINAL["2024-01-15.md"]
    outputs.undo(link)
    assert link.is_symlink()
    assert bytes_of(vault) == ORIGINAL


def test_a_file_that_changed_under_the_run_is_never_overwritten(
    vault: Path, tmp_path: Path
) -> None:
    end = finish(vault)
    mine = "I'm such an idiot. And a line I wrote meanwhile.\n"
    (vault / "2024-01-15.md").write_text(mine)
    (vault / "2024-02-01.md").unlink()
    for written in (
        outputs.write_in_place(end, "callout"),
        outputs.write_copies(end, "callout", tmp_path / "out"),
    ):
        left = {unread.path.name: unread.reason for unread in written.left}
        assert "changed while" in left["2024-01-15.md"]
        assert "no longer be read" in left["2024-02-01.md"]
    assert (vault / "2024-01-15.md").read_text() == mine
    assert not (vault / "2024-02-01.md").exists()


def test_a_file_that_changes_at_the_last_moment_is_not_overwritten(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = finish(vault)
    keep = outputs._Backup.keep

    def change(backup: outputs._Backup, what: outputs._Change) -> None:
        keep(backup, what)
        what.path.write_text("Mine.")

    monkeypatch.setattr(outputs._Backup, "keep", change)
    written = outputs.write_in_place(end, "below")
    assert written.files == ()
    assert all("changed this very moment" in left.reason for left in written.left)
    assert bytes_of(vault) == {**ORIGINAL, **dict.fromkeys(ANSWERED, b"Mine.")}


def test_a_file_that_cannot_be_written_is_named_and_the_others_are_written(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if target.name == "2024-02-01.md":
            raise OSError(errno.EROFS, "Read-only file system")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    written = outputs.write_in_place(finish(vault), "below")
    assert {file.name for file in written.files} == ANSWERED - {"2024-02-01.md"}
    (left,) = written.left
    assert "Read-only" in left.reason
    assert bytes_of(vault)["2024-02-01.md"] == ORIGINAL["2024-02-01.md"]
    assert set(bytes_of(vault)) == set(ORIGINAL)


# The way back


def test_undo_puts_back_every_byte(vault: Path) -> None:
    outputs.write_in_place(finish(vault), "replace")
    undone = outputs.undo(vault)
    assert {file.name for file in undone.files} == ANSWERED
    assert bytes_of(vault) == ORIGINAL
    with pytest.raises(JournalError, match="no backup"):
        outputs.undo(vault)


def test_undo_leaves_what_was_changed_since_and_says_where_the_old_file_is(vault: Path) -> None:
    outputs.write_in_place(finish(vault), "below")
    (vault / "2024-01-15.md").write_text("Mine.")
    undone = outputs.undo(vault)
    (left,) = undone.left
    assert left.path.name == "2024-01-15.md"
    assert Path(left.reason.rpartition(" ")[2]).read_bytes() == ORIGINAL[left.path.name]
    assert (vault / "2024-01-15.md").read_text() == "Mine."
    assert bytes_of(vault) == {**ORIGINAL, "2024-01-15.md": b"Mine."}


def test_undo_names_a_file_that_is_gone(vault: Path) -> None:
    outputs.write_in_place(finish(vault), "below")
    (vault / "2024-01-15.md").unlink()
    (left,) = outputs.undo(vault).left
    assert "cannot be put back" in left.reason
    (vault / "2024-01-15.md").write_bytes(ORIGINAL["2024-01-15.md"])
    assert bytes_of(vault) == ORIGINAL


def test_undo_goes_back_one_run_at_a_time(vault: Path) -> None:
    outputs.write_in_place(finish(vault), "below")
    once = bytes_of(vault)
    outputs.write_in_place(finish(vault), "replace")
    assert bytes_of(vault) != once
    outputs.undo(vault)
    assert bytes_of(vault) == once
    outputs.undo(vault)
    assert bytes_of(vault) == ORIGINAL


def test_undo_after_a_run_that_was_cut_off_between_backup_and_file_changes_nothing(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outputs, "_replace", cut)
        with pytest.raises(KeyboardInterrupt):
            outputs.write_in_place(finish(vault), "below")
    assert outputs.undo(vault) == outputs.Written()
    assert bytes_of(vault) == ORIGINAL


def test_backups_are_for_their_owner_alone(vault: Path, data: Path) -> None:
    outputs.write_in_place(finish(vault), "below")
    assert stat.S_IMODE((data / "journal").stat().st_mode) == 0o700
    kept = [path for path in (data / "journal" / "backups").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_run_without_answers_leaves_no_backup(vault: Path, data: Path) -> None:
    assert outputs.write_in_place(finish(vault, Choices(kinds=("guilt",))), "below").files == ()
    with pytest.raises(JournalError, match="no backup"):
        outputs.undo(vault)
