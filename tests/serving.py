"""Serves a page from another process, for the tests and pictures that look at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parent.parent


@contextmanager
def serving(words: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Run Python while the body runs, and give the address of the page that it serves.

    Args:
        words: What follows Python's name.
        environ: The environment.
    """
    with subprocess.Popen(
        [sys.executable, *words], cwd=_ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield next(line.strip() for line in server.stdout if "http://" in line)
        finally:
            server.kill()
