"""Learn how apt words are for thoughts: ``python -m models.training.aptness``.

``apt.tsv`` holds thoughts that neither the reader nor the voice learned from, each with the facts
that hold of it, by the letters of `FACTS`, and with some of the cards' words that readers marked:
2 goes to the heart, 1 passable, 0 misses, x could hurt. ``granted.tsv`` holds the facts that the
words take for granted. What is learned is the mean of a Gaussian process (Rasmussen & Williams
2006, chapter 2) whose covariance says: words are alike everywhere by being the same or of one
technique, and for like thoughts by saying like things, too. How well it chooses is measured on
thoughts that were left out, a fifth at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import click
import numpy as np
import torch
from numpy.typing import NDArray

from reframer import paths, settings
from reframer.affinity import Affinity
from reframer.aptness import LEARNED, kernel, side_by_side
from reframer.critic import Critic
from reframer.encoder import Vectors
from reframer.engine import EAGER, kinds_of
from reframer.knowledge import example_id, load_techniques
from reframer.reader import Reader
from reframer.records import Technique
from reframer.retrieval import TechniqueRetriever

Rows = NDArray[np.intp]

FACTS = {
    "n": "they call themselves a name",
    "w": "they did somebody wrong, or were careless",
    "h": "they could not know it then",
    "l": "somebody died, or somebody or something dear is gone",
    "y": "it may yet be learnt, get done, or get better by practice",
    "f": "they fear or foretell the worst",
    "o": "they measure themselves against others",
    "m": "they suppose what somebody thinks of them",
    "b": "it is about the body",
    "r": "an old habit is back, or a resolution broken again",
    "s": "somebody treats them badly",
    "c": "it is about childhood, or an old voice",
    "g": "they did something good, brave or hard in it",
    "e": "they judge a feeling of their own",
}

_MARKS = Path(__file__).with_name("apt.tsv")
_GRANTED = Path(__file__).with_name("granted.tsv")
_WORTH = {"2": 1.0, "1": 0.5, "0": 0.0, "x": -1.0}
_FOLDS = 5
# The covariance's parts and the marks' noise; chosen by cross-validation (docs/log.md).
_ANYWHERE, _SAME, _TECHNIQUE, _FEATURES = 0.1, 0.1, 0.02, 0.02
_FOR_LIKE, _LIKE_SAME, _LIKE_TECHNIQUE, _LIKE_WORDS = 0.5, 0.3, 0.1, 1.0
_WORDS_SPREAD = 0.3
_NOISE = 0.2
_FACTS_NOISE = 0.3
# What does not hold costs more than the marks say: to hear what is untrue of oneself hurts, and
# words that are only passable do not (docs/log.md).
_CARE = 2.0
_MOST, _BIDS, _STEP = 0.01, 400, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Marks, a row each: of which thought, of which words, and what it is worth."""

    thought: Rows
    words: Rows
    worth: Vectors

    def of(self, rows: Rows) -> Marks:
        """Return some of them."""
        return Marks(self.thought[rows], self.words[rows], self.worth[rows])


class Learned(NamedTuple):
    """What `reframer.aptness.Aptness` is made of, but for the vectors."""

    influence: Vectors
    bias: Vectors
    facts: Vectors
    often: Vectors
    weights: Vectors


class Holding(NamedTuple):
    """What is learned of facts.

    Attributes:
        facts: What being like each thought adds to each fact's probability.
        often: How often each fact holds.
        holds: The probability of each fact for each thought. Those that were learned from are told
            by all others (Rasmussen & Williams 2006, equation 5.12), as a new one would be.
    """

    facts: Vectors
    often: Vectors
    holds: Vectors


