"""Finds by meaning: the card that answers a question, and the labelled turns like a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from langchain_core.embeddings import Embeddings

from reframer.conversation.labelled import Labelled, labelled
from reframer.conversation.records import Card, TurnKind
from reframer.conversation.rules import load_rules
from reframer.embedding import LocalEmbeddings, Vectors
from reframer.knowledge import Background, load_background, load_techniques
from reframer.records import Technique, Voice
from reframer.settings import Settings

# A text is taken for what most of the nearest labelled turns are, if they agree this far.
_NEAREST = 5
_AGREED = 0.6
_SHARPNESS = 4  # the power of likeness by which a nearer turn counts more
# From this likeness on (cosine), a card knows the answer; settled on the half of the labelled
# questions that is not for evaluation.
_KNOWN = 0.5
# What a card written for this reader has ahead of one that is only fit for them, too.
_OWN = 0.1
_NOT_BY_LIKENESS = ("safety", "other-language")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the labelled turns nearest to a text are.

    Attributes:
        kind: What most of them are; ``unclear`` where they disagree.
        detail: The detail that most of those have.
        like: Cosine of the nearest.
        thought: Whether there is a thought among them.
    """

    kind: TurnKind
    detail: str
    like: float
    thought: bool

    @property
    def is_about_talk(self) -> bool:
        """Whether they speak of the talk itself and not of the person."""
        return self.kind in ("wish", "small-talk")


NO_NEIGHBOURS = Neighbours("unclear", "", 0.0, thought=True)  # nothing speaks against the ear


class Library:
    """Finds by meaning: the card that answers a question, and the labelled turns like a text.

    Args:
        embeddings: Makes the vectors.
        techniques: The technique cards.
        background: The background cards.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        techniques: Sequence[Technique],
        background: Sequence[Background],
    ) -> None:
        self._embeddings = embeddings
        cards: list[Card] = [*techniques, *background]
        self._cards = {card.id: card for card in cards}

    @classmethod
    def open(cls, settings: Settings) -> Library:
        """Open the cards of the program and of the user.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: There is no usable card.
        """
        return cls(
            LocalEmbeddings.from_catalog(settings.models_dir),
            load_techniques(settings.cards_dir),
            load_background(),
        )

    def prepare(self) -> None:
        """Make the vectors now; otherwise they are made when the first text needs them."""
        _ = self._vectors, self._turns

    def passages(self, question: str, voice: Voice = "adult") -> tuple[tuple[Card, str], ...]:
        """Return the paragraphs of the card that answers a question, the most fitting first.

        Args:
            question: What was asked.
            voice: Whom the card should be written for.

        Returns:
            None, where no card is near enough to know the answer.
        """
        vector = np.array(self._embeddings.embed_query(question), np.float32)
        likeness = dict(zip(self._entries, (self._vectors @ vector).tolist(), strict=True))
        like, name = max(
            (like + _OWN * (voice in _readers(self._cards[name])), name)
            for (name, _), like in likeness.items()
            if _suits(self._cards[name], voice)
        )
        if like < _KNOWN + _OWN:
            return ()
        card = self._cards[name]
        paragraphs = _paragraphs(card)
        if isinstance(card, Background):
            paragraphs.sort(key=lambda text: -likeness[name, text])
        return tuple((card, paragraph) for paragraph in paragraphs)

    def neighbours(self, text: str) -> Neighbours:
        """Return what the labelled turns nearest to a text are; none of them is held out."""
        turns, vectors = self._turns
        likeness = vectors @ np.array(self._embeddings.embed_query(text), np.float32)
        nearest = [(turns[row], float(likeness[row])) for row in np.argsort(-likeness)[:_NEAREST]]
        kinds: defaultdict[TurnKind, float] = defaultdict(float)
        details: defaultdict[tuple[TurnKind, str], float] = defaultdict(float)
        for turn, like in nearest:
            weight = max(0.0, like) ** _SHARPNESS
            kinds[turn.kind] += weight
            details[turn.kind, turn.detail] += weight
        kind = max(kinds, key=kinds.__getitem__)
        if kinds[kind] < _AGREED * sum(kinds.values()):
            kind = "unclear"
        of_kind = [name for name in details if name[0] == kind]
        _, detail = max(of_kind, key=details.__getitem__, default=(kind, ""))
        return Neighbours(kind, detail, nearest[0][1], thought="thought" in kinds)

    @cached_property
    def _turns(self) -> tuple[list[Labelled], Vectors]:
        turns = [
            turn
            for turn in labelled()
            if not (turn.held_out or turn.kind in _NOT_BY_LIKENESS or turn.detail == "went-on")
        ]
        texts = [turn.text for turn in turns]
        return turns, np.array(self._embeddings.embed_documents(texts), np.float32)

    @cached_property
    def _entries(self) -> list[tuple[str, str]]:
        """Return what a question is compared with: ids of cards, and texts."""
        asked = load_rules().asked
        return [
            (name, text)
            for name, card in self._cards.items()
            for text in (
                *asked.get(name, ()),
                card.title,
                *([name.replace("-", " ")] if isinstance(card, Technique) else []),
                *_paragraphs(card),
            )
        ]

    @cached_property
    def _vectors(self) -> Vectors:
        texts = [text for _, text in self._entries]
        return np.array(self._embeddings.embed_documents(texts), np.float32)


def _paragraphs(card: Card) -> list[str]:
    return (card.about if isinstance(card, Technique) else card.body).split("\n\n")


def _readers(card: Card) -> tuple[Voice, ...]:
    """Return whom a card is written for; the techniques are written for all but children."""
    return ("adult", "teen") if isinstance(card, Technique) else card.readers


def _suits(card: Card, voice: Voice) -> bool:
    """Whether a reader may be given a card: the young also those for adults, children not."""
    return voice in _readers(card) or (voice == "teen" and "adult" in _readers(card))
