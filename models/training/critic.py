"""Train the ear of `reframer.critic` on the labelled sentences, in numpy.

    python -m models.training.critic --diary DIARY.csv

Softmax regressions with a ridge penalty, fitted by L-BFGS (Liu & Nocedal 1989); harshness is a
ridge regression. The sentences of an ordinary diary are further neutral ones. Validation sentences
choose the penalty, the temperature and the threshold; test sentences are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from models.training.critic_data import Labelled, Part, diary_sentences, labelled, part
from reframer import paths, settings
from reframer.critic import CLASSES, LayerEmbeddings, cues, features, softmax, unquoted
from reframer.embedding import LocalEmbeddings
from reframer.records import KINDS

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

PENALTIES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
DIARY_WEIGHT = 0.5  # of a diary sentence beside a labelled one
DIARY_FALSE_ALARMS = 0.01  # most that the threshold may let through, on validation
VECTOR_LENGTH = 5.5  # of a sentence's standardised vector, beside cues of 0 and 1
MEMORY = 10
STEPS = 80


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
    layers = LayerEmbeddings(LocalEmbeddings.from_catalog(settings.load().models_dir))
    everyday = diary_sentences(diary)
    train = read("train", layers, everyday)
    check = read("validation", layers, everyday)
    numbers = fit(train, check)
    click.echo(f"threshold {numbers['threshold']:.2f}")
    out = paths.asset("knowledge", "critic", "weights.npz")
    with paths.atomic_write(out) as file:
        np.savez_compressed(file, **numbers)  # type: ignore[arg-type]
    out.chmod(0o644)


def read(wanted: Part, layers: LayerEmbeddings, everyday: Sequence[str]) -> Data:
    """Return one part of the data.

    Args:
        wanted: The part.
        layers: The embedder.
        everyday: All sentences of the diary.
    """
    rows = [row for row in labelled() if part(row.text) == wanted]
    calm = [unquoted(text) for text in everyday if part(text) == wanted]
    return Data(
        rows, features(layers, [unquoted(row.text) for row in rows]), features(layers, calm)
    )


def fit(train: Data, check: Data) -> dict[str, Floats]:
    """Return the ear's weights under the names that it reads."""
    scale, shift = _scaling(train.inputs)
    inputs, diary = (train.inputs - shift) * scale, (train.diary - shift) * scale
    labels = np.array([CLASSES.index(row.label) for row in train.rows] + [0] * len(diary))
    weights = np.r_[np.ones(len(inputs)), np.full(len(diary), DIARY_WEIGHT)].astype(np.float32)
    is_critical = np.array([row.label == "critical" for row in train.rows])
    truth = np.array([row.label == "critical" for row in check.rows])

    def classes_of(penalty: float) -> tuple[Floats, Floats]:
        found = regress(np.vstack([inputs, diary]), labels, weights, penalty, len(CLASSES))
        return _unscaled(*found, scale, shift)

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
    kind = _unscaled(
        *regress(inputs[is_critical], kinds, even, PENALTIES[1], len(KINDS)), scale, shift
    )
    harsh = _unscaled(
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


def regress(
    inputs: Floats, labels: NDArray[np.int64], weights: Floats, penalty: float, count: int
) -> tuple[Floats, Floats]:
    """Return weight and bias of a softmax regression.

    Args:
        inputs: A row for each example.
        labels: Number of its class.
        weights: How much it counts.
        penalty: Of the squared weights; the bias is free.
        count: How many classes there are.
    """
    rows = np.hstack([inputs, np.ones((len(inputs), 1), np.float32)])
    wanted = np.eye(count, dtype=np.float32)[labels]
    share = (weights / weights.sum())[:, None]
    ridge_of = np.full((rows.shape[1], 1), penalty, np.float32)
    ridge_of[-1] = 0

    def loss(flat: Floats) -> tuple[float, Floats]:
        now = flat.reshape(rows.shape[1], count)
        shares = softmax(rows @ now)
        gradient = rows.T @ ((shares - wanted) * share) + ridge_of * now
        surprise = -(share * wanted * np.log(shares + np.float32(1e-12))).sum()
        return float(surprise + (ridge_of * now * now).sum() / 2), gradient.ravel()

    best = minimise(loss, np.zeros(rows.shape[1] * count, np.float32)).reshape(-1, count)
    return best[:-1], best[-1]


def minimise(loss: Callable[[Floats], tuple[float, Floats]], point: Floats) -> Floats:
    """Return a minimum of a smooth convex function by L-BFGS with backtracking.

    Args:
        loss: Gives value and gradient at a point.
        point: Where to start.
    """
    value, gradient = loss(point)
    history: list[tuple[Floats, Floats]] = []
    for _ in range(STEPS):
        direction = _newton_like(gradient, history)
        slope = float(gradient @ direction)
        step = np.float32(1.0)
        after, steeper = loss(point - step * direction)
        while after > value - 1e-4 * step * slope and step > 1e-4:
            step /= 2
            after, steeper = loss(point - step * direction)
        if step <= 1e-4 or value - after < 1e-7:
            break
        history = [*history, (-step * direction, steeper - gradient)][-MEMORY:]
        point, value, gradient = point - step * direction, after, steeper
    return point


def _newton_like(gradient: Floats, history: list[tuple[Floats, Floats]]) -> Floats:
    """Return the gradient bent by what past steps told of the curvature (two-loop recursion)."""
    if not history:
        return gradient / np.linalg.norm(gradient)
    direction = gradient.copy()
    shares = []
    for moved, changed in reversed(history):
        shares.append((moved @ direction) / (moved @ changed))
        direction -= shares[-1] * changed
    moved, changed = history[-1]
    direction *= (moved @ changed) / (changed @ changed)
    for (moved, changed), share in zip(history, reversed(shares), strict=True):
        direction += moved * (share - (changed @ direction) / (moved @ changed))
    return direction


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


def _scaling(inputs: Floats) -> tuple[Floats, Floats]:
    """Return factor and shift that standardise the vectors and leave the cues alone."""
    vectors = inputs.shape[1] - cues(["x"]).shape[1]
    scale = np.ones(inputs.shape[1], np.float32)
    shift = np.zeros(inputs.shape[1], np.float32)
    spread = np.maximum(inputs[:, :vectors].std(0), 1e-2)
    scale[:vectors] = VECTOR_LENGTH / np.sqrt(vectors) / spread
    shift[:vectors] = inputs[:, :vectors].mean(0)
    return scale, shift


def _unscaled(weight: Floats, bias: Floats, scale: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Return weights for inputs as they come."""
    weight = weight * scale[:, None]
    return weight, bias - shift @ weight


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
