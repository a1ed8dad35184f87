"""What is said without a model: words written by hand (``knowledge/conversation/words.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

from reframer import paths
from reframer.records import Voice


def written(section: str, voice: Voice, **names: str) -> list[str]:
    """Return all wordings of what may be said, the first choice first.

    Args:
        section: What it is about.
        voice: Whom it is for.
        **names: What the wordings name.
    """
    return [variant.format(**names) for variant in _words()[voice][section]]


def foreign(language: str) -> tuple[str, Sequence[str]]:
    """Return what is said in a language other than English, and wordings of it in English."""
    lines = _words()["other-language"]
    return lines.get(language, lines["other"]), lines["english"]


@cache
def _words() -> dict[str, Any]:
    with paths.asset("knowledge", "conversation", "words.toml").open("rb") as file:
        return tomllib.load(file)
