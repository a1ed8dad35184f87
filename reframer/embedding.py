"""Sentence vectors from all-MiniLM-L6-v2.

A text's token vectors are averaged and scaled to length 1 (Reimers & Gurevych 2019, Sentence-BERT).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from safetensors.numpy import load_file

from reframer import catalog
from reframer.encoder import Encoder, Vectors


class LocalEmbeddings(Embeddings):
    """Sentence vectors of length 1, made on this machine.

    Args:
        weights: ``model.safetensors`` of the model.
        tokenizer: Its ``tokenizer.json``.

    Attributes:
        encoder: The network that makes them.
    """

    dimension = 384

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        tensors = {
            name.removeprefix("bert."): tensor.astype(np.float32)
            for name, tensor in load_file(weights).items()
            if tensor.dtype.kind == "f"
        }
        self.encoder = Encoder(tensors, tokenizer)

    @classmethod
    def from_catalog(cls, folder: Path) -> LocalEmbeddings:
        """Open the catalogue's embedder from the folder of the model files.

        Raises:
            ModelMissing: It was not pulled yet.
            ModelDamaged: A file has not the catalogue's hash.
        """
        weights, tokenizer = catalog.locate(catalog.default("embedding"), folder)
        return cls(weights, tokenizer)

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of one text as a list of 384 numbers."""
        vector: list[float] = self.vectors([text])[0].tolist()
        return vector

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of several texts."""
        vectors: list[list[float]] = self.vectors(texts).tolist()
        return vectors

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts as an array of shape (texts, 384)."""
        means = self.encoder.encode(texts)[:, 0]
        scaled: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return scaled
