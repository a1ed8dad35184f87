"""What a user may choose for a run over a journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from reframer.errors import JournalError
from reframer.history import Lock
from reframer.journal.records import AskPassword, Held, Reply
from reframer.records import Kind, Notice, Thought, Wishes

Review = Callable[[Reply, Thought], Reply | None]
"""Returns the reply to keep, or None to leave the sentence alone; may raise `StopReview`."""

GoOn = Callable[[Held], bool]
"""Shows the words for an entry of concern; returns whether it is to be answered all the same."""


class StopReview(Exception):
    """A reviewer has had enough; what was gone through is kept."""


def no_password(path: Path) -> str:
    """Refuse to ask for a password.

    Raises:
        JournalError: Always; the message names the file.
    """
    raise JournalError(f"{path} is encrypted.", "Give its password when asked, in a terminal.")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user may choose for a run.

    Attributes:
        format: Name of the journal's format; empty to go by content.
        since: First day that is read; entries without a day are left out then.
        until: Last day that is read; likewise.
        limit: The most sentences that are answered, the journal's first ones; None for all.
        kinds: Kinds of self-criticism that are answered; empty for all.
        min_strength: Least strength, from 0 to 1, that is answered.
        wishes: How the person would like to be spoken to.
        country: Two-letter code for help lines; empty to go by the locale.
        ask: Asks for the password of an encrypted file.
        review: Is shown every answer at the end and has the last word; None to take all.
        go_on: Is asked, before the review, about each entry of concern; None to leave them alone.
            An entry of crisis is never asked about and never answered.
        keep: Whether the checkpoint stays after the run.
        lock: Locks the checkpoint; None to leave it open to its owner.
    """

    format: str = ""
    since: date | None = None
    until: date | None = None
    limit: int | None = None
    kinds: tuple[Kind, ...] = ()
    min_strength: float = 0.0
    wishes: Wishes = field(default_factory=Wishes)
    country: str = ""
    ask: AskPassword = no_password
    review: Review | None = None
    go_on: GoOn | None = None
    keep: bool = False
    lock: Lock | None = None

    def takes(self, day: date | None) -> bool:
        """Whether entries of a day are read."""
        if day is None:
            return self.since is None and self.until is None
        return (self.since or day) <= day <= (self.until or day)

    def wants(self, notice: Notice) -> bool:
        """Whether a sentence is to be answered."""
        return (
            notice.self_critical
            and notice.strength >= self.min_strength
            and (not self.kinds or notice.kind in self.kinds)
        )
