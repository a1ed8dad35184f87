"""Train the classifier of `reframer.safety` on the labelled statements, in numpy.

    python -m models.training.safety

Multinomial logistic regression with a ridge penalty, fitted by full-batch Adam. The held-out third
(`held_out`) is never seen here: the thresholds come from four-fold cross-validation on the other
two thirds, so that a stated share of the harmless is flagged. The thoughts on the technique cards,
but for their held-out tenth, are added as harmless ones. Each statement is shown four times: alone
and beside an ordinary one, because a text is read in pairs of neighbours too; and each of these
with and without what the lexicon found, because the classifier is there for what that misses.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reframer import paths, settings
from reframer.embedding import LocalEmbeddings
from reframer.knowledge import load_techniques
from reframer.records import Level
from reframer.safety import LEXICON_FEATURES, RANK, Classifier, Floats, Lexicon, features

SEED = 7
FOLDS = 4
STEPS = 250
RATE = 0.05
PENALTY = 3e-4
HARMLESS_FLAGGED = 0.01  # share of harmless statements that the classifier may flag
HARMLESS_CRISIS = 0.0025  # and that it may call a crisis


@dataclass(frozen=True, slots=True)
class Statement:
    """One labelled statement."""

    level: Level
    wording: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the fixed third that only the evaluation reads."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 3 == 0


def statements(file: Path | None = None) -> list[Statement]:
    """Return all labelled statements.

    Args:
        file: A table with the columns level, wording and text; by default the shipped one.
    """
    file = file or paths.asset("knowledge", "safety", "statements.tsv")
    with file.open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Statement(**cast(dict[str, Any], row)) for row in rows]


def harmless_thoughts() -> list[Statement]:
    """Return the self-critical thoughts on the cards, without those kept for evaluation."""
    return [
        Statement("none", "card", example.thought)
        for technique in load_techniques()
        for example in technique.examples
        if not example.held_out
    ]


def beside_ordinary(rows: list[Statement], rng: np.random.Generator) -> list[Statement]:
    """Return the statements, each before or behind an ordinary one of the same list."""
    ordinary = [row.text for row in rows if row.level == "none"]
    paired = []
    for row in rows:
        pair = [row.text, ordinary[rng.integers(len(ordinary))]]
        rng.shuffle(pair)
        paired.append(Statement(row.level, row.wording, " ".join(pair)))
    return paired


def look(rows: list[Statement], embeddings: LocalEmbeddings) -> Floats:
    """Return the features of statements."""
    lexicon = Lexicon.shipped()
    readings = [lexicon.read(lexicon.normal(row.text)) for row in rows]
    return features(embeddings.vectors([row.text for row in rows]), readings)


def fit(inputs: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """Return weights and bias of the regression.

    Args:
        inputs: Features, shape (statements, features).
        labels: Ranks of the levels, shape (statements,).
    """
    weights = np.zeros((len(RANK), inputs.shape[1] + 1), np.float64)
    padded = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1).astype(np.float64)
    wanted = np.eye(len(RANK))[labels.astype(int)]
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        scores = padded @ weights.T
        odds = np.exp(scores - scores.max(1, keepdims=True))
        error = odds / odds.sum(1, keepdims=True) - wanted
        gradient = error.T @ padded / len(padded)
        gradient[:, :-1] += 2 * PENALTY * weights[:, :-1]
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        weights -= RATE * (mean / (1 - 0.9**step)) / unbiased
    return weights[:, :-1].astype(np.float32), weights[:, -1].astype(np.float32)


def main() -> None:
    """Train on the two thirds and write the weights."""
    rng = np.random.default_rng(SEED)
    rows = [row for row in statements() if not row.held_out] + harmless_thoughts()
    paired = beside_ordinary(rows, rng)
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    alone, beside = look(rows, embeddings), look(paired, embeddings)
    labels = np.array([RANK[row.level] for row in rows], np.float32)
    fold = rng.integers(FOLDS, size=len(rows))
    recall, concern, crisis = _judge(alone, beside, labels, fold)
    weights, bias = fit(*_shown(alone, beside, labels))
    file = paths.asset("knowledge", "safety", "weights.npz")
    np.savez(file, weights=weights, bias=bias, concern=concern, crisis=crisis)
    print(  # noqa: T201
        f"thresholds: concern {concern:.3f}, crisis {crisis:.3f};"
        f" heard in cross-validation where the lexicon finds nothing: {recall:.3f}"
    )


def _shown(alone: Floats, beside: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """Return each statement in its four forms, with its label."""
    views = (alone, beside, _unread(alone), _unread(beside))
    return np.concatenate(views), np.concatenate([labels] * len(views))


def _unread(inputs: Floats) -> Floats:
    """Return features as if the lexicon had found nothing; what a guard set aside stays."""
    blind = inputs.copy()
    blind[:, -LEXICON_FEATURES : -LEXICON_FEATURES + 2] = 0
    return blind


def _judge(
    alone: Floats, beside: Floats, labels: Floats, fold: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return recall without the lexicon, and both thresholds, cross-validated."""
    probabilities = np.zeros((3, len(labels), len(RANK)))
    for number in range(FOLDS):
        seen = fold != number
        model = Classifier(
            *fit(*_shown(alone[seen], beside[seen], labels[seen])), crisis=1, concern=1
        )
        for view, inputs in enumerate((alone, beside, _unread(alone))):
            probabilities[view, ~seen] = model.probabilities(inputs[~seen])
    harmless = probabilities[:2, labels == 0].reshape(-1, len(RANK))
    concern = float(np.quantile(1 - harmless[:, 0], 1 - HARMLESS_FLAGGED))
    crisis = float(np.quantile(harmless[:, 2], 1 - HARMLESS_CRISIS))
    heard = 1 - probabilities[2, labels > 0, 0] >= concern
    return float(heard.mean()), concern, crisis


if __name__ == "__main__":
    main()
