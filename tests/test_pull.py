"""A pull ends with the catalogue's file or with a reason, and never loses what it has fetched."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from reframer import catalog, paths, pull, seal
from reframer.catalog import Model, ModelFile, UrlSource, WheelSource
from reframer.errors import ModelDamaged, PullError

CONTENT = bytes(range(256)) * 4000  # about a megabyte
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WHEELS = WheelSource("toy-part{n}", "1.0", 3, "toy_part{n}/data/part{n:02d}.bin")
PIECES = (CONTENT[:400_000], CONTENT[400_000:800_000], CONTENT[800_000:])


class Publisher(ThreadingHTTPServer):
    """Serves one file on this machine, as well or as badly as a test wants.

    Attributes:
        content: The file.
        cuts: Number of bytes after which the next connections break, first in, first out.
        ranges: Whether a part may be asked for.
        history: The ``Range`` header of each request, in order.
        paths: What was asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.cuts: list[int] = []
        self.ranges = True
        self.history: list[str | None] = []
        self.paths: list[str] = []

    @property
    def source(self) -> UrlSource:
        return UrlSource(f"http://127.0.0.1:{self.server_address[1]}/toy.gguf")


class _Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.history.append(wanted)
        self.server.paths.append(self.path)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if not self.server.ranges:
            start = 0
        body = self.server.content[start:]
        if start and not body:
            self.send_response(416)
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, *_: object) -> None:
        pass


class Index:
    """Stands in for pip: puts wheels where they are asked for.

    Attributes:
        pieces: What the wheels hold, by number from 1; a text is pip's complaint instead.
        history: The requirements asked for, in order.
    """

    def __init__(self) -> None:
        self.pieces: dict[int, bytes | str | BaseException] = dict(enumerate(PIECES, 1))
        self.history: list[str] = []

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        requirement, folder = command[-1], Path(command[-2])
        self.history.append(requirement)
        number = int(requirement.removeprefix("toy-part").removesuffix("==1.0"))
        piece = self.pieces[number]
        if isinstance(piece, BaseException):
            raise piece
        if isinstance(piece, str):
            return subprocess.CompletedProcess(command, 1, "", piece)
        wheel = folder / f"toy_part{number}-1.0-py3-none-any.whl"
        if piece == b"":
            wheel.write_bytes(b"no archive")
        else:
            with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"toy_part{number}/data/part{number:02d}.bin", piece)
        return subprocess.CompletedProcess(command, 0, "", "")


