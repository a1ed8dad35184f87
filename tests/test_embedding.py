"""Sentence vectors are those of the reference model, one by one and together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from reframer.embedding import LocalEmbeddings

# Made once with the reference implementation (torch) from the same weights.
_REFERENCE = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text("utf-8"))
_TEXTS = [entry["text"] for entry in _REFERENCE]
_VECTORS = np.array([entry["vector"] for entry in _REFERENCE])


def test_vectors_are_those_of_the_reference_model(embeddings: LocalEmbeddings) -> None:
    np.testing.assert_allclose(embeddings.vectors(_TEXTS), _VECTORS, atol=1e-5)


def test_one_text_has_the_same_vector_as_among_others(embeddings: LocalEmbeddings) -> None:
    many = embeddings.embed_documents([*_TEXTS, *[f"Line {number}." for number in range(40)]])
    for text, vector in zip(_TEXTS, many, strict=False):
        np.testing.assert_allclose(embeddings.embed_query(text), vector, atol=1e-5)


def test_vectors_have_length_one(embeddings: LocalEmbeddings) -> None:
    lengths = np.linalg.norm(embeddings.vectors([*_TEXTS, "", " ", "x" * 10_000]), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_no_text_has_no_vector(embeddings: LocalEmbeddings) -> None:
    assert embeddings.embed_documents([]) == []
    assert embeddings.vectors([]).shape == (0, embeddings.dimension)


def test_likeness_follows_the_meaning(embeddings: LocalEmbeddings) -> None:
    thought, near, far = embeddings.vectors(
        ["I forgot her birthday.", "Her birthday slipped my mind.", "The bread is in the oven."]
    )
    assert thought @ near > thought @ far + 0.3
