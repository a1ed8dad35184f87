"""A loaded model: its chat template, its tokens, its speech.

Any number of threads may ask at once: their prompts become rows of one batch. One worker thread
owns the model's memory and computes; a slow listener does not keep the others waiting.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from reframer.errors import ModelDamaged, ModelError, ModelTooLarge, TextTooLong
from reframer.llama import backend
from reframer.llama.context import Context, Sampler
from reframer.llama.gguf import Header, read_header
from reframer.llama.memory import free_memory
from reframer.llama.runner import Runner
from reframer.llama.sampling import Sampling
from reframer.llama.scheduler import Choice, Finish, Row
from reframer.llama.states import State, States
from reframer.threads import usable_cores

# Rows that are computed together, or fewer where memory is short. On two cores, 16 rows speak at
# twice the speed of one row, and 32 hardly faster; a thought and its answer take about 300 tokens.
_SLOTS = (16, 8, 4, 2, 1)
_CELLS_PER_SLOT = 512
_LONGEST_PIECE = 256
Messages = Sequence[Mapping[str, str]]
_log = logging.getLogger(__name__)


class Speech:
    """What the model says to one prompt: its tokens' bytes, as they come.

    Close it to stop the model, which then says at most one more token.

    Args:
        prompt_tokens: Length of the prompt.
        spell: Turns a token into its bytes.

    Attributes:
        prompt_tokens: Length of the prompt.
        cached_tokens: So many of them the model had read before.
        tokens: So many tokens were said so far.
        finish: Why it ended: ``stop`` if the model had finished, or was stopped by who listened
            before they heard another end; else ``length``.
        logprobs: Log-probability of each token said so far, in nats, if they were asked for.
    """

    def __init__(self, prompt_tokens: int, spell: Callable[[int], bytes]) -> None:
        self.prompt_tokens = prompt_tokens
        self.cached_tokens = 0
        self.tokens = 0
        self.finish: Finish = "stop"
        self.logprobs: list[float] = []
        self._spell = spell
        self._said: SimpleQueue[Choice | BaseException | Finish] = SimpleQueue()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        while not isinstance(said := self._said.get(), str):
            if isinstance(said, BaseException):
                raise said
            self.tokens += 1
            if said.logprob is not None:
                self.logprobs.append(said.logprob)
            yield self._spell(said.token)
        self.finish = said

    def close(self) -> None:
        """Stop the model, if it still speaks."""
        self._closed.set()

    @property
    def closed(self) -> bool:
        """Whether nobody listens any more."""
        return self._closed.is_set()

    def begin(self, cached: int) -> None:
        """Take how much of the prompt the model had read before; for the worker."""
        self.cached_tokens = cached

    def hear(self, choice: Choice) -> None:
        """Take the next token; for the worker."""
        self._said.put(choice)

    def end(self, finish: Finish) -> None:
        """Take the end; for the worker."""
        self._said.put(finish)

    def fail(self, error: BaseException) -> None:
        """Take an error in place of the end; for the worker."""
        self._said.put(error)


class Weights:
    """A model in memory.

    Args:
        model: Pointer to the loaded model.
        header: What its file says about itself.
        context: Its memory.
        longest: Tokens that prompt and answer may have together.
        adapter: The adapter that was put on it, if any.

    Attributes:
        context: Tokens that prompt and answer may have together.
        rows: Rows that are computed at once; others wait.
        threads: Threads that compute.
        adapter: The adapter that was put on it, if any.
    """

    def __init__(
        self,
        model: Any,
        header: Header,
        context: Context,
        longest: int,
        adapter: Path | None = None,
    ) -> None:
        self._vocabulary = llama_cpp.llama_model_get_vocab(model)
        self._bos = _token_text(self._vocabulary, llama_cpp.llama_vocab_bos(self._vocabulary))
        eos = _token_text(self._vocabulary, llama_cpp.llama_vocab_eos(self._vocabulary))
        self._template = Jinja2ChatFormatter(header.chat_template, eos, self._bos)
        self._model = model
        self._states: list[States] = []
        self._runner = Runner(context, partial(_release, context, self._states, model))
        self.context = longest
        self.rows = context.slots
        self.threads = context.threads
        self.adapter = adapter
        # Left to the end of the process, the library would free its memory too late and complain.
        weakref.finalize(self, self._runner.close)

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
            ModelError: The file cannot be read, has no usable chat template or a recurrent
                memory, or the adapter was made for another kind of model.
        """
        header = read_header(path)
        longest = min(context, header.context or context)
        _check_template(header, path)
        sizes = _that_fit(header, longest)
        if adapter is not None:
            _check_adapter(read_header(adapter), header, adapter)
        model = _load(path)
        memory = _open_context(model, sizes, threads or usable_cores(), adapter)
        return cls(model, header, memory, longest, adapter)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text in which nothing has a special meaning."""
        return self._tokenize(text, bos=False, special=False)

    def prompt(self, messages: Messages) -> list[int]:
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
        return self._tokenize(text, bos=not begins, special=True)

    def speak(
        self, prompt: Sequence[int], sampling: Sampling, *, background: bool = False
    ) -> Speech:
        """Let the model answer a prompt; returns at once.

        Args:
            prompt: Tokens of the prompt, at least one.
            sampling: How tokens are chosen.
            background: Whether it gives way to prompts that are not in the background.

        Raises:
            TextTooLong: The prompt leaves no room for an answer in the context.
        """
        if len(prompt) >= self.context:
            raise TextTooLong(
                f"The prompt has {len(prompt):,} tokens; the model's context holds "
                f"{self.context:,}, the answer included.",
                "Use a shorter text, or a larger context (setting: context).",
            )
        speech = Speech(len(prompt), self._piece)
        room = min(sampling.max_tokens, self.context - len(prompt))
        sampler = Sampler(sampling, llama_cpp.llama_vocab_n_tokens(self._vocabulary))
        self._runner.submit(Row(list(prompt), room, sampler, speech, background))
        return speech

    def reads(self, ask: Callable[[str], Messages]) -> Callable[[str], State]:
        """Return what reads a text into the model's state after it was asked about it.

        It reads in a memory of its own, and without the adapter; see `States`.

        Args:
            ask: Puts a text into messages, behind whatever is the same for all texts.

        Raises:
            ModelTooLarge: There is not enough memory.
        """
        one, other = self.prompt(ask("A")), self.prompt(ask("b"))
        pairs = enumerate(zip(one, other, strict=False))
        beginning = one[: next(at for at, (token, its) in pairs if token != its)]
        states = States(self._model, beginning, cells=self.context, threads=self.threads)
        self._states.append(states)
        return lambda text: states.read(self.prompt(ask(text))[len(beginning) :])

    def _tokenize(self, text: str, *, bos: bool, special: bool) -> list[int]:
        data = _utf8(text)
        room = len(data) + 1  # a token has at least a byte; one may be put in front
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(
            self._vocabulary, data, len(data), tokens, room, bos, special
        )
        return tokens[:count]

    def _defused(self, text: str) -> str:
        """Break up what the tokenizer would take for one of the template's marks."""
        for token in set(self._tokenize(text, bos=False, special=True)):
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