class Recorder:
    """Keeps how a pull went."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun: list[int] = []
        self.advanced = 0

    def begin(self, file: ModelFile, have: int) -> None:
        self.begun.append(have)

    def advance(self, count: int) -> None:
        self.advanced += count

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True)
class World:
    """What a test pulls with."""

    folder: Path
    publisher: Publisher
    index: Index
    watcher: Recorder

    @property
    def target(self) -> Path:
        return self.folder / "toy.gguf"

    @property
    def part(self) -> Path:
        return self.folder / "toy.gguf.part"

    def pull(self, *sources: UrlSource | WheelSource) -> bool:
        return pull.pull(toy(*sources), self.folder, self.watcher)

    def assert_whole_and_tidy(self) -> None:
        assert self.target.read_bytes() == CONTENT
        left = {path.name for path in self.folder.iterdir()} - {".pull.lock"}
        assert left == {"toy.gguf", "toy.gguf.verified"}


def toy(*sources: UrlSource | WheelSource) -> Model:
    file = ModelFile("toy.gguf", len(CONTENT), SHA256, sources)
    return Model("toy", "A toy", "chat", "Apache-2.0", 1, {}, (file,))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    index = Index()
    monkeypatch.setattr(subprocess, "run", index.run)
    publisher = Publisher()
    threading.Thread(target=publisher.serve_forever, args=(0.01,), daemon=True).start()
    yield World(tmp_path / "models", publisher, index, Recorder())
    publisher.shutdown()
    publisher.server_close()


def test_a_file_comes_whole_and_only_its_owner_can_read_it(world: World) -> None:
    assert world.pull(world.publisher.source)
    world.assert_whole_and_tidy()
    assert world.target.stat().st_mode & 0o777 == 0o600
    assert world.folder.stat().st_mode & 0o777 == 0o700
    assert (world.watcher.begun, world.watcher.advanced) == ([0], len(CONTENT))
    assert world.watcher.notes == []


def test_what_is_here_already_is_not_fetched_again(world: World) -> None:
    world.pull(world.publisher.source)
    assert not world.pull(world.publisher.source)
    assert len(world.publisher.history) == 1


def test_a_fetched_file_needs_no_second_hashing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "hash_file", lambda *_: pytest.fail("hashed again"))
    world.pull(world.publisher.source)
    catalog.locate(toy(), world.folder)


def test_a_file_of_the_right_name_with_other_bytes_is_refused(world: World) -> None:
    world.folder.mkdir()
    world.target.write_bytes(b"something else")
    with pytest.raises(ModelDamaged, match="reframer models rm toy"):
        world.pull(world.publisher.source)


def test_a_file_with_other_bytes_is_refused_beside_one_that_had_to_be_fetched(
    world: World,
) -> None:
    (fetched,) = toy(world.publisher.source).files
    model = replace(toy(), files=(replace(fetched, name="first.gguf"), fetched))
    world.folder.mkdir()
    (world.folder / "first.gguf").write_bytes(b"something else")
    with pytest.raises(ModelDamaged, match=r"first\.gguf is not the model"):
        pull.pull(model, world.folder, world.watcher)
    assert world.target.read_bytes() == CONTENT


def test_a_cut_connection_goes_on_at_its_last_byte(world: World) -> None:
    world.publisher.cuts = [300_000, 100_000]
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()
    assert world.publisher.history == [None, "bytes=300000-", "bytes=400000-"]
    assert all("going on" in note for note in world.watcher.notes)


def test_the_next_pull_goes_on_where_the_last_one_stopped(world: World) -> None:
    world.folder.mkdir()
    world.part.write_bytes(CONTENT[:123_456])
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()
    assert world.publisher.history == ["bytes=123456-"]
    assert world.watcher.begun == [123_456]
    assert world.watcher.advanced == len(CONTENT) - 123_456


def test_a_part_that_is_complete_needs_no_bytes(world: World) -> None:
    world.folder.mkdir()
    world.part.write_bytes(CONTENT)
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()


def test_a_publisher_that_gives_no_parts_gives_the_whole(world: World) -> None:
    world.folder.mkdir()
    world.part.write_bytes(CONTENT[:1000])
    world.publisher.ranges = False
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()


def test_a_part_of_another_file_is_dropped_and_fetched_anew(world: World) -> None:
    world.folder.mkdir()
    world.part.write_bytes(b"<html>Please log in</html>")
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()
    assert world.publisher.history[-1] is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[::-1], "another SHA-256"),
        (CONTENT[:-10], "ended after"),
        (CONTENT + b"more", "more than the file has"),
    ],
)
def test_a_wrong_file_is_never_given_its_name(world: World, content: bytes, reason: str) -> None:
    world.publisher.content = content
    with pytest.raises(PullError, match=reason):
        world.pull(world.publisher.source)
    assert not world.target.exists()


def test_the_next_source_is_tried_and_the_failure_told(world: World) -> None:
    world.publisher.content = CONTENT[::-1]
    world.pull(world.publisher.source, WHEELS)
    world.assert_whole_and_tidy()
    (note,) = world.watcher.notes
    assert "127.0.0.1: gave a file with another SHA-256" in note
    assert "trying the Python package index" in note


def test_when_no_source_helps_every_reason_is_given(world: World) -> None:
    world.index.pieces[1] = "WARNING: slow\nERROR: No matching distribution\n"
    gone = UrlSource("http://127.0.0.1:9/toy.gguf")
    with pytest.raises(PullError) as caught:
        world.pull(gone, WHEELS)
    assert "127.0.0.1: " in caught.value.message
    assert "ERROR: No matching distribution" in caught.value.message
    assert "run the same command again" in caught.value.hint
    assert len(world.watcher.notes) == 1


def test_wheels_are_joined_in_order(world: World) -> None:
    world.pull(WHEELS)
    world.assert_whole_and_tidy()
    assert world.index.history == ["toy-part1==1.0", "toy-part2==1.0", "toy-part3==1.0"]


def test_a_stopped_pull_goes_on_at_the_next_wheel(world: World) -> None:
    world.index.pieces[3] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.pull(WHEELS)
    assert world.part.stat().st_size == 800_000
    assert list(world.folder.glob(".wheel.*")) == []
    world.index.pieces[3] = PIECES[2]
    world.index.history.clear()
    world.pull(WHEELS)
    world.assert_whole_and_tidy()
    assert world.index.history == ["toy-part3==1.0"]
    assert world.watcher.begun[-1] == 800_000


def test_half_a_wheel_is_cut_off_before_the_next(world: World) -> None:
    world.index.pieces[2] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.pull(WHEELS)
    with world.part.open("ab") as part:
        part.write(PIECES[1][:1000])
    world.index.pieces[2] = PIECES[1]
    world.pull(WHEELS)
    world.assert_whole_and_tidy()


def test_a_part_of_other_wheels_is_not_gone_on_with(world: World) -> None:
    world.folder.mkdir()
    world.part.write_bytes(b"x" * 400_000)
    note = {"package": "toy-part{n}", "version": "0.9", "parts": 1, "bytes": 400_000}
    world.part.with_name("toy.gguf.part.json").write_text(json.dumps(note))
    world.pull(WHEELS)
    world.assert_whole_and_tidy()


def test_a_url_goes_on_where_wheels_stopped(world: World) -> None:
    world.index.pieces[2] = "ERROR: offline"
    with pytest.raises(PullError):
        world.pull(WHEELS)
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()
    assert world.publisher.history == ["bytes=400000-"]


def test_a_damaged_wheel_is_named(world: World) -> None:
    world.index.pieces[2] = b""
    with pytest.raises(PullError, match=r"toy_part2-1\.0-py3-none-any\.whl is damaged"):
        world.pull(WHEELS)


def test_a_wheel_without_the_data_is_named(world: World) -> None:
    source = WheelSource(WHEELS.package, WHEELS.version, 3, "elsewhere.bin")
    with pytest.raises(PullError, match=r"is damaged .*elsewhere\.bin"):
        world.pull(source)


def test_pip_without_a_reason_is_reported_too(world: World) -> None:
    world.index.pieces[1] = "No module named pip"
    with pytest.raises(PullError, match="No module named pip"):
        world.pull(WHEELS)


def test_leftovers_of_a_killed_pull_are_swept(world: World) -> None:
    (world.folder / ".wheel.old").mkdir(parents=True)
    (world.folder / ".wheel.old" / "big.whl").write_bytes(b"x")
    world.pull(WHEELS)
    world.assert_whole_and_tidy()


def test_too_little_disk_is_said_before_anything_is_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(PullError, match=r"needs 0\.3 GB on .* 0\.0 GB are free"):
        world.pull(world.publisher.source)
    assert world.publisher.history == []


def test_a_disk_that_fills_up_stops_the_pull_and_keeps_the_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pull._Part.append

    def append(part: pull._Part, chunk: bytes) -> None:
        if part.size > 200_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(part, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(pull._Part, "append", append)
        with pytest.raises(PullError, match=r"disk is full\. .*goes on where it stopped"):
            world.pull(world.publisher.source, WHEELS)
    assert world.index.history == []
    assert world.part.stat().st_size > 200_000
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()


def test_a_folder_that_cannot_be_written_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(paths, "private_dir", refuse)
    with pytest.raises(PullError, match=r"cannot be written \(Permission denied\)"):
        world.pull(world.publisher.source)


def test_only_one_pull_writes_at_a_time(world: World) -> None:
    world.folder.mkdir()
    with FileLock(world.folder / ".pull.lock"), pytest.raises(PullError, match="Another pull"):
        world.pull(world.publisher.source)
    world.pull(world.publisher.source)
    world.assert_whole_and_tidy()


def test_the_users_proxy_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = f"http://127.0.0.1:{world.publisher.server_address[1]}"
    monkeypatch.setattr(seal, "_kept_proxies", {"HTTP_PROXY": proxy})
    world.pull(UrlSource("http://publisher.invalid/toy.gguf"))
    world.assert_whole_and_tidy()
    assert world.publisher.paths == ["http://publisher.invalid/toy.gguf"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks4://127.0.0.1:1080"),
        ("ALL_PROXY", "nonsense://127.0.0.1:1080"),
        ("NO_PROXY", "[::1]"),
        ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
    ],
)
def test_settings_of_the_network_that_cannot_be_used_are_told_and_the_wheels_tried(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    world.pull(world.publisher.source, WHEELS)
    world.assert_whole_and_tidy()
    (note,) = world.watcher.notes
    assert "the proxy or certificate settings cannot be used" in note
    assert "trying the Python package index" in note


def test_a_malformed_proxy_leaves_the_wheels(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "_kept_proxies", {"HTTP_PROXY": "http://[proxy:3128"})
    world.pull(world.publisher.source, WHEELS)
    world.assert_whole_and_tidy()
