"""What one browser tab keeps: nothing, until the history was turned on and unlocked there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reframer.conversation import Turn
from reframer.history import Entry, History, kept_file
from reframer.records import Notice


class Keeper:
    """Keeps what a person asks for, one answer at a time. Each browser tab gets a fresh one."""

    def __init__(self) -> None:
        self._history: History | None = None
        self._kept: list[Turn] = []

    @property
    def is_on(self) -> bool:
        """Whether the history is on."""
        return kept_file().exists()

    @property
    def is_open(self) -> bool:
        """Whether it is on and was unlocked in this tab."""
        return self._history is not None and self.is_on

    def unlock(self, passphrase: str) -> None:
        """Open the history.

        Raises:
            HistoryError: It is off, the passphrase is wrong, or the file cannot be read.
        """
        self._history = History.unlock(kept_file(), passphrase)

    def lock(self) -> None:
        """Forget the key."""
        self._history = None

    def forget(self) -> None:
        """Forget which turns were kept: the conversation was cleared."""
        self._kept.clear()

    def leave(self) -> None:
        """Forget the key, and what was kept: the tab was closed."""
        self.lock()
        self.forget()

    def entries(self) -> tuple[Entry, ...]:
        """Return what was kept; nothing while it is locked.

        Raises:
            HistoryError: The file cannot be read.
        """
        return self._history.records() if self._history and self.is_on else ()

    @property
    def problem(self) -> str:
        """What is wrong with what was kept, in a sentence; empty where nothing is, or is open.

        Raises:
            HistoryError: The file cannot be read.
        """
        return self._history.problem if self._history and self.is_on else ""

    def may_keep(self, turn: Turn | None) -> bool:
        """Whether a turn can be kept, and was not yet."""
        return self.is_open and turn is not None and _can_be_kept(turn) and turn not in self._kept

    def keep(self, turn: Turn, notices: Sequence[Notice], misfit: str = "") -> None:
        """Keep a turn.

        Args:
            turn: A turn that may be kept.
            notices: What the ear hears in what was said.
            misfit: Why the words did not fit; empty where they did.

        Raises:
            HistoryError: It could not be written; what was kept before still is.
        """
        if self._history is None:
            return
        entry = Entry.of(turn.answer) if turn.answer else Entry(turn.said, turn.words)
        self._history.add(replace(entry.hearing(notices), misfit=misfit))
        self._kept.append(turn)


def _can_be_kept(turn: Turn) -> bool:
    """Whether a turn is a thought with a friend's answer, or good news."""
    answered = turn.answer is not None and bool(turn.answer.techniques)
    return answered or turn.kind == "good-news"
