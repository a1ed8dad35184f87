"""A merged model says what the model says with its adapter, without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reframer import catalog
from reframer.cli import run
from reframer.errors import ModelError, UsageError
from reframer.llama import merge
from reframer.llama.adapter import read_matrices
from reframer.llama.gguf import read_header
from reframer.llama.merge import write_merged
from reframer.llama.weights import Weights
from tests.test_weights import lora, say

TARGET = "blk.0.attn_q.weight"
ASKED = "Tell me a story."


def weight(model: Path) -> np.ndarray:
    header = read_header(model)
    tensor = next(tensor for tensor in header.tensors if tensor.name == TARGET)
    assert tensor.kind == 1
    return np.memmap(model, "<f2", "r", header.begin + tensor.begin, tensor.shape)


@pytest.fixture
def plain(tmp_path: Path, small_model_path: Path) -> Path:
    """The small model, unpacked, with nothing added."""
    adapter = lora(tmp_path / "nothing.gguf", scale=0.0)
    write_merged(small_model_path, adapter, tmp_path / "plain.gguf")
    return tmp_path / "plain.gguf"


def test_what_the_adapter_learned_is_added_to_the_weights(
    tmp_path: Path, small_model_path: Path, plain: Path
) -> None:
    adapter, merged = lora(tmp_path / "voice.gguf", scale=0.1), tmp_path / "merged.gguf"
    write_merged(small_model_path, adapter, merged)
    a, b = (read_matrices(adapter)[f"{TARGET}.lora_{factor}"] for factor in "ab")
    added = weight(merged).astype(np.float32) - weight(plain).astype(np.float32)
    # Numbers below 4 are stored to within .001, and three of them are rounded here.
    assert np.allclose(added, 16 / 4 * b @ a, rtol=0, atol=4e-3)


def test_it_says_what_the_model_says_with_the_adapter(
    tmp_path: Path, small_model_path: Path, plain: Path
) -> None:
    adapter, merged = lora(tmp_path / "voice.gguf", scale=0.1), tmp_path / "merged.gguf"
    write_merged(small_model_path, adapter, merged)
    wanted = say(Weights.open(plain, adapter=adapter), ASKED)
    assert say(Weights.open(merged), ASKED) == wanted
    assert say(Weights.open(plain), ASKED) != wanted


def test_an_adapter_of_another_model_leaves_no_file(tmp_path: Path, small_model_path: Path) -> None:
    foreign = catalog.locate_adapter(catalog.default("chat"))
    assert foreign is not None
    with pytest.raises(ModelError, match="does not go with"):
        write_merged(small_model_path, foreign, tmp_path / "merged.gguf")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_said_before_anything_is_written(
    tmp_path: Path, small_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = lora(tmp_path / "voice.gguf")
    monkeypatch.setattr(merge, "_SPARE_BYTES", 10**15)
    with pytest.raises(UsageError, match=r"needs 0\.3 GB"):
        write_merged(small_model_path, adapter, tmp_path / "merged.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["voice.gguf"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, small_model_path: Path) -> None:
    adapter = lora(tmp_path / "voice.gguf")
    with pytest.raises(UsageError, match="Choose another file"):
        write_merged(small_model_path, adapter, adapter / "merged.gguf")


def test_merging_prints_nothing(tmp_path: Path, small_model_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from reframer.llama.merge import write_merged\n"
        "write_merged(*map(Path, sys.argv[1:]))"
    )
    adapter, merged = lora(tmp_path / "voice.gguf"), tmp_path / "merged.gguf"
    done = subprocess.run(
        [sys.executable, "-c", code, small_model_path, adapter, merged],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    assert merged.exists()
    assert (done.stdout, done.stderr) == (b"", b"")


def test_an_export_is_told_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "export"]) == 2
    assert "--adapter DIR or --merged FILE" in capsys.readouterr().err
