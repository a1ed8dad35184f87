"""The network beneath embedder and reader, in numpy: no torch, no onnxruntime.

It is BERT (Devlin et al. 2019) with the 6 layers of width 384 of MiniLM (Wang et al. 2020).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

from reframer.threads import usable_cores

Vectors = NDArray[np.float32]

_WIDTH = 384
_LAYERS = 6
_HEADS = 12
_MAX_TOKENS = 256
# Batches have so many tokens, the padding counted, and no text that is much longer than another:
# one long text would pad all the others to its length.
_BATCH_TOKENS = 512
_SPREAD = 1.25
_EPSILON = 1e-12


class Encoder:
    """Makes vectors of texts.

    Args:
        tensors: The network's weights by their names.
        tokenizer: ``tokenizer.json`` of the network.

    Attributes:
        tensors: The weights.
    """

    def __init__(self, tensors: Mapping[str, Vectors], tokenizer: Path) -> None:
        self.tensors = tensors
        self._file = tokenizer
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self._workers = ThreadPoolExecutor(usable_cores(), thread_name_prefix="encoder")
        self._blas = ThreadpoolController()  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()

    def with_layers(self, tensors: Mapping[str, Vectors]) -> Encoder:
        """Return a network with other weights in its layers, and this one's tables.

        Neither waits for the other: what safety reads must not stand behind an index being made.

        Args:
            tensors: The layers' weights by their names.

        Raises:
            KeyError: One of them is missing.
        """
        layers = {name: tensors[name] for name in self.tensors if name.startswith("encoder.")}
        return Encoder({**self.tensors, **layers}, self._file)

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens; a very long one's first ones."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return of each text the mean of its tokens' vectors, and its first token's vector.

        Texts of similar length go through the network together, so that little is padded; batches
        share the cores, each on one thread of the matrix library (several were slower: such small
        matrices are not worth dividing).

        Returns:
            An array of shape (texts, 2, 384), nothing scaled.
        """
        result = np.zeros((len(texts), 2, _WIDTH), np.float32)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        batches = list(_batches([len(tokens) for tokens in ids]))
        with self._lock, self._blas.limit(limits=1, user_api="blas"):
            work = ([ids[i] for i in batch] for batch in batches)
            # One batch is done here: handing it to another thread costs more than it saves.
            done = (
                self._workers.map(self._encode, work)
                if len(batches) > 1
                else map(self._encode, work)
            )
            for batch, vectors in zip(batches, done, strict=True):
                result[batch] = vectors
        return result

    def _encode(self, ids: list[list[int]]) -> Vectors:
        """Run the network on the token ids of texts."""
        longest = max(map(len, ids))
        tokens = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest), np.float32)
        for row, text in enumerate(ids):
            tokens[row, : len(text)] = text
            mask[row, : len(text)] = 1
        hidden = self._embed(tokens)
        attend = np.where(mask[:, None, None, :] > 0, np.float32(0), np.float32(-1e9))
        for layer in range(_LAYERS):
            hidden = self._layer(hidden, attend, f"encoder.layer.{layer}")
        weight = mask / mask.sum(1, keepdims=True)
        means = (weight[:, None] @ hidden)[:, 0]
        return np.stack([means, hidden[:, 0]], axis=1)

    def _embed(self, tokens: NDArray[np.int64]) -> Vectors:
        table = self.tensors
        hidden = (
            table["embeddings.word_embeddings.weight"][tokens]
            + table["embeddings.position_embeddings.weight"][: tokens.shape[1]]
            + table["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm(hidden, "embeddings.LayerNorm")

    def _layer(self, hidden: Vectors, attend: Vectors, name: str) -> Vectors:
        rows, length, width = hidden.shape

        def heads(part: str) -> Vectors:
            split = self._linear(hidden, f"{name}.attention.self.{part}")
            return split.reshape(rows, length, _HEADS, -1).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // _HEADS)) + attend
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        context = (scores @ value).transpose(0, 2, 1, 3).reshape(rows, length, width)
        attended = self._norm(
            hidden + self._linear(context, f"{name}.attention.output.dense"),
            f"{name}.attention.output.LayerNorm",
        )
        inner = _gelu(self._linear(attended, f"{name}.intermediate.dense"))
        return self._norm(
            attended + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _linear(self, inputs: Vectors, name: str) -> Vectors:
        flat = inputs.reshape(-1, inputs.shape[-1])
        outputs = flat @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]
        return outputs.reshape(*inputs.shape[:-1], -1)

    def _norm(self, inputs: Vectors, name: str) -> Vectors:
        centred = inputs - inputs.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(_EPSILON))
        scaled: Vectors = (
            centred / spread * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
        )
        return scaled


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of texts that go through the network together, the shortest first."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = lengths[number]
        if batch and (
            longest * (len(batch) + 1) > _BATCH_TOKENS or longest > _SPREAD * lengths[batch[0]] + 2
        ):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _gelu(x: Vectors) -> Vectors:
    """Gaussian error linear unit, with the error function of Abramowitz & Stegun, 7.1.26."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (
        np.float32(0.254829592)
        + t
        * (
            np.float32(-0.284496736)
            + t
            * (
                np.float32(1.421413741)
                + t * (np.float32(-1.453152027) + t * np.float32(1.061405429))
            )
        )
    )
    error = np.sign(x) * (1 - series * np.exp(-z * z))
    activated: Vectors = x * np.float32(0.5) * (1 + error)
    return activated


def log_shares(logits: Vectors) -> Vectors:
    """Return the logarithms of the shares that logits stand for, along the last axis."""
    shares: Vectors = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return shares
