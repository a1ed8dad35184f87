"""Shared by all tests: where the real models are, and two of them, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reframer import catalog, settings

if TYPE_CHECKING:
    from reframer.embedding import LocalEmbeddings
    from reframer.llama.chat import ChatLlama
    from reframer.reader import Reader

_SMALL = "smollm2-135m"


@cache
def open_chat(model_id: str) -> ChatLlama:
    """Load a model of the catalogue, once for all tests."""
    from reframer.llama.chat import ChatLlama  # only tests that need a model load the library

    return ChatLlama.from_catalog(catalog.find(model_id), settings.load().models_dir)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return settings.load().models_dir


@pytest.fixture(scope="session")
def embeddings(models_dir: Path) -> LocalEmbeddings:
    """The embedder, opened once for all tests that only read with it."""
    from reframer.embedding import LocalEmbeddings

    return LocalEmbeddings.from_catalog(models_dir)


@pytest.fixture(scope="session")
def reader(embeddings: LocalEmbeddings) -> Reader:
    """The reader, opened once likewise."""
    from reframer.reader import Reader

    return Reader.open(embeddings)


@pytest.fixture(scope="session")
def small_model_path(models_dir: Path) -> Path:
    return catalog.locate(catalog.find(_SMALL), models_dir)[0]


@pytest.fixture(scope="session")
def default_model_path(models_dir: Path) -> Path:
    return catalog.locate(catalog.default("chat"), models_dir)[0]


@pytest.fixture(scope="session")
def small_model() -> ChatLlama:
    """The smallest real model: good for the machinery, not for words."""
    return open_chat(_SMALL)


@pytest.fixture(scope="session")
def default_model() -> ChatLlama:
    """The model that users get; tests with it carry the mark `model`."""
    return open_chat(catalog.default("chat").id)
