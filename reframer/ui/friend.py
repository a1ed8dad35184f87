"""The flow, opened in the background: the page is there at once, and until the model is, the cards
answer in their own words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from reframer.engine import Reframer, Rooms, Speaker
from reframer.errors import ReframerError
from reframer.records import Reframe, Wishes
from reframer.safety import Safety

_WAKING = "The friend is still waking up. Until then the cards answer in their own words."


class Friend(Reframer):
    """A flow that need not wait for its model.

    Args:
        safety: Reads first.
        open_rooms: Opens the rest; called once.
        country: Country for the help lines; empty to go by the locale.
    """

    def __init__(self, safety: Safety, open_rooms: Callable[[], Rooms], country: str = "") -> None:
        rooms = _once(open_rooms)
        super().__init__(safety, rooms, country)
        self._cards = Reframer(safety, lambda: replace(rooms(), open_speaker=_silent), country)
        self._awake = False
        self._problem: ReframerError | None = None

    def wake(self) -> None:
        """Begin to open the model, in the background."""
        threading.Thread(target=self._open, name="open-model", daemon=True).start()

    @property
    def awake(self) -> bool:
        """Whether the opening is over, well or not."""
        return self._awake or self._problem is not None

    @property
    def state(self) -> str:
        """One line on the opening; empty when all is well."""
        return str(self._problem) if self._problem else "" if self._awake else _WAKING

    def reframe(self, text: str, wishes: Wishes = Wishes(), *, went_on: bool = False) -> Reframe:  # noqa: B008
        """Answer one text, as `Reframer.reframe` does."""
        if self._awake:
            return super().reframe(text, wishes, went_on=went_on)
        return self._cards.reframe(text, wishes, went_on=went_on)

    def move_to(self, country: str) -> None:
        """Give the help lines of another country from now on."""
        self._country = self._cards._country = country

    def _open(self) -> None:
        try:
            self.prepare()
            self._awake = True
        except ReframerError as problem:
            self._problem = problem


def _once(open_rooms: Callable[[], Rooms]) -> Callable[[], Rooms]:
    """Return a function that opens the rooms when first called; others wait for them."""
    lock = threading.Lock()
    opened: list[Rooms] = []

    def rooms() -> Rooms:
        with lock:
            if not opened:
                opened.append(open_rooms())
        return opened[0]

    return rooms


def _silent() -> Speaker:
    return Speaker(_Silent(), "", "plain")


class _Silent(BaseChatModel):
    """Stands where the model will be and says nothing, so that the cards' own words are given."""

    @property
    def _llm_type(self) -> str:
        return "silent"

    def _generate(
        self,
        messages: list[BaseMessage],  # noqa: ARG002
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(""))])
