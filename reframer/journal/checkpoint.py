"""What a run over a journal keeps until its end, so that it can be cut off at any moment.

A file of JSON lines in the user's data folder, named by a hash of where the journal lies. A line is
forced to disk before the run goes on, so a power cut loses at most the answer under way. A line
holds what was heard in an entry, or a friend's words, under a hash; never what was written itself.
The words speak of it all the same, so the file is its owner's alone and goes at the end of the run;
where the person keeps a history, each line is locked with its key.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
from collections.abc import ItemsView, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reframer import paths
from reframer.errors import JournalError
from reframer.history import Lock

Line = Mapping[str, Any]


class Checkpoint:
    """Records by key that outlive the process. One at a time per journal; see `opened`.

    Args:
        path: Its file; a torn last line of an earlier run is cut off, other damage is skipped.
        lock: Locks each line; what an earlier run left open is locked at once. None to leave the
            lines open; those that are locked are skipped then.

    Attributes:
        fresh: Whether there was nothing in it yet.

    Raises:
        JournalError: The file cannot be read or made.
    """

    def __init__(self, path: Path, lock: Lock | None = None) -> None:
        self._path = path
        self._lock = lock
        self._lines: dict[str, Line] = {}
        with _told(path):
            self._handle = self._opened()
            with open(self._handle, "rb", closefd=False) as file:
                kept = file.read()
            whole = kept[: kept.rfind(b"\n") + 1]
            os.ftruncate(self._handle, len(whole))
            lines = whole.splitlines()
            for line in lines:
                self._lines.update(self._read(line))
            if lock and any(line.startswith(b"{") for line in lines):
                self._lock_all()
        self.fresh = not whole

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def __getitem__(self, key: str) -> Line:
        return self._lines[key]

    def get(self, key: str) -> Line | None:
        """Return the record of a key, if there is one."""
        return self._lines.get(key)

    def put(self, records: Mapping[str, Line]) -> None:
        """Keep records by their keys; when this returns, they are on disk, all or none.

        Raises:
            JournalError: They cannot be written, for example because the disk is full.
        """
        with _told(self._path):
            _write(self._handle, self._written(records))
        self._lines.update(records)

    def items(self) -> ItemsView[str, Line]:
        """Return all keys with their records, in the order in which they came."""
        return self._lines.items()

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def _written(self, records: Mapping[str, Line]) -> bytes:
        """Return the line of some records, locked where there is a lock."""
        line = json.dumps(records).encode()
        if self._lock:
            line = base64.b64encode(self._lock.seal(line, self._label))
        return line + b"\n"

    def _read(self, line: bytes) -> Mapping[str, Line]:
        """Return the records of a line; none where it is damaged or cannot be unlocked."""
        try:
            if self._lock and not line.startswith(b"{"):
                line = self._lock.open(base64.b64decode(line, validate=True), self._label) or b""
            record = json.loads(line)
        except ValueError:
            return {}
        return record if isinstance(record, dict) else {}

    def _lock_all(self) -> None:
        """Put a file of locked lines in the place of one that an earlier run left open."""
        with paths.atomic_write(self._path) as file:
            file.write(self._written(self._lines))
        os.close(self._handle)
        self._handle = self._opened()

    @property
    def _label(self) -> bytes:
        """What a line belongs to, so that it counts in no other journal's file."""
        return self._path.name.encode()


class Unkept(Checkpoint):
    """Records in memory alone: nothing is written anywhere."""

    def __init__(self) -> None:
        self.fresh = True
        self._lines = {}

    def put(self, records: Mapping[str, Line]) -> None:
        """Hold records by their keys."""
        self._lines.update(records)


@contextmanager
def opened(journal: Path, lock: Lock | None = None) -> Iterator[Checkpoint]:
    """Open the checkpoint of a journal, for this run alone, while the body runs.

    Args:
        journal: Where the journal lies.
        lock: Locks what is kept; None to keep it open.

    Raises:
        JournalError: Another run is at work on the journal, or the file cannot be kept.
    """
    with alone(journal):
        checkpoint = Checkpoint(folder() / f"{name_of(journal)}.jsonl", lock)
        try:
            yield checkpoint
        finally:
            checkpoint.close()


@contextmanager
def alone(journal: Path) -> Iterator[None]:
    """Let only one process at a time work on a journal.

    Raises:
        JournalError: Another one is at work on it.
    """
    lock = FileLock(folder() / f"{name_of(journal)}.lock", timeout=0)
    with _told(Path(lock.lock_file)):
        paths.private_dir(folder())
        try:
            lock.acquire()
        except Timeout:
            raise JournalError(
                f"Another run is at work on {journal}.", "Wait until it ends, then try again."
            ) from None
    try:
        yield
    finally:
        lock.release()


def hash_of(*parts: object) -> str:
    """Return the hash of plain values, for a key."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def folder() -> Path:
    """Return the folder of what is kept of journals: checkpoints and backups."""
    return paths.data_dir() / "journal"


def name_of(journal: Path) -> str:
    """Return a name for a journal that tells nothing of it."""
    return hashlib.sha256(str(journal.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of an error of the disk what it means for the run."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise JournalError(
                f"The disk of {path.parent} is full. What was answered is kept.",
                "Make room, then give the same command; it goes on from there.",
            ) from error
        raise JournalError(
            f"Answers cannot be kept in {path.parent} ({error.strerror}).",
            "Make the folder writable, or set XDG_DATA_HOME to another one.",
        ) from error


def _write(handle: int, data: bytes) -> None:
    """Write all bytes and force them to disk."""
    while data:
        data = data[os.write(handle, data) :]
    os.fsync(handle)
