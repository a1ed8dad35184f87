"""llama.cpp itself: begun once, and silent on the terminal."""

from __future__ import annotations

import ctypes
import logging

import llama_cpp

_log = logging.getLogger(__name__)


def begin() -> None:
    """Make the library ready; further calls change nothing."""
    llama_cpp.llama_log_set(_keep_quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_quiet(_level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    """Take what llama.cpp would print on stderr; ``--debug`` may show it."""
    _log.debug("%s", text.decode("utf-8", "replace").rstrip())
