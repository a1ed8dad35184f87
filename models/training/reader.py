"""Train the reader: ``python -m models.training.reader EMBEDDER``, after `readings`.

Several copies of the embedder's network are tuned on the lessons, alike but for their order, and
averaged weight by weight, which reads better than any of them and costs nothing in use (Wortsman et
al. 2022, "Model soups"). Then the thresholds are chosen on lessons that were kept back. Needs torch
and safetensors, and nothing else of this program.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.reading_network import Network

Row = Mapping[str, Any]

SOFT = {"voice": 1.0, "kind": 0.5, "level": 1.0, "technique": 0.5}  # how much the teacher counts
SURELY = 0.5  # of being self-critical, from which the teacher is asked for the kind
SMOOTHING = 0.05
DIARY_HEARD = 0.01  # most of a diary's sentences that may be taken for self-critical
# Shares that may be taken for a sign of danger, of single texts: of a diary's sentences, of
# self-critical ones, and of statements written to be near misses. In use a text's worst part counts
# as much as the whole, so they become more.
DIARY_FLAGGED = 0.008
CRITICAL_FLAGGED = 0.04
NEAR_FLAGGED = 0.09
HARMLESS_CRISIS = 0.004  # share of all harmless ones that may be called a crisis


@dataclass(frozen=True)
class Recipe:
    """What decides a training's result, besides the base and the lessons.

    Attributes:
        copies: How many networks are averaged.
        epochs: How often each lesson is seen.
        rate: Highest learning rate of the last layer; it rises over the first tenth, then falls in
            a straight line. Each layer below learns more slowly by `decay`.
        decay: See above.
        head_rate: Highest learning rate of the heads.
        dropout: Share of the numbers left out in training.
        batch: Lessons in a step.
    """

    copies: int = 3
    epochs: int = 6
    rate: float = 2e-4
    decay: float = 0.85
    head_rate: float = 1e-3
    dropout: float = 0.1
    batch: int = 64


@click.command()
@click.argument("embedder", type=Path)
@click.option("--work", type=Path, default=Path("build/reading"), show_default=True)
@click.option("--out", type=Path, default=Path("models/reader/reader.safetensors"))
@click.option("--start", type=Path, help="An earlier reader to go on from, and to meet halfway.")
@click.option("--copies", default=Recipe.copies, show_default=True)
@click.option("--epochs", default=Recipe.epochs, show_default=True)
@click.option("--rate", default=Recipe.rate, show_default=True)
def main(embedder: Path, work: Path, out: Path, start: Path | None, **recipe_given: Any) -> None:
    """Train on WORK/lessons.json for the file EMBEDDER, and write the reader."""
    recipe = Recipe(**recipe_given)
    raw = (work / "lessons.json").read_bytes()
    facts = json.loads(raw)
    base = load_file(embedder)
    teacher = read_teacher(Path(__file__).with_name("teacher.npz"))
    heads = {
        "voice": 3, "kind": len(facts["kinds"]), "harsh": 1, "level": 3,
        "technique": len(facts["techniques"]), "turn": len(facts["turns"]),
    }  # fmt: skip
    device = "cuda" if torch.cuda.is_available() else "cpu"
    learned = [row for row in facts["lessons"] if row["part"] == "train"]
    kept_back = [row for row in facts["lessons"] if row["part"] == "validation"]
    copies_made = []
    for seed in range(recipe.copies):
        torch.manual_seed(0)  # the heads begin alike, or their average would mean nothing
        network = Network(base, heads, recipe.dropout).to(device)
        if start:
            network.load_state_dict(load_file(start))
        train(network, learned, teacher, recipe, seed)
        copies_made.append({name: value.cpu() for name, value in network.state_dict().items()})
        _tell(f"copy {seed + 1}: {calibrate(network, kept_back)}")
    soup = _mean(copies_made)
    if start:  # halfway, nothing that it knew is lost (Wortsman et al. 2022, "WiSE-FT")
        soup = _mean([soup, {name: value.float() for name, value in load_file(start).items()}])
    network.load_state_dict(soup)
    thresholds = calibrate(network, kept_back)
    _tell(f"together: {thresholds}")
    about = {
        "base": facts["base"],
        "data": hashlib.sha256(raw).hexdigest(),
        "techniques": json.dumps(facts["techniques"]),
        "turns": json.dumps(facts["turns"]),
        "thresholds": json.dumps(thresholds),
        "recipe": json.dumps(asdict(recipe)),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in soup.items()}, out, about)


def _mean(weights: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([one[name] for one in weights]).mean(0) for name in weights[0]}


def read_teacher(file: Path) -> dict[str, Tensor]:
    """Return what the teacher thinks of its texts: probabilities by head, a row for each text."""
    with np.load(file, allow_pickle=False) as table:
        return {head: torch.tensor(table[head].astype(np.float32)) for head in SOFT}


def train(
    network: Network,
    rows: Sequence[Row],
    teacher: Mapping[str, Tensor],
    recipe: Recipe,
    seed: int,
) -> None:
    """Tune a network on lessons.

    Args:
        network: The network.
        rows: The lessons, as `readings` writes them.
        teacher: What the teacher thinks, by head.
        recipe: How it is trained.
        seed: Decides the order and what is dropped.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - an order, not a secret
    device = network.head["voice"].weight.device
    optimizer = torch.optim.AdamW(_groups(network, recipe), weight_decay=0.01)
    highest = [group["lr"] for group in optimizer.param_groups]
    steps = recipe.epochs * math.ceil(len(rows) / recipe.batch)
    step, begun = 0, time.monotonic()
    network.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for batch in _batches(rows, recipe.batch, rng):
            share = min(1.0, (step + 1) / (0.1 * steps)) * (1 - step / steps)
            for group, rate in zip(optimizer.param_groups, highest, strict=True):
                group["lr"] = rate * share
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                said = network([row["tokens"] for row in batch])
            loss = _loss({name: value.float() for name, value in said.items()}, batch, teacher)
            optimizer.zero_grad()
            torch.autograd.backward(loss / recipe.batch)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            step += 1
        _tell(f"epoch {epoch + 1}: loss {total / len(rows):.4f}, {time.monotonic() - begun:.0f} s")


