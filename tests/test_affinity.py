"""What was learned of thoughts and techniques belongs to the cards and the embedder that ship."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reframer.affinity import Affinity
from reframer.embedding import LocalEmbeddings
from reframer.knowledge import load_techniques
from reframer.reader import Reader
from reframer.retrieval import card_text

TECHNIQUES = load_techniques()
EXAMPLES = [example for technique in TECHNIQUES for example in technique.examples]


@pytest.fixture(scope="module")
def affinity(embeddings: LocalEmbeddings, reader: Reader) -> Affinity:
    return Affinity(embeddings, reader)


def test_every_text_of_the_index_comes_with_its_vector(affinity: Affinity) -> None:
    texts = [example.thought for example in EXAMPLES if not example.held_out]
    texts += [card_text(technique) for technique in TECHNIQUES]
    missing = [text for text in texts if affinity.known(text) is None]
    assert missing == [], "run: python -m models.training.retrieval"


def test_no_held_out_thought_was_learned(affinity: Affinity) -> None:
    assert not [e for e in EXAMPLES if e.held_out and affinity.known(e.thought) is not None]


def test_the_vectors_are_what_the_embedder_makes(
    affinity: Affinity, embeddings: LocalEmbeddings
) -> None:
    texts = [example.thought for example in EXAMPLES if not example.held_out][::400]
    shipped = np.array([affinity.known(text) for text in texts])
    assert np.abs(shipped - embeddings.vectors(texts)).max() < 1e-3


def test_a_thought_read_has_the_vector_that_the_embedder_makes(
    affinity: Affinity, embeddings: LocalEmbeddings
) -> None:
    thought = "I dropped the cake at my own party."
    assert affinity.read(thought).vector == embeddings.embed_query(thought)


def test_it_gives_a_probability_to_every_technique(affinity: Affinity) -> None:
    logprobs = affinity.read("I dropped the cake at my own party.").techniques
    assert logprobs.keys() == {technique.id for technique in TECHNIQUES}
    assert sum(map(math.exp, logprobs.values())) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("thought", "technique"),
    [
        ("It's been a year since dad died and I still cry in the car.", "grief-at-its-own-pace"),
        ("Had a drink after 90 days sober, so that's that.", "lapse-not-relapse"),
        ("I yelled at my son and he hid under the table.", "guilt-to-repair"),
        ("Everyone on my feed has a house and a baby.", "whole-picture"),
    ],
)
def test_what_such_thoughts_call_for_is_among_the_likeliest(
    affinity: Affinity, thought: str, technique: str
) -> None:
    logprobs = affinity.read(thought).techniques
    assert technique in sorted(logprobs, key=lambda name: -logprobs[name])[:3]
