"""A card's own words put together, and an answer shaped by wishes.

The words on the cards fit any thought that their technique fits, and know nothing of the story; an
opening that says back what happened goes before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reframer.aptness import alternately
from reframer.person import to_i
from reframer.records import Match, Technique, Wishes
from reframer.review import too_long

_SENTENCE = re.compile(r"(?:(?<=[.?!])|(?<=[.?!][\"')\]]))\s+")
_COMFORT = re.compile(
    r"\b(?:hurt|sting|stung|sore|heavy|hard|pain|ach|lonely|sad|weigh|tender|makes sense|no wonder"
    r"|frighten|scar|raw|tir)\w*",
    re.IGNORECASE,
)
_SHORTEST = 10  # words
_STEP = 40  # words of the small step in a practical answer


def wants_opening(wishes: Wishes) -> bool:
    """Whether an answer begins with the particular thing; a short or plain one goes without."""
    return wishes.tone in ("gentle", "practical")


def card_words(match: Match, text: str, opening: str, wishes: Wishes) -> str:
    """Return words of a card's own behind an opening: the most apt, as far as that is known.

    Between those that are alike the text decides, so that two thoughts seldom share an answer, and
    the same thought keeps its own.

    Args:
        match: The card.
        text: What the person wrote.
        opening: What is said first; may be empty.
        wishes: How they would like to be spoken to.
    """
    words = _of_voice(match.technique, wishes)
    if opening:
        short = [one for one in words if not too_long(f"{opening} {one}")]
        words = short or [min(words, key=len)]
    if wishes.tone == "shorter":
        words = sorted(words, key=len)[: max(1, len(words) // 2)]
    if wishes.tone == "plain":
        words = sorted(words, key=_comfort)[: max(1, len(words) // 2)]
    apt = {one: match.apt[one] for one in words if one in match.apt}
    chosen = alternately(apt or dict.fromkeys(words, 0.0), text)
    return f"{opening} {chosen}".strip()


def shaped(answer: str, technique: Technique, wishes: Wishes) -> str:
    """Return an answer as it was wished for, with nothing added that is not the card's.

    Args:
        answer: A friend's words, to "you".
        technique: The card they draw on.
        wishes: How the person would like to be spoken to.
    """
    if wishes.tone == "plain":
        answer = _without(answer, _comfort)
    if wishes.tone == "shorter":
        answer = _shorter(answer)
    if wishes.tone == "practical":
        answer = f"{answer} One small thing, if you like: {_beginning(technique.step)}"
    return to_i(answer) if wishes.person == "i" else answer


def _of_voice(technique: Technique, wishes: Wishes) -> list[str]:
    voices = {"teen": technique.words_teen, "child": technique.words_child}
    # A user's own card may have no words at all.
    return list(voices.get(wishes.voice) or technique.words or (technique.why,))


def _comfort(text: str) -> int:
    return len(_COMFORT.findall(text))


def _without(answer: str, weight: Callable[[str], int]) -> str:
    """Leave out the sentences that weigh something, if enough is left."""
    kept = " ".join(part for part in _SENTENCE.split(answer) if not weight(part))
    return kept if len(kept.split()) >= _SHORTEST else answer


def _shorter(answer: str) -> str:
    """Keep the last sentences, which hold the turn, as far as half the words go."""
    sentences = _SENTENCE.split(answer)
    kept = sentences[-1:]
    for sentence in reversed(sentences[:-1]):
        if len(" ".join(kept).split()) >= _SHORTEST:
            break
        kept.insert(0, sentence)
    return " ".join(kept)


def _beginning(step: str) -> str:
    """Return the first sentences of a small step."""
    kept = ""
    for sentence in _SENTENCE.split(" ".join(step.split())):
        if kept and len(f"{kept} {sentence}".split()) > _STEP:
            break
        kept = f"{kept} {sentence}".strip()
    return kept[:1].lower() + kept[1:]
