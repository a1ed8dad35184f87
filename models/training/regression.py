"""Softmax regression with a ridge penalty, fitted by L-BFGS (Liu & Nocedal 1989), in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reframer.critic import softmax

Floats = NDArray[np.float32]

VECTOR_LENGTH = 5.5  # of a sentence's standardised vector, beside features of 0 and 1
MEMORY = 10
STEPS = 80


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


def fit(
    inputs: Floats, labels: NDArray[np.int64], penalty: float, count: int, plain: int
) -> tuple[Floats, Floats]:
    """Return weight and bias of a regression for inputs as they come; all rows count alike.

    Args:
        inputs: A row for each example: its vector, then features of 0 and 1.
        labels: Number of its class.
        penalty: Of the squared weights of standardised inputs.
        count: How many classes there are.
        plain: How many features of 0 and 1 there are.
    """
    scale, shift = scaling(inputs, plain)
    even = np.ones(len(inputs), np.float32)
    return unscaled(*regress((inputs - shift) * scale, labels, even, penalty, count), scale, shift)


def scaling(inputs: Floats, plain: int) -> tuple[Floats, Floats]:
    """Return factor and shift that standardise sentence vectors.

    Args:
        inputs: A row for each example: its vector, then features of 0 and 1.
        plain: How many the latter are; they are left alone.
    """
    vectors = inputs.shape[1] - plain
    scale = np.ones(inputs.shape[1], np.float32)
    shift = np.zeros(inputs.shape[1], np.float32)
    spread = np.maximum(inputs[:, :vectors].std(0), 1e-2)
    scale[:vectors] = VECTOR_LENGTH / np.sqrt(vectors) / spread
    shift[:vectors] = inputs[:, :vectors].mean(0)
    return scale, shift


def unscaled(weight: Floats, bias: Floats, scale: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Return weights for inputs as they come."""
    weight = weight * scale[:, None]
    return weight, bias - shift @ weight
