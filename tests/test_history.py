"""What is kept is kept: locked, whole, and told apart from what somebody changed."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reframer import history as room
from reframer.errors import HistoryError, HistoryLocked, HistoryMissing
from reframer.history import Entry, History, Lock
from reframer.records import Reframe, Source, Technique

PASSPHRASE = "three quiet words"
FIRST = Entry("I ruin everything.", "You ruined one cake.", ("label",), "Not yet", "model")
SECOND = Entry("ich bin dumm 🙈\n\nreally", "Nobody is.", at="2026-11-25T22:00+00:00")


@pytest.fixture(autouse=True)
def _quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spend little on passphrases; one test keeps the real costs."""
    monkeypatch.setattr(room, "_MEMORY", 32)
    monkeypatch.setattr(room, "_PASSES", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history" / "entries"


@pytest.fixture
def history(path: Path) -> History:
    history = History.create(path, PASSPHRASE)
    history.add(FIRST)
    history.add(SECOND)
    return history


@contextmanager
def full_disk(left: int, path: Path) -> Iterator[None]:
    """Let files grow by so many bytes only, while the body runs."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# Keeping


def test_what_was_added_is_there_after_unlocking(path: Path, history: History) -> None:
    again = History.unlock(path, PASSPHRASE)
    assert again.records() == (FIRST, SECOND)
    assert again.problem == ""


def test_real_passphrases_cost_what_the_standard_asks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert (room._PASSES, room._LANES, room._MEMORY) == (3, 4, 65536)
    History.create(path, PASSPHRASE).add(FIRST)
    assert History.unlock(path, PASSPHRASE).records() == (FIRST,)


def test_an_answer_is_kept_with_what_stood_beside_it() -> None:
    source = Source("Dweck, C. S.", 2006, "Mindset", "Random House")
    technique = Technique(
        "not-yet", "Not yet", "", "", (), "", source, "", "2026-11-24", about="", step=""
    )
    entry = Entry.of(
        Reframe("I can't.", "Not yet.", "model", kinds=("label",), techniques=(technique,))
    )
    assert (entry.thought, entry.words, entry.kinds) == ("I can't.", "Not yet.", ("label",))
    assert (entry.technique, entry.origin) == ("Not yet", "model")
    assert entry.at[:2] == "20"


def test_nothing_can_be_read_from_the_file(path: Path, history: History) -> None:
    data = path.read_bytes()
    for word in (b"ruin", b"cake", b"Not yet", b"label", b"2026", PASSPHRASE.encode()):
        assert word not in data


def test_only_the_owner_may_read_it(path: Path, history: History) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    history.delete(FIRST.id)
    assert path.stat().st_mode & 0o777 == 0o600


@hypothesis_settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text(st.characters()), max_size=4))
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    history = History.create(tmp_path_factory.mktemp("any") / "entries", PASSPHRASE)
    entries = tuple(Entry(text, text[::-1], (text,)) for text in texts)
    for entry in entries:
        history.add(entry)
    assert history.records() == entries
    assert history.problem == ""


def test_a_search_finds_whatever_the_case(history: History) -> None:
    assert history.search("RUIN") == (FIRST,)
    assert history.search("not YET") == (FIRST,)
    assert history.search("nobody") == (SECOND,)
    assert history.search("elephant") == ()


def test_a_deleted_entry_is_gone_and_the_rest_stays(history: History) -> None:
    assert history.delete(FIRST.id)
    assert not history.delete(FIRST.id)
    assert history.records() == (SECOND,)
    history.add(FIRST)
    assert history.records() == (SECOND, FIRST)
    assert history.problem == ""


# The passphrase


def test_a_wrong_passphrase_opens_nothing(path: Path, history: History) -> None:
    with pytest.raises(HistoryLocked, match="passphrase is wrong"):
        History.unlock(path, PASSPHRASE + " ")


def test_the_same_letters_typed_otherwise_are_the_same_passphrase(path: Path) -> None:
    History.create(path, "caf\u00e9").add(FIRST)
    assert History.unlock(path, "cafe\u0301").records() == (FIRST,)


def test_a_new_passphrase_replaces_the_old_one(path: Path, history: History) -> None:
    history.change_passphrase("another one")
    assert History.unlock(path, "another one").records() == (FIRST, SECOND)
    with pytest.raises(HistoryLocked):
        History.unlock(path, PASSPHRASE)


def test_after_a_purge_nothing_can_be_read_again(path: Path, history: History) -> None:
    linked = path.with_name("linked")
    linked.hardlink_to(path)  # like a copy that shares the disk's blocks
    History.purge(path)
    assert not path.exists()
    with pytest.raises(HistoryError, match="damaged at its beginning"):
        History.unlock(linked, PASSPHRASE)
    with pytest.raises(HistoryMissing):
        history.records()
    with pytest.raises(HistoryMissing):
        History.purge(path)


def test_a_history_is_never_begun_over_another(path: Path, history: History) -> None:
    with pytest.raises(HistoryError, match="already"):
        History.create(path, "another one")
    assert history.records() == (FIRST, SECOND)


# Damage


def test_no_change_of_any_byte_goes_unnoticed(path: Path, history: History) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        try:
            opened = History.unlock(path, PASSPHRASE)
        except HistoryError:
            assert place < room._HEAD
            continue
        assert opened.problem, place
        assert set(opened.records()) < {FIRST, SECOND} or opened.records() == (FIRST, SECOND)


def test_no_cut_goes_unnoticed_and_what_is_before_it_stays(path: Path, history: History) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if length < room._HEAD:
            with pytest.raises(HistoryError):
                History.unlock(path, PASSPHRASE)
            continue
        assert "missing" in history.problem
        assert history.records() == (FIRST, SECOND)[: len(history.records())]


@pytest.mark.parametrize("order", ["213", "23", "13", "1123", "3", "31"])
def test_blocks_that_were_moved_taken_or_doubled_bring_nothing_new(
    path: Path, history: History, order: str
) -> None:
    data = path.read_bytes()
    marker = data[len(room._MAGIC) + room._SALT :][: room._MARKER]
    blocks = data[room._HEAD :].split(marker)  # the first is empty
    path.write_bytes(data[: room._HEAD] + b"".join(marker + blocks[int(n)] for n in order))
    assert set(history.records()) <= {FIRST, SECOND}
    assert len(set(history.records())) == len(history.records())
    missing = {"1", "2"} - set(order) or not order.endswith("3")
    assert bool(history.problem) == bool(missing)


def test_damage_in_the_middle_leaves_the_others(path: Path, history: History) -> None:
    data = bytearray(path.read_bytes())
    data[room._HEAD + room._MARKER + room._NUMBER + room._NONCE] ^= 1  # in the first entry
    path.write_bytes(data)
    assert history.records() == (SECOND,)
    assert "1 of 2 entries" in history.problem
    third = Entry("a", "b")
    history.add(third)
    assert history.records() == (SECOND, third)
    assert "2 of 3 entries" in history.problem


def test_a_torn_last_entry_is_told_of_for_good_and_the_next_one_kept(
    path: Path, history: History
) -> None:
    before = path.read_bytes()
    history.add(Entry("torn", "torn"))
    path.write_bytes(path.read_bytes()[: len(before) + 5])
    assert history.records() == (FIRST, SECOND)
    assert "end of the history file is missing" in history.problem
    third = Entry("a", "b")
    history.add(third)
    assert history.records() == (FIRST, SECOND, third)
    assert "3 of 4 entries" in history.problem
    history.change_passphrase("another one")
    assert "3 of 4 entries" in history.problem


def test_a_deletion_hides_no_damage(path: Path, history: History) -> None:
    third = Entry("a", "b")
    history.add(third)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[room._HEAD + room._MARKER + room._NUMBER + room._NONCE] ^= 1  # in the first entry
    path.write_bytes(damaged)
    history.delete(SECOND.id)
    assert history.records() == (third,)
    assert "1 of 2 entries" in history.problem
    path.write_bytes(whole[:-1])  # the end is torn
    history.delete(SECOND.id)
    assert history.records() == (FIRST, third)
    assert "2 of 3 entries" in history.problem


def test_something_else_in_its_place_is_no_history(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"a diary of mine" * 20)
    with pytest.raises(HistoryError, match="damaged at its beginning"):
        History.unlock(path, PASSPHRASE)
    assert path.read_bytes() == b"a diary of mine" * 20


# A full disk, two processes


@pytest.mark.parametrize("left", [0, 1, 40, 200])
def test_on_a_full_disk_nothing_is_lost(path: Path, history: History, left: int) -> None:
    before = path.read_bytes()
    with full_disk(left, path), pytest.raises(HistoryError, match="as it was"):
        history.add(Entry("long" * 500, "words"))
    assert path.read_bytes() == before
    history.add(Entry("a", "b"))
    assert len(history.records()) == 3


def test_on_a_full_disk_a_new_passphrase_or_deletion_changes_nothing(
    path: Path, history: History
) -> None:
    history.add(Entry("long" * 500, "words"))
    with full_disk(-1000, path):
        with pytest.raises(HistoryError, match="as it was"):
            history.change_passphrase("another one")
        with pytest.raises(HistoryError, match="as it was"):
            history.delete(FIRST.id)
    assert History.unlock(path, PASSPHRASE).records()[:2] == (FIRST, SECOND)
    assert [file.name for file in path.parent.iterdir() if file.name != ".lock"] == ["entries"]


_WRITER = """
import sys
from pathlib import Path
from reframer import history
history._MEMORY, history._PASSES = 32, 1
mine = history.History.unlock(Path(sys.argv[1]), sys.argv[2])
for number in range(20):
    mine.add(history.Entry(f"{sys.argv[3]} {number}", ""))
"""


def test_two_processes_lose_nothing_of_each_other(path: Path, history: History) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), PASSPHRASE, name])
        for name in ("one", "two")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    thoughts = [entry.thought for entry in history.records()[2:]]
    for name in ("one", "two"):
        expected = [f"{name} {number}" for number in range(20)]
        assert [thought for thought in thoughts if thought.startswith(name)] == expected
    assert history.problem == ""


def test_a_history_that_was_made_anew_is_not_mixed_with_the_old_one(
    path: Path, history: History
) -> None:
    History.purge(path)
    History.create(path, PASSPHRASE)
    with pytest.raises(HistoryError, match="made anew"):
        history.add(FIRST)


# Locking other files


def test_a_lock_for_other_files_outlives_the_process_and_the_passphrase(
    history: History, path: Path
) -> None:
    sealed = history.lock_for("journal").seal(b"words", b"label")
    history.change_passphrase("other words")
    again = History.unlock(path, "other words")
    assert again.lock_for("journal").open(sealed, b"label") == b"words"


def test_a_lock_opens_nothing_that_was_changed_or_locked_otherwise(history: History) -> None:
    lock = history.lock_for("journal")
    sealed = lock.seal(b"words", b"label")
    assert b"words" not in sealed
    assert lock.open(sealed, b"other label") is None
    assert lock.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"label") is None
    assert lock.open(sealed[:5], b"label") is None
    assert history.lock_for("something else").open(sealed, b"label") is None
    assert Lock(b"x" * 32).open(sealed, b"label") is None
