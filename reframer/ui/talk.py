"""The conversation of one browser tab."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from reframer.conversation import Conversation, Turn
from reframer.conversation.wishes import WISH_WORDS
from reframer.errors import ReframerError
from reframer.records import Person
from reframer.ui.house import House
from reframer.ui.keeper import Keeper

Say = Callable[[Conversation], Turn]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A turn that somebody waits for.

    Attributes:
        say: Takes it.
        about: What it is about.
        typed: What was typed for it; empty for a wish.
    """

    say: Say
    about: str = ""
    typed: str = ""


class Talk:
    """A conversation whose answers can be stopped. Each browser tab gets a fresh one.

    Args:
        house: What all tabs share.

    Attributes:
        refused: What was typed and could not be answered, until it is back in the box.
        keeper: Keeps what the person asks to keep.
        unfit: The turn whose words did not fit, until its reason was given.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._conversation = self._fresh()
        self._lock = threading.Lock()
        self._line: list[Wanted] = []
        self._under_way: Wanted | None = None
        self.refused: tuple[str, ...] = ()
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
    def person(self) -> Person:
        """Whether the last words are a friend's (``you``) or words to say to oneself (``i``)."""
        return self._conversation.person

    @property
    def asked(self) -> str:
        """What the last turn is about; empty where there is none."""
        return self.turns[-1].thought or self.turns[-1].said if self.turns else ""

    @property
    def written(self) -> str:
        """What the person typed last, whole, whatever buttons were pressed since; may be empty."""
        labels = WISH_WORDS.values()
        return next((turn.said for turn in reversed(self.turns) if turn.said not in labels), "")

    @property
    def waiting(self) -> tuple[str, ...]:
        """What the turns that are waited for are about, first to last."""
        return tuple(wanted.about for wanted in self._line)

    def want(self, wanted: Wanted, unfit: Turn | None = None) -> None:
        """Put a turn in line behind those that are waited for already.

        Args:
            wanted: The turn.
            unfit: The turn that it is wanted instead of, where a reason may be kept.
        """
        self.unfit = unfit
        self._line.append(wanted)

    def run(self) -> bool:
        """Take the turn that is first in line. Where it is stopped meanwhile, it leaves no trace.

        Returns:
            Whether one was taken.

        Raises:
            ReframerError: There can be no answer.
        """
        with self._lock:
            if not self._line:
                return False
            wanted = self._under_way = self._line[0]
            conversation = self._conversation
            conversation.prefer(self._house.settings.wishes)
            try:
                wanted.say(conversation)
                if self._stopped:
                    conversation.undo()
                return not self._stopped
            except ReframerError:
                self.refused += (wanted.typed,) if wanted.typed else ()
                raise
            finally:
                self._under_way = None  # it holds what was typed
                with suppress(ValueError):  # it was stopped
                    self._line.remove(wanted)

    def stop(self) -> tuple[str, ...]:
        """Want no answer any more; the model falls silent.

        Returns:
            What was typed and is not answered, first to last.
        """
        line, self._line = self._line, []
        return tuple(wanted.typed for wanted in line if wanted.typed)

    def keep(self, turn: Turn, misfit: str = "") -> bool:
        """Keep a turn in the history, where it may be kept.

        Args:
            turn: A turn of this conversation.
            misfit: Why its words did not fit; empty where they did.

        Returns:
            Whether it was kept.

        Raises:
            ReframerError: It could not be kept.
        """
        if not self.keeper.may_keep(turn):
            return False
        (notices,) = self._house.friend.notice_many([turn.thought or turn.said])
        self.keeper.keep(turn, notices, misfit)
        return True

    def undo(self) -> None:
        """Take back the last turn, if there is one."""
        self.unfit = None
        self._conversation.undo()

    def clear(self) -> None:
        """Forget everything."""
        self.stop()
        self._conversation = self._fresh()  # what is under way still holds the old one
        self.refused, self.unfit = (), None
        self.keeper.forget()

    def leave(self) -> None:
        """Forget everything, and the key of the history: the tab was closed."""
        self.clear()
        self.keeper.leave()

    def _fresh(self) -> Conversation:
        house = self._house
        return Conversation(
            house.friend, house.library, house.settings.wishes, stopped=lambda: self._stopped
        )

    @property
    def _stopped(self) -> bool:
        """Whether the answer under way is wanted no more."""
        return self._under_way not in self._line
