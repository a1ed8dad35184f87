"""Write the trained voice as llama.cpp reads it: ``python -m models.training.adapter``.

Beside the adapter come a JSON file that says how it was made, and a picture of the losses. Before
it is written, llama.cpp speaks with it, and the trained network is asked whether it agrees.
"""

from __future__ import annotations

from reframer import seal  # first, so that nothing gets ahead of it

# isort: split

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import torch

from models.training import lora
from models.training.network import Network, read_network
from models.training.pairs import Lessons, Pair
from reframer import catalog, paths
from reframer.errors import ModelError, ReframerError
from reframer.llama.sampling import Sampling
from reframer.llama.weights import Weights

_LICENCE = "Apache-2.0"
_SPOKEN = 8  # held-out thoughts that llama.cpp answers as a check
_AGREEMENT = 0.85


@click.command()
@click.argument("gguf", type=Path)
@click.option("--work", type=Path, default=Path("build/training"), show_default=True)
@click.option("--out", type=Path, default=Path("models/adapters/voice.gguf"), show_default=True)
def main(gguf: Path, work: Path, out: Path) -> None:
    """Write what was trained in WORK for the model file GGUF as an adapter."""
    try:
        write(gguf, work, out)
    except ReframerError as error:
        raise click.ClickException(str(error)) from error


def write(base: Path, work: Path, out: Path) -> None:
    """Write an adapter, how it was made, and the picture of its losses.

    Args:
        base: The base model's file.
        work: Folder of the training.
        out: The adapter's file; the others lie beside it.

    Raises:
        ModelError: llama.cpp does not speak as the adapter was trained.
    """
    lessons = Lessons.load(work / "lessons.json")
    history = json.loads((work / "history.json").read_text("utf-8"))
    values = torch.load(work / "trained.pt", weights_only=True)
    recipe = history["recipe"]
    draft = work / "adapter.gguf"
    about = {
        "general.name": "The voice of reframer",
        "general.license": _LICENCE,
        "reframer.base.sha256": lessons.base,
        "reframer.data.sha256": lessons.data,
    }
    lora.write_adapter(draft, values, recipe["alpha"], about)

    network = read_network(base)
    lora.attach(network, recipe["rank"], recipe["alpha"], recipe["dropout"])
    lora.set_factors(network, values)
    spoken = Weights.open(base, adapter=draft)
    agreement = _agreement(network, spoken, lessons.held_out[:_SPOKEN])
    if agreement < _AGREEMENT:
        raise ModelError("llama.cpp does not speak as the adapter was trained.", f"See {draft}.")

    with paths.atomic_write(out) as file:
        file.write(draft.read_bytes())
    facts = _facts(out, lessons, history) | {"agreement": round(agreement, 4)}
    with paths.atomic_write(out.with_suffix(".json")) as file:
        file.write(json.dumps(facts, indent=1).encode() + b"\n")
    _draw(history, out.with_suffix(".png"))
    click.echo(f"wrote {out}; llama.cpp agrees in {agreement:.1%} of the tokens", err=True)


def _facts(out: Path, lessons: Lessons, history: dict[str, Any]) -> dict[str, Any]:
    """Return how an adapter was made."""
    return {
        "base": {"sha256": lessons.base},
        "data": {
            "sha256": lessons.data,
            "pairs": len(lessons.pairs),
            "tokens": sum(map(len, lessons.pairs)),
            "held_out": len(lessons.held_out),
        },
        "adapter": {"file": out.name, "sha256": catalog.hash_file(out), "licence": _LICENCE},
        "settings": history["recipe"],
        "steps": len(history["training"]),
        "best_step": history["best"],
        "held_out_loss": history["held_out"],
        "training_loss": [round(value, 4) for value in history["training"]],
        "minutes": round(history["seconds"] / 60, 1),
        "device": history["device"],
    }


@torch.no_grad()
def _agreement(network: Network, weights: Weights, asked: Sequence[Pair]) -> float:
    """Return how many of llama.cpp's likeliest tokens are the network's likeliest too.

    They cannot all be: llama.cpp computes with the quantized weights, in other precision.
    """
    network.eval()
    same = count = 0
    for pair in asked:
        prompt = list(pair.tokens[: pair.prompt])
        speech = weights.speak(prompt, Sampling(temperature=0, max_tokens=40))
        said = weights.tokens(b"".join(speech).decode("utf-8", "replace"))
        tokens = torch.tensor([prompt + said])
        likeliest = network.output(network(tokens)[0, len(prompt) - 1 : -1]).argmax(-1)
        same += int((likeliest == tokens[0, len(prompt) :]).sum())
        count += len(said)
    return same / max(1, count)


def _draw(history: dict[str, Any], file: Path) -> None:
    """Draw the losses."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    training = history["training"]
    held_out = {int(step): loss for step, loss in history["held_out"].items()}
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(range(1, len(training) + 1), training, lw=0.7, label="training")
    axes.plot(*zip(*held_out.items(), strict=True), marker="o", label="held-out openings")
    axes.set(xlabel="step", ylabel="loss, nats per token of the answer")
    axes.legend()
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    seal.close()
    main()
