"""The default model's network in torch, read from its GGUF file: only what training needs.

Its modules bear the names of the file's tensors, so weights go in, and an adapter goes out, without
a table of names. Architecture: Qwen2 (Yang et al. 2024, "Qwen2 Technical Report").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from reframer.errors import ModelError
from reframer.llama.gguf import Value, read_header

_ARCHITECTURE = "qwen2"


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network.

    Attributes:
        blocks: Number of blocks.
        width: Length of a token's vector.
        heads: Heads of attention.
        shared_heads: Heads of the keys and values; each serves the same number of heads.
        hidden: Length of the vector inside the feed-forward part.
        vocabulary: Number of tokens.
        rope_base: Base of the rotations that encode positions.
        epsilon: What keeps a norm from dividing by zero.
    """

    blocks: int
    width: int
    heads: int
    shared_heads: int
    hidden: int
    vocabulary: int
    rope_base: float
    epsilon: float

    @property
    def head(self) -> int:
        """Length of a head's vectors."""
        return self.width // self.heads

    @classmethod
    def of(cls, values: Mapping[str, Value], vocabulary: int) -> Shape:
        """Return the shape that a GGUF file's metadata give."""

        def number(key: str) -> float:
            return float(values[f"{_ARCHITECTURE}.{key}"])

        return cls(
            blocks=int(number("block_count")),
            width=int(number("embedding_length")),
            heads=int(number("attention.head_count")),
            shared_heads=int(number("attention.head_count_kv")),
            hidden=int(number("feed_forward_length")),
            vocabulary=vocabulary,
            rope_base=number("rope.freq_base"),
            epsilon=number("attention.layer_norm_rms_epsilon"),
        )


class Block(nn.Module):
    """One layer: attention, then the feed-forward part, each added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        shared = shape.shared_heads * shape.head
        self._heads, self._shared_heads, self._head = shape.heads, shape.shared_heads, shape.head
        self.attn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width)
        self.attn_k = nn.Linear(shape.width, shared)
        self.attn_v = nn.Linear(shape.width, shared)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Return what the layer makes of the tokens' vectors [rows, tokens, width]."""
        x = x + self._attend(self.attn_norm(x), rotation)
        inner = self.ffn_norm(x)
        out: Tensor = x + self.ffn_down(F.silu(self.ffn_gate(inner)) * self.ffn_up(inner))
        return out

    def _attend(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        q = _rotate(self._split(self.attn_q(x), self._heads), rotation)
        k = _rotate(self._split(self.attn_k(x), self._shared_heads), rotation)
        v = self._split(self.attn_v(x), self._shared_heads)
        # Written out, and the heads that share keys in one product: on short rows and a CPU this
        # is four times as fast as torch's own fused attention, backward included.
        rows, length, _ = x.shape
        shares = self._heads // self._shared_heads
        q = q.reshape(rows, self._shared_heads, shares * length, self._head) * self._head**-0.5
        scores = (q @ k.transpose(2, 3)).view(rows, self._heads, length, length)
        future = torch.full((length, length), -torch.inf, device=x.device, dtype=x.dtype).triu(1)
        seen = (scores + future).softmax(-1).view(rows, self._shared_heads, -1, length) @ v
        seen = seen.view(rows, self._heads, length, self._head)
        out: Tensor = self.attn_output(seen.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:2], heads, self._head).transpose(1, 2)


class Network(nn.Module):
    """A causal language model."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.output_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.output = nn.Linear(shape.width, shape.vocabulary, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return each token's last vector; `output` turns it into the next token's logits.

        Args:
            tokens: Token numbers [rows, tokens]. Rows may be filled up at their end with any token:
                no token looks at what comes after it.
        """
        x = self.token_embd(tokens)
        rotation = self._rotation(tokens.shape[1], x)
        for block in self.blk:
            x = block(x, rotation)
        normed: Tensor = self.output_norm(x)
        return normed

    def _rotation(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines [tokens, head] (Su et al. 2021, "RoFormer")."""
        half = torch.arange(0, self.shape.head, 2, device=like.device) / self.shape.head
        angles = torch.arange(length, device=like.device)[:, None] / self.shape.rope_base**half
        angles = torch.cat((angles, angles), dim=1)
        return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def read_network(path: Path, dtype: torch.dtype = torch.bfloat16) -> Network:
    """Read a model's weights back from its GGUF file; they stay frozen.

    Args:
        path: The file. Its quantized weights become floating-point numbers again.
        dtype: The kind of these numbers.

    Raises:
        ModelMissing: There is no such file.
        ModelDamaged: It is no whole GGUF file.
        ModelError: It holds another architecture.
    """
    header = read_header(path)
    if header.architecture != _ARCHITECTURE:
        raise ModelError(
            f"The voice can be trained only for models of the architecture {_ARCHITECTURE}.",
            "Use the default model's file.",
        )
    weights = {
        tensor.name: torch.tensor(gguf.dequantize(tensor.data, tensor.tensor_type), dtype=dtype)
        for tensor in gguf.GGUFReader(path).tensors
    }
    weights.setdefault("output.weight", weights["token_embd.weight"])  # where they share one
    with torch.device("meta"):
        network = Network(Shape.of(header.values, len(weights["token_embd.weight"])))
    network.load_state_dict(weights, assign=True)
    return network.requires_grad_(False)


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    cosines, sines = rotation
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat((-second, first), dim=-1) * sines
