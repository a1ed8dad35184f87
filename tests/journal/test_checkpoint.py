"""The checkpoint: whatever ends a run, at most one answer is lost and the end is the same."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import pytest

from reframer import engine, paths, settings
from reframer.engine import Reframer, Rooms
from reframer.errors import JournalError, ModelMissing
from reframer.history import Lock
from reframer.journal import checkpoint, outputs
from reframer.journal.checkpoint import Checkpoint
from reframer.journal.choices import Choices
from reframer.journal.formats import REPORT_FILES
from reframer.journal.run import Answered, Finished, reframe_journal
from reframer.records import Wishes
from tests.journal.friend import SAYINGS, Ear, PlainModel, Watch, friend

LOCK = Lock(b"k" * 32)


def run(journal: Path, model: PlainModel, choices: Choices | None = None) -> Finished:
    *_, end = reframe_journal(friend(model), journal, choices)
    assert isinstance(end, Finished)
    return end


def cut_off(journal: Path, after: int, choices: Choices | None = None) -> None:
    """Run until so many answers were made, and no further."""
    events = reframe_journal(friend(), journal, choices)
    for event in events:
        if isinstance(event, Answered) and event.done == after:
            break
    events.close()  # type: ignore[attr-defined]


def file_of(journal: Path) -> Path:
    return checkpoint.folder() / f"{checkpoint.name_of(journal)}.jsonl"


# Going on


def test_a_second_run_makes_only_the_answers_that_lack(vault: Path) -> None:
    undisturbed = run(vault, PlainModel()).result
    cut_off(vault, after=3)
    model = PlainModel()
    assert run(vault, model).result == undisturbed
    assert len(set(model.history)) == 2


def test_a_second_run_does_not_hear_the_journal_again(vault: Path) -> None:
    cut_off(vault, after=1)
    ear = Ear()
    list(reframe_journal(friend(ear=ear), vault))
    assert ear.history == []


@pytest.mark.parametrize("torn", [b'{"abc": {"words": "You ', b"\0\0\0", b"no json\n", b"\xff\n"])
def test_a_line_that_was_torn_by_a_power_cut_is_dropped(vault: Path, torn: bytes) -> None:
    undisturbed = run(vault, PlainModel()).result
    cut_off(vault, after=3)
    with file_of(vault).open("ab") as file:
        file.write(torn)
    assert run(vault, PlainModel()).result == undisturbed


def test_an_answer_whose_line_was_torn_is_made_again(vault: Path) -> None:
    undisturbed = run(vault, PlainModel()).result
    cut_off(vault, after=3)
    os.truncate(file_of(vault), file_of(vault).stat().st_size - 7)
    model = PlainModel()
    assert run(vault, model).result == undisturbed
    assert len(set(model.history)) == 3


def test_other_wishes_get_other_answers(vault: Path) -> None:
    run(vault, PlainModel(), Choices(keep=True))
    model = PlainModel()
    run(vault, model, Choices(wishes=Wishes(tone="plain")))
    assert len(set(model.history)) == 5


def test_a_sentence_that_was_answered_stays_so_when_the_journal_grows(vault: Path) -> None:
    run(vault, PlainModel(), Choices(keep=True))
    (vault / "2024-04-04.md").write_text("An idiot in April.")
    model = PlainModel()
    assert len(run(vault, model).result.replies) == 6
    assert len(set(model.history)) == 1


Tell = Callable[[Path, Path, Path, Connection], None]


def test_a_run_killed_at_any_moment_ends_like_one_that_was_not(tmp_path: Path, data: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    for day in range(1, 25):
        text = f"Day {day}. I'm such an idiot. What an idiot on day {day}.\n"
        (journal / f"2024-01-{day:02}.md").write_text(text)

    undisturbed, resumed = tmp_path / "undisturbed", tmp_path / "resumed"
    steps = in_own_process(tell, journal, undisturbed, data)
    dice = random.Random(7)
    for kill_after in sorted(dice.sample(range(1, len(steps)), 20)):
        in_own_process(tell, journal, resumed, data, kill_after)
    assert in_own_process(tell, journal, resumed, data) == steps
    assert_same(undisturbed, resumed)
    assert not file_of(journal).exists()


@pytest.mark.model
def test_a_run_with_the_real_model_ends_the_same_after_it_was_killed(
    tmp_path: Path, data: Path
) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    for day, text in enumerate(
        (
            "Missed the bus and came late to Anna's party. I'm such an idiot.",
            "Tom's plant is dead because of me. I ruin everything I touch.",
        ),
        start=1,
    ):
        (journal / f"2024-01-{day:02}.md").write_text(f"{text}\n")

    undisturbed, resumed = tmp_path / "undisturbed", tmp_path / "resumed"
    steps = in_own_process(tell_for_real, journal, undisturbed, data)
    assert steps.count("Answered") >= 2
    assert '"origin": "model"' in (undisturbed / "reframes.jsonl").read_text()
    dice = random.Random(7)
    for kill_after in (1, 2, 2):
        wait = dice.uniform(0, 2)  # into the answer that is under way
        in_own_process(tell_for_real, journal, resumed, data, kill_after, wait)
    assert in_own_process(tell_for_real, journal, resumed, data) == steps
    assert_same(undisturbed, resumed)


def assert_same(one: Path, other: Path) -> None:
    for name in REPORT_FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes()


def in_own_process(
    tell: Tell, journal: Path, out: Path, data: Path, steps: int | None = None, wait: float = 0.0
) -> list[str]:
    """Run in a process of its own, kill it after some steps, and return what it told."""
    ours, its = Pipe()
    # A process that computes starts afresh; the libraries' threads would not survive a fork.
    way = get_context("spawn" if tell is tell_for_real else "fork")
    process = way.Process(target=tell, args=(journal, out, data, its))  # type: ignore[attr-defined]
    process.start()
    its.close()
    told: list[str] = []
    while len(told) != steps:
        try:
            told.append(ours.recv())
        except EOFError:
            break
    if steps:
        time.sleep(wait)
        process.kill()
    process.join(60)
    assert process.exitcode == (-signal.SIGKILL if steps else 0)
    return told


def tell(journal: Path, out: Path, data: Path, connection: Connection) -> None:
    """Run, and send the name of every event."""
    tell_of(friend(PlainModel(seconds=0.01)), journal, out, connection)


def tell_for_real(journal: Path, out: Path, data: Path, connection: Connection) -> None:
    """Run with the model that users get, and send the name of every event.

    One draft at a time: in company, near-ties between words may fall otherwise (docs/log.md).
    """
    reframer = Reframer.open(settings.load())
    vars(reframer)["_drafters"] = ThreadPoolExecutor(1)
    with (
        patch.object(engine, "_THOUGHTS_AT_ONCE", 1),
        patch.object(paths, "data_dir", lambda: data),
    ):
        tell_of(reframer, journal, out, connection)


def tell_of(reframer: Reframer, journal: Path, out: Path, connection: Connection) -> None:
    for event in reframe_journal(reframer, journal):
        connection.send(type(event).__name__)
        if isinstance(event, Finished):
            outputs.write_report(event.result, out)
    connection.close()


def test_nothing_is_read_for_danger_without_the_embedder(vault: Path) -> None:
    def missing() -> Rooms:
        raise ModelMissing("The embedder is not here.", "Run: reframer models pull")

    with pytest.raises(ModelMissing):
        list(reframe_journal(Reframer(Watch(), missing), vault))  # type: ignore[arg-type]
    assert file_of(vault).read_bytes() == b""


# What is kept, and for whom


def test_the_checkpoint_is_its_owners_alone_and_holds_no_sentence(vault: Path) -> None:
    cut_off(vault, after=3)
    file = file_of(vault)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "idiot" not in file.read_text()
    assert "vault" not in file.name


def test_where_there_is_a_lock_nothing_can_be_read_and_a_run_goes_on_all_the_same(
    vault: Path,
) -> None:
    undisturbed = run(vault, PlainModel()).result
    cut_off(vault, after=3, choices=Choices(lock=LOCK))
    kept = file_of(vault).read_bytes()
    assert not any(word.encode() in kept for word in ("words", "level", "notices", *SAYINGS))
    model = PlainModel()
    assert run(vault, model, Choices(lock=LOCK)).result == undisturbed
    assert len(set(model.history)) == 2
    assert not file_of(vault).exists()


def test_what_a_run_left_open_is_locked_as_soon_as_there_is_a_lock(vault: Path) -> None:
    cut_off(vault, after=3)
    events = reframe_journal(friend(), vault, Choices(lock=LOCK))
    next(events)
    assert not any(line.startswith(b"{") for line in file_of(vault).read_bytes().splitlines())
    assert stat.S_IMODE(file_of(vault).stat().st_mode) == 0o600
    events.close()  # type: ignore[attr-defined]
    model = PlainModel()
    run(vault, model, Choices(lock=LOCK))
    assert len(set(model.history)) == 2


@pytest.mark.parametrize("lock", [None, Lock(b"x" * 32)], ids=["none", "another"])
def test_without_its_lock_the_run_begins_anew(vault: Path, lock: Lock | None) -> None:
    undisturbed = run(vault, PlainModel()).result
    cut_off(vault, after=3, choices=Choices(lock=LOCK))
    model = PlainModel()
    assert run(vault, model, Choices(lock=lock)).result == undisturbed
    assert len(set(model.history)) == 5


def test_locked_lines_count_in_their_own_file_only(tmp_path: Path) -> None:
    first = Checkpoint(tmp_path / "first", LOCK)
    first.put({"key": {"words": "You did."}})
    first.close()
    assert not Checkpoint(tmp_path / "first").fresh  # it cannot be read, and is not nothing
    (tmp_path / "first").rename(tmp_path / "second")
    assert Checkpoint(tmp_path / "second", LOCK).get("key") is None


def test_the_checkpoint_is_removed_at_the_end_unless_it_is_to_be_kept(vault: Path) -> None:
    run(vault, PlainModel(), Choices(keep=True))
    assert file_of(vault).exists()
    run(vault, PlainModel())
    assert not file_of(vault).exists()


def test_answers_are_kept_until_they_are_written_out(
    vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outputs, "report_html", full)
    with pytest.raises(JournalError, match="No space left"):
        for event in reframe_journal(friend(), vault):
            if isinstance(event, Finished):
                outputs.write_report(event.result, tmp_path / "out")
    assert file_of(vault).exists()


# When it cannot be kept


def test_a_full_disk_stops_the_run_and_what_was_answered_is_kept(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run(vault, PlainModel()).result
    write = os.write
    room = 2500

    def narrow(handle: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = write(handle, data[:room])
        room -= count
        return count

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", narrow)
        with pytest.raises(JournalError, match="full"):
            run(vault, PlainModel())
    model = PlainModel()
    assert run(vault, model).result == undisturbed
    assert 0 < len(set(model.history)) < 5


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is open to root")
def test_a_data_folder_that_cannot_be_written_is_named(vault: Path, data: Path) -> None:
    data.mkdir()
    data.chmod(0o500)
    with pytest.raises(JournalError, match="XDG_DATA_HOME"):
        run(vault, PlainModel())


def test_a_data_folder_that_is_a_file_is_named(vault: Path, data: Path) -> None:
    data.write_text("")
    with pytest.raises(JournalError, match="XDG_DATA_HOME"):
        run(vault, PlainModel())


def test_a_key_is_found_again_whatever_stands_in_its_record(tmp_path: Path) -> None:
    record = {"words": "You said “no”.\nTwice \udc80 🌱"}
    first = Checkpoint(tmp_path / "lines")
    first.put({"key": record})
    first.close()
    assert Checkpoint(tmp_path / "lines").get("key") == record
