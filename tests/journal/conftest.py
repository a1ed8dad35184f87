"""Shared by the journal's tests: a journal of a few days, and a data folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from reframer import paths

DAYS = {
    "2024-01-14.md": "We had soup. I am proud of the soup.\n",
    "2024-01-15.md": "Anna called about Friday. She was kind. I'm such an idiot.\n\nI slept.\n",
    "2024-02-01.md": "I'm such an idiot! What a bit of an idiot I was at lunch.\n",
    "2024-02-02.md": "A long walk.\n",
    "2024-03-03.md": "I'm such an idiot. Only an ugly idiot looks like that.\n",
}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    folder = tmp_path / "data"
    monkeypatch.setattr(paths, "data_dir", lambda: folder)
    return folder


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A small journal."""
    folder = tmp_path / "vault"
    folder.mkdir()
    for name, text in DAYS.items():
        (folder / name).write_bytes(text.encode())
    return folder
