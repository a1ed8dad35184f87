"""What the chat model itself makes of a text: linear probes on its state.

A large model knows more of what it reads than a small one, also where it could not say it well. Its
state behind a text is looked at by a linear reading for each question (Alain & Bengio 2016,
"Understanding intermediate layers using linear classifier probes"), fitted by softmax regression on
what was labelled by hand (``models/training/probe.py``). It takes some thirty times as long as the
small reader (`reframer.reader`), so only what is typed is read like this, not a journal; and it
goes with one model alone, the default one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from reframer import catalog, paths
from reframer.encoder import Vectors, log_shares
from reframer.errors import KnowledgeError

HEADS = ("level", "turn")

PROBES = paths.asset("models", "probe", "probe.safetensors")

_HINT = "Install the program again."
Read = Callable[[str], Vectors]


class Probed(NamedTuple):
    """What a text was taken for.

    Attributes:
        levels: Share of the levels none, concern and crisis; together 1.
        turns: Share of each of the probe's turns; together 1.
    """

    levels: Vectors
    turns: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Reads texts through a chat model.

    Attributes:
        state: Reads a text into the model's state.
        heads: Weight and bias of each of `HEADS`.
        turns: The turns of a conversation, in the order of their head.
    """

    state: Read
    heads: Mapping[str, tuple[Vectors, Vectors]]
    turns: tuple[str, ...]

    @classmethod
    def open(
        cls, model: catalog.Model, read: Callable[[], Read], file: Path = PROBES
    ) -> Self | None:
        """Open the probes upon a model; None where they go with another one.

        Args:
            model: The model.
            read: Called where they go with it; returns what reads a text into its state, behind
                `reframer.prompts.probe`.
            file: The probes.

        Raises:
            KnowledgeError: The file cannot be read.
            ModelError: The model cannot be read with.
        """
        try:
            with safe_open(file, framework="numpy") as opened:
                told = opened.metadata()
            if told["base"] != model.files[0].sha256:
                return None
            tensors = load_file(file)
            heads = {name: (tensors[f"{name}.weight"], tensors[f"{name}.bias"]) for name in HEADS}
            turns = tuple(json.loads(told["turns"]))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as problem:
            raise KnowledgeError(f"The probes cannot be read: {file}.", _HINT) from problem
        return cls(read(), heads, turns)

    def read(self, text: str) -> Probed:
        """Return what a text is taken for.

        Raises:
            TextTooLong: It is longer than the model can read at once.
            ModelError: The model failed.
        """
        state = self.state(text)
        levels, turns = (
            np.exp(log_shares(state @ weight + bias))
            for weight, bias in (self.heads[name] for name in HEADS)
        )
        return Probed(levels, dict(zip(self.turns, turns.tolist(), strict=True)))
