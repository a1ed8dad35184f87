"""An adapter made part of its model's weights, for engines that load no adapters.

The merged weights are W + alpha / rank * B A (Hu et al. 2021, "LoRA"). They are written as 16-bit
floats: rounded to 4 bits again, they would lose what the adapter learned.
"""

from __future__ import annotations

import ctypes
import math
import shutil
from contextlib import suppress
from pathlib import Path

import llama_cpp
import numpy as np

from reframer.errors import ModelError, UsageError
from reframer.llama import backend
from reframer.llama.adapter import read_matrices
from reframer.llama.gguf import Header, read_header

_FLOAT_BYTES = 2
_SPARE_BYTES = 100_000_000


def write_merged(base: Path, adapter: Path, out: Path) -> None:
    """Write a model with an adapter in its weights; a file of that name is replaced.

    Args:
        base: The model, as GGUF.
        adapter: A LoRA adapter that was trained for it, as GGUF.
        out: Where to. Beside it lies ``*.part`` until the model is whole.

    Raises:
        ModelError: The model cannot be read, or the adapter does not go with it.
        UsageError: There is no room for the file, or it cannot be written.
    """
    part = out.with_name(f"{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _check_room(read_header(base), out.parent)
        _unpack(base, part)
        _add(adapter, part)
        part.replace(out)
    except OSError as error:
        raise UsageError(
            f"Nothing can be written to {out} ({error.strerror}).", "Choose another file."
        ) from error
    finally:
        with suppress(OSError):  # it may never have been begun, or where it cannot be
            part.unlink()


def _check_room(header: Header, folder: Path) -> None:
    needed = sum(math.prod(tensor.shape) for tensor in header.tensors) * _FLOAT_BYTES
    if shutil.disk_usage(folder).free < needed + _SPARE_BYTES:
        raise UsageError(
            f"The merged model needs {needed / 1e9:.1f} GB, which {folder} has not.",
            "Free some space, or choose another folder.",
        )


def _unpack(base: Path, out: Path) -> None:
    """Write a model with 16-bit floats for its packed weights."""
    backend.begin()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_F16
    params.allow_requantize = True
    if llama_cpp.llama_model_quantize(str(base).encode(), str(out).encode(), ctypes.byref(params)):
        raise ModelError(f"The model {base} cannot be unpacked.", "Fetch it again.")


def _add(adapter: Path, model: Path) -> None:
    """Add to a model's weights what an adapter learned."""
    learned, about = read_matrices(adapter), read_header(adapter)
    header = read_header(model)
    weights = {tensor.name: tensor for tensor in header.tensors}
    alpha = float(about.values["adapter.lora.alpha"])
    for name, a in learned.items():
        target, factor = name.rsplit(".", 1)
        if factor != "lora_a":
            continue
        b, weight = learned[f"{target}.lora_b"], weights.get(target)
        if weight is None or weight.shape != (b.shape[0], a.shape[1]):
            raise ModelError(
                f"The adapter {adapter} does not go with the model.",
                "Use the model that it was trained for.",
            )
        stored = np.memmap(model, "<f2", "r+", header.begin + weight.begin, weight.shape)
        stored += (alpha / a.shape[0] * (b.astype(np.float32) @ a)).astype(np.float16)
        stored.flush()
