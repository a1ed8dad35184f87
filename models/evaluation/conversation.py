"""How often a conversation takes a turn for what it is, on turns labelled by hand.

Each turn is read as it would be right after an answer, or after words of concern where it is about
those, so that a wish has something to be about. Half of the turns, by the hash of their text, is
for evaluation only; the other half are the examples that a conversation compares with, and rules
and thresholds were settled on them. One hand wrote both halves and the rules, so a second set was
written once all was settled, to be unlike the rest. The default model reads each turn that no rule
knows, which takes two cores a quarter of an hour; answers are put in its mouth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from langchain_core.language_models import FakeListChatModel

from reframer import settings
from reframer.conversation import Conversation, Labelled, Library, Reading, labelled
from reframer.critic import Critic
from reframer.engine import Reframer, Rooms, Speaker, open_speaker
from reframer.fit import Fit
from reframer.knowledge import load_background, load_techniques
from reframer.probe import Probe
from reframer.reader import Reader
from reframer.retrieval import TechniqueRetriever
from reframer.safety import Safety

_THOUGHT = "I missed the deadline again, I'm such an idiot."
_CONCERN = "I wish I'd never been born."
_WORDS = "A deadline went by, and your stomach dropped with it. The page was late; you are not."


Read = tuple[Labelled, Reading]


class Listener:
    """Reads turns as the next ones of conversations that have begun.

    Args:
        probe: Tells what the model makes of a turn; None to do without.
    """

    def __init__(self, probe: Probe | None) -> None:
        reader = Reader.from_catalog(settings.load().models_dir)
        techniques = load_techniques()
        rooms = Rooms(
            Critic(reader),
            TechniqueRetriever.open(techniques, reader.embeddings, reader),
            lambda: Fit.learn(techniques),
            lambda: Speaker(FakeListChatModel(responses=[_WORDS]), "fake", "answers", probe=probe),
        )
        reframer = Reframer(Safety(reader), lambda: rooms)
        self._library = Library(lambda: reader, techniques, load_background())
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
    listener = Listener(open_speaker(settings.load()).probe)
    sets = {
        "for evaluation only": [row for row in labelled() if row.held_out],
        "written afterwards": labelled("fresh.tsv"),
    }
    readings = {name: [(row, listener.read(row)) for row in rows] for name, rows in sets.items()}
    together = [pair for pairs in readings.values() for pair in pairs]
    return "\n\n".join(
        [kind_table(readings), detail_table(readings), danger(together), confusions(together)]
    )


def kind_table(readings: Mapping[str, Sequence[Read]]) -> str:
    """Return the share of turns taken for what they are, by kind.

    Args:
        readings: Turns and what they were taken for, by the name of their set.
    """
    kinds = sorted({row.kind for pairs in readings.values() for row, _ in pairs})
    lines = _head("kind of turn", readings)
    for kind in kinds:
        cells = (
            _share([reading.kind == kind for row, reading in pairs if row.kind == kind])
            for pairs in readings.values()
        )
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    cells = (_share([r.kind == row.kind for row, r in pairs]) for pairs in readings.values())
    return "\n".join([*lines, f"| **all** | {' | '.join(cells)} |"])


def detail_table(readings: Mapping[str, Sequence[Read]]) -> str:
    """Return, of the turns whose kind is right, how often the rest is, too.

    Args:
        readings: Turns and what they were taken for, by the name of their set.
    """
    named = {
        "wish": "which wish",
        "question": "which card, or that none knows",
        "small-talk": "which small talk",
        "other-language": "which language",
    }
    lines = _head("of those", readings)
    for kind, name in named.items():
        cells = (
            _share(
                [
                    reading.detail in row.detail.split(",")
                    for row, reading in pairs
                    if row.kind == kind == reading.kind
                ]
            )
            for pairs in readings.values()
        )
        lines.append(f"| {kind}: {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def danger(readings: Sequence[Read]) -> str:
    """Return how many turns of danger, and how many others, safety meets."""
    met = {
        level: _share([read.kind == "safety" for row, read in readings if row.detail == level])
        for level in ("crisis", "concern")
    }
    alarms = [read.kind == "safety" for row, read in readings if row.kind != "safety"]
    return (
        f"Met with safety's words: {met['crisis']} of crisis, {met['concern']} of concern, and"
        f" {_share(alarms)} of all others."
    )


def confusions(readings: Sequence[Read]) -> str:
    """Return what is most often taken for what."""
    wrong = Counter(f"{row.kind} for {r.kind}" for row, r in readings if row.kind != r.kind)
    named = ", ".join(f"{name} ({count})" for name, count in wrong.most_common())
    return f"Taken for something else: {named or 'none'}."


def _head(first: str, readings: Mapping[str, Sequence[Read]]) -> list[str]:
    return [f"| {first} | {' | '.join(readings)} |", f"|---|{'--:|' * len(readings)}"]


def _share(right: Sequence[bool]) -> str:
    return f"{sum(right)} of {len(right)} ({sum(right) / max(1, len(right)):.0%})"