def _load(path: Path) -> Any:
    """Return the pointer to a loaded model.

    Raises:
        ModelDamaged: It cannot be loaded.
        ModelError: Its memory is recurrent.
    """
    backend.begin()
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = -1 if llama_cpp.llama_supports_gpu_offload() else 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    if model is None:
        raise ModelDamaged(
            f"The model file {path} cannot be loaded: it is damaged, or of an unknown kind.",
            "Fetch it again, or choose another.",
        )
    if llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model):
        llama_cpp.llama_model_free(model)
        # Its memory cannot forget a row's last tokens, as rows with a shared beginning need.
        raise ModelError(
            f"The model {path} has a recurrent memory, which reframer cannot use.",
            "Choose a model without one, such as those of: reframer models list",
        )
    return model


def _release(context: Context, states: Sequence[States], model: Any) -> None:
    context.close()
    for each in states:
        each.close()
    llama_cpp.llama_model_free(model)


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


def _that_fit(header: Header, longest: int) -> list[tuple[int, int]]:
    """Return the numbers of slots for which there is memory, with their cells, most first.

    Raises:
        ModelTooLarge: There is not even memory for one.
    """
    free = free_memory()
    sizes = [(slots, max(longest, slots * _CELLS_PER_SLOT)) for slots in _SLOTS]
    if fitting := [(slots, cells) for slots, cells in sizes if header.memory(cells) <= free]:
        return fitting
    needed = header.memory(longest)
    raise ModelTooLarge(
        f"The model needs {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB is free.",
        "Close other programs, or choose a smaller model or context.",
    )


def _open_context(
    model: Any, sizes: Sequence[tuple[int, int]], threads: int, adapter: Path | None
) -> Context:
    """Return the model's memory, with as many slots as llama.cpp can be given.

    Raises:
        ModelTooLarge: It cannot be given any.
    """
    *more, (fewest, least) = sizes
    for slots, cells in more:
        try:
            return Context(model, cells=cells, slots=slots, threads=threads, adapter=adapter)
        except ModelTooLarge:
            _log.warning("There is no memory for %d rows at once; trying fewer.", slots)
    return Context(model, cells=least, slots=fewest, threads=threads, adapter=adapter)


def _check_adapter(adapter: Header, base: Header, path: Path) -> None:
    if adapter.values.get("general.type") != "adapter":
        raise ModelDamaged(f"The file {path} is not an adapter.", "Check the path.")
    if adapter.architecture != base.architecture:
        raise ModelError(
            f"The adapter {path} was made for another kind of model.",
            "Use an adapter that was trained for this model.",
        )


def _token_text(vocabulary: Any, token: int) -> str:
    """Return how a token is written; empty where the model has no such token."""
    return "" if token < 0 else llama_cpp.llama_vocab_get_text(vocabulary, token).decode()


def _utf8(text: str) -> bytes:
    # Half a surrogate pair, which is no character, would raise an error that shows the text.
    return text.encode("utf-8", "replace")
