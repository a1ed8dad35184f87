"""The probes tell what the default model makes of a text, and go with no other model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from reframer import catalog, prompts
from reframer.encoder import Vectors
from reframer.errors import KnowledgeError
from reframer.llama.chat import ChatLlama
from reframer.probe import PROBES, Probe
from reframer.reader import Reader

MODEL = catalog.default("chat")
WIDTH = 1536


def zeros(_text: str) -> Vectors:
    return np.zeros(WIDTH, np.float32)


def never() -> Callable[[str], Vectors]:
    raise AssertionError("the model was opened for probes that do not go with it")


@pytest.fixture(scope="module")
def probe(default_model: ChatLlama) -> Probe:
    opened = Probe.open(MODEL, lambda: default_model.reads(prompts.probe))
    assert opened is not None
    return opened


def test_they_go_with_the_default_model_and_no_other() -> None:
    assert Probe.open(MODEL, lambda: zeros) is not None
    assert Probe.open(catalog.find("smollm2-135m"), never) is None
    (file,) = MODEL.files
    assert Probe.open(replace(MODEL, files=(replace(file, sha256="0" * 64),)), never) is None


def test_they_know_the_turns_that_the_reader_knows(reader: Reader) -> None:
    opened = Probe.open(MODEL, lambda: zeros)
    assert opened is not None
    assert sorted(opened.turns) == sorted(reader.turns)


@pytest.mark.parametrize("content", [b"", b"no table", PROBES.read_bytes()[:-100]])
def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "probe.safetensors"
    file.write_bytes(content)
    with pytest.raises(KnowledgeError, match="probes cannot be read"):
        Probe.open(MODEL, never, file)


def test_the_file_says_which_model_it_goes_with() -> None:
    with safe_open(PROBES, framework="numpy") as opened:
        assert opened.metadata()["base"] == MODEL.files[0].sha256


@pytest.mark.model
@pytest.mark.parametrize("text", ["I ruin everything.", "", "😂", "late again " * 200])
def test_shares_sum_to_one(probe: Probe, text: str) -> None:
    probed = probe.read(text)
    assert probed.levels.sum() == pytest.approx(1, abs=1e-4)
    assert sum(probed.turns.values()) == pytest.approx(1, abs=1e-4)
    assert min(probed.levels.min(), *probed.turns.values()) >= 0


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "turn"),
    [
        ("Employee of the month, me: sent the whole office the wrong file.", "thought"),
        ("burnt the soup", "thought"),
        ("LOOK at that wall, you crooked old devil. dead straight.", "good-news"),
        ("My landlord is a lying weasel, he kept the deposit.", "unclear"),
        ("the bin lorry came early", "unclear"),
    ],
)
def test_it_tells_apart_what_looks_alike(probe: Probe, text: str, turn: str) -> None:
    turns = probe.read(text).turns
    assert max(turns, key=turns.__getitem__) == turn
