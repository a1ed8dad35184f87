"""How processes end that a model is open in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_TIMES = 3


def exit_codes(code: str, model: Path) -> set[int]:
    """Return how fresh processes end that run some Python with a model's path as argument."""
    command = [sys.executable, "-c", code, str(model)]
    return {subprocess.run(command, timeout=120).returncode for _ in range(_TIMES)}
