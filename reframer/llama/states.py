"""A loaded model's states: what it makes of a text, before it says a word of its own."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from reframer.errors import ModelError, TextTooLong
from reframer.llama.context import free, open_context, put

State = NDArray[np.float32]

_BATCH = 128  # tokens


class States:
    """Reads prompts that begin alike, in a memory of its own, without any adapter.

    Any thread may ask; one prompt is read after the other. The beginning is read once, and the
    prompt before, if it is asked for again, not a second time.

    Args:
        model: Pointer to the loaded model, which must outlive this.
        beginning: Tokens that all prompts begin with.
        cells: Tokens of the longest prompt.
        threads: Threads to compute with.

    Raises:
        ModelTooLarge: There is not enough memory.
        ModelError: The model could not read the beginning.
    """

    def __init__(self, model: Any, beginning: Sequence[int], *, cells: int, threads: int) -> None:
        self._width = llama_cpp.llama_model_n_embd(model)
        self._begins, self._cells = len(beginning), cells
        self._pointer = open_context(model, cells, 1, threads, _BATCH)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._free = weakref.finalize(self, free, self._pointer, self._batch)
        self._free.atexit = False  # some thread may still read then; who owns the model closes it
        self._lock = threading.Lock()
        self._last: tuple[tuple[int, ...], State] = (), self._compute(beginning, 0)

    def close(self) -> None:
        """Free the memory, once a prompt that is being read has been read."""
        with self._lock:
            self._free()

    def read(self, rest: Sequence[int]) -> State:
        """Return the state at a prompt's end: what decides over the next token, a row of numbers.

        Args:
            rest: Tokens of the prompt behind the beginning, at least one.

        Raises:
            TextTooLong: The prompt is longer than the memory.
            ModelError: The model could not read.
        """
        if self._begins + len(rest) > self._cells:
            raise TextTooLong(
                f"The model reads {self._cells:,} tokens at once.", "Use a shorter text."
            )
        with self._lock:
            prompt, state = self._last
            if tuple(rest) != prompt:
                state = self._compute(rest, self._begins)
                self._last = tuple(rest), state
            return state

    def _compute(self, tokens: Sequence[int], start: int) -> State:
        """Read tokens behind the first ``start`` of the memory; return the state at their end."""
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self._pointer), 0, start, -1)
        # A state that is asked for costs the choice of a next token, too, so only the last one is.
        last = len(tokens) - 1
        for at in range(0, last, _BATCH):
            self._decode(tokens[at : min(at + _BATCH, last)], start + at, asked=False)
        self._decode(tokens[last:], start + last, asked=True)
        state = llama_cpp.llama_get_embeddings_ith(self._pointer, 0)
        return np.ctypeslib.as_array(state, shape=(self._width,)).copy()

    def _decode(self, tokens: Sequence[int], start: int, *, asked: bool) -> None:
        batch = self._batch
        batch.n_tokens = put(batch, 0, tokens, start, slot=0)
        batch.logits[len(tokens) - 1] = asked
        llama_cpp.llama_set_embeddings(self._pointer, asked)
        if failed := llama_cpp.llama_decode(self._pointer, batch):
            raise ModelError(f"The model failed while it read (code {failed}).", "Try again.")
