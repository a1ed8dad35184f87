"""llama.cpp's context as the scheduler needs it: slots, shared beginnings, batches of pieces."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from reframer.errors import ModelDamaged, ModelError, ModelTooLarge
from reframer.llama.sampling import Sampling
from reframer.llama.scheduler import PIECE, Choice, Piece

_REPEATS_SEEN = 64  # tokens


class Sampler:
    """Chooses the tokens of one row: llama.cpp's chain of samplers.

    Args:
        sampling: How it chooses.
        vocabulary: Number of tokens that there are.
    """

    def __init__(self, sampling: Sampling, vocabulary: int) -> None:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        # Never at the end of the process: the worker may still compute with it then.
        weakref.finalize(self, llama_cpp.llama_sampler_free, chain).atexit = False
        links = [
            llama_cpp.llama_sampler_init_penalties(
                vocabulary, _REPEATS_SEEN, sampling.repeat_penalty, 0.0, 0.0
            )
        ]
        if sampling.temperature == 0:
            links.append(llama_cpp.llama_sampler_init_greedy())
        else:
            seed = llama_cpp.LLAMA_DEFAULT_SEED if sampling.seed is None else sampling.seed
            links += [
                llama_cpp.llama_sampler_init_top_k(sampling.top_k),
                llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
                llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1),
                llama_cpp.llama_sampler_init_temp(sampling.temperature),
                llama_cpp.llama_sampler_init_dist(seed),
            ]
        for link in links:
            llama_cpp.llama_sampler_chain_add(chain, link)
        self.chain = chain
        self.logprobs = sampling.logprobs


class Context:
    """The memory of a loaded model, divided into slots. It belongs to one thread.

    Args:
        model: Pointer to the loaded model.
        cells: Tokens that the memory holds, of all slots together.
        slots: Rows that it holds at once.
        threads: Threads to compute with.
        adapter: A LoRA adapter to put on the model, if any.

    Raises:
        ModelTooLarge: There is not enough memory.
        ModelDamaged: The adapter does not go with the model.
    """

    batch = 2 * PIECE

    def __init__(
        self, model: Any, *, cells: int, slots: int, threads: int, adapter: Path | None = None
    ) -> None:
        self.cells, self.slots, self.threads = cells, slots, threads
        self._vocabulary = llama_cpp.llama_model_get_vocab(model)
        self._pointer = open_context(model, cells, slots, threads, self.batch)
        self._memory = llama_cpp.llama_get_memory(self._pointer)
        self._filled = llama_cpp.llama_batch_init(self.batch, 0, 1)
        self._free = weakref.finalize(self, free, self._pointer, self._filled)
        if adapter is not None:
            self._put_on(model, adapter)

    def close(self) -> None:
        """Free the memory."""
        self._free()

    def copy(self, source: int, target: int, length: int) -> None:
        """Let an empty slot begin with the first tokens of another one; they share the cells."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def cut(self, slot: int, length: int) -> None:
        """Forget all but a slot's first tokens."""
        llama_cpp.llama_memory_seq_rm(self._memory, slot, length, -1)

    def compute(self, pieces: Sequence[Piece[Sampler]]) -> list[Choice]:
        """Compute pieces, and return what each sampler chose, in order.

        Raises:
            ModelError: llama.cpp could not.
        """
        asked = self._fill(pieces)
        if failed := llama_cpp.llama_decode(self._pointer, self._filled):
            raise ModelError(f"The model failed while it computed (code {failed}).", "Try again.")
        return [self._chosen(at, sampler) for at, sampler in asked]

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def _chosen(self, at: int, sampler: Sampler) -> Choice:
        token = llama_cpp.llama_sampler_sample(sampler.chain, self._pointer, at)
        if not sampler.logprobs:
            return Choice(token)
        size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        logits = np.ctypeslib.as_array(
            llama_cpp.llama_get_logits_ith(self._pointer, at), shape=(size,)
        ).astype(np.float64)
        logits -= logits.max()
        return Choice(token, float(logits[token] - np.log(np.exp(logits).sum())))

    def _fill(self, pieces: Sequence[Piece[Sampler]]) -> list[tuple[int, Sampler]]:
        """Put pieces into the batch; return where a token is to be chosen, and by whom."""
        batch, count, asked = self._filled, 0, []
        for piece in pieces:
            count = put(batch, count, piece.tokens, piece.start, piece.slot)
            if piece.sampler is not None:
                batch.logits[count - 1] = True
                asked.append((count - 1, piece.sampler))
        batch.n_tokens = count
        return asked

    def _put_on(self, model: Any, adapter: Path) -> None:
        loaded = llama_cpp.llama_adapter_lora_init(model, str(adapter).encode())
        if loaded is not None:
            adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(loaded)
            if not llama_cpp.llama_set_adapters_lora(
                self._pointer, adapters, 1, (ctypes.c_float * 1)(1.0)
            ):
                return
        raise ModelDamaged(
            f"The adapter {adapter} cannot be put on the model.",
            "Use an adapter that was trained for this model.",
        )


def put(batch: Any, count: int, tokens: Sequence[int], start: int, slot: int) -> int:
    """Put tokens of a slot into a batch, none of them asked for.

    Args:
        batch: The batch.
        count: So many tokens it holds already.
        tokens: The tokens.
        start: Place of the first one in its slot.
        slot: The slot.

    Returns:
        How many tokens it holds now.
    """
    for offset, token in enumerate(tokens):
        batch.token[count] = token
        batch.pos[count] = start + offset
        batch.n_seq_id[count] = 1
        batch.seq_id[count][0] = slot
        batch.logits[count] = False
        count += 1
    return count


def free(pointer: Any, batch: Any) -> None:
    """Free llama.cpp's context and a batch."""
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(pointer)


def open_context(model: Any, cells: int, slots: int, threads: int, batch: int) -> Any:
    """Return the pointer to a new context of llama.cpp.

    Args:
        model: Pointer to the loaded model.
        cells: Tokens that it holds, of all slots together.
        slots: Rows that it holds at once.
        threads: Threads to compute with.
        batch: Most tokens that are computed together.

    Raises:
        ModelTooLarge: There is not enough memory.
    """
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = cells
    params.n_batch = params.n_ubatch = batch
    params.n_seq_max = slots
    params.n_threads = params.n_threads_batch = threads
    params.kv_unified = True  # slots share the cells of a common beginning
    pointer = llama_cpp.llama_init_from_model(model, params)
    if pointer is None:
        raise ModelTooLarge(
            "There is not enough memory for the model's context.",
            "Use a smaller context (setting: context), or a smaller model.",
        )
    return pointer
