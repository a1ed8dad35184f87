"""What the model is given: versioned prompt files, filled with a thought.

Training and use both call `opening`, so what the adapter learned and what it is asked are worded
alike.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.prompts.chat import MessageLikeRepresentation

from reframer import paths
from reframer.records import Example, Technique

_OPENING = "opening.v2.toml"
_ANSWER = "answer.v1.toml"
_PROBE = "probe.v1.toml"


def opening(thought: str) -> list[BaseMessage]:
    """Return the messages that ask the model with reframer's adapter to say a thought back.

    Args:
        thought: What the person says to themselves.
    """
    return _template(_OPENING).format_messages(thought=thought)


def answer(
    thought: str, technique: Technique, examples: Sequence[Example] = ()
) -> list[BaseMessage]:
    """Return the messages that ask any other model for a friend's whole answer.

    Args:
        thought: What the person says to themselves.
        technique: Its move is the instruction.
        examples: Pairs shown as earlier turns, best last.
    """
    turns: list[BaseMessage] = []
    for example in examples:
        turns += [HumanMessage(example.thought), AIMessage(example.answer)]
    return _template(_ANSWER).format_messages(thought=thought, move=technique.move, examples=turns)


def probe(text: str) -> list[BaseMessage]:
    """Return the messages behind which the model's state tells what it makes of a text.

    Args:
        text: What somebody wrote.
    """
    return _template(_PROBE).format_messages(text=" ".join(text.split()))


@cache
def _template(file: str) -> ChatPromptTemplate:
    entries = tomllib.loads(paths.asset("models", "prompts", file).read_text("utf-8"))
    messages: list[MessageLikeRepresentation] = [
        MessagesPlaceholder("examples")
        if entry["role"] == "examples"
        else (entry["role"], entry["text"].strip())
        for entry in entries["message"]
    ]
    return ChatPromptTemplate.from_messages(messages)
