"""Opens the page with a quick fake friend, for the browser tests: python -m tests.page_server PORT.

A thought with ``slow`` in it takes three seconds, one with ``endless`` in it is never answered.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field

from reframer import seal
from reframer.conversation import Library
from reframer.critic import Critic
from reframer.engine import Rooms, Speaker
from reframer.errors import ModelMissing
from reframer.knowledge import load_background, load_techniques
from reframer.reader import Reader
from reframer.safety import Safety
from reframer.settings import Settings, load
from reframer.ui.friend import Friend
from reframer.ui.house import House
from tests.fakes import EverythingFits, FakeChatModel, FakeRetriever

ANSWERS = (
    "Freezing in front of all those faces must still be burning. You lost the thread of one "
    "meeting, and nobody in that room wrote it down as who you are.",
    "Going quiet in that meeting felt awful, and the quiet was about the moment. It says little "
    "about everything you bring on the other days.",
    "That meeting stung, and the harsh word came from the sting. One frozen minute is one frozen "
    "minute.",
)


class Quick(FakeChatModel):
    """Says an answer to each prompt, another one to the next, for ever."""

    prompts: dict[str, int] = Field(default_factory=dict)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        said = str(messages[-1].content)
        while "endless" in said:
            time.sleep(0.1)
            yield _chunk("Word ")
        if "slow" in said and kwargs["seed"] == 0:
            time.sleep(3)
        number = self.prompts.setdefault(str(messages), len(self.prompts))
        yield _chunk(ANSWERS[number % len(ANSWERS)])


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def house(settings: Settings, *, missing: bool = False) -> House:
    """Return a house in which all is real but the model and the search for techniques."""
    techniques, background = load_techniques(), load_background()
    reader = Reader.from_catalog(settings.models_dir)

    def speaker() -> Speaker:
        if missing:
            raise ModelMissing("The model is not on this machine.", "Run: reframer models pull")
        return Speaker(Quick(), "fake", "answers")

    rooms = Rooms(
        Critic(reader),
        FakeRetriever(*(card for card in techniques if card.led)),  # type: ignore[arg-type]
        EverythingFits,  # type: ignore[arg-type]
        speaker,
    )
    friend = Friend(Safety(reader), lambda: rooms, settings.country)
    friend.wake()
    library = Library(lambda: reader, techniques, background)
    return House(settings, friend, library, techniques, background)


if __name__ == "__main__":
    seal.close()
    from reframer.ui.page import launch

    launch(house(load({"port": int(sys.argv[1])}), missing="missing" in sys.argv), browser=False)
