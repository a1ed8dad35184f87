"""How often a conversation takes a turn for what it is, on turns labelled by hand.

Each turn is read as it would be right after an answer, or after words of concern where it is about
those, so that a wish has something to be about. Half of the turns, by the hash of their text, is
for evaluation only; rules and thresholds were settled on the other half. No language model is
needed: what a turn is, is decided without one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from langchain_core.language_models import FakeListChatModel

from reframer import paths, settings
from reframer.conversation import Conversation, Library, Reading, TurnKind
from reframer.critic import Critic
from reframer.embedding import LocalEmbeddings
from reframer.engine import Reframer, Rooms, Speaker
from reframer.knowledge import load_background, load_techniques
from reframer.retrieval import TechniqueRetriever
from reframer.safety import Safety

_THOUGHT = "I missed the deadline again, I'm such an idiot."
_CONCERN = "I wish I'd never been born."
_WORDS = "A deadline went by, and your stomach dropped with it. The page was late; you are not."


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled turn.

    Attributes:
        kind: What it is.
        detail: Which wish, small talk, language or level of danger; of a question, the ids of the
            cards that answer it, parted by commas, or ``private``, ``about`` or ``none``; else
            ``-``.
        text: What was typed.
    """

    kind: TurnKind
    detail: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half for evaluation only."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2 == 0


def labelled() -> list[Labelled]:
    """Return the labelled turns."""
    table = paths.asset("knowledge", "conversation", "turns.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return [Labelled(kind, detail, text) for kind, detail, text in rows]  # type: ignore[arg-type]


class Reader:
    """Reads turns as the next ones of conversations that have begun."""

    def __init__(self) -> None:
        embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
        techniques = load_techniques()
        rooms = Rooms(
            Critic(embeddings),
            TechniqueRetriever.open(techniques, embeddings),
            lambda: Speaker(FakeListChatModel(responses=[_WORDS]), "fake", "adapter"),
        )
        reframer = Reframer(Safety(embeddings), lambda: rooms)
        self._library = Library(embeddings, techniques, load_background())
        self._answered = Conversation(reframer, self._library)
        self._answered.take(_THOUGHT)
        self._concerned = Conversation(reframer, self._library)
        self._concerned.take(_CONCERN)

    def read(self, row: Labelled) -> Reading:
        """Return what a turn is taken for; the detail of a question is what answers it."""
        after = self._concerned if row.detail == "went-on" else self._answered
        reading = after.read(row.text)
        if reading.kind != "question" or reading.detail:
            return reading
        passages = self._library.passages(row.text)
        return Reading("question", passages[0][0].id if passages else "none")


def report(data: Path | None = None) -> str:  # noqa: ARG001 - as all areas
    """Return the figures of the conversation as Markdown."""
    reader = Reader()
    readings = {row: reader.read(row) for row in labelled()}
    held_out = [row for row in readings if row.held_out]
    others = [row for row in readings if not row.held_out]
    return "\n\n".join(
        [
            kind_table(readings, held_out, others),
            detail_table(readings, held_out, others),
            danger(readings),
            confusions(readings, held_out),
        ]
    )


def kind_table(
    readings: Mapping[Labelled, Reading], held_out: Sequence[Labelled], others: Sequence[Labelled]
) -> str:
    """Return the share of turns taken for what they are, by kind, in either half."""
    lines = ["| kind of turn | for evaluation only | the other half |", "|---|--:|--:|"]
    for kind in sorted({row.kind for row in readings}):
        cells = (
            _share([readings[row].kind == kind for row in half if row.kind == kind])
            for half in (held_out, others)
        )
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    both = (_share([readings[row].kind == row.kind for row in half]) for half in (held_out, others))
    return "\n".join([*lines, f"| **all** | {' | '.join(both)} |"])


def detail_table(
    readings: Mapping[Labelled, Reading], held_out: Sequence[Labelled], others: Sequence[Labelled]
) -> str:
    """Return, of the turns whose kind is right, how often the rest is, too."""
    named = {
        "wish": "which wish",
        "question": "which card, or that none knows",
        "small-talk": "which small talk",
        "other-language": "which language",
    }
    lines = ["| of those | for evaluation only | the other half |", "|---|--:|--:|"]
    for kind, name in named.items():
        cells = (
            _share(
                [
                    readings[row].detail in row.detail.split(",")
                    for row in half
                    if row.kind == kind == readings[row].kind
                ]
            )
            for half in (held_out, others)
        )
        lines.append(f"| {kind}: {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def danger(readings: Mapping[Labelled, Reading]) -> str:
    """Return how many turns of danger, and how many others, safety meets, in both halves."""
    met = {
        level: _share([readings[row].kind == "safety" for row in readings if row.detail == level])
        for level in ("crisis", "concern")
    }
    alarms = [reading.kind == "safety" for row, reading in readings.items() if row.kind != "safety"]
    return (
        f"Met with safety's words: {met['crisis']} of crisis, {met['concern']} of concern, and"
        f" {_share(alarms)} of all others."
    )


def confusions(readings: Mapping[Labelled, Reading], rows: Sequence[Labelled]) -> str:
    """Return what is most often taken for what."""
    wrong = Counter(
        f"{row.kind} for {readings[row].kind}" for row in rows if readings[row].kind != row.kind
    )
    named = ", ".join(f"{name} ({count})" for name, count in wrong.most_common())
    return f"Taken for something else: {named or 'none'}."


def _share(right: Sequence[bool]) -> str:
    return f"{sum(right)} of {len(right)} ({sum(right) / max(1, len(right)):.0%})"
