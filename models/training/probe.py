"""Fit the probes: ``python -m models.training.probe --diary DIARY.csv``; see `reframer.probe`.

The default model reads what was labelled by hand for danger and for conversations, a third of the
cards' thoughts and an ordinary diary, which takes two cores about an hour; its states are kept in
``build/probe``, and a later call reads only what is new. Then each question is fitted by softmax
regression on the states, which is done in a minute. Needs torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from safetensors.numpy import save_file
from torch import Tensor

from models.training.critic_data import diary_sentences, part
from models.training.readings import measuring, turn_names
from models.training.safety_data import statements
from models.training.turn_data import name_of
from reframer import catalog, paths, prompts, settings
from reframer.conversation import labelled
from reframer.encoder import Vectors
from reframer.knowledge import example_id, load_techniques
from reframer.llama.chat import ChatLlama
from reframer.probe import PROBES
from reframer.safety import RANK

_PENALTY = 5e-6  # for squares of weights, on states of unit variance over the root of their width
_STEPS = 150
_BY_THE_WAY = 0.3  # what a card's thought counts, or turns would be taken for thoughts too often
_EVERY = 3  # of the cards' thoughts one in so many
_SAVED_EVERY = 200


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text with what is known of it.

    Attributes:
        text: The text.
        level: Number of its level of danger.
        turn: Which turn of a conversation it is; empty where that is not known.
        counts: How much it counts.
    """

    text: str
    level: int
    turn: str = ""
    counts: float = 1


def lessons(diary: Path) -> list[Lesson]:
    """Return what the probes are fitted on; texts for evaluation are left out.

    Args:
        diary: A table of ordinary diary entries with the column ``text``.
    """
    measures, names = set(measuring()), set(turn_names())
    everything = (*_statements(), *_turns(names), *_thoughts(), *_everyday(diary))
    return [one for one in everything if one.text not in measures]


def _statements() -> Iterator[Lesson]:
    yield from (Lesson(row.text, RANK[row.level]) for row in statements() if not row.held_out)


def _turns(names: set[str]) -> Iterator[Lesson]:
    for turn in labelled():
        if not turn.held_out and (name := name_of(turn)) in names:
            yield Lesson(turn.text, RANK["none"], name)


def _thoughts() -> Iterator[Lesson]:
    for card in load_techniques():
        for example in card.examples:
            if not example.held_out and int(example.id, 16) % _EVERY == 0:
                yield Lesson(example.thought, RANK["none"], "thought", _BY_THE_WAY)


def _everyday(diary: Path) -> Iterator[Lesson]:
    yield from (Lesson(t, RANK["none"]) for t in diary_sentences(diary) if part(t) != "test")


class States:
    """The model's states of texts, kept in a file.

    Args:
        file: The file; it need not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, Vectors] = {}
        if file.is_file():
            with np.load(file, allow_pickle=False) as kept:
                self._kept = dict(zip(kept["ids"].tolist(), kept["states"], strict=True))

    def of(self, texts: Sequence[str], model: catalog.Model, folder: Path) -> Vectors:
        """Return the states of texts, a row for each; those that are not kept are read."""
        wanted = {example_id(text): text for text in texts}
        if missing := [name for name in wanted if name not in self._kept]:
            read = ChatLlama.from_catalog(model, folder).reads(prompts.probe)
            for number, name in enumerate(missing, 1):
                self._kept[name] = read(wanted[name])
                if number % _SAVED_EVERY == 0 or number == len(missing):
                    self._save()
                    click.echo(f"{number:,} of {len(missing):,} texts read", err=True)
        return np.stack([self._kept[example_id(text)] for text in texts])

    def _save(self) -> None:
        states = np.stack([*self._kept.values()])
        with paths.atomic_write(self._file) as file:
            np.savez(file, ids=np.array([*self._kept]), states=states)


def fit(
    states: Vectors, answers: Sequence[int], counts: Sequence[float], width: int
) -> tuple[Vectors, Vectors]:
    """Return weight and bias of a softmax regression of answers on states.

    Args:
        states: A row for each text.
        answers: The number of each text's answer.
        counts: How much each text counts.
        width: How many answers there are.
    """
    center, scale = states.mean(0), (states.std(0) + 1e-6) * np.sqrt(states.shape[1])
    rows = torch.tensor((states - center) / scale, dtype=torch.float64)
    right, share = torch.tensor(answers), torch.tensor(counts, dtype=torch.float64)
    share /= share.sum()
    weight = torch.zeros(rows.shape[1], width, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        each = F.cross_entropy(rows @ weight + bias, right, reduction="none")
        cost = each @ share + _PENALTY * weight.square().sum()
        torch.autograd.backward(cost)
        return cost

    optimizer.step(loss)
    unscaled = weight.detach().numpy() / scale[:, None]
    shifted = bias.detach().numpy() - center @ unscaled
    return unscaled.astype(np.float32), shifted.astype(np.float32)


@click.command()
@click.option("--diary", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--work", type=Path, default=Path("build/probe"), show_default=True)
@click.option("--out", type=Path, default=PROBES)
def main(diary: Path, work: Path, out: Path) -> None:
    """Read the lessons with the default model, and write the probes."""
    model, turns = catalog.default("chat"), turn_names()
    known = lessons(diary)
    work.mkdir(parents=True, exist_ok=True)
    texts = [one.text for one in known]
    states = States(work / "states.npz").of(texts, model, settings.load().models_dir)
    said = [at for at, one in enumerate(known) if one.turn]
    tensors: dict[str, Vectors] = {}
    for head, asked, answers, width in (
        ("level", [*range(len(known))], [one.level for one in known], len(RANK)),
        ("turn", said, [turns.index(known[at].turn) for at in said], len(turns)),
    ):
        counts = [known[at].counts for at in asked]
        weight, bias = fit(states[asked], answers, counts, width)
        tensors |= {f"{head}.weight": weight, f"{head}.bias": bias}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out, {"base": model.files[0].sha256, "turns": json.dumps(turns)})
    click.echo(f"{len(known):,} lessons")


if __name__ == "__main__":
    main()
