"""Train the voice: ``python -m models.training.voice``, between `lessons` and `adapter`.

Reads the default model back from its GGUF file, trains a low-rank adapter on the lessons, and keeps
the one with the lowest held-out loss. It uses a CUDA device where there is one, and needs torch and
gguf, but not llama.cpp. Broken off, it goes on where it was when it is started again with the same
settings.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch

from models.training import lora
from models.training.loop import Recipe, train
from models.training.network import Network, read_network
from models.training.pairs import Lessons
from reframer import paths
from reframer.errors import ReframerError
from reframer.threads import usable_cores

_PLAIN = Recipe()


@click.command()
@click.argument("gguf", type=Path)
@click.option("--work", type=Path, default=Path("build/training"), show_default=True)
@click.option("--epochs", default=_PLAIN.epochs, show_default=True)
@click.option("--rank", default=_PLAIN.rank, show_default=True)
@click.option("--alpha", default=_PLAIN.alpha, show_default=True)
@click.option("--dropout", default=_PLAIN.dropout, show_default=True)
@click.option("--rate", default=_PLAIN.rate, show_default=True, help="Highest learning rate.")
@click.option("--batch", default=_PLAIN.batch, show_default=True, help="Pairs in a step.")
@click.option("--seed", default=_PLAIN.seed, show_default=True)
def main(gguf: Path, work: Path, **recipe: Any) -> None:
    """Train on WORK/lessons.json for the model file GGUF, and write WORK/trained.pt."""
    try:
        run(gguf, work, Recipe(**recipe))
    except ReframerError as error:
        raise click.ClickException(str(error)) from error


def run(base: Path, work: Path, recipe: Recipe) -> None:
    """Train, and write ``trained.pt`` and ``history.json`` into the work folder.

    Args:
        base: The base model's file.
        work: Folder that holds ``lessons.json``.
        recipe: How it is trained.

    Raises:
        UsageError: The folder holds another training that was begun.
        ModelError: The base is missing, damaged or of another architecture.
    """
    lessons = Lessons.load(work / "lessons.json")
    _tell(f"{len(lessons.pairs)} pairs, {len(lessons.held_out)} held out; reading the base ...")
    network = _network(base, recipe)
    history, values = train(network, lessons.pairs, lessons.held_out, recipe, work, _tell)
    with paths.atomic_write(work / "trained.pt") as file:
        torch.save({name: value.to(torch.float16) for name, value in values.items()}, file)
    facts = {**asdict(history), "best": history.best, "device": str(network.output.weight.device)}
    with paths.atomic_write(work / "history.json") as file:
        file.write(json.dumps({"recipe": asdict(recipe), **facts}).encode())


def _network(base: Path, recipe: Recipe) -> Network:
    """Return the base with a fresh adapter, on the fastest device."""
    torch.set_num_threads(usable_cores())
    network = read_network(base).to("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    lora.attach(network, recipe.rank, recipe.alpha, recipe.dropout)
    return network


def _tell(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
