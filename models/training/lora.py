"""A low-rank adapter (Hu et al. 2021, "LoRA"): small matrices beside the frozen ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from models.training.network import Network

PROJECTIONS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


class Lora(nn.Module):
    """A frozen linear map with a trained one of low rank beside it.

    The factors are kept in 32 bits, as an optimizer's small steps need, and multiplied in the
    precision of the base. Dropout strikes out the same inputs for all tokens of a batch (Gal &
    Ghahramani 2016), so it costs a vector of random numbers instead of a matrix.

    Args:
        base: The frozen map.
        rank: Rank of the trained one.
        alpha: The trained one is scaled by alpha / rank.
        dropout: Share of its inputs left out while training.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        self.base = base
        self._scale = alpha / rank
        self._dropout = dropout
        device = base.weight.device
        bound = base.in_features**-0.5
        self.lora_a = nn.Parameter(torch.empty(rank, base.in_features, device=device))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank, device=device))
        nn.init.uniform_(self.lora_a, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the frozen and the trained map make of x together."""
        inputs = torch.full_like(self.lora_a[0], self._scale)
        a = (self.lora_a * F.dropout(inputs, self._dropout, self.training)).to(x.dtype)
        out: Tensor = self.base(x) + F.linear(F.linear(x, a), self.lora_b.to(x.dtype))
        return out


def attach(network: Network, rank: int, alpha: float, dropout: float) -> None:
    """Put an adapter, which changes nothing yet, beside all projections of a network."""
    for block in network.blk:
        for name in PROJECTIONS:
            setattr(block, name, Lora(getattr(block, name), rank, alpha, dropout))


def factors(network: Network) -> dict[str, nn.Parameter]:
    """Return the adapter's matrices, named as llama.cpp names them."""
    return {
        name.replace(".lora_", ".weight.lora_"): parameter
        for name, parameter in network.named_parameters()
        if ".lora_" in name
    }


def set_factors(network: Network, values: Mapping[str, Tensor]) -> None:
    """Give the adapter's matrices other values."""
    with torch.no_grad():
        for name, parameter in factors(network).items():
            parameter.copy_(values[name])


def write_adapter(
    path: Path, values: Mapping[str, Tensor], alpha: float, about: Mapping[str, str]
) -> None:
    """Write an adapter as llama.cpp reads it, in 16 bits.

    Args:
        path: The GGUF file to write.
        values: The matrices, as `factors` names them.
        alpha: What they were trained with; llama.cpp divides it by the rank.
        about: Further metadata.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for key, value in about.items():
        writer.add_string(key, value)
    for name, matrix in values.items():
        writer.add_tensor(name, matrix.detach().cpu().to(torch.float16).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
