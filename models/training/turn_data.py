"""What the labelled turns of a conversation are told apart as."""

from __future__ import annotations

from reframer.conversation import Labelled

BY_OTHERS = ("safety", "other-language")  # danger and other languages: known without learning
DETAILED = ("wish", "small-talk")
ABOUT_ITSELF = ("private", "about")


def name_of(turn: Labelled) -> str:
    """Return what a turn is told apart as: its kind, with the detail where one can be learned."""
    if turn.kind in DETAILED or turn.detail in ABOUT_ITSELF:
        return f"{turn.kind}:{turn.detail}"
    return turn.kind
