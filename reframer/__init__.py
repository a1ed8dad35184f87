"""Answers the inner critic the way a best friend would, wholly on the user's own machine.

    from reframer import Reframer, load_settings

    friend = Reframer.open(load_settings())
    print(friend.reframe("I'm such an idiot for missing the deadline again.").text)

Importing this package opens nothing and loads no heavy library; its names are loaded when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reframer.engine import Reframer
    from reframer.errors import ReframerError
    from reframer.journal.run import reframe_journal
    from reframer.records import Notice, Reframe, Risk, Technique
    from reframer.settings import Settings
    from reframer.settings import load as load_settings

_HOMES = {
    "Reframer": ("reframer.engine", "Reframer"),
    "ReframerError": ("reframer.errors", "ReframerError"),
    "Notice": ("reframer.records", "Notice"),
    "Reframe": ("reframer.records", "Reframe"),
    "Risk": ("reframer.records", "Risk"),
    "Technique": ("reframer.records", "Technique"),
    "Settings": ("reframer.settings", "Settings"),
    "load_settings": ("reframer.settings", "load"),
    "reframe_journal": ("reframer.journal.run", "reframe_journal"),
}

__all__ = [
    "Notice",
    "Reframe",
    "Reframer",
    "ReframerError",
    "Risk",
    "Settings",
    "Technique",
    "load_settings",
    "reframe_journal",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
