"""ChatLlama: a GGUF file as a LangChain chat model.

A stream is the primitive: an answer drains it, and batch and async are LangChain's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, ChatMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, model_validator

from reframer import catalog
from reframer.errors import UsageError
from reframer.llama.sampling import Sampling
from reframer.llama.states import State
from reframer.llama.stopping import decode, until
from reframer.llama.weights import Speech, Weights

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}
_DEFAULT = Sampling()
_SAMPLING = tuple(field.name for field in dataclasses.fields(Sampling))


class ChatLlama(BaseChatModel):
    """A chat model that runs in this process.

    Make one with `from_catalog` or `from_file`. Any field about how tokens are chosen may also be
    given with a call, for that call: ``chat.invoke(messages, temperature=0, seed=1)``. Calls from
    several threads are computed together; with ``background=True`` a call gives way to those
    without.

    Attributes:
        weights: The loaded model; several chat models may share one.
        model: The name under which it appears in answers.
        stop: Words before which an answer ends; those given with a call take their place.
        temperature: See `Sampling`, as for all the following.
        top_p: Share of the likeliest tokens to choose from.
        top_k: Number of the likeliest tokens to choose from.
        min_p: Least probability, as a share of the likeliest token's.
        repeat_penalty: Penalty for tokens said lately.
        max_tokens: Longest answer, in tokens.
        seed: The same seed chooses alike.
        logprobs: Whether an answer's metadata tell its tokens' log-probabilities.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    weights: Weights = Field(exclude=True, repr=False)
    model: str
    stop: list[str] = Field(default_factory=list)
    temperature: float = _DEFAULT.temperature
    top_p: float = _DEFAULT.top_p
    top_k: int = _DEFAULT.top_k
    min_p: float = _DEFAULT.min_p
    repeat_penalty: float = _DEFAULT.repeat_penalty
    max_tokens: int = _DEFAULT.max_tokens
    seed: int | None = None
    logprobs: bool = False

    @classmethod
    def from_catalog(
        cls,
        model: catalog.Model,
        folder: Path,
        *,
        context: int = 2048,
        threads: int = 0,
        **fields: Any,
    ) -> ChatLlama:
        """Open a model of the catalogue, with its publisher's sampling and reframer's adapter.

        Args:
            model: The model.
            folder: Folder of the model files.
            context: Tokens that prompt and answer may have together.
            threads: Threads to compute with; 0 for the physical cores that may be used.
            **fields: Fields of the chat model, before those of the catalogue.

        Raises:
            ModelMissing: It was not pulled yet.
            ModelDamaged: A file has not the catalogue's hash, or cannot be loaded.
            ModelTooLarge: It needs more memory than is free.
        """
        (path,) = catalog.locate(model, folder)
        weights = Weights.open(
            path,
            context=context,
            threads=threads,
            adapter=catalog.locate_adapter(model),
        )
        return cls(weights=weights, **{"model": model.id, **model.sampling, **fields})

    @classmethod
    def from_file(
        cls,
        path: Path,
        *,
        context: int = 2048,
        threads: int = 0,
        adapter: Path | None = None,
        **fields: Any,
    ) -> ChatLlama:
        """Open any GGUF file that has a chat template.

        Args:
            path: The file. Its name without suffix becomes the name of the model.
            context: Tokens that prompt and answer may have together.
            threads: Threads to compute with; 0 for the physical cores that may be used.
            adapter: A LoRA adapter to put on it, as GGUF.
            **fields: Fields of the chat model.

        Raises:
            ModelMissing: There is no such file.
            ModelDamaged: It is not a GGUF file, is cut off, or cannot be loaded.
            ModelTooLarge: It needs more memory than is free.
            ModelError: It cannot be read, has no usable chat template, or a recurrent memory.
        """
        weights = Weights.open(path, context=context, threads=threads, adapter=adapter)
        return cls(weights=weights, **{"model": path.stem, **fields})

    @property
    def adapter(self) -> str:
        """Name of the adapter on the model; empty where there is none."""
        return self.weights.adapter.stem if self.weights.adapter else ""

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        sampling = {name: getattr(self, name) for name in _SAMPLING}
        return {
            "model": self.model,
            "adapter": self.adapter,
            "context": self.weights.context,
            "stop": self.stop,
            **sampling,
        }

    @model_validator(mode="after")
    def _check_sampling(self) -> ChatLlama:
        self.sampling()
        return self

    def get_token_ids(self, text: str) -> list[int]:
        """Return a text's tokens in the model's own vocabulary."""
        return self.weights.tokens(text)

    def reads(self, ask: Callable[[str], list[BaseMessage]]) -> Callable[[str], State]:
        """Return what reads a text into the model's state: what it makes of it, as numbers.

        Args:
            ask: Puts a text into messages, behind whatever is the same for all texts.

        Raises:
            ModelTooLarge: There is not enough memory.
        """
        return self.weights.reads(lambda text: [_turn(message) for message in ask(text)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        prompt = self.weights.prompt([_turn(message) for message in messages])
        words = self.stop if stop is None else stop
        background = bool(kwargs.pop("background", False))
        speech = self.weights.speak(prompt, self.sampling(**kwargs), background=background)
        with closing(speech):
            for text in until(words, decode(speech)):
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                if run_manager:
                    run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        yield self._end(speech)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def sampling(self, **given: Any) -> Sampling:
        """Return how tokens are chosen in a call.

        Args:
            **given: Fields that the call gives itself.

        Raises:
            UsageError: One of them is unknown or impossible.
        """
        if unknown := sorted(given.keys() - set(_SAMPLING)):
            raise UsageError(
                f"The model {self.model} takes no {', '.join(unknown)}.",
                f"It takes: {', '.join(('stop', *_SAMPLING))}.",
            )
        own = {name: getattr(self, name) for name in _SAMPLING}
        return Sampling(**{**own, **given})

    def _end(self, speech: Speech) -> ChatGenerationChunk:
        usage = UsageMetadata(
            input_tokens=speech.prompt_tokens,
            output_tokens=speech.tokens,
            total_tokens=speech.prompt_tokens + speech.tokens,
            input_token_details=InputTokenDetails(cache_read=speech.cached_tokens),
        )
        metadata: dict[str, Any] = {"model_name": self.model, "finish_reason": speech.finish}
        if speech.logprobs:
            metadata["logprobs"] = speech.logprobs
        message = AIMessageChunk(
            content="", usage_metadata=usage, response_metadata=metadata, chunk_position="last"
        )
        return ChatGenerationChunk(message=message, generation_info=metadata)


def _turn(message: BaseMessage) -> dict[str, str]:
    """Return a message as chat templates want it.

    Raises:
        UsageError: It holds something other than text, or belongs to a tool.
    """
    role = message.role if isinstance(message, ChatMessage) else _ROLES.get(message.type)
    if role is None:
        raise UsageError(f"The model takes no messages of type {message.type!r}.")
    return {"role": role, "content": _text(message.content)}


def _text(content: str | Sequence[str | Mapping[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(block if isinstance(block, str) else _block(block) for block in content)


def _block(block: Mapping[str, Any]) -> str:
    if block.get("type") != "text":
        raise UsageError("The model takes text only; a message holds something else.")
    return str(block["text"])
