"""A whole journal: read in its own format, answered sentence by sentence, changed only there.

`reframe_journal` is loaded when it is used, so that naming the rooms' records stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reframer.journal.run import reframe_journal

__all__ = ["reframe_journal"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from reframer.journal import run

    return getattr(run, name)