@dataclass(frozen=True, eq=False)
class Lessons:
    """Marks, with what is known of their thoughts and words.

    Attributes:
        ids: Ids of the words.
        owners: The number of each one's technique.
        vectors: The embedder's vectors of the words.
        centre: Mean of the reader's vectors of the thoughts.
        thoughts: Vectors of the thoughts, as `side_by_side` makes them.
        behind: How far each technique is behind the best one, a row for each thought.
        likely: The probability of each technique, likewise.
        granted: Which facts each of the words takes for granted, a row for each of them.
        facts: Which facts hold of each thought.
        marks: The marks.
    """

    ids: list[str]
    owners: Rows
    vectors: Vectors
    centre: Vectors
    thoughts: Vectors
    behind: Vectors
    likely: Vectors
    granted: Vectors
    facts: Vectors
    marks: Marks

    @classmethod
    def read(cls) -> Self:
        """Read the marks, and what the program makes of their thoughts."""
        reader = Reader.from_catalog(settings.load().models_dir)
        techniques = load_techniques()
        owners = [number for number, card in enumerate(techniques) for _ in card.words]
        words = [one for card in techniques for one in card.words]
        ids = [example_id(one) for one in words]
        thoughts, facts, marks = _marked(ids)
        read, embedded, behind, likely = _known(thoughts, techniques, reader)
        return cls(
            ids=ids,
            owners=np.array(owners),
            vectors=reader.embeddings.vectors(words),
            centre=read.mean(0),
            thoughts=side_by_side(read - read.mean(0), embedded),
            behind=behind,
            likely=likely,
            granted=_granted(words),
            facts=facts,
            marks=marks,
        )

    def likeness(self) -> Vectors:
        """Return how far words say the same for like thoughts."""
        same_technique = self.owners[:, None] == self.owners
        alike = np.exp((self.vectors @ self.vectors.T - 1) / _WORDS_SPREAD)
        alike = _LIKE_WORDS * alike + _LIKE_TECHNIQUE * same_technique
        return (alike + _LIKE_SAME * np.eye(len(self.ids))).astype(np.float32)

    def features(self, thought: Rows, words: Rows, holds: Vectors) -> Vectors:
        """Return what is told of words for thoughts beside their likeness.

        Args:
            thought: The thoughts' numbers.
            words: The words', as many, or for each of the thoughts all of them.
            holds: The probability of each fact for each of all thoughts.
        """
        owners = self.owners[words]
        missing = (self.granted[words] * (1 - holds[thought])).sum(-1)
        told = [self.behind[thought, owners], self.likely[thought, owners], missing]
        return np.stack(told, axis=-1).astype(np.float32)

    def holding(self, known: Rows) -> Holding:
        """Return what is learned of the facts of some thoughts, for all."""
        often = self.facts[known].mean(0)
        covariance = kernel(self.thoughts[known], self.thoughts[known])
        covariance[np.diag_indices_from(covariance)] += _FACTS_NOISE
        inverse = np.linalg.inv(covariance)
        share = inverse @ (self.facts[known] - often)
        holds = often + kernel(self.thoughts, self.thoughts[known]) @ share
        holds[known] = self.facts[known] - share / np.diag(inverse)[:, None]
        facts = np.zeros_like(self.facts)
        facts[known] = share
        return Holding(facts, often, holds.clip(0, 1))

    def learn(self, rows: Rows) -> Learned:
        """Return what is learned of some of the marks."""
        marks = self.marks.of(rows)
        thought, words, worth = marks.thought, marks.words, marks.worth
        holding = self.holding(np.unique(thought))
        told = self.features(thought, words, holding.holds)
        size = told.std(0)
        same, technique = np.eye(len(self.ids)), self.owners[:, None] == self.owners
        anywhere = (_ANYWHERE + _SAME * same + _TECHNIQUE * technique).astype(np.float32)
        alike = self.likeness()
        covariance = anywhere[np.ix_(words, words)]
        covariance += _FEATURES * (told / size) @ (told / size).T
        covariance += (
            _FOR_LIKE
            * kernel(self.thoughts, self.thoughts)[np.ix_(thought, thought)]
            * alike[np.ix_(words, words)]
        )
        covariance[np.diag_indices_from(covariance)] += _NOISE
        mean = worth.mean()
        share = _solved(covariance, worth - mean)
        by_thought = np.zeros((len(self.thoughts), len(self.ids)), np.float32)
        by_thought[thought, words] = share  # each pair was marked once
        weights = _FEATURES * (told / size).T @ share / size
        weights[-1] *= _CARE
        return Learned(
            influence=by_thought @ (_FOR_LIKE * alike),
            bias=mean + anywhere @ by_thought.sum(0),
            facts=holding.facts,
            often=holding.often,
            weights=weights,
        )

    def said(self, learned: Learned) -> Vectors:
        """Return how apt each of the words is for each of the thoughts."""
        like = kernel(self.thoughts, self.thoughts)
        holds = (like @ learned.facts + learned.often).clip(0, 1)
        thoughts, words = np.arange(len(self.thoughts)), np.arange(len(self.ids))
        told = self.features(thoughts[:, None], words[None], holds)
        apt = like @ learned.influence + learned.bias + told @ learned.weights
        return np.asarray(apt, np.float32)


def _solved(covariance: Vectors, worth: Vectors) -> Vectors:
    """Return what the covariance makes the marks' worth of."""
    root = torch.linalg.cholesky(torch.from_numpy(covariance))
    solved: Vectors = torch.cholesky_solve(torch.from_numpy(worth)[:, None], root)[:, 0].numpy()
    return solved


def _marked(ids: Sequence[str]) -> tuple[list[str], Vectors, Marks]:
    """Return the thoughts, their facts, and the marks of those words that are still on a card."""
    number = {one: place for place, one in enumerate(ids)}
    lines = [line.split("\t") for line in _MARKS.read_text("utf-8").splitlines()]
    rows = [
        (thought, number[one], _WORTH[mark])
        for thought, (_, _, marks) in enumerate(lines)
        for one, mark in (told.split(":") for told in marks.split())
        if one in number
    ]
    thought, words, worth = zip(*rows, strict=True)
    marks = Marks(np.array(thought), np.array(words), np.array(worth, np.float32))
    return [text for text, _, _ in lines], _facts([held for _, held, _ in lines]), marks


