"""What the model is given: versioned prompt files, filled with a technique and a thought.

Training and use both call `compose`, so what the adapter learned and what it is asked are worded
alike.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.prompts.chat import MessageLikeRepresentation

from reframer import paths
from reframer.records import Example, Technique

Style = Literal["adapter", "plain"]
_FILES: dict[Style, str] = {"adapter": "adapter.v1.toml", "plain": "plain.v1.toml"}


def compose(
    thought: str, technique: Technique, examples: Sequence[Example] = (), *, style: Style
) -> list[BaseMessage]:
    """Return the messages that ask for a friend's answer.

    Args:
        thought: What the person says to themselves.
        technique: Its move is the instruction.
        examples: Pairs shown as earlier turns, best last.
        style: ``adapter`` for the model with reframer's adapter, ``plain`` for any other.
    """
    turns: list[BaseMessage] = []
    for example in examples:
        turns += [HumanMessage(example.thought), AIMessage(example.answer)]
    return _template(style).format_messages(thought=thought, move=technique.move, examples=turns)


@cache
def _template(style: Style) -> ChatPromptTemplate:
    entries = tomllib.loads(paths.asset("models", "prompts", _FILES[style]).read_text("utf-8"))
    messages: list[MessageLikeRepresentation] = [
        MessagesPlaceholder("examples")
        if entry["role"] == "examples"
        else (entry["role"], entry["text"].strip())
        for entry in entries["message"]
    ]
    return ChatPromptTemplate.from_messages(messages)
