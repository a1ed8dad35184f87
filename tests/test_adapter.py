"""The adapter is written as other engines load it, with the same numbers."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from reframer import catalog
from reframer.cli import run
from reframer.errors import ModelError
from reframer.llama.adapter import write_adapter
from reframer.llama.gguf import read_header

PREFIX = "base_model.model.model.layers"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    assert run(["models", "export", "--adapter", str(folder)]) == 0
    return folder


def adapter() -> Path:
    path = catalog.locate_adapter(catalog.default("chat"))
    assert path is not None
    return path


def test_the_gguf_file_is_the_one_that_the_program_uses(exported: Path) -> None:
    assert (exported / adapter().name).read_bytes() == adapter().read_bytes()


def test_every_matrix_has_its_peft_name_its_shape_and_its_numbers(exported: Path) -> None:
    theirs = load_file(exported / "adapter_model.safetensors")
    header, data = read_header(adapter()), adapter().read_bytes()
    names = {
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    blocks = range(28)
    ours = {
        f"blk.{block}.{our}.weight.lora_{factor.lower()}": f"{PREFIX}.{block}.{their}.lora_{factor}"
        for block in blocks
        for our, their in names.items()
        for factor in "AB"
    }
    assert {f"{name}.weight" for name in ours.values()} == theirs.keys()
    assert {tensor.name for tensor in header.tensors} == ours.keys()
    for tensor in header.tensors:
        matrix = theirs[f"{ours[tensor.name]}.weight"]
        assert matrix.shape == tensor.shape
        begin = header.begin + tensor.begin
        assert matrix.tobytes() == data[begin : begin + 2 * matrix.size]


def test_the_factors_of_a_projection_go_together(exported: Path) -> None:
    theirs = load_file(exported / "adapter_model.safetensors")
    a, b = (theirs[f"{PREFIX}.0.mlp.down_proj.lora_{factor}.weight"] for factor in "AB")
    assert (a.shape, b.shape) == ((16, 8960), (1536, 16))
    assert all(np.isfinite(factor).all() for factor in (a, b))


def test_the_configuration_is_what_peft_reads(exported: Path) -> None:
    config = json.loads((exported / "adapter_config.json").read_text())
    assert (config["peft_type"], config["task_type"]) == ("LORA", "CAUSAL_LM")
    assert (config["r"], config["lora_alpha"], config["bias"]) == (16, 32.0, "none")
    assert config["base_model_name_or_path"] == "Qwen/Qwen2.5-Coder-1.5B-Instruct"
    assert config["target_modules"] == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )


def test_a_model_without_an_adapter_is_said_to_have_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "export", "smollm2-135m", "--adapter", str(tmp_path)]) == 3
    assert "smollm2-135m has no adapter" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert run(["models", "export", "--adapter", str(tmp_path / "taken" / "deeper")]) == 2
    assert "Choose another folder" in capsys.readouterr().err


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    with pytest.raises(ModelError, match="no adapter"):
        write_adapter(tmp_path / "empty.gguf", "", tmp_path)