def _granted(words: Sequence[str]) -> Vectors:
    """Return which facts the words take for granted.

    Raises:
        KeyError: Nobody has judged yet what some of them take for granted.
    """
    lines = _GRANTED.read_text("utf-8").splitlines()
    judged = {
        text: facts
        for facts, text in (line.split("\t") for line in lines if not line.startswith("#"))
    }
    return _facts([judged[one] for one in words])


def _facts(letters: Sequence[str]) -> Vectors:
    return np.array([[fact in told for fact in FACTS] for told in letters], np.float32)


def _known(
    thoughts: Sequence[str], techniques: Sequence[Technique], reader: Reader
) -> tuple[Vectors, Vectors, Vectors, Vectors]:
    """Return the vectors of thoughts by reader and embedder, and what speaks for techniques."""
    affinity, critic = Affinity(reader.embeddings, reader), Critic(reader)
    retriever = TechniqueRetriever.open(techniques, reader.embeddings, reader)
    names = [card.id for card in techniques]
    read, embedded, scores, likely = [], [], [], []
    for thought in thoughts:
        called = affinity.read(thought)
        kinds = kinds_of(notice for notice in critic.notice(thought, EAGER) if notice.self_critical)
        score = retriever.scores(thought, kinds)
        read.append(called.read)
        embedded.append(called.vector)
        scores.append([score[name] for name in names])
        likely.append([np.exp(called.techniques[name]) for name in names])
    told = np.array(scores, np.float32)
    behind = told - told.max(1, keepdims=True)
    return (
        np.array(read, np.float32),
        np.array(embedded, np.float32),
        behind,
        np.array(likely, np.float32),
    )


def prices(apt: Vectors) -> Vectors:
    """Return what popular words cost, so that answers do not repeat themselves.

    With the prices taken off, none of the words is the most apt for much more than `_MOST` of the
    thoughts; they are raised and lowered step by step, as in an auction (Bertsekas 1988).

    Args:
        apt: How apt each of the words is, a row for each thought.
    """
    cost = np.zeros(apt.shape[1], np.float32)
    for _ in range(_BIDS):
        chosen = np.bincount((apt - cost).argmax(1), minlength=len(cost)) / len(apt)
        cost = np.maximum(0, cost + _STEP * (chosen - _MOST)).astype(np.float32)
    return cost


class LeftOut(NamedTuple):
    """How words are chosen for thoughts of which nothing was learned.

    Attributes:
        worth: What the most apt of the marked words are worth.
        groundless: For how many thoughts the most apt of all words take for granted what does not
            hold.
    """

    worth: Counter[float]
    groundless: int


def left_out(lessons: Lessons) -> LeftOut:
    """Choose words for each thought by what is learned of four fifths of the others."""
    marks = lessons.marks
    fold = np.random.default_rng(0).integers(0, _FOLDS, len(lessons.thoughts))
    worth: Counter[float] = Counter()
    groundless = 0
    for number in range(_FOLDS):
        apt = lessons.said(lessons.learn(np.flatnonzero(fold[marks.thought] != number)))
        for one in np.flatnonzero(fold == number):
            rows = np.flatnonzero(marks.thought == one)
            if len(rows):
                worth[float(marks.worth[rows[apt[one, marks.words[rows]].argmax()]])] += 1
            granted = lessons.granted[apt[one].argmax()]
            groundless += bool((granted > lessons.facts[one]).any())
    return LeftOut(worth, groundless)


def by_technique(lessons: Lessons) -> Counter[float]:
    """Return what marked words of the first technique are worth, the baseline."""
    marks = lessons.marks
    first = lessons.behind[marks.thought, lessons.owners[marks.words]] == 0
    return Counter(marks.worth[first].tolist())


def _told(name: str, worth: Counter[float]) -> str:
    shares = ", ".join(
        f"{mark} {worth[value] / worth.total():.1%}" for mark, value in _WORTH.items()
    )
    mean = sum(value * count for value, count in worth.items()) / worth.total()
    return f"{name}: {shares}; mean worth {mean:.3f}"


@click.command()
def main() -> None:
    """Print how well words are chosen, and write what was learned of all marks."""
    lessons = Lessons.read()
    every = np.arange(len(lessons.marks.worth))
    click.echo(f"{len(every)} marks, {len(lessons.thoughts)} thoughts, {len(lessons.ids)} words")
    click.echo(_told("marked words of the first technique", by_technique(lessons)))
    worth, groundless = left_out(lessons)
    click.echo(_told("the most apt of the marked ones", worth))
    share = groundless / len(lessons.thoughts)
    click.echo(f"the most apt of all take for granted what does not hold: {share:.1%}")
    learned = lessons.learn(every)
    np.savez_compressed(
        paths.asset(*LEARNED),
        words=lessons.ids,
        centre=lessons.centre,
        thoughts=lessons.thoughts.astype(np.float16),
        influence=learned.influence.astype(np.float16),
        bias=learned.bias - prices(lessons.said(learned)),
        facts=learned.facts.astype(np.float16),
        often=learned.often,
        granted=lessons.granted.astype(np.float16),
        weights=learned.weights,
    )


if __name__ == "__main__":
    main()
