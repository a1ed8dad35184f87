"""The two promises of the seal, proved from outside the program.

Every front is visited once with a marked thought (tests/visit.py), with a hostile environment, in a
network namespace without any way out, under strace. Then we look at which addresses it used, and
for the mark in everything that it may have written.
"""

from __future__ import annotations

import gzip
import io
import ipaddress
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from reframer import catalog
from tests.visit import FRONTS, HOSTILE, OWN, ROOT, THOUGHT

_CALLS = re.compile(r"\b(?:connect|bind|sendto|sendmsg|sendmmsg)\(")
_ADDRESS = re.compile(
    r'htons\((\d+)\)[^{}]*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")'
)
_FAMILY = re.compile(r"sa_family=AF_(\w+)")
_INSIDE = {"UNIX", "NETLINK", "UNSPEC"}  # the kernel's own, and "no address"
_NAME_SERVICE = 53
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_ANY_HEADER = 47  # zlib's way of saying: gzip or zlib, see for yourself
_LARGEST = 1 << 26  # bytes; nothing that holds one thought unpacks to more


@dataclass(frozen=True)
class Visit:
    """What is left of a visit to every front.

    Attributes:
        mark: The word by which the thought can be found.
        ground: Folder of all that the program could call its own.
        began: When it began, in seconds since the epoch.
        trace: What strace wrote; empty where it could not run.
        seen: For each front: answer, standard error, titles.
    """

    mark: str
    ground: Path
    began: float
    trace: str
    seen: dict[str, tuple[str, str, list[str]]]


def _alone(log: Path) -> list[str]:
    """Return what goes before a command to run it without a network, watched."""
    watched = f"strace -f --seccomp-bpf -qq -s 0 -e signal=none -e trace=network -o '{log}'"
    script = f'ip link set lo up && exec {watched} "$@"'
    return ["unshare", "--map-root-user", "--net", "sh", "-c", script, "sh"]


def _hindrance() -> str:
    """Return why this machine cannot run a command alone and watched; empty where it can."""
    missing = [name for name in ("unshare", "strace", "ip") if shutil.which(name) is None]
    if missing:
        return f"this machine has no {' and no '.join(missing)}"
    tried = subprocess.run([*_alone(Path("/dev/null")), "true"], capture_output=True, text=True)
    return f"not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


HINDRANCE = _hindrance()
watched_only = pytest.mark.skipif(bool(HINDRANCE), reason=HINDRANCE)


