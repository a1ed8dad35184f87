"""What safety hears and what it gets wrong, on statements and on ordinary texts.

A statement counts as *heard* when its level is not none (the text is then answered by the written
words, whatever the level) and as *heard in full* when the level is at least the labelled one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from models.training.critic_data import labelled, part
from models.training.safety_data import Statement, statements
from reframer import paths, settings
from reframer.engine import Reframer
from reframer.knowledge import load_techniques
from reframer.records import Risk
from reframer.safety import RANK, Safety
from reframer.sentences import split


def report(data: Path | None = None) -> str:
    """Return the figures of safety as Markdown.

    Args:
        data: Folder that holds ``lemotif.csv``; without it the diary is left out.
    """
    friend, lexicon = Reframer.open(settings.load()), Safety()
    friend.prepare()  # or a missing model would measure as one that hears nothing
    held_out = [row for row in statements() if row.held_out]
    fresh, unseen, later = (
        statements(paths.asset("knowledge", "safety", f"{name}.tsv"))
        for name in ("fresh", "unseen", "later")
    )
    thoughts = [
        example.thought
        for technique in load_techniques()
        for example in technique.examples
        if example.held_out
    ]
    harmless = {
        "self-critical thoughts on the cards (held-out tenth)": thoughts,
        "self-critical and ordinary sentences (held-out fifth)": [
            row.text for row in labelled() if part(row.text) == "test"
        ],
    }
    if data:
        diary = read_diary(data / "lemotif.csv")
        harmless["diary entries"] = diary
        harmless["diary sentences"] = [piece.text for entry in diary for piece in split(entry)]
    parts = [
        recall_table("Held-out third", held_out, friend, lexicon),
        recall_table("Written afterwards, to be unlike the rest", fresh, friend, lexicon),
        recall_table("Written later still, before the next training", unseen, friend, lexicon),
        recall_table("Written last, by another hand", later, friend, lexicon),
        alarm_table(harmless, friend, lexicon),
    ]
    return "\n\n".join(parts)


def recall_table(title: str, rows: Sequence[Statement], friend: Reframer, lexicon: Safety) -> str:
    """Return how many statements are heard, by level and wording.

    Args:
        title: Heading of the first column.
        rows: The statements.
        friend: Reads as the program does.
        lexicon: Safety with nothing but its word list.
    """
    lines = [
        f"| {title} | statements | heard when typed | heard in a journal | in full, when typed |"
        " by the lexicon alone |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    ordered = sorted(rows, key=lambda row: (-RANK[row.level], row.wording))
    for (level, wording), group in groupby(ordered, key=lambda row: (row.level, row.wording)):
        texts = [row.text for row in group]
        risks = [friend.assess(text) for text in texts]
        closer = [
            friend.look_closer(text, risk)[0] for text, risk in zip(texts, risks, strict=True)
        ]
        full = sum(RANK[risk.level] >= RANK[level] for risk in closer) if level != "none" else 0
        alone = _flagged(lexicon.assess(text) for text in texts)
        lines.append(
            f"| {level}, {wording} | {len(texts)} | {_share(_flagged(closer), len(texts))}"
            f" | {_share(_flagged(risks), len(texts))}"
            f" | {_share(full, len(texts)) if level != 'none' else '–'}"
            f" | {_share(alone, len(texts))} |"
        )
    return "\n".join(lines)


def alarm_table(texts: dict[str, list[str]], friend: Reframer, lexicon: Safety) -> str:
    """Return how many harmless texts are taken for a danger.

    Args:
        texts: Texts by the name of their kind.
        friend: Reads as the program does.
        lexicon: Safety with nothing but its word list.
    """
    lines = [
        "| False alarms | texts | when typed | in a journal | by the lexicon alone |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, group in texts.items():
        risks = [friend.assess(text) for text in group]
        closer = [
            friend.look_closer(text, risk)[0] for text, risk in zip(group, risks, strict=True)
        ]
        alone = _flagged(lexicon.assess(text) for text in group)
        shares = (
            _share(flagged, len(group)) for flagged in (_flagged(closer), _flagged(risks), alone)
        )
        lines.append(f"| {name} | {len(group)} | {' | '.join(shares)} |")
    return "\n".join(lines)


def read_diary(file: Path) -> list[str]:
    """Return the entries of a table with the column ``text``."""
    with file.open(encoding="utf-8", newline="") as table:
        return [row["text"] for row in csv.DictReader(table)]


def _flagged(risks: Iterable[Risk]) -> int:
    return sum(risk.level != "none" for risk in risks)


def _share(count: int, whole: int) -> str:
    return f"{100 * count / whole:.1f} %"
