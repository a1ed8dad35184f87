"""Train the classifier of `reframer.safety` on the labelled statements, in numpy.

    python -m models.training.safety --diary DIARY.csv

Multinomial logistic regression with a ridge penalty. The held-out third (`held_out`) is never seen
here: the thresholds come from four-fold cross-validation on the other two thirds, so that stated
shares of the harmless are flagged. The thoughts on the technique cards, the sentences of the ear
and those of an ordinary diary, but for what is kept of each for evaluation, are added as harmless
ones. Each statement and
thought is shown four times: alone and beside an ordinary one, because a text is read in pairs of
neighbours too; and each of these with and without what the lexicon found, because the classifier
is there for what that misses.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import click
import numpy as np
from numpy.typing import NDArray

from models.training import regression
from models.training.critic_data import diary_sentences, labelled, part
from models.training.regression import Floats
from reframer import paths, settings
from reframer.embedding import LocalEmbeddings
from reframer.knowledge import load_techniques
from reframer.records import Level
from reframer.safety import LEXICON_FEATURES, RANK, Classifier, Lexicon, features
from reframer.sentences import split

Bools = NDArray[np.bool_]

SEED = 7
FOLDS = 4
PENALTY = 4e-3
DIARY_FLAGGED = 0.008  # share of the diary's sentences that the classifier may flag
NEAR_FLAGGED = 0.05  # and of harmless statements, which were written to be near misses
HARMLESS_CRISIS = 0.0025  # share of all harmless ones that it may call a crisis


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
        file: A table with the columns level, wording and text, after lines that begin with #; by
            default the shipped one.
    """
    file = file or paths.asset("knowledge", "safety", "statements.tsv")
    with file.open(encoding="utf-8", newline="") as table:
        lines = (line for line in table if not line.startswith("#"))
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Statement(**cast(dict[str, Any], row)) for row in rows]


def harmless_thoughts() -> list[Statement]:
    """Return the self-critical thoughts on the cards, without those kept for evaluation."""
    return [
        Statement("none", "card", example.thought)
        for technique in load_techniques()
        for example in technique.examples
        if not example.held_out
    ]


def harmless_sentences(diary: Path) -> list[Statement]:
    """Return sentences of the ear, of a diary and of the cards' thoughts, without what is kept.

    Args:
        diary: A table with the column text.
    """
    ear = [Statement("none", "ear", row.text) for row in labelled()]
    everyday = [Statement("none", "diary", text) for text in diary_sentences(diary)]
    of_cards = [
        Statement("none", "card", piece.text.strip())
        for thought in harmless_thoughts()
        for piece in split(thought.text)
    ]
    return [row for row in ear + everyday if part(row.text) != "test"] + of_cards


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
    return features(embeddings.layers([row.text for row in rows]), readings)


def fit(inputs: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """Return weights and bias of the regression.

    Args:
        inputs: Features, shape (statements, features).
        labels: Ranks of the levels, shape (statements,).
    """
    weights, bias = regression.fit(inputs, labels.astype(int), PENALTY, len(RANK), LEXICON_FEATURES)
    return weights.T, bias


@click.command()
@click.option("--diary", type=click.Path(exists=True, path_type=Path), required=True)
def main(diary: Path) -> None:
    """Train on the two thirds and the harmless texts, and write the weights that ship."""
    rng = np.random.default_rng(SEED)
    rows = [row for row in statements() if not row.held_out] + harmless_thoughts()
    paired = beside_ordinary(rows, rng)
    sentences = harmless_sentences(diary)
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    views = Views(look(rows, embeddings), look(paired, embeddings), look(sentences, embeddings))
    labels = np.array([RANK[row.level] for row in rows], np.float32)
    near = np.array([row.level == "none" and row.wording != "card" for row in rows])
    everyday = np.array([row.wording == "diary" for row in sentences])
    recall, concern, crisis = _judge(views, labels, near, everyday, rng)
    weights, bias = fit(*views.shown(labels))
    file = paths.asset("knowledge", "safety", "weights.npz")
    np.savez(file, weights=weights, bias=bias, concern=concern, crisis=crisis)
    click.echo(
        f"thresholds: concern {concern:.3f}, crisis {crisis:.3f};"
        f" heard in cross-validation where the lexicon finds nothing: {recall:.3f}"
    )


class Views(NamedTuple):
    """Features of what the classifier is shown.

    Attributes:
        alone: Statements and thoughts.
        beside: The same, each beside an ordinary one.
        sentences: Harmless sentences.
    """

    alone: Floats
    beside: Floats
    sentences: Floats

    def some(self, rows: Bools, sentences: Bools) -> Views:
        """Return those that the masks choose."""
        return Views(self.alone[rows], self.beside[rows], self.sentences[sentences])

    def shown(self, labels: Floats) -> tuple[Floats, Floats]:
        """Return everything in all its forms, with the labels."""
        forms = (self.alone, self.beside, _unread(self.alone), _unread(self.beside))
        harmless = np.zeros(len(self.sentences), np.float32)
        return np.concatenate([*forms, self.sentences]), np.r_[np.tile(labels, 4), harmless]


def _unread(inputs: Floats) -> Floats:
    """Return features as if the lexicon had found nothing; what a guard set aside stays."""
    blind = inputs.copy()
    blind[:, -LEXICON_FEATURES : -LEXICON_FEATURES + 2] = 0
    return blind


def _judge(
    views: Views, labels: Floats, near: Bools, everyday: Bools, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return recall without the lexicon, and both thresholds, cross-validated.

    Args:
        views: What the classifier is shown.
        labels: Ranks of the levels of the statements and thoughts.
        near: Which of these are harmless statements.
        everyday: Which of the sentences are a diary's.
        rng: Divides them.
    """
    fold = rng.integers(FOLDS, size=len(labels))
    fold_of_sentences = rng.integers(FOLDS, size=len(views.sentences))
    alone, beside, blind = (np.zeros((len(labels), len(RANK))) for _ in range(3))
    sentences = np.zeros((len(views.sentences), len(RANK)))
    for number in range(FOLDS):
        kept, kept_sentences = fold == number, fold_of_sentences == number
        shown = views.some(~kept, ~kept_sentences).shown(labels[~kept])
        model = Classifier(*fit(*shown), crisis=1, concern=1)
        asked = views.some(kept, kept_sentences)
        alone[kept], beside[kept] = map(model.probabilities, (asked.alone, asked.beside))
        blind[kept] = model.probabilities(_unread(asked.alone))
        sentences[kept_sentences] = model.probabilities(asked.sentences)
    concern = max(
        float(np.quantile(1 - sentences[everyday, 0], 1 - DIARY_FLAGGED)),
        float(np.quantile(1 - np.r_[alone[near, 0], beside[near, 0]], 1 - NEAR_FLAGGED)),
    )
    harmless = np.concatenate([alone[labels == 0], beside[labels == 0], sentences])
    crisis = float(np.quantile(harmless[:, 2], 1 - HARMLESS_CRISIS))
    heard = 1 - blind[labels > 0, 0] >= concern
    return float(heard.mean()), concern, crisis


if __name__ == "__main__":
    main()