def run_alone(words: Iterable[str], log: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python without a network, watched; where that cannot be, without the two."""
    before = [] if HINDRANCE else _alone(log)
    return subprocess.run(
        [*before, sys.executable, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        cwd=ROOT,
        timeout=1800,
    )


def outside(trace: str) -> list[str]:
    """Return the lines of a trace in which anything but this machine itself is addressed."""
    calls = (line for line in trace.splitlines() if _CALLS.search(line))
    return [line for line in calls if not _stays_here(line)]


def _stays_here(line: str) -> bool:
    inside = set(_FAMILY.findall(line)) - {"INET", "INET6"} <= _INSIDE
    return inside and all(
        ipaddress.ip_address(four or six).is_loopback and int(port) != _NAME_SERVICE
        for port, four, six in _ADDRESS.findall(line)
    )


def files_with(word: str, folders: Iterable[Path], since: float = 0) -> list[Path]:
    """Return the files changed since then that hold a word, in whatever form."""
    needles = [word.encode(form) for form in ("utf-8", "utf-16-le", "utf-16-be")]
    return [
        file
        for folder in folders
        for file, content in _changed(folder, since)
        if any(needle in data for data in _unpacked(content) for needle in needles)
    ]


def _changed(folder: Path, since: float) -> Iterator[tuple[Path, bytes]]:
    for file in folder.rglob("*"):
        with suppress(OSError):  # it went away, or is not ours to read
            if file.is_file() and not file.is_symlink() and file.stat().st_mtime >= since:
                yield file, file.read_bytes()


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Return some bytes, and what is compressed in them."""
    yield data
    with suppress(Exception):  # no archive, or a broken one
        archive = zipfile.ZipFile(io.BytesIO(data))
        for name in archive.namelist():
            with suppress(Exception):  # other programs' archives may be broken or locked
                yield from _unpacked(archive.open(name).read(_LARGEST))
    for start in _COMPRESSED.finditer(data):
        with suppress(zlib.error):
            rest = memoryview(data)[start.start() :]
            yield zlib.decompressobj(_ANY_HEADER).decompress(rest, _LARGEST)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the program could call its own; the index in it is made once."""
    return tmp_path_factory.mktemp("ground")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("smollm2-135m", *FRONTS), id="every front"),
        pytest.param(
            ("qwen2.5-coder-1.5b", "argument", "page"), id="default model", marks=pytest.mark.model
        ),
    ],
)
def visit(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ground: Path,
    models_dir: Path,
) -> Visit:
    """Visit fronts with a model: all with the smallest, the main ones with the default."""
    model, *fronts = request.param
    catalog.locate(catalog.find(model), models_dir)
    log = tmp_path_factory.mktemp("log") / "trace"
    mark = f"zq{secrets.token_hex(6)}"
    began = time.time()
    words = ["-m", "tests.visit", str(ground), str(models_dir), model, mark, *fronts]
    done = run_alone(words, log)
    assert done.returncode == 0, done.stderr
    trace = "" if HINDRANCE else log.read_text()
    return Visit(mark, ground, began, trace, json.loads(done.stdout))


# No byte leaves this machine


@watched_only
def test_only_this_machine_was_ever_addressed(visit: Visit) -> None:
    assert outside(visit.trace) == []


@watched_only
def test_the_watcher_saw_the_page_being_used(visit: Visit) -> None:
    for call in ("bind(", "connect("):
        lines = [line for line in visit.trace.splitlines() if call in line]
        assert any('inet_addr("127.0.0.1")' in line for line in lines)


@watched_only
@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket().connect(('192.0.2.1', 443))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).connect(('127.0.0.53', 53))",
        "socket.socket().bind(('0.0.0.0', 0))",
    ],
)
def test_the_watcher_would_see_an_attempt_to_leave(attempt: str, tmp_path: Path) -> None:
    log = tmp_path / "trace"
    run_alone(["-c", f"import socket\n{attempt}"], log)
    assert outside(log.read_text())


@watched_only
@pytest.mark.parametrize(
    "code",
    [
        "from langchain_core.runnables import RunnableLambda; RunnableLambda(str).invoke(1)\n"
        "from langchain_core.tracers.langchain import wait_for_all_tracers\n"
        "wait_for_all_tracers()",  # it sends in the background
        "import chromadb; chromadb.Client()",
        "import gradio; gradio.Interface(str, 'text', 'text').launch(prevent_thread_lock=True)",
    ],
    ids=["langchain", "chroma", "gradio"],
)
def test_without_the_seal_the_same_environment_sends_libraries_out(
    code: str, tmp_path: Path
) -> None:
    log = tmp_path / "trace"
    run_alone(["-c", code], log, HOME=str(tmp_path), **HOSTILE)
    assert any("192.0.2.1" in line for line in outside(log.read_text()))


# What is written stays nowhere


def test_no_file_holds_the_thought(visit: Visit, models_dir: Path) -> None:
    shared = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm")]
    found = files_with(visit.mark, [visit.ground])
    found += files_with(visit.mark, [ROOT, models_dir, *shared], visit.began)
    assert [file for file in found if not file.is_relative_to(visit.ground / OWN)] == []


def test_no_error_log_or_process_list_shows_the_thought(visit: Visit) -> None:
    for _, beside, titles in visit.seen.values():
        assert visit.mark not in beside
        assert visit.mark not in " ".join(titles)


def test_the_thought_did_go_through(visit: Visit) -> None:
    fronts = {"argument", "lines", "notice", "assess", "history", "journal", "page"}
    for front in visit.seen.keys() & fronts:
        answer, _, _ = visit.seen[front]
        assert visit.mark in answer, front
    if "journal" in visit.seen:
        names = {file.name for file in files_with(visit.mark, [visit.ground / OWN])}
        assert names >= {"report.html", "reframes.jsonl", "diary.md"}


def _zipped(text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.gz", gzip.compress(text.encode()))
    return archive.getvalue()


@pytest.mark.parametrize(
    "hide",
    [
        lambda text: text.encode(),
        lambda text: b"\x01" + text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode()),
        lambda text: b"PK\3\4 broken" + gzip.compress(text.encode()),
        lambda text: b"a header" + zlib.compress(text.encode("utf-16-le")) + b"and more",
        _zipped,
    ],
)
def test_the_search_would_find_the_thought(hide: Callable[[str], bytes], tmp_path: Path) -> None:
    (tmp_path / "clean").write_bytes(hide(THOUGHT.format("nothing")))
    file = tmp_path / ".cache"
    file.write_bytes(hide(THOUGHT.format("zq8f1b") * 3))
    assert files_with("zq8f1b", [tmp_path]) == [file]
