"""Train `reframer.conversation.likeness` on the labelled turns, in numpy.

    python -m models.training.conversation

A softmax regression with a ridge penalty over what the ear reads. Turns that rules or safety know
for certain teach it too, so that it knows what is like them; danger and other languages are left to
safety and to rules. The penalty is chosen by cross-validation on the half of the turns that is not
for evaluation; the other half is not read.
"""

from __future__ import annotations

import click
import numpy as np
from numpy.typing import NDArray

from models.training import regression
from models.training.regression import Floats
from reframer import paths, settings
from reframer.conversation import Labelled, labelled
from reframer.critic import CUES, features, softmax
from reframer.embedding import LocalEmbeddings

PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2)
FOLDS = 10
BY_OTHERS = ("safety", "other-language")
DETAILED = ("wish", "small-talk")
ABOUT_ITSELF = ("private", "about")


@click.command()
def main() -> None:
    """Train on the labelled turns, and write the weights that ship."""
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    turns = [
        turn
        for turn in labelled()
        if not (turn.held_out or turn.kind in BY_OTHERS or turn.detail == "went-on")
    ]
    names = sorted({name_of(turn) for turn in turns})
    inputs = features(embeddings, [turn.text for turn in turns])
    wanted = np.array([names.index(name_of(turn)) for turn in turns])
    shares = {penalty: cross_validated(inputs, wanted, names, penalty) for penalty in PENALTIES}
    penalty = max(shares, key=shares.__getitem__)
    click.echo(f"penalty {penalty}, kind right in cross-validation {shares[penalty]:.3f}")
    weight, bias = fit(inputs, wanted, penalty, len(names))
    out = paths.asset("knowledge", "conversation", "weights.npz")
    with paths.atomic_write(out) as file:
        np.savez_compressed(
            file, weight=weight.astype(np.float16), bias=bias, names=np.array(names)
        )
    out.chmod(0o644)


def name_of(turn: Labelled) -> str:
    """Return what a turn is told apart as: its kind, with the detail where one can be learned."""
    if turn.kind in DETAILED or turn.detail in ABOUT_ITSELF:
        return f"{turn.kind}:{turn.detail}"
    return turn.kind


def fit(
    inputs: Floats, wanted: NDArray[np.int64], penalty: float, count: int
) -> tuple[Floats, Floats]:
    """Return weight and bias for inputs as they come."""
    return regression.fit(inputs, wanted, penalty, count, len(CUES))


def cross_validated(
    inputs: Floats, wanted: NDArray[np.int64], names: list[str], penalty: float
) -> float:
    """Return the share of turns whose kind is told right by those of the other folds.

    As in use, the shares of a kind's details count together.
    """
    of_name = [name.partition(":")[0] for name in names]
    kinds = sorted(set(of_name))
    is_of_kind = np.array([[name == kind for kind in kinds] for name in of_name], np.float32)
    true = np.array([kinds.index(of_name[number]) for number in wanted])
    folds = np.random.default_rng(0).permutation(len(inputs)) % FOLDS
    right = 0
    for fold in range(FOLDS):
        out = folds == fold
        weight, bias = fit(inputs[~out], wanted[~out], penalty, len(names))
        found = (softmax(inputs[out] @ weight + bias) @ is_of_kind).argmax(1)
        right += int((found == true[out]).sum())
    return right / len(inputs)


if __name__ == "__main__":
    main()
