"""The training itself: steps, held-out losses, and a work folder from which it goes on exactly."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from models.training.lora import factors, set_factors
from models.training.network import Network
from models.training.pairs import Pair, batches
from reframer import paths
from reframer.errors import UsageError

_SAVE_SECONDS = 180
_TELL_STEPS = 5


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides a training's result, besides the base and the pairs.

    Attributes:
        epochs: How often each pair is seen; one that is there twice, twice as often.
        rank: Rank of the adapter.
        alpha: The adapter is scaled by alpha / rank.
        dropout: Share of the adapter's inputs left out in each step.
        rate: Highest learning rate; it rises over the first tenth, then falls along a cosine.
        batch: Pairs in a step.
        seed: Decides the order, the beginning and the dropout.
    """

    epochs: float = 1.0
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.1
    rate: float = 1.5e-4
    batch: int = 32
    seed: int = 1


@dataclass(slots=True)
class History:
    """What happened so far.

    Attributes:
        training: Loss of every step: the pairs' mean, in nats for a token of the answer.
        held_out: Loss on the held-out pairs, by the number of steps done.
        seconds: Time spent on steps.
        tokens: Tokens of the pairs seen, without filling.
    """

    training: list[float] = field(default_factory=list)
    held_out: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0

    @property
    def best(self) -> int:
        """The number of steps after which the held-out loss was lowest."""
        return min(self.held_out, key=lambda step: self.held_out[step])


def train(
    network: Network,
    pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    recipe: Recipe,
    work: Path,
    tell: Callable[[str], None],
) -> tuple[History, dict[str, Tensor]]:
    """Train a network's adapter; go on where an earlier call in the same work folder ended.

    Args:
        network: The network, with its adapter attached.
        pairs: What it learns from.
        held_out: What it is judged by, before and after every half epoch.
        recipe: How it is trained.
        work: Folder of what is kept until the end; about 300 MB.
        tell: Told how it goes, a line at a time.

    Returns:
        What happened, and the adapter's matrices from when the held-out loss was lowest.

    Raises:
        UsageError: The work folder holds a training with other pairs or another recipe.
    """
    run = _Run(network, pairs, held_out, recipe, work)
    steps = list(_schedule(pairs, recipe))
    half = max(1, math.ceil(len(pairs) / recipe.batch / 2))
    saved = time.monotonic()
    while True:
        done = len(run.history.training)
        if (done % half == 0 or done == len(steps)) and done not in run.history.held_out:
            tell(f"step {done}/{len(steps)}: held-out loss {run.judge():.4f}")
            run.save()
        if done == len(steps):
            return run.history, run.best
        run.step(steps[done], _rate(done, len(steps), recipe.rate))
        if (done + 1) % _TELL_STEPS == 0:
            tell(_line(run.history, len(steps)))
        if time.monotonic() - saved > _SAVE_SECONDS:
            run.save()
            saved = time.monotonic()


def losses(network: Network, batch: Sequence[Pair]) -> Tensor:
    """Return each pair's mean loss over its answer's tokens, its end included, in nats [pairs].

    So a judgement of one word weighs as much as an opening of twenty. Logits, the costliest part of
    a forward pass, are computed only where an answer's token is next.
    """
    device = network.output.weight.device
    longest = max(map(len, batch))
    filled = [[*pair.tokens, *[0] * (longest - len(pair))] for pair in batch]
    tokens = torch.tensor(filled, device=device)
    asked = [
        row * longest + at - 1
        for row, pair in enumerate(batch)
        for at in range(pair.prompt, len(pair))
    ]
    places = torch.tensor(asked, device=device)
    logits = network.output(network(tokens).flatten(0, 1)[places])
    each = F.cross_entropy(logits.float(), tokens.flatten()[places + 1], reduction="none")
    lengths = [len(pair) - pair.prompt for pair in batch]
    return torch.stack([part.mean() for part in each.split(lengths)])


class _Run:
    """A training between two steps."""

    def __init__(
        self,
        network: Network,
        pairs: Sequence[Pair],
        held_out: Sequence[Pair],
        recipe: Recipe,
        work: Path,
    ) -> None:
        self._network = network
        self._held_out = held_out
        self._recipe = recipe
        self._file = work / "checkpoint.pt"
        seen = [[pair.tokens for pair in part] for part in (pairs, held_out)]
        self._same = json.dumps([asdict(recipe), seen])
        self._parameters = list(factors(network).values())
        self._optimizer = torch.optim.AdamW(self._parameters, lr=0.0, weight_decay=0.01)
        self.history = History()
        self.best: dict[str, Tensor] = {}
        if self._file.is_file():
            self._load()

    def step(self, batch: Sequence[Pair], rate: float) -> None:
        begun = time.perf_counter()
        # Dropout follows from the step alone, so a training that was broken off goes on alike.
        torch.manual_seed(self._recipe.seed * 1_000_003 + len(self.history.training))
        self._network.train()
        result = losses(self._network, batch).mean()
        torch.autograd.backward(result)
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.history.training.append(result.item())
        self.history.tokens += sum(map(len, batch))
        self.history.seconds += time.perf_counter() - begun

    @torch.no_grad()
    def judge(self) -> float:
        """Return the held-out loss, and keep the adapter if it is the lowest."""
        self._network.eval()
        total = 0.0
        ordered = sorted(self._held_out, key=len)
        for at in range(0, len(ordered), self._recipe.batch):
            batch = ordered[at : at + self._recipe.batch]
            total += losses(self._network, batch).sum().item()
        done = len(self.history.training)
        self.history.held_out[done] = total / len(ordered)
        if self.history.best == done:
            self.best = self._values()
        return self.history.held_out[done]

    def save(self) -> None:
        state = {
            "same": self._same,
            "values": self._values(),
            "optimizer": self._optimizer.state_dict(),
            "history": asdict(self.history),
            "best": self.best,
        }
        with paths.atomic_write(self._file) as file:
            torch.save(state, file)

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(self._file, weights_only=True)
        if state["same"] != self._same:
            raise UsageError(
                f"The folder {self._file.parent} holds a training with other cards or settings.",
                "Choose another work folder, or delete this one.",
            )
        set_factors(self._network, state["values"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.history = History(**state["history"])
        self.best = state["best"]

    def _values(self) -> dict[str, Tensor]:
        return {
            name: parameter.detach().cpu().clone()
            for name, parameter in factors(self._network).items()
        }


def _schedule(pairs: Sequence[Pair], recipe: Recipe) -> Iterator[list[Pair]]:
    """Yield the batches of all steps; a part of an epoch has a part of its batches."""
    for epoch in range(math.ceil(recipe.epochs)):
        cut = list(batches(pairs, recipe.batch, recipe.seed * 1_000_003 + epoch))
        yield from cut[: math.ceil(len(cut) * min(1.0, recipe.epochs - epoch))]


def _rate(step: int, steps: int, highest: float) -> float:
    warm = max(1, steps // 10)
    if step < warm:
        return highest * (step + 1) / warm
    return highest * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2


def _line(history: History, steps: int) -> str:
    done = len(history.training)
    last = history.training[-_TELL_STEPS:]
    left = history.seconds / done * (steps - done) / 60
    speed = history.tokens / history.seconds
    return (
        f"step {done}/{steps}: loss {sum(last) / len(last):.4f}, "
        f"{speed:.0f} tokens/s, {left:.0f} minutes left"
    )
