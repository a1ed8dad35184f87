"""The reader answers every question in one pass, and goes with one embedder only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from reframer import paths
from reframer.conversation import TurnKind
from reframer.embedding import LocalEmbeddings
from reframer.errors import KnowledgeError
from reframer.knowledge import load_techniques
from reframer.reader import Reader
from reframer.records import KINDS

SHIPPED = paths.asset("models", "reader", "reader.safetensors")
TEXTS = ["I ruin everything.", "", "The bread is in the oven.", "I " * 500, "😂"]


def test_every_question_is_answered_for_every_text(reader: Reader) -> None:
    readings = reader.read(TEXTS)
    assert readings.voices.shape == (len(TEXTS), 3)
    assert readings.kinds.shape == (len(TEXTS), len(KINDS))
    assert readings.harshness.shape == (len(TEXTS),)
    assert readings.levels.shape == (len(TEXTS), 3)
    assert readings.techniques.shape == (len(TEXTS), len(reader.techniques))
    assert readings.turns.shape == (len(TEXTS), len(reader.turns))


def test_shares_sum_to_one(reader: Reader) -> None:
    read = reader.read(TEXTS)
    for shares in (read.voices, read.kinds, read.levels, np.exp(read.techniques), read.turns):
        assert (shares >= 0).all()
        np.testing.assert_allclose(shares.sum(1), 1, atol=1e-4)
    assert ((read.harshness >= 0) & (read.harshness <= 1)).all()


def test_a_text_is_read_alike_alone_and_among_others(reader: Reader) -> None:
    together = reader.read([*TEXTS, *[f"Line {number}." for number in range(40)]])
    for row, text in enumerate(TEXTS):
        for alone, among in zip(reader.read([text]), together, strict=True):
            np.testing.assert_allclose(alone[0], among[row], atol=1e-4)


def test_no_text_has_no_readings(reader: Reader) -> None:
    assert {len(answers) for answers in reader.read([])} == {0}


def test_it_knows_the_techniques_and_kinds_of_turns_that_there_are(reader: Reader) -> None:
    assert sorted(reader.techniques) == sorted(technique.id for technique in load_techniques())
    assert {turn.partition(":")[0] for turn in reader.turns} <= {*get_args(TurnKind)}
    assert len(set(reader.turns)) == len(reader.turns)
    assert all(0 < threshold < 1 for threshold in reader.thresholds)


def test_the_embedders_tables_are_in_memory_once(
    reader: Reader, embeddings: LocalEmbeddings
) -> None:
    own, shared = reader.encoder.tensors, embeddings.encoder.tensors
    assert own.keys() == shared.keys()
    for name, tensor in own.items():
        assert (tensor is shared[name]) == (not name.startswith("encoder."))


def test_it_is_opened_once_for_all_who_ask(models_dir: Path) -> None:
    assert Reader.from_catalog(models_dir) is Reader.from_catalog(models_dir)


def test_what_ships_is_small() -> None:
    assert SHIPPED.stat().st_size < 25_000_000


def _changed(folder: Path, without: str = "", **told: str) -> Path:
    """Write the shipped file with other metadata, and perhaps without one of its tensors."""
    with safe_open(SHIPPED, framework="numpy") as opened:
        metadata = opened.metadata() | told
    tensors = {name: tensor for name, tensor in load_file(SHIPPED).items() if name != without}
    file = folder / "changed.safetensors"
    save_file(tensors, file, metadata)
    return file


def test_thresholds_and_names_are_the_files_own(
    embeddings: LocalEmbeddings, tmp_path: Path
) -> None:
    wanted = {"critical": 0.1, "concern": 0.2, "crisis": 0.3}
    file = _changed(tmp_path, thresholds=json.dumps(wanted), turns='["thought", "wish:shorter"]')
    opened = Reader.open(embeddings, file)
    assert opened.thresholds._asdict() == wanted
    assert opened.turns == ("thought", "wish:shorter")


def test_another_embedders_reader_is_refused(embeddings: LocalEmbeddings, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="goes with another embedder") as raised:
        Reader.open(embeddings, _changed(tmp_path, base="0" * 64))
    assert raised.value.hint == "Install the program again."


@pytest.mark.parametrize(
    "damage", ["missing", "torn", "garbled", "no metadata", "no layer", "no head", "no threshold"]
)
def test_a_damaged_file_is_told_of_in_one_line(
    embeddings: LocalEmbeddings, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "reader.safetensors"
    match damage:
        case "torn":
            file.write_bytes(SHIPPED.read_bytes()[:1_000_000])
        case "garbled":
            file.write_bytes(b"no tensors " * 1000)
        case "no metadata":
            save_file(load_file(SHIPPED), file)
        case "no layer":
            file = _changed(tmp_path, without="encoder.layer.3.output.dense.weight")
        case "no head":
            file = _changed(tmp_path, without="head.turn.bias")
        case "no threshold":
            file = _changed(tmp_path, thresholds='{"critical": 0.5}')
    with pytest.raises(KnowledgeError) as raised:
        Reader.open(embeddings, file)
    assert raised.value.message == f"The reader cannot be read: {file}."
    assert raised.value.hint == "Install the program again."


def test_neither_torch_nor_onnxruntime_is_needed(models_dir: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path\n"
        "from reframer.reader import Reader\n"
        "reader = Reader.from_catalog(Path(sys.argv[1]))\n"
        "reader.read(['hello'])\n"
        "reader.embeddings.embed_query('hello')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(models_dir)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
