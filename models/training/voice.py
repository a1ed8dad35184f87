"""Train the voice: ``python -m models.training.voice``.

Reads the default model back from its GGUF file, trains a low-rank adapter on the cards' examples
without the held-out tenth, keeps the one with the lowest held-out loss, and writes it as llama.cpp
reads it. Beside it come a JSON file that says how it was made, and a picture of the losses. Before
it is written, llama.cpp speaks with it, and the trained network is asked whether it agrees.

It uses a CUDA device where there is one. Broken off, it goes on where it was when it is started
again with the same settings.
"""

from __future__ import annotations

from reframer import seal  # first, so that nothing gets ahead of it

# isort: split

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch
from langchain_core.messages import convert_to_openai_messages

from models.training import lora
from models.training.loop import History, Recipe, train
from models.training.network import Network, read_network
from models.training.pairs import examples, fingerprint, pair
from reframer import catalog, paths, prompts, settings
from reframer.errors import ModelError, ReframerError
from reframer.knowledge import load_techniques, read_technique
from reframer.llama.gguf import read_header
from reframer.llama.sampling import Sampling
from reframer.llama.weights import Weights
from reframer.records import Example, Technique
from reframer.threads import usable_cores

_LICENCE = "Apache-2.0"
_SPOKEN = 8  # held-out thoughts that llama.cpp answers as a check
_AGREEMENT = 0.85
_PLAIN = Recipe()


@click.command()
@click.option("--gguf", type=Path, help="The base model's file [default: the default model].")
@click.option("--work", type=Path, default=Path("build/training"), show_default=True)
@click.option("--out", type=Path, default=Path("models/adapters/voice.gguf"), show_default=True)
@click.option("--cards", type=Path, help="Folder of the cards [default: the program's].")
@click.option("--epochs", default=_PLAIN.epochs, show_default=True)
@click.option("--rank", default=_PLAIN.rank, show_default=True)
@click.option("--alpha", default=_PLAIN.alpha, show_default=True)
@click.option("--dropout", default=_PLAIN.dropout, show_default=True)
@click.option("--rate", default=_PLAIN.rate, show_default=True, help="Highest learning rate.")
@click.option("--batch", default=_PLAIN.batch, show_default=True, help="Pairs in a step.")
@click.option("--seed", default=_PLAIN.seed, show_default=True)
def main(gguf: Path | None, work: Path, out: Path, cards: Path | None, **recipe: Any) -> None:
    """Train the voice on the cards' examples and write it as an adapter for llama.cpp."""
    try:
        _make(gguf or _default_model(), work, out, _techniques(cards), Recipe(**recipe))
    except ReframerError as error:
        raise click.ClickException(str(error)) from error


def _make(
    base: Path, work: Path, out: Path, techniques: Sequence[Technique], recipe: Recipe
) -> None:
    chosen = examples(techniques, held_out=False)
    kept = examples(techniques, held_out=True)
    end = int(read_header(base).values["tokenizer.ggml.eos_token_id"])
    weights = Weights.open(base)
    pairs = [pair(*entry, weights, end) for entry in chosen]
    held_out = [pair(*entry, weights, end) for entry in kept]
    tokens = sum(map(len, pairs))
    _tell(f"{len(pairs)} pairs of {tokens} tokens, {len(held_out)} held out; reading the base ...")

    network = _network(base, recipe)
    history, values = train(network, pairs, held_out, recipe, work, _tell)

    about = {
        "general.name": "The voice of reframer",
        "general.license": _LICENCE,
        "reframer.base.sha256": catalog.hash_file(base),
        "reframer.data.sha256": fingerprint(chosen),
    }
    draft = work / "adapter.gguf"
    lora.write_adapter(draft, values, recipe.alpha, about)
    lora.set_factors(network, values)
    agreement = _agreement(network, Weights.open(base, adapter=draft), kept[:_SPOKEN])
    _tell(f"llama.cpp says what the trained network would say in {agreement:.1%} of its tokens")
    if agreement < _AGREEMENT:
        raise ModelError("llama.cpp does not speak as the adapter was trained.", f"See {draft}.")

    with paths.atomic_write(out) as file:
        file.write(draft.read_bytes())
    with paths.atomic_write(out.with_suffix(".json")) as file:
        facts = {
            "base": {"file": base.name, "sha256": about["reframer.base.sha256"]},
            "data": {
                "sha256": about["reframer.data.sha256"],
                "pairs": len(pairs),
                "tokens": tokens,
                "held_out": len(held_out),
            },
            "adapter": {"file": out.name, "sha256": catalog.hash_file(out), "licence": _LICENCE},
            "settings": asdict(recipe),
            "steps": len(history.training),
            "best_step": history.best,
            "held_out_loss": history.held_out,
            "training_loss": [round(value, 4) for value in history.training],
            "agreement": round(agreement, 4),
            "minutes": round(history.seconds / 60, 1),
            "device": str(network.output.weight.device),
        }
        file.write(json.dumps(facts, indent=1).encode() + b"\n")
    _draw(history, out.with_suffix(".png"))
    _tell(f"wrote {out}, from step {history.best}")


def _network(base: Path, recipe: Recipe) -> Network:
    """Return the base with a fresh adapter, on the fastest device."""
    torch.set_num_threads(usable_cores())
    network = read_network(base).to("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    lora.attach(network, recipe.rank, recipe.alpha, recipe.dropout)
    return network


@torch.no_grad()
def _agreement(
    network: Network, weights: Weights, asked: Sequence[tuple[Technique, Example]]
) -> float:
    """Return how many of llama.cpp's likeliest tokens are the network's likeliest too.

    They cannot all be: llama.cpp computes with the quantized weights, in other precision.
    """
    network.eval()
    same = count = 0
    for technique, example in asked:
        messages = prompts.opening(example.thought, technique)
        prompt = weights.prompt(convert_to_openai_messages(messages))
        speech = weights.speak(prompt, Sampling(temperature=0, max_tokens=80))
        said = weights.tokens(b"".join(speech).decode("utf-8", "replace"))
        tokens = torch.tensor([prompt + said], device=network.output.weight.device)
        likeliest = network.output(network(tokens)[0, len(prompt) - 1 : -1]).argmax(-1)
        same += int((likeliest == tokens[0, len(prompt) :]).sum())
        count += len(said)
    return same / max(1, count)


def _draw(history: History, file: Path) -> None:
    """Draw the losses."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(range(1, len(history.training) + 1), history.training, lw=0.7, label="training")
    axes.plot(*zip(*history.held_out.items(), strict=True), marker="o", label="held out")
    axes.set(xlabel="step", ylabel="loss, nats per token of the answer")
    axes.legend()
    figure.savefig(file, dpi=100)


def _default_model() -> Path:
    return catalog.locate(catalog.default("chat"), settings.load().models_dir)[0]


def _techniques(cards: Path | None) -> tuple[Technique, ...]:
    if cards is None:
        return load_techniques()
    return tuple(read_technique(file) for file in sorted(cards.rglob("*.md")))


def _tell(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    seal.close()
    main()
