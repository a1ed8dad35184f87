"""Stand-ins for the seams of the program: a queue goes in, a history comes out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

from reframer.probe import Probed
from reframer.records import Example, Kind, Match, Technique


class FakeChatModel(BaseChatModel):
    """A chat model that says what it was told to, word by word.

    Attributes:
        answers: What it will say, first in, first out; an exception is raised instead.
        history: The messages of every prompt, in order.
        options: The other arguments of every call (temperature, seed ...), in order.
        logprob: Log-probability of what it says, told if a call asks for it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: list[str | Exception] = Field(default_factory=list)
    history: list[list[BaseMessage]] = Field(default_factory=list)
    options: list[dict[str, Any]] = Field(default_factory=list)
    logprob: float = -0.1

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.history.append(messages)
        self.options.append(kwargs)
        assert self.answers, "the fake model was asked more often than expected"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for word in re.split(r"(?<=\s)", answer):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        told = {"logprobs": [self.logprob]} if kwargs.get("logprobs") else {}
        last = AIMessageChunk(content="", response_metadata=told, chunk_position="last")
        yield ChatGenerationChunk(message=last)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


class FakeProbe:
    """Makes the same of every text.

    Args:
        turn: Which turn it is.
        danger: How much danger it shows, from 0 to 1.

    Attributes:
        history: The texts, in order.
    """

    def __init__(self, turn: str = "thought", danger: float = 0) -> None:
        self._probed = Probed(
            np.array([1 - danger, danger, 0], np.float32), defaultdict(float, {turn: 1.0})
        )
        self.history: list[str] = []

    def read(self, text: str) -> Probed:
        self.history.append(text)
        return self._probed


class FakeRetriever:
    """Finds the cards in their order, the first with the examples given.

    Args:
        techniques: The cards.
        examples: Those of the first one that it finds.
        twin: Whether the first of these says the same as any thought.

    Attributes:
        history: What was looked for, in order: thoughts, and the kinds heard in them.
    """

    def __init__(
        self, *techniques: Technique, examples: Sequence[Example] = (), twin: bool = False
    ) -> None:
        self.techniques = techniques
        self.index = self
        self.history: list[tuple[str, tuple[Kind, ...]]] = []
        self._examples = tuple(examples)
        self._twin = twin

    def best(
        self, thought: str, kinds: Sequence[Kind] = (), other_than: Sequence[str] = ()
    ) -> Match:
        self.history.append((thought, tuple(kinds)))
        left = [one for one in self.techniques if one.id not in other_than] or self.techniques
        if left[0] is self.techniques[0]:
            return Match(left[0], self._examples, 1.0, ("card",), self._twin)
        return Match(left[0], (), 1.0, ("card",))


class EverythingFits:
    """A measure by which no draft is beside the point."""

    def score(self, answer: str, thought: str) -> float:
        return 10.0
