"""A loaded model: its chat template, its tokens, its speech.

llama.cpp keeps one context, which holds the tokens it has read. One worker thread owns it and
serves one speech after the other. So any number of threads may ask, a slow listener does not keep
the others waiting, and what a prompt shares with the one before is not read again.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from reframer.errors import ModelDamaged, ModelError, ModelTooLarge, TextTooLong, UsageError
from reframer.llama.gguf import Header, read_header
from reframer.llama.memory import free_memory
from reframer.threads import usable_cores

# Prompts are read in batches of so many tokens. What a prompt shares with the one before is kept in
# whole batches: a batch of another size gives slightly other numbers, so the same prompt and seed
# would not always give the same answer. Larger ones read hardly faster, and waste more.
_BATCH = 64
_LONGEST_PIECE = 256
_log = logging.getLogger(__name__)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_quiet(_level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    """Take what llama.cpp would print on stderr; ``--debug`` may show it."""
    _log.debug("%s", text.decode("utf-8", "replace").rstrip())


llama_cpp.llama_log_set(_keep_quiet, ctypes.c_void_p(0))


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: How daring: 0 always takes the likeliest token, 1 follows the model's odds.
        top_p: Only the likeliest tokens that together have this probability; 1 takes all.
        top_k: Only so many of the likeliest tokens; 0 takes all.
        min_p: Only tokens at least this many times as likely as the likeliest; 0 takes all.
        repeat_penalty: Divides the odds of the last 64 tokens said; 1 does nothing.
        max_tokens: The speech ends after so many tokens.
        seed: With the same seed, the same prompt gets the same answer, on the same machine and
            number of threads; None chooses anew each time.
    """

    temperature: float = 0.7
    top_p: float = 0.9
    top_k: int = 40
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    max_tokens: int = 256
    seed: int | None = None

    def __post_init__(self) -> None:
        _check(0 <= self.temperature <= 5, "temperature", "a number from 0 to 5")
        _check(0 < self.top_p <= 1, "top_p", "above 0 and at most 1")
        _check(self.top_k >= 0, "top_k", "a whole number, at least 0")
        _check(0 <= self.min_p < 1, "min_p", "at least 0 and below 1")
        _check(0 < self.repeat_penalty <= 5, "repeat_penalty", "above 0 and at most 5")
        _check(self.max_tokens >= 1, "max_tokens", "a whole number, at least 1")
        _check(self.seed is None or 0 <= self.seed < 2**32 - 1, "seed", "from 0 to 4294967294")


class Speech:
    """What the model says to one prompt: its tokens' bytes, as they come.

    Close it to stop the model, which then says at most one more token.

    Attributes:
        prompt_tokens: Length of the prompt.
        cached_tokens: So many of them the model had read before.
        tokens: So many tokens were said so far.
        finish: Why it ended: ``stop`` if the model had finished, else ``length``.
    """

    def __init__(self, prompt_tokens: int) -> None:
        self.prompt_tokens = prompt_tokens
        self.cached_tokens = 0
        self.tokens = 0
        self.finish: Literal["stop", "length"] = "stop"
        self._pieces: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            self.tokens += 1
            yield piece

    def close(self) -> None:
        """Stop the model, if it still speaks."""
        self._closed.set()

    @property
    def closed(self) -> bool:
        """Whether nobody listens any more."""
        return self._closed.is_set()

    def hear(self, piece: bytes | BaseException | None) -> None:
        """Take the next token, an error, or None at the end; for the worker."""
        self._pieces.put(piece)


