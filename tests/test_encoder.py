"""Each text has the vectors that it has alone, whatever goes through the network beside it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from reframer.embedding import LocalEmbeddings
from reframer.encoder import Encoder, Vectors

_TEXTS = ["I dropped the cake.", "", "x" * 10_000, "A cake. " * 80]
_LINES = [f"Line {number}." for number in range(40)]


@pytest.fixture
def encoder(embeddings: LocalEmbeddings) -> Encoder:
    return embeddings.encoder


def test_a_text_has_the_same_vectors_alone_and_among_others(encoder: Encoder) -> None:
    together = encoder.encode([*_TEXTS, *_LINES])
    assert together.shape == (len(_TEXTS) + len(_LINES), 2, 384)
    for text, vectors in zip(_TEXTS, together, strict=False):
        np.testing.assert_allclose(encoder.encode([text])[0], vectors, atol=1e-4)


def test_the_mean_is_what_the_embedder_scales(
    encoder: Encoder, embeddings: LocalEmbeddings
) -> None:
    means = encoder.encode(_LINES)[:, 0]
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(means / lengths, embeddings.vectors(_LINES), atol=1e-5)


def test_no_text_has_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 2, 384)


def test_other_layers_leave_the_network_as_it_was_and_share_its_tables(encoder: Encoder) -> None:
    before = encoder.encode(_LINES[:1])
    idle = {name: np.zeros_like(tensor) for name, tensor in encoder.tensors.items()}
    other = encoder.with_layers(idle)
    assert not np.allclose(other.encode(_LINES[:1]), before, atol=0.1)
    np.testing.assert_array_equal(encoder.encode(_LINES[:1]), before)
    table = "embeddings.word_embeddings.weight"
    assert other.tensors[table] is encoder.tensors[table]
    with pytest.raises(KeyError, match=r"encoder\.layer"):
        encoder.with_layers({})


def test_a_network_does_not_wait_for_the_one_whose_tables_it_shares(encoder: Encoder) -> None:
    other = encoder.with_layers(encoder.tensors)
    with encoder._lock:  # as while an index is made
        reading = threading.Thread(target=other.encode, args=(_LINES,), daemon=True)
        reading.start()
        reading.join(timeout=30)
        assert not reading.is_alive()


def test_a_long_text_does_not_make_short_ones_dearer(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[list[int]]] = []

    def encode(ids: list[list[int]]) -> Vectors:
        batches.append(ids)
        return np.zeros((len(ids), 2, 384), np.float32)

    monkeypatch.setattr(encoder, "_encode", encode)
    encoder.encode(["A cake. " * 80, *_LINES])
    computed = sum(len(ids) * max(map(len, ids)) for ids in batches)
    assert computed <= 1.25 * sum(len(text) for ids in batches for text in ids)
    assert len(batches) < 10
