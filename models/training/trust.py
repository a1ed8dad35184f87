"""Weigh what tells how far a draft can be trusted: ``python -m models.training.trust``.

``trusted.tsv`` holds drafts of the adapter that ships, for thoughts it never learned from, each
marked by a reader. The weights are those of a logistic regression; how well they tell marks apart
is measured on thoughts that were left out, a tenth at a time.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from reframer.knowledge import example_id
from reframer.trust import LEAST, features

Numbers = NDArray[np.float64]

_MARKS = Path(__file__).with_name("trusted.tsv")
_FOLDS = 10
_STEPS = 30  # of Newton's method; it settles after a few


def read() -> tuple[Numbers, Numbers, NDArray[np.str_]]:
    """Return the features of the drafts, their marks, and the ids of their thoughts."""
    lines = _MARKS.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    inputs = [features(draft, [float(likelihood)]) for _, likelihood, _, draft in rows]
    marks = [float(mark) for mark, *_ in rows]
    return np.array(inputs, float), np.array(marks), np.array([example_id(row[2]) for row in rows])


def fit(inputs: Numbers, marks: Numbers) -> Numbers:
    """Return the weights under which the marks are likeliest."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        shares = _shares(inputs, weights)
        curve = (inputs.T * (shares * (1 - shares))) @ inputs
        weights += np.linalg.solve(curve, inputs.T @ (marks - shares))
    return weights


def left_out(inputs: Numbers, marks: Numbers, thoughts: NDArray[np.str_]) -> Numbers:
    """Return what each draft is given by weights that saw no draft of its thought."""
    # Not by the last digit, which held these thoughts out in the first place.
    folds = np.array([int(thought, 16) // 10 % _FOLDS for thought in thoughts])
    shares = np.zeros(len(marks))
    for fold in range(_FOLDS):
        out = folds == fold
        shares[out] = _shares(inputs[out], fit(inputs[~out], marks[~out]))
    return shares


def told_apart(shares: Numbers, marks: Numbers) -> float:
    """Return the area under the curve: how often a good draft is given more than a bad one."""
    good, bad = shares[marks == 1], shares[marks == 0]
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def _shares(inputs: Numbers, weights: Numbers) -> Numbers:
    shares: Numbers = 1 / (1 + np.exp(-inputs @ weights))
    return shares


@click.command()
def main() -> None:
    """Print the weights, and how well they do."""
    inputs, marks, thoughts = read()
    shares = left_out(inputs, marks, thoughts)
    best = np.array(
        [max(np.flatnonzero(thoughts == one), key=shares.__getitem__) for one in set(thoughts)]
    )
    shown = best[shares[best] >= LEAST]
    click.echo(f"weights: {fit(inputs, marks).round(3)}")
    click.echo(f"area under the curve: {told_apart(shares, marks):.3f} of {len(marks)} drafts")
    click.echo(
        f"of {len(best)} thoughts {len(shown)} have a draft from {LEAST} on, "
        f"and {marks[shown].mean():.0%} of these may be shown"
    )


if __name__ == "__main__":
    main()
