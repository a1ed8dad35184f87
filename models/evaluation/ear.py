"""How well the ear hears the inner critic, on sentences and thoughts that it was not trained on.

The held-out fifth of the labelled sentences was written by the same hands as the rest, and many of
its neutral sentences are hard on purpose. The thoughts on the technique cards were written by
others, for another use; a thought counts as heard when one of its sentences does.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.critic_data import Labelled, diary_sentences, labelled, part
from reframer import paths, settings
from reframer.critic import Critic
from reframer.embedding import LocalEmbeddings
from reframer.encoder import Vectors
from reframer.knowledge import load_techniques
from reframer.reader import Reader
from reframer.records import Notice

Truth = NDArray[np.bool_]

_KEYWORDS = re.compile(
    r"\b(?:i'?m|i am|i feel|such) (?:so |such |just |an? |\w+ )*(?:idiot|stupid|useless|worthless"
    r"|failure|loser|pathetic|ugly|fat|disgusting|weak|lazy|burden|terrible|bad|fraud|coward)"
    r"|\bhate (?:myself|my body)|\bmy (?:own )?fault|\bashamed|\bi should(?:'ve| have)?\b"
    r"|\b(?:don'?t|do not) deserve|\bi (?:always|never)\b|\bnot good enough|\bwrong with me"
    r"|\beveryone else|\bpathetic\b|\bidiot\b|\bruin(?:ed)?\b",
    re.IGNORECASE,
)
_LENGTHS = ((1, 3), (4, 10), (11, 20), (21, 999))
_STEPS = 300


def report(data: Path | None = None) -> str:
    """Return the figures of the ear as Markdown.

    Args:
        data: Folder that holds ``lemotif.csv``; without it the diary is left out.
    """
    reader = Reader.from_catalog(settings.load().models_dir)
    critic = Critic(reader)
    rows = [row for row in labelled() if part(row.text) == "test"]
    begin = time.perf_counter()
    notices = [heard_in(notices) for notices in critic.notice_many([row.text for row in rows])]
    seconds = (time.perf_counter() - begin) / len(rows) * 1000
    plain = plain_embedding(reader.embeddings)
    texts = [row.text for row in rows]
    baselines: dict[str, Truth] = {
        "the ear": np.array([notice.self_critical for notice in notices]),
        "always neutral": np.zeros(len(rows), bool),
        "a list of keywords": np.array([bool(_KEYWORDS.search(text)) for text in texts]),
        "regression on the plain vector": plain(texts),
    }
    later = labelled(paths.asset("knowledge", "critic", "fresh.tsv"))
    heard_later = critic.notice_many([row.text for row in later])
    parts = [
        score_table(baselines, np.array([row.label == "critical" for row in rows])),
        "Written afterwards by another hand, half of them attacks without an insult:",
        score_table(
            {"the ear": np.array([heard_in(found).self_critical for found in heard_later])},
            np.array([row.label == "critical" for row in later]),
        ),
        group_table(rows, notices),
        length_table(rows, notices),
        confusions(rows, notices),
        f"Thoughts on the cards heard: {thoughts_heard(critic)}.",
    ]
    if data:
        diary = [text for text in diary_sentences(data / "lemotif.csv") if part(text) == "test"]
        alarms = sum(heard_in(found).self_critical for found in critic.notice_many(diary))
        parts.append(
            f"False alarms on an ordinary diary: {alarms} of {len(diary)} sentences"
            f" ({alarms / len(diary):.1%})."
        )
    parts.append(f"Seconds for 1,000 sentences: {seconds:.1f}.")
    return "\n\n".join(parts)


def heard_in(notices: Sequence[Notice]) -> Notice:
    """Return the most telling notice of a text."""
    return max(notices, key=lambda notice: (notice.self_critical, notice.strength))


def score_table(heard: dict[str, Truth], truth: Truth) -> str:
    """Return precision, recall and F1 of several ways to hear.

    Args:
        heard: What each way takes for self-critical, by its name.
        truth: What is.
    """
    lines = [f"| {len(truth)} held-out sentences | precision | recall | F1 |", "|---|--:|--:|--:|"]
    for name, found in heard.items():
        right = int((found & truth).sum())
        precision, recall = right / max(1, found.sum()), right / truth.sum()
        score = 2 * right / (found.sum() + truth.sum())
        lines.append(f"| {name} | {precision:.3f} | {recall:.3f} | {score:.3f} |")
    return "\n".join(lines)


def group_table(rows: Sequence[Labelled], notices: Sequence[Notice]) -> str:
    """Return what share of each kind and each neutral group is taken for self-critical."""
    lines = ["| group | sentences | taken for self-critical | of these, kind right |"]
    lines.append("|---|--:|--:|--:|")
    for label, group in sorted({(row.label, row.group) for row in rows}):
        found = [n for row, n in zip(rows, notices, strict=True) if row.group == group]
        heard = [notice for notice in found if notice.self_critical]
        right = sum(notice.kind == group for notice in heard)
        name = "kind self-talk" if label == "kind" else f"{label}: {group}"
        of_kind = _share(right, len(heard)) if label == "critical" else "–"
        share = _share(len(heard), len(found))
        lines.append(f"| {name} | {len(found)} | {share} | {of_kind} |")
    return "\n".join(lines)


def length_table(rows: Sequence[Labelled], notices: Sequence[Notice]) -> str:
    """Return recall and false alarms by length."""
    lines = ["| words | self-critical heard | others taken for it |", "|---|--:|--:|"]
    for fewest, most in _LENGTHS:
        found: dict[bool, list[bool]] = {True: [], False: []}
        for row, notice in zip(rows, notices, strict=True):
            if fewest <= len(row.text.split()) <= most:
                found[row.label == "critical"].append(notice.self_critical)
        cells = " | ".join(_count(found[critical]) for critical in (True, False))
        lines.append(f"| {fewest} to {most if most < 999 else 'more'} | {cells} |")
    return "\n".join(lines)


def confusions(rows: Sequence[Labelled], notices: Sequence[Notice]) -> str:
    """Return the most frequent confusions of kinds."""
    wrong = Counter(
        (row.group, notice.kind)
        for row, notice in zip(rows, notices, strict=True)
        if row.label == "critical" and notice.self_critical and notice.kind != row.group
    )
    named = ", ".join(f"{true} as {seen} ({n})" for (true, seen), n in wrong.most_common(8))
    return f"Most frequent confusions of kinds: {named}."


def thoughts_heard(critic: Critic) -> str:
    """Return how many of the thoughts on the technique cards are heard, at two thresholds."""
    thoughts = [example.thought for card in load_techniques() for example in card.examples]
    eager = critic.threshold / 2
    cells = [
        f"{_count([heard_in(found).self_critical for found in critic.notice_many(thoughts, at)])}"
        f" at {at:.2f}"
        for at in (critic.threshold, eager)
    ]
    return "; ".join(cells)


def plain_embedding(embeddings: LocalEmbeddings) -> Callable[[Sequence[str]], Truth]:
    """Return a hearing by logistic regression on the embedder's own vectors, for comparison."""
    rows = [row for row in labelled() if part(row.text) == "train"]
    inputs = _with_one(embeddings.vectors([row.text for row in rows]))
    truth = np.array([row.label == "critical" for row in rows], np.float32)
    weights = np.zeros(inputs.shape[1], np.float32)
    for _ in range(_STEPS):
        probabilities = 1 / (1 + np.exp(-(inputs @ weights)))
        weights -= 4 * (inputs.T @ (probabilities - truth) / len(rows) + np.float32(1e-4) * weights)
    return lambda texts: _with_one(embeddings.vectors(texts)) @ weights > 0


def _with_one(vectors: Vectors) -> Vectors:
    return np.hstack([np.ones((len(vectors), 1), np.float32), vectors])


def _count(heard: Iterable[bool]) -> str:
    values = list(heard)
    return _share(sum(values), len(values))


def _share(part_of: int, whole: int) -> str:
    return f"{part_of} of {whole} ({part_of / whole:.0%})" if whole else "–"
