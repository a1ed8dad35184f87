"""Sentence vectors are those of the reference model, one by one and together."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reframer.embedding import LocalEmbeddings

# Made once with the reference implementation (torch) from the same weights.
_REFERENCE = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text("utf-8"))
_TEXTS = [entry["text"] for entry in _REFERENCE]
_VECTORS = np.array([entry["vector"] for entry in _REFERENCE])


@cache
def _open(models_dir: Path) -> LocalEmbeddings:
    return LocalEmbeddings.from_catalog(models_dir)


@pytest.fixture
def embeddings(models_dir: Path) -> LocalEmbeddings:
    return _open(models_dir)


def test_vectors_are_those_of_the_reference_model(embeddings: LocalEmbeddings) -> None:
    np.testing.assert_allclose(embeddings.vectors(_TEXTS), _VECTORS, atol=1e-5)


def test_one_text_has_the_same_vector_as_among_others(embeddings: LocalEmbeddings) -> None:
    many = embeddings.embed_documents([*_TEXTS, *[f"Line {number}." for number in range(40)]])
    for text, vector in zip(_TEXTS, many, strict=False):
        np.testing.assert_allclose(embeddings.embed_query(text), vector, atol=1e-5)


def test_a_long_text_does_not_make_short_ones_dearer(
    embeddings: LocalEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[list[int]]] = []

    def encode(ids: list[list[int]]) -> NDArray[np.float32]:
        batches.append(ids)
        return np.zeros((len(ids), 6, embeddings.dimension), np.float32)

    monkeypatch.setattr(embeddings, "_encode", encode)
    embeddings.layers(["A cake. " * 80, *[f"Line {number}." for number in range(40)]])
    computed = sum(len(ids) * max(map(len, ids)) for ids in batches)
    assert computed <= 1.25 * sum(len(text) for ids in batches for text in ids)
    assert len(batches) < 10


def test_vectors_have_length_one(embeddings: LocalEmbeddings) -> None:
    lengths = np.linalg.norm(embeddings.vectors([*_TEXTS, "", " ", "x" * 10_000]), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_the_last_layer_scaled_is_the_vector(embeddings: LocalEmbeddings) -> None:
    layers = embeddings.layers(_TEXTS)
    assert layers.shape == (len(_TEXTS), 6, embeddings.dimension)
    last = layers[:, -1] / np.linalg.norm(layers[:, -1], axis=1, keepdims=True)
    np.testing.assert_allclose(last, embeddings.vectors(_TEXTS), atol=1e-5)


def test_no_text_has_no_vector(embeddings: LocalEmbeddings) -> None:
    assert embeddings.embed_documents([]) == []
    assert embeddings.layers([]).shape == (0, 6, embeddings.dimension)


def test_likeness_follows_the_meaning(embeddings: LocalEmbeddings) -> None:
    thought, near, far = embeddings.vectors(
        ["I forgot her birthday.", "Her birthday slipped my mind.", "The bread is in the oven."]
    )
    assert thought @ near > thought @ far + 0.3


def test_neither_torch_nor_onnxruntime_is_needed(models_dir: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path\n"
        "from reframer.embedding import LocalEmbeddings\n"
        "LocalEmbeddings.from_catalog(Path(sys.argv[1])).embed_query('hello')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(models_dir)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