class Weights:
    """A model in memory.

    Args:
        llama: The loaded model.
        header: What its file says about itself.
        adapter: The adapter that was put on it, if any.
    """

    def __init__(self, llama: llama_cpp.Llama, header: Header, adapter: Path | None = None) -> None:
        self._llama = llama
        self._vocabulary = llama_cpp.llama_model_get_vocab(llama.model)
        self._bos = _token_text(self._vocabulary, llama.token_bos())
        eos = _token_text(self._vocabulary, llama.token_eos())
        self._template = Jinja2ChatFormatter(header.chat_template, eos, self._bos)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama")
        self._prompt_read = 0
        self.adapter = adapter
        # Left to the end of the process, the library would free its memory too late and complain.
        weakref.finalize(self, llama.close)

    @classmethod
    def open(
        cls, path: Path, *, context: int = 2048, threads: int = 0, adapter: Path | None = None
    ) -> Weights:
        """Load a model.

        Args:
            path: Its GGUF file.
            context: Tokens that prompt and answer may have together; never more than the model
                was made for.
            threads: Threads to compute with; 0 for the physical cores that may be used.
            adapter: A LoRA adapter, as GGUF, that was trained for this model.

        Raises:
            ModelMissing: A file is not there.
            ModelDamaged: A file is not a GGUF file, is cut off, or cannot be loaded.
            ModelTooLarge: It needs more memory than is free.
            ModelError: The file cannot be read, has no usable chat template, or the adapter
                was made for another kind of model.
        """
        header = read_header(path)
        context = min(context, header.context or context)
        _check_template(header, path)
        _check_memory(header.memory(context))
        if adapter is not None:
            _check_adapter(read_header(adapter), header, adapter)
        return cls(_load(path, context, threads or usable_cores(), adapter), header, adapter)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._llama.n_ctx()

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text in which nothing has a special meaning."""
        return self._llama.tokenize(_utf8(text), add_bos=False, special=False)

    def prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """Return the tokens of a prompt, made by the model's own chat template.

        Args:
            messages: Each with ``role`` and ``content``. Whatever a content holds, it cannot act as
                the template's own marks (the end of a turn, another role).

        Raises:
            ModelError: The template refuses these messages.
        """
        plain = [{**message, "content": self._defused(message["content"])} for message in messages]
        try:
            text = self._template(messages=plain).prompt  # type: ignore[arg-type]
        except Exception:  # a template is a foreign program; its words may hold the user's
            raise ModelError(
                "The model's chat template refuses these messages.",
                "Some models allow no system message, or want user and assistant to alternate.",
            ) from None
        begins = bool(self._bos) and text.startswith(self._bos)
        return self._llama.tokenize(_utf8(text), add_bos=not begins, special=True)

    def speak(self, prompt: Sequence[int], sampling: Sampling) -> Speech:
        """Let the model answer a prompt; returns at once.

        Args:
            prompt: Tokens of the prompt.
            sampling: How tokens are chosen.

        Raises:
            TextTooLong: The prompt leaves no room for an answer in the context.
        """
        if len(prompt) >= self.context:
            raise TextTooLong(
                f"The prompt has {len(prompt):,} tokens; the model's context holds "
                f"{self.context:,}, the answer included.",
                "Use a shorter text, or a larger context (setting: context).",
            )
        speech = Speech(len(prompt))
        self._worker.submit(self._answer, speech, list(prompt), sampling)
        return speech

    def _answer(self, speech: Speech, prompt: list[int], sampling: Sampling) -> None:
        """Say a speech to its end; runs on the worker."""
        try:
            if not speech.closed:
                self._say(speech, prompt, sampling)
            speech.hear(None)
        except BaseException as error:  # it belongs to who listens, not to the worker
            self._llama.reset()  # type: ignore[no-untyped-call]
            failure = ModelError("The model failed while it spoke.", "Try again.")
            failure.__cause__ = error
            speech.hear(failure)

    def _say(self, speech: Speech, prompt: list[int], sampling: Sampling) -> None:
        speech.cached_tokens = self._keep_common(prompt)
        for start in range(speech.cached_tokens, len(prompt), _BATCH):
            self._llama.eval(prompt[start : start + _BATCH])
            if speech.closed:
                return
        self._llama.set_seed(
            llama_cpp.LLAMA_DEFAULT_SEED if sampling.seed is None else sampling.seed
        )
        tokens = self._llama.generate(
            prompt,
            temp=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repeat_penalty,
        )
        room = min(sampling.max_tokens, self.context - len(prompt))
        for said, token in enumerate(tokens, start=1):
            if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                return
            if said == room:
                speech.finish = "length"
            speech.hear(self._piece(token))
            if said == room or speech.closed:
                return

    def _keep_common(self, prompt: Sequence[int]) -> int:
        """Forget all but what the prompt shares with the one before; return its length."""
        read = min(self._prompt_read, self._llama.n_tokens, len(prompt) - 1)
        pairs = enumerate(zip(self._llama.input_ids[:read].tolist(), prompt, strict=False))
        common = next((index for index, (old, new) in pairs if old != new), read)
        kept = common // _BATCH * _BATCH
        memory = llama_cpp.llama_get_memory(self._llama.ctx)
        # Some kinds of network cannot forget only the end.
        if not kept or not llama_cpp.llama_memory_seq_rm(memory, 0, kept, -1):
            self._llama.reset()  # type: ignore[no-untyped-call]
            kept = 0
        self._llama.n_tokens = kept
        self._prompt_read = len(prompt)
        return kept

    def _defused(self, text: str) -> str:
        """Break up what the tokenizer would take for one of the template's marks."""
        for token in set(self._llama.tokenize(_utf8(text), add_bos=False, special=True)):
            if llama_cpp.llama_vocab_is_control(self._vocabulary, token):
                mark = _token_text(self._vocabulary, token)
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def _piece(self, token: int) -> bytes:
        """Return a token's bytes; none for the template's marks."""
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        size = llama_cpp.llama_token_to_piece(
            self._vocabulary, token, buffer, len(buffer), 0, False
        )
        if size < 0:  # the piece is longer than the buffer, and this is its length
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(
                self._vocabulary, token, buffer, len(buffer), 0, False
            )
        return buffer.raw[:size]


