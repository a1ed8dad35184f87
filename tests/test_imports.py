"""The rooms stand in layers, heavy libraries stay in their rooms, and a start costs little."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "reframer"

# A room may import rooms of the layers above it in this list, and nothing beside or below.
LAYERS = (
    {"errors", "paths", "records", "threads"},
    {"settings", "seal", "catalog", "history", "encoder"},
    {"pull", "llama", "embedding", "knowledge", "sentences", "server"},
    {"reader", "probe", "aptness"},
    {"affinity", "critic", "safety", "names", "pictures"},
    {"person"},
    {"prompts", "review", "fit", "trust", "mirror"},
    {"retrieval"},
    {"wording"},
    {"engine"},
    {"conversation", "journal"},
    {"ui"},
    {"cli"},
    {"__main__"},
)
HEAVY = {
    "llama_cpp": ("llama",),
    "chromadb": ("retrieval",),
    "langchain_chroma": ("retrieval",),
    "gradio": ("ui",),
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    """Return the room that a file belongs to; empty for the package's own face."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imported_by(file: Path) -> Iterator[str]:
    """Return the dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are written in full"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh process has loaded after running code."""
    code = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_flow_one_way(file: Path) -> None:
    room = room_of(file)
    if not room:
        return  # the package's face only names what the rooms hold
    others = {name.split(".")[1] for name in imported_by(file) if name.startswith("reframer.")}
    too_high = {other for other in others - {room} if layer_of(other) >= layer_of(room)}
    assert not too_high


def test_the_table_of_rooms_names_all_in_an_order_that_imports_keep() -> None:
    page = PACKAGE.parent.joinpath("docs", "architecture.md").read_text(encoding="utf-8")
    firsts = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    rows = [re.findall(r"`(\w+)(?:\.py|/)`", first) for first in firsts]
    row_of = {room: number for number, rooms in enumerate(rows) for room in rooms}
    files = [file for file in FILES if room_of(file) not in {"", "__main__"}]
    assert row_of.keys() == {room_of(file) for file in files}
    for file in files:
        others = {name.split(".")[1] for name in imported_by(file) if name.startswith("reframer.")}
        assert max((row_of[other] for other in others), default=0) <= row_of[room_of(file)], file


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_only_in_their_rooms(file: Path) -> None:
    libraries = {name.split(".")[0] for name in imported_by(file)}
    astray = {name for name in libraries & HEAVY.keys() if room_of(file) not in HEAVY[name]}
    assert not astray


@pytest.mark.parametrize(
    "code",
    [
        "import reframer",
        "from reframer import load_settings",
        "from reframer.cli import run; run(['--help'])",
        "from reframer.cli import run; run(['models', 'list'])",
        "from reframer.cli import run; run(['reframe', '--help'])",
    ],
)
def test_no_heavy_library_is_loaded_before_it_is_needed(code: str) -> None:
    loaded = loaded_after(code)
    assert "reframer" in loaded
    assert not loaded & {*HEAVY, "langchain_core", "numpy", "tokenizers"}


def test_every_public_name_can_be_loaded() -> None:
    code = "import reframer\nfor name in reframer.__all__: getattr(reframer, name)"
    assert "reframer.engine" in loaded_after(code)


def test_help_answers_at_once() -> None:
    command = [sys.executable, "-c", "from reframer.cli import main; main()", "--help"]
    times = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.3
