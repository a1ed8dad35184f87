"""The conversation of one browser tab."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reframer.conversation import Conversation, Turn
from reframer.ui.house import House
from reframer.ui.keeper import Keeper

Say = Callable[[Conversation], Turn]


class Talk:
    """A conversation whose answers can be stopped. Each browser tab gets a fresh one.

    Args:
        house: What all tabs share.

    Attributes:
        typed: What was typed for the answer under way; empty for a wish.
        keeper: Keeps what the person asks to keep.
        unfit: The turn whose words did not fit, until its reason was given.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._conversation = Conversation(
            house.friend, house.library, house.wishes, stopped=lambda: self._stopped
        )
        self._lock = threading.Lock()
        self._wanted: Say | None = None
        self._under_way: Say | None = None
        self.typed = ""
        self.keeper = Keeper()
        self.unfit: Turn | None = None

    def __deepcopy__(self, memo: object) -> Talk:
        """Return a fresh one: this is how Gradio makes the state of a new tab."""
        return Talk(self._house)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was said, first to last."""
        return self._conversation.turns

    @property
    def last(self) -> Turn | None:
        """The last turn, if there is one."""
        return self.turns[-1] if self.turns else None

    @property
    def asked(self) -> str:
        """What the last turn is about; empty where there is none."""
        return self.turns[-1].thought or self.turns[-1].said if self.turns else ""

    def run(self, say: Say) -> bool:
        """Take one turn. Where it was stopped meanwhile, it leaves no trace.

        Returns:
            Whether it was taken.

        Raises:
            ReframerError: There can be no answer.
        """
        self._wanted = say
        with self._lock:
            self._under_way = say
            if self._stopped:
                return False
            self._conversation.prefer(self._house.wishes)
            say(self._conversation)
            if self._stopped:
                self._conversation.undo()
            return not self._stopped

    def stop(self) -> None:
        """Want no answer any more; the model falls silent."""
        self._wanted = None

    def keep(self, turn: Turn, misfit: str = "") -> None:
        """Keep a turn in the history.

        Args:
            turn: A turn of this conversation.
            misfit: Why its words did not fit; empty where they did.

        Raises:
            ReframerError: It could not be kept.
        """
        if self.keeper.may_keep(turn):
            (notices,) = self._house.friend.notice_many([turn.thought or turn.said])
            self.keeper.keep(turn, notices, misfit)

    def undo(self) -> None:
        """Take back the last turn, if there is one."""
        self._conversation.undo()

    def clear(self) -> None:
        """Forget everything."""
        self.stop()
        self._conversation.clear()
        self.unfit = None

    def leave(self) -> None:
        """Forget everything, and the key of the history: the tab was closed."""
        self.clear()
        self.keeper.lock()

    @property
    def _stopped(self) -> bool:
        """Whether the answer under way is wanted no more."""
        return self._wanted is not self._under_way
