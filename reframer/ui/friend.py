"""The flow, opened in the background; until its model is there, the cards speak."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from reframer.engine import Reframer, Rooms, Speaker, Stopped
from reframer.errors import ReframerError
from reframer.probe import Probed
from reframer.records import Reframe, Thought, Wishes
from reframer.safety import Safety
from reframer.threads import once

_NO_WISHES = Wishes()
_WAKING = "The friend is still waking up. Until then the cards answer in their own words."
_ASLEEP = "The friend could not be woken. The cards answer in their own words."
_LOOK = "Run: reframer doctor"


class Friend(Reframer):
    """A flow that need not wait for its model.

    Args:
        safety: Reads first.
        open_rooms: Opens the rest; called once.
        country: Country for the help lines; empty to go by the locale.
    """

    def __init__(self, safety: Safety, open_rooms: Callable[[], Rooms], country: str = "") -> None:
        self._open_all = once(open_rooms)
        super().__init__(safety, lambda: replace(self._open_all(), open_speaker=_no_model), country)
        self._whole: Reframer | None = None
        self._problem: ReframerError | None = None

    def wake(self) -> None:
        """Begin to open the model, in the background."""
        threading.Thread(target=self._open_model, name="open-model", daemon=True).start()

    @property
    def awake(self) -> bool:
        """Whether the opening is over, well or not."""
        return self._whole is not None or self._problem is not None

    @property
    def state(self) -> str:
        """One line on the opening; empty when all is well."""
        return str(self._problem) if self._problem else "" if self.awake else _WAKING

    def reframe(
        self,
        text: str,
        wishes: Wishes = _NO_WISHES,
        *,
        went_on: bool = False,
        stopped: Stopped = lambda: False,
    ) -> Reframe:
        """Answer one text, as `Reframer.reframe` does."""
        if self._whole is None:
            return super().reframe(text, wishes, went_on=went_on, stopped=stopped)
        return self._whole.reframe(text, wishes, went_on=went_on, stopped=stopped)

    def probe(self, text: str) -> Probed | None:
        """Return what the model makes of a text, as `Reframer.probe` does."""
        return super().probe(text) if self._whole is None else self._whole.probe(text)

    def answer_as_completed(
        self, thoughts: Sequence[Thought], wishes: Wishes = _NO_WISHES
    ) -> Iterator[tuple[int, Reframe]]:
        """Answer several thoughts, as `Reframer.answer_as_completed` does."""
        if self._whole is None:
            return super().answer_as_completed(thoughts, wishes)
        return self._whole.answer_as_completed(thoughts, wishes)

    def move_to(self, country: str) -> None:
        """Give the help lines of another country from now on."""
        self._country = country
        if self._whole is not None:
            self._whole._country = country

    def _open_model(self) -> None:
        try:
            rooms = self._open_all()
            speaker = rooms.open_speaker()
        except ReframerError as problem:
            self._problem = problem
            return
        except Exception:  # nobody else would hear of it, in a thread of its own
            self._problem = ReframerError(_ASLEEP, _LOOK)
            return
        self._whole = Reframer(
            self._safety, lambda: replace(rooms, open_speaker=lambda: speaker), self._country
        )


def _no_model() -> Speaker:
    return Speaker(_Silent(), "", "openings")


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
