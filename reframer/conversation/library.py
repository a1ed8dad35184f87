"""Finds by meaning: the card that answers a question, and the kind of turn that a text is like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from reframer.conversation.likeness import Like
from reframer.conversation.records import Card
from reframer.conversation.rules import load_rules
from reframer.encoder import Vectors
from reframer.knowledge import Background, load_background, load_techniques
from reframer.reader import Reader
from reframer.records import Technique, Voice
from reframer.settings import Settings

# From this likeness on (cosine), a card knows the answer; settled on the half of the labelled
# questions that is not for evaluation.
_KNOWN = 0.5
# What the chat model makes of a text counts this many times as much as what the reader does, which
# is right less often and surer of itself.
_PROBED = 3
# What a card written for this reader has ahead of one that is only fit for them, too.
_OWN = 0.1


class Library:
    """Finds by meaning: the card that answers a question, and the kind of turn that a text is like.

    Args:
        open_reader: Opens what reads texts and makes vectors of them; called once, when one is
            needed.
        techniques: The technique cards.
        background: The background cards.
    """

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        techniques: Sequence[Technique],
        background: Sequence[Background],
    ) -> None:
        self._open_reader = open_reader
        cards: list[Card] = [*techniques, *background]
        self._cards = {card.id: card for card in cards}

    @classmethod
    def open(cls, settings: Settings) -> Library:
        """Open the cards of the program and of the user.

        Raises:
            KnowledgeError: There is no usable card.
        """
        return cls(
            lambda: Reader.from_catalog(settings.models_dir),
            load_techniques(settings.cards_dir),
            load_background(),
        )

    def prepare(self) -> None:
        """Make the vectors now; otherwise they are made when the first text needs them."""
        _ = self._vectors

    def like(self, text: str, probed: Mapping[str, float] | None = None) -> Like:
        """Return the kind of turn that a text is most like.

        Args:
            text: The text.
            probed: The share of each kind of turn as the chat model sees it.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: The reader cannot be read.
        """
        (row,) = self._reader.read([text]).turns.tolist()
        shares = dict(zip(self._reader.turns, row, strict=True))
        if probed is not None:
            whole = 1 + _PROBED
            shares = {t: (share + _PROBED * probed[t]) / whole for t, share in shares.items()}
        return Like.of(shares)

    def passages(self, question: str, voice: Voice = "adult") -> tuple[tuple[Card, str], ...]:
        """Return the paragraphs of the card that answers a question, the most fitting first.

        Args:
            question: What was asked.
            voice: Whom the card should be written for.

        Returns:
            None, where no card is near enough to know the answer.
        """
        vector = np.array(self._reader.embeddings.embed_query(question), np.float32)
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

    @cached_property
    def _reader(self) -> Reader:
        return self._open_reader()

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
        return np.array(self._reader.embeddings.embed_documents(texts), np.float32)


def _paragraphs(card: Card) -> list[str]:
    return (card.about if isinstance(card, Technique) else card.body).split("\n\n")


def _readers(card: Card) -> tuple[Voice, ...]:
    """Return whom a card is written for; the techniques are written for all but children."""
    return ("adult", "teen") if isinstance(card, Technique) else card.readers


def _suits(card: Card, voice: Voice) -> bool:
    """Whether a reader may be given a card: the young also those for adults, children not."""
    return voice in _readers(card) or (voice == "teen" and "adult" in _readers(card))
