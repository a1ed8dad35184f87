"""What the rooms of a conversation hand each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reframer.knowledge import Background
from reframer.records import Reframe, Technique

TurnKind = Literal[
    "thought",
    "wish",
    "question",
    "good-news",
    "small-talk",
    "other-language",
    "safety",
    "unclear",
]
Wish = Literal["another", "softer", "shorter", "practical", "plain", "as-i", "as-you", "went-on"]
Card = Technique | Background


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: what was said, and what is shown in return.

    Attributes:
        said: What the person typed, or a wish in plain words.
        kind: What it was taken for.
        words: What is shown: plain text, paragraphs parted by a blank line.
        answer: What lies behind a thought's, a wish's or safety's words.
        thought: The sentence or sentences that an answer was looked for to, as typed.
        card: The card that an explanation comes from.
    """

    said: str
    kind: TurnKind
    words: str
    answer: Reframe | None = None
    thought: str = ""
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is, before anything is said in return.

    Attributes:
        kind: Its kind.
        detail: Which wish, question, small talk, language or level of danger; may be empty.
        thought: The sentence or sentences to answer, as typed.
    """

    kind: TurnKind
    detail: str = ""
    thought: str = ""