def _groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    layers = list(network.encoder["layer"])
    below = reversed(range(len(layers)))
    groups = [
        {"params": list(layer.parameters()), "lr": recipe.rate * recipe.decay**depth}
        for layer, depth in zip(layers, below, strict=True)
    ]
    return [*groups, {"params": list(network.head.parameters()), "lr": recipe.head_rate}]


def _batches(rows: Sequence[Row], size: int, rng: random.Random) -> list[list[Row]]:
    """Return the rows in a random order, in batches of about the same length."""
    order = list(rows)
    rng.shuffle(order)
    pools = [order[at : at + 16 * size] for at in range(0, len(order), 16 * size)]
    for pool in pools:
        pool.sort(key=lambda row: len(row["tokens"]))
    cut = [pool[at : at + size] for pool in pools for at in range(0, len(pool), size)]
    rng.shuffle(cut)
    return cut


def _loss(
    said: Mapping[str, Tensor], batch: Sequence[Row], teacher: Mapping[str, Tensor]
) -> Tensor:
    """Return the sum of what the answers known of a batch, and the teacher's, cost."""
    device = said["voice"].device
    total = torch.zeros((), device=device)
    for head, numbers in said.items():
        asked = [
            (at, *row["answers"][head]) for at, row in enumerate(batch) if head in row["answers"]
        ]
        if not asked:
            continue
        at, wanted, weight = (
            torch.tensor(list(each), device=device) for each in zip(*asked, strict=True)
        )
        if head == "harsh":
            each = (numbers[at, 0] - wanted).square()
        else:
            each = F.cross_entropy(
                numbers[at], wanted.long(), reduction="none", label_smoothing=SMOOTHING
            )
        total = total + (each * weight).sum()
    for head, counts in SOFT.items():
        asked = [
            (at, row["teacher"])
            for at, row in enumerate(batch)
            if row["teacher"] >= 0 and _is_asked(head, row, teacher)
        ]
        if asked:
            at, number = zip(*asked, strict=True)
            thought = teacher[head][list(number)].to(device)
            total = total - counts * (thought * F.log_softmax(said[head][list(at)], 1)).sum()
    return total


def _is_asked(head: str, row: Row, teacher: Mapping[str, Tensor]) -> bool:
    """Whether the teacher's answer of a head means something for a text."""
    if head == "kind":
        return bool(teacher["voice"][row["teacher"], 1] > SURELY)
    return head != "technique" or row["of"] == "technique"


def calibrate(network: Network, rows: Sequence[Row]) -> dict[str, float]:
    """Return the thresholds, and with them F1 of the self-critical and recall of danger.

    Args:
        network: The network.
        rows: Lessons that it did not learn from.
    """
    said = _shares(network, rows)
    of = np.array([row["of"] for row in rows])
    voice = said["voice"][:, 1]
    truth = np.array([row["answers"].get("voice", [0])[0] == 1 for row in rows])
    ear, diary, safety = of == "ear", of == "diary", of == "safety"
    steps = np.arange(0.2, 0.96, 0.01)
    quiet = [t for t in steps if (voice[diary] >= t).mean() <= DIARY_HEARD] or [steps[-1]]
    critical = max(quiet, key=lambda t: _f1(voice[ear] >= t, truth[ear]))

    level = np.array(
        [row["answers"]["level"][0] if "level" in row["answers"] else 0 for row in rows]
    )
    risk = 1 - said["level"][:, 0]
    near = safety & (level == 0)
    concern = max(
        np.quantile(risk[diary], 1 - DIARY_FLAGGED),
        np.quantile(risk[ear & truth], 1 - CRITICAL_FLAGGED),
        np.quantile(risk[near], 1 - NEAR_FLAGGED),
    )
    crisis = np.quantile(said["level"][level == 0, 2], 1 - HARMLESS_CRISIS)
    return {
        "critical": float(critical),
        "concern": float(concern),
        "crisis": float(max(crisis, concern / 2)),
        "f1": float(_f1(voice[ear] >= critical, truth[ear])),
        "heard": float((risk[safety & (level > 0)] >= concern).mean()),
    }


@torch.no_grad()
def _shares(network: Network, rows: Sequence[Row]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the probabilities of the heads that thresholds are chosen for, in 32 bits."""
    network.eval()
    parts = [
        network([row["tokens"] for row in rows[at : at + 64]]) for at in range(0, len(rows), 64)
    ]
    return {
        head: torch.cat([part[head].softmax(1) for part in parts]).cpu().numpy()
        for head in ("voice", "level")
    }


def _f1(heard: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    return float(2 * (heard & truth).sum() / max(1, heard.sum() + truth.sum()))


def _tell(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
