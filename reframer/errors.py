"""The errors of the program, each with a hint that says what to do next.

    ReframerError            1
    ├── JournalError         1   a run over a journal cannot go on
    ├── UsageError           2   what was asked cannot be done as asked
    │   ├── TextEmpty
    │   ├── TextTooLong
    │   ├── TextUnreadable
    │   └── SettingsError
    ├── ModelError           3   the model cannot speak
    │   ├── ModelUnknown
    │   ├── ModelMissing
    │   ├── ModelDamaged
    │   └── ModelTooLarge
    ├── PullError            4   a file could not be fetched
    ├── KnowledgeError       5   a card or the index is unusable
    │   ├── CardError
    │   └── IndexUnusable
    └── ConnectionRefused    6   something tried to leave this machine (raised by the seal)

The number is the exit code of the command line. Messages never contain what the user wrote.
"""

from __future__ import annotations

from pathlib import Path


class ReframerError(Exception):
    """Base of every error this program raises on purpose.

    Args:
        message: What happened, one plain sentence.
        hint: What to do about it, one plain sentence.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class JournalError(ReframerError):
    """A run over a journal cannot go on; what was answered is kept."""


class UsageError(ReframerError):
    """What was asked cannot be done as asked."""

    exit_code = 2


class TextEmpty(UsageError):
    """There is no text to answer."""


class TextTooLong(UsageError):
    """The text is longer than one thought can be."""


class TextUnreadable(UsageError):
    """The bytes are not text in UTF-8."""


class SettingsError(UsageError):
    """A setting is unknown or has an impossible value."""


class ModelError(ReframerError):
    """The model cannot speak."""

    exit_code = 3


class ModelUnknown(ModelError):
    """No model of that name is in the catalogue."""


class ModelMissing(ModelError):
    """The model's file is not on this machine yet."""


class ModelDamaged(ModelError):
    """The model's file is not what it should be, so it is not loaded."""


class ModelTooLarge(ModelError):
    """The model needs more memory than is free."""


class PullError(ReframerError):
    """A file could not be fetched; what was fetched already is kept for the next try."""

    exit_code = 4


class KnowledgeError(ReframerError):
    """A card or the index is unusable."""

    exit_code = 5


class CardError(KnowledgeError):
    """One card is malformed.

    Args:
        file: The card's file.
        line: The line, counted from 1, that the reason is about.
        reason: What is wrong with it, in plain words.
    """

    def __init__(self, file: Path, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}.", "Mend the card; the others still work.")
        self.file = file
        self.line = line
        self.reason = reason


class IndexUnusable(KnowledgeError):
    """The search index can be neither read nor rebuilt."""


class ConnectionRefused(ReframerError, ConnectionError):
    """Something in this process tried to reach another machine, and was stopped."""

    exit_code = 6
