"""A friend for the journal's tests: the real flow around plain ears, cards and words."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from reframer.engine import Reframer, Rooms, Speaker
from reframer.records import Kind, Notice, Risk, Source, Technique
from reframer.sentences import split
from tests.fakes import EverythingFits, FakeRetriever

WORDS = {
    "common-humanity": "Plenty of people stand in that same place, and you can rest there a while.",
    "double-standard": "You would never speak to somebody you love in the voice you hear today.",
    "not-yet": "You have not learned it yet, and yet is a word with a door in it for you.",
    "good-enough": "What you did was enough for a day as long as this one has been for you.",
}


def technique(name: str) -> Technique:
    return Technique(
        id=name,
        title=name.replace("-", " ").capitalize(),
        move="Be kind.",
        why="It helps.",
        when=("label",),
        not_when="",
        source=Source("Somebody", 2003, "A title", "A journal"),
        evidence="",
        reviewed="2026-11-24",
        about="",
        step="",
        words=(WORDS[name],),
    )


class Ear:
    """Hears the critic in sentences with a certain word, and kindness in those with proud."""

    def __init__(self, word: str = "idiot") -> None:
        self.word = word
        self.history: list[str] = []

    def notice_many(
        self, texts: Sequence[str], threshold: float | None = None
    ) -> tuple[tuple[Notice, ...], ...]:
        self.history += texts
        return tuple(tuple(self._notices(text)) for text in texts)

    def notice(self, text: str, threshold: float | None = None) -> tuple[Notice, ...]:
        return tuple(self._notices(text))

    def hears(self, said: str) -> bool:
        return self.word in said

    def _notices(self, text: str) -> Iterator[Notice]:
        for piece in split(text):
            said = piece.text.strip()
            start = piece.start + piece.text.find(said)
            critical = self.hears(said)
            kind: Kind | None = ("body" if "ugly" in said else "label") if critical else None
            strength = (0.4 if "bit of" in said else 0.8) if critical else 0.0
            end = start + len(said)
            yield Notice(said, start, end, critical, kind, strength, "proud" in said)


class Watch:
    """A safety that finds danger where a text names it, and where two words meet."""

    def assess(self, text: str) -> Risk:
        if "danger" in text:
            return Risk("crisis", ("plan",))
        if "worry" in text or ("alone" in text and "tonight" in text):
            return Risk("concern", ("passive",))
        return Risk()


SAYINGS = (
    "You carry a lot, and today it grew heavier than one pair of hands.",
    "You wrote that after a long day, and a long day is a harsh judge of you.",
    "That word is far smaller than you are, and you can put it down for tonight.",
    "You are looking at one hour of your life, and it is only one of very many.",
)


class PlainModel(BaseChatModel):
    """Says one of a few things, always the same to the same prompt; remembers what it was asked."""

    history: list[str] = Field(default_factory=list)
    seconds: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "plain"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **options: Any
    ) -> ChatResult:
        self.history.append(str(messages[-1].content))
        time.sleep(self.seconds)
        prompt = " ".join(str(message.content) for message in messages)
        message = AIMessage(SAYINGS[sum(prompt.encode()) % len(SAYINGS)])
        return ChatResult(generations=[ChatGeneration(message=message)])


def friend(
    model: BaseChatModel | None = None,
    ear: Ear | None = None,
    safety: Watch | None = None,
    name: str = "plain",
) -> Reframer:
    rooms = Rooms(
        ear or Ear(),  # type: ignore[arg-type]
        FakeRetriever(*map(technique, WORDS)),  # type: ignore[arg-type]
        EverythingFits,  # type: ignore[arg-type]
        lambda: Speaker(model or PlainModel(), name, "answers"),
    )
    return Reframer(safety or Watch(), lambda: rooms, country="GB")  # type: ignore[arg-type]
