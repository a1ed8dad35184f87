"""The labelled sentences of the ear, an ordinary diary, and how both are divided for good."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reframer import paths
from reframer.sentences import split

Part = Literal["test", "validation", "train"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled sentence.

    Attributes:
        label: ``critical``, ``kind`` or ``neutral``.
        group: The kind of self-criticism, ``-`` for kind self-talk, or a group of neutral ones.
        strength: 1 to 3 for how harsh a self-critical one is, else 0.
        text: The sentence.
    """

    label: str
    group: str
    strength: int
    text: str


def part(text: str) -> Part:
    """Return the part of the data to which a text belongs, by its SHA-256.

    A fifth is for testing and not read in training; a tenth, validation, chooses the epoch and the
    threshold; the rest trains.
    """
    tenth = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 10
    return "test" if tenth < 2 else "validation" if tenth == 2 else "train"


def labelled(file: Path | None = None) -> list[Labelled]:
    """Return the labelled sentences, by default those that ship."""
    file = file or paths.asset("knowledge", "critic", "sentences.tsv")
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").split("\n") if line)
    return [Labelled(label, group, int(strength), text) for label, group, strength, text in rows]


def diary_sentences(file: Path) -> list[str]:
    """Return the sentences of a diary: the column ``text`` of a CSV file."""
    with file.open(encoding="utf-8", newline="") as table:
        return [piece.text.strip() for row in csv.DictReader(table) for piece in split(row["text"])]
