"""Train the ear of `reframer.critic` on the labelled sentences, in numpy.

    python -m models.training.critic --diary DIARY.csv

Softmax regressions with a ridge penalty; harshness is a ridge regression. The sentences of an
ordinary diary are further neutral ones. Validation sentences choose the penalty, the temperature
and the threshold; test sentences are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from models.training.critic_data import Labelled, Part, diary_sentences, labelled, part
from models.training.regression import Floats, regress, scaling, unscaled
from reframer import paths, settings
from reframer.critic import CLASSES, CUES, features, softmax, unquoted
from reframer.embedding import LocalEmbeddings
from reframer.records import KINDS

Bools = NDArray[np.bool_]

PENALTIES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
DIARY_WEIGHT = 0.5  # of a diary sentence beside a labelled one
DIARY_FALSE_ALARMS = 0.01  # most that the threshold may let through, on validation


class Data(NamedTuple):
    """Sentences of one part, as rows.

    Attributes:
        rows: Labelled sentences.
        inputs: Their features.
        diary: Features of the diary's sentences.
    """

    rows: list[Labelled]
    inputs: Floats
    diary: Floats


@click.command()
@click.option("--diary", type=click.Path(exists=True, path_type=Path), required=True)
def main(diary: Path) -> None:
    """Train on the labelled sentences and the DIARY, and write the weights that ship."""
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    everyday = diary_sentences(diary)
    train = read("train", embeddings, everyday)
    check = read("validation", embeddings, everyday)
    numbers = fit(train, check)
    click.echo(f"threshold {numbers['threshold']:.2f}")
    out = paths.asset("knowledge", "critic", "weights.npz")
    with paths.atomic_write(out) as file:
        np.savez_compressed(file, **numbers)  # type: ignore[arg-type]
    out.chmod(0o644)


def read(wanted: Part, embeddings: LocalEmbeddings, everyday: Sequence[str]) -> Data:
    """Return one part of the data.

    Args:
        wanted: The part.
        embeddings: The embedder.
        everyday: All sentences of the diary.
    """
    rows = [row for row in labelled() if part(row.text) == wanted]
    calm = [unquoted(text) for text in everyday if part(text) == wanted]
    heard = [unquoted(row.text) for row in rows]
    return Data(rows, features(embeddings, heard), features(embeddings, calm))


def fit(train: Data, check: Data) -> dict[str, Floats]:
    """Return the ear's weights under the names that it reads."""
    scale, shift = scaling(train.inputs, plain=len(CUES))
    inputs, diary = (train.inputs - shift) * scale, (train.diary - shift) * scale
    labels = np.array([CLASSES.index(row.label) for row in train.rows] + [0] * len(diary))
    weights = np.r_[np.ones(len(inputs)), np.full(len(diary), DIARY_WEIGHT)].astype(np.float32)
    is_critical = np.array([row.label == "critical" for row in train.rows])
    truth = np.array([row.label == "critical" for row in check.rows])

    def classes_of(penalty: float) -> tuple[Floats, Floats]:
        found = regress(np.vstack([inputs, diary]), labels, weights, penalty, len(CLASSES))
        return unscaled(*found, scale, shift)

    def quality(found: tuple[Floats, Floats]) -> float:
        return choose_threshold(_critical(check.inputs, *found), truth, np.zeros(1, np.float32))[1]

    weight, bias = max((classes_of(penalty) for penalty in PENALTIES), key=quality)
    temperature = _temperature(check, weight, bias)
    weight, bias = weight / temperature, bias / temperature
    threshold, score = choose_threshold(
        _critical(check.inputs, weight, bias), truth, _critical(check.diary, weight, bias)
    )
    click.echo(f"validation F1 {score:.3f}, temperature {temperature:.2f}")

    critical = [row for row in train.rows if row.label == "critical"]
    kinds = np.array([[*KINDS].index(row.group) for row in critical])  # type: ignore[arg-type]
    even = np.ones(len(critical), np.float32)
    kind = unscaled(
        *regress(inputs[is_critical], kinds, even, PENALTIES[1], len(KINDS)), scale, shift
    )
    harsh = unscaled(
        *ridge(inputs[is_critical], [(row.strength - 1) / 2 for row in critical]), scale, shift
    )
    return {
        "threshold": np.array(threshold, np.float32),
        "class_weight": weight,
        "class_bias": bias,
        "kind_weight": kind[0],
        "kind_bias": kind[1],
        "harsh_weight": harsh[0],
        "harsh_bias": harsh[1],
    }


def ridge(inputs: Floats, wanted: Sequence[float]) -> tuple[Floats, Floats]:
    """Return weight and bias of a ridge regression with one output."""
    target = np.array(wanted, np.float32)[:, None]
    middle, level = inputs.mean(0), target.mean(0)
    centred = inputs - middle
    inner = centred @ centred.T + np.float32(len(inputs) * 0.1) * np.eye(len(inputs))
    weight = (centred.T @ np.linalg.solve(inner, target - level)).astype(np.float32)
    return weight, (level - middle @ weight).astype(np.float32)


def choose_threshold(probabilities: Floats, truth: Bools, everyday: Floats) -> tuple[float, float]:
    """Return the threshold with the best F1 among those quiet enough on a diary, and that F1.

    Args:
        probabilities: Of being self-critical, for labelled sentences.
        truth: Whether they are.
        everyday: The same probabilities for the diary's sentences.
    """
    steps = np.arange(0.2, 0.96, 0.01)
    quiet = [t for t in steps if (everyday >= t).mean() <= DIARY_FALSE_ALARMS] or [steps[-1]]
    return max(((float(t), f1(probabilities >= t, truth)) for t in quiet), key=lambda it: it[1])


def f1(heard: Bools, truth: Bools) -> float:
    """Return the harmonic mean of precision and recall."""
    return float(2 * (heard & truth).sum() / max(1, heard.sum() + truth.sum()))


def _critical(inputs: Floats, weight: Floats, bias: Floats) -> Floats:
    chances: Floats = softmax(inputs @ weight + bias)[:, CLASSES.index("critical")]
    return chances


def _temperature(check: Data, weight: Floats, bias: Floats) -> float:
    """Return the divisor of the logits that makes them most honest (Guo et al. 2017)."""
    logits = check.inputs @ weight + bias
    labels = [CLASSES.index(row.label) for row in check.rows]

    def surprise(temperature: float) -> float:
        shares = softmax((logits / temperature).astype(np.float32))
        return -float(np.log(shares[np.arange(len(labels)), labels]).mean())

    return min((float(t) for t in np.arange(0.4, 2.05, 0.05)), key=surprise)


if __name__ == "__main__":
    main()
