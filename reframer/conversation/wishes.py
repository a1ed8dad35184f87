"""Wishes about the last answer: their plain wording, and what they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reframer.conversation.records import Wish
from reframer.records import Reframe, Tone, Wishes

_TONES: Mapping[str, Tone] = {
    "softer": "gentle",
    "shorter": "shorter",
    "practical": "practical",
    "plain": "plain",
}
WISH_WORDS: Mapping[Wish, str] = {
    "another": "Another way",
    "softer": "Softer",
    "shorter": "Shorter",
    "practical": "More practical",
    "plain": "I don't believe that",
    "as-i": "As “I”",
    "as-you": "As “you”",
    "went-on": "That's not what I meant",
}


def wished(wishes: Wishes, answer: Reframe, wish: str) -> Wishes:
    """Return how a thought is to be answered now, after it was answered as wished before."""
    match wish:
        case "another":
            return replace(wishes, other_than=used(wishes, answer))
        case "as-i":
            return replace(wishes, person="i")
        case "as-you":
            return replace(wishes, person="you")
        case _:
            return replace(wishes, tone=_TONES[wish])


def used(wishes: Wishes, answer: Reframe) -> tuple[str, ...]:
    """Return the techniques that were asked to be left, and those of an answer."""
    ids = (technique.id for technique in answer.techniques)
    return tuple(dict.fromkeys((*wishes.other_than, *ids)))
