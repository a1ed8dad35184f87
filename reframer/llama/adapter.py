"""An adapter as other engines load it: its GGUF file, and the layout of Hugging Face's PEFT."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from reframer import paths
from reframer.errors import ModelError, UsageError
from reframer.llama.gguf import Header, read_header

Matrix = NDArray[np.floating]

# llama.cpp's names of the projections that an adapter changes, and PEFT's.
_PROJECTIONS = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
# In other architectures llama.cpp orders the rows of some matrices differently.
_ARCHITECTURE = "qwen2"
_FLOATS = {0: "<f4", 1: "<f2"}


def write_adapter(path: Path, base: str, folder: Path) -> tuple[Path, ...]:
    """Write an adapter into a folder, for llama.cpp and for what loads PEFT's adapters.

    Args:
        path: The adapter, as GGUF.
        base: Name under which the model that it was trained for is published.
        folder: Where to; files of the same names are replaced.

    Returns:
        The files.

    Raises:
        ModelError: The file is no adapter, or not for a model of a known kind.
        UsageError: The folder cannot be written to.
    """
    header = read_header(path)
    if header.architecture != _ARCHITECTURE or header.values.get("adapter.type") != "lora":
        raise ModelError(f"The file {path} is no adapter that can be written otherwise.", "")
    matrices = {_peft_name(name): matrix for name, matrix in read_matrices(path).items()}
    files = {
        path.name: path.read_bytes(),
        "adapter_config.json": _config(header, matrices, base),
        "adapter_model.safetensors": save(matrices, {"format": "pt"}),
    }
    try:
        for name, data in files.items():
            with paths.atomic_write(folder / name) as file:
                file.write(data)
    except OSError as error:
        raise UsageError(
            f"Nothing can be written to {folder} ({error.strerror}).", "Choose another folder."
        ) from error
    return tuple(folder / name for name in files)


def read_matrices(path: Path) -> dict[str, Matrix]:
    """Return an adapter's matrices by llama.cpp's names, like ``blk.0.attn_q.weight.lora_a``.

    Args:
        path: The adapter, as GGUF.
    """
    header, data = read_header(path), path.read_bytes()
    matrices = {}
    for tensor in header.tensors:
        kind, begin = _FLOATS[tensor.kind], header.begin + tensor.begin
        flat: Matrix = np.frombuffer(data, kind, math.prod(tensor.shape), begin)
        matrices[tensor.name] = flat.reshape(tensor.shape)
    return matrices


def _peft_name(name: str) -> str:
    """Return PEFT's name of a matrix that llama.cpp calls ``blk.0.attn_q.weight.lora_a``."""
    _, block, projection, _, factor = name.split(".")
    letter = factor[-1].upper()
    return f"base_model.model.model.layers.{block}.{_PROJECTIONS[projection]}.lora_{letter}.weight"


def _config(header: Header, matrices: Mapping[str, Matrix], base: str) -> bytes:
    rank = next(matrix.shape[0] for name, matrix in matrices.items() if ".lora_A." in name)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": header.values["adapter.lora.alpha"],
        "lora_dropout": 0.0,
        "target_modules": sorted({name.split(".")[-3] for name in matrices}),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    return json.dumps(config, indent=1).encode()
