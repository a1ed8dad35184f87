"""What ``reframer doctor privacy`` tells a user about their own machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reframer.cli import run
from reframer.history import History

ROOT = Path(__file__).parent.parent


def doctor(home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it sealed, in a process of its own, with a home of its own."""
    folders = {f"XDG_{name}_HOME": str(home / name) for name in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(
        [sys.executable, "-m", "reframer", "doctor", "privacy"],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(home), **folders, **environ},
        cwd=ROOT,
        timeout=60,
    )


def test_a_live_attempt_to_leave_is_shown_to_be_refused(tmp_path: Path) -> None:
    done = doctor(tmp_path, LANGSMITH_TRACING="true", HTTPS_PROXY="http://192.0.2.1:3128")
    assert done.returncode == 0
    for attempt in ("connection", "name look-up"):
        line = next(line for line in done.stdout.splitlines() if attempt in line)
        assert line.startswith("ok")
        assert "refused" in line
    for word in ("LANGSMITH_TRACING", "onnxruntime", "image of the memory", "cannot protect"):
        assert word in done.stdout
    assert "!!" not in done.stdout


def test_it_tells_whether_there_is_a_history_and_who_may_read_it(tmp_path: Path) -> None:
    assert "Off. No answers are kept." in doctor(tmp_path).stdout
    folder = tmp_path / "DATA" / "reframer" / "history"
    History.create(folder / "entries", "three quiet words")
    assert "On. " in doctor(tmp_path).stdout
    (folder / "entries").rename(folder / "entries.off")
    assert "Off, but what was kept is still there" in doctor(tmp_path).stdout


def test_a_history_that_others_can_open_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "DATA" / "reframer" / "history"
    History.create(folder / "entries", "three quiet words")
    for part in (folder, *folder.parents):
        if part.is_relative_to(tmp_path.parent.parent):
            part.chmod(0o755)
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert "others on this machine may read it" in done.stdout
    assert f"chmod 700 {folder}" in done.stdout


def test_backups_of_a_journal_that_others_can_open_are_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "DATA" / "reframer" / "journal"
    assert f"{folder}: nothing yet." in doctor(tmp_path).stdout
    folder.mkdir(parents=True)
    for part in (folder, *folder.parents):
        if part.is_relative_to(tmp_path.parent.parent):
            part.chmod(0o755)
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert f"chmod 700 {folder}" in done.stdout


def test_a_model_server_is_named(tmp_path: Path) -> None:
    assert "ollama:some is another program" in doctor(tmp_path, REFRAMER_MODEL="ollama:some").stdout


def test_nothing_is_tried_where_nothing_would_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "privacy"]) == 1
    out, _ = capsys.readouterr()
    assert "not sealed" in out
    assert "Tried" not in out
