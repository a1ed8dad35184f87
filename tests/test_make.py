"""What stands around the program: its Makefile, and what the set-up says that it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKES_OWN = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
TEXTS = [
    "I wasted $500 again",
    'I\'m "always" late $$ & broke; I owe $HOME $(HOME)',
    "$(shell touch made) `touch made` $(touch made)",
]


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return path


@pytest.mark.skipif(not shutil.which("make"), reason="There is no make: apt-get install make")
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("given", ["as an argument", "in the environment"])
def test_make_hands_a_text_on_as_it_was_typed(tmp_path: Path, text: str, given: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "pyproject.toml").touch()
    script(tmp_path / ".venv" / "bin" / "reframer", '[ "$1" != reframe ] || cat')
    (tmp_path / ".venv" / ".installed").touch()
    argument = given == "as an argument"
    # A make that runs these tests would pass its own flags on, and announce its folders.
    around = {name: at for name, at in os.environ.items() if name not in MAKES_OWN}
    done = subprocess.run(
        ["make", "reframe", *([f"TEXT={text}"] if argument else [])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**around, **({} if argument else {"TEXT": text})},
    )
    assert (done.stdout, done.stderr) == (text, "")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("old", [True, False])
def test_a_python_that_is_too_old_is_not_told_to_be_installed_again(
    tmp_path: Path, old: bool
) -> None:
    for tool in ("c++", "cmake"):
        script(tmp_path / tool)
    python = script(tmp_path / "python3", f"exit {old:d}")
    done = subprocess.run(
        ["sh", ROOT / "models" / "setup" / "check.sh", python],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert done.returncode == old
    assert ("make PYTHON=python3.11" in done.stderr) == old
    assert "apt install" not in done.stderr
