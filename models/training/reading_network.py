"""The embedder's network in torch, with heads that answer questions about a text: for training.

Its modules bear the names of the embedder's file, so weights go in and out without a table of
names. Architecture: BERT (Devlin et al. 2019), as `reframer.encoder` computes it in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

WIDTH, LAYERS, HEADS, INNER = 384, 6, 12, 1536
READ = 2 * WIDTH  # what a head reads: the mean of the token vectors, and the first of them
_EPSILON = 1e-12
_TABLES = (
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
)


class Attention(nn.Module):
    """What each token takes from the others."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.self = nn.ModuleDict({part: nn.Linear(WIDTH, WIDTH) for part in _PARTS})
        self.output = _Output(WIDTH)
        self._dropout = dropout

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """Return the token vectors [rows, tokens, width] after attention to what is `seen`."""
        rows, length, _ = x.shape
        query, key, value = (
            self.self[part](x).view(rows, length, HEADS, -1).transpose(1, 2) for part in _PARTS
        )
        dropout = self._dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, seen, dropout)
        out: Tensor = self.output(mixed.transpose(1, 2).flatten(2), x, self._dropout)
        return out


_PARTS = ("query", "key", "value")


class _Output(nn.Module):
    """A linear map whose result is added to what came in, and normed."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, _EPSILON)

    def forward(self, x: Tensor, before: Tensor, dropout: float) -> Tensor:
        added = before + F.dropout(self.dense(x), dropout, self.training)
        normed: Tensor = self.LayerNorm(added)
        return normed


class Layer(nn.Module):
    """One layer: attention, then the feed-forward part."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(dropout)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(WIDTH, INNER)})
        self.output = _Output(INNER)
        self._dropout = dropout

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """Return what the layer makes of the token vectors [rows, tokens, width]."""
        x = self.attention(x, seen)
        inner = F.gelu(self.intermediate["dense"](x))
        out: Tensor = self.output(inner, x, self._dropout)
        return out


class Network(nn.Module):
    """The embedder's network, and linear heads on what it makes of a text.

    Args:
        base: The embedder's weights, by the names of its file. Its embedding tables stay as they
            are; its layers are trained.
        heads: How many numbers each head gives, by name.
        dropout: Share of the numbers left out in training.
    """

    def __init__(
        self, base: Mapping[str, Tensor], heads: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList(Layer(dropout) for _ in range(LAYERS))}
        )
        self.encoder.load_state_dict(
            {
                name.removeprefix("encoder."): value.float()
                for name, value in base.items()
                if name.startswith("encoder.")
            }
        )
        for name in _TABLES:  # buffers move with the network, and are not among what is tuned
            table = base[f"embeddings.{name}"].float()
            self.register_buffer(name.replace(".", "_"), table, persistent=False)
        self.head = nn.ModuleDict({name: nn.Linear(READ, count) for name, count in heads.items()})
        for head in self.head.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        self._dropout = dropout

    def forward(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Return what every head says of token rows, each of shape (rows, its numbers)."""
        device = self.head["voice"].weight.device
        longest = max(map(len, rows))
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        there = torch.arange(longest, device=device) < lengths[:, None]
        x = self._embed(tokens)
        for layer in self.encoder["layer"]:
            x = layer(x, there[:, None, None, :])
        mean = (x * there[..., None]).sum(1) / lengths[:, None]
        read = F.dropout(torch.cat((mean, x[:, 0]), dim=1), self._dropout, self.training)
        return {name: head(read) for name, head in self.head.items()}

    def _embed(self, tokens: Tensor) -> Tensor:
        x = (
            self.word_embeddings_weight[tokens]
            + self.position_embeddings_weight[: tokens.shape[1]]
            + self.token_type_embeddings_weight[0]
        )
        weight, bias = self.LayerNorm_weight, self.LayerNorm_bias
        normed = F.layer_norm(x, (WIDTH,), weight, bias, _EPSILON)
        return F.dropout(normed, self._dropout, self.training)