def _load(path: Path, context: int, threads: int, adapter: Path | None) -> llama_cpp.Llama:
    options: dict[str, Any] = {
        "n_ctx": context,
        "n_batch": _BATCH,
        "n_ubatch": _BATCH,
        "n_threads": threads,
        "n_threads_batch": threads,
        "n_gpu_layers": -1 if llama_cpp.llama_supports_gpu_offload() else 0,
        "verbose": False,
    }
    try:
        return llama_cpp.Llama(str(path), lora_path=str(adapter) if adapter else None, **options)
    except ValueError as error:
        if "llama_context" in str(error):  # the weights are loaded, their working memory is not
            raise ModelTooLarge(
                "There is not enough memory for the model's context.",
                "Use a smaller context (setting: context), or a smaller model.",
            ) from error
        raise ModelDamaged(
            f"The model file {path} cannot be loaded: it is damaged, or of an unknown kind.",
            "Fetch it again, or choose another.",
        ) from error
    except RuntimeError as error:
        raise ModelDamaged(
            f"The adapter {adapter} cannot be put on the model {path.name}.",
            "Use an adapter that was trained for this model.",
        ) from error


def _check_template(header: Header, path: Path) -> None:
    try:
        if header.chat_template:
            Jinja2ChatFormatter(header.chat_template, eos_token="", bos_token="")
            return
    except Exception as error:  # whatever a foreign template makes the template engine raise
        raise ModelError(
            f"The chat template in {path} cannot be read.", "Choose another model."
        ) from error
    raise ModelError(
        f"The model file {path} has no chat template, so it cannot be talked with.",
        "Choose a model made for chat (its name often ends in Instruct or Chat).",
    )


def _check_memory(needed: int) -> None:
    free = free_memory()
    if needed > free:
        raise ModelTooLarge(
            f"The model needs {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB is free.",
            "Close other programs, or choose a smaller model or context.",
        )


def _check_adapter(adapter: Header, base: Header, path: Path) -> None:
    if adapter.values.get("general.type") != "adapter":
        raise ModelDamaged(f"The file {path} is not an adapter.", "Check the path.")
    if adapter.architecture != base.architecture:
        raise ModelError(
            f"The adapter {path} was made for another kind of model.",
            "Use an adapter that was trained for this model.",
        )


def _check(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise UsageError(f"The model's {name} must be {wanted}.")


def _token_text(vocabulary: Any, token: int) -> str:
    """Return how a token is written; empty where the model has no such token."""
    return "" if token < 0 else llama_cpp.llama_vocab_get_text(vocabulary, token).decode()


def _utf8(text: str) -> bytes:
    # Half a surrogate pair, which is no character, would raise an error that shows the text.
    return text.encode("utf-8", "replace")
