"""What a person chose to keep, locked with a passphrase.

The file begins with a head: a data key, wrapped by a key that Argon2id makes from the passphrase.
Then come blocks, each behind a marker of sixteen random bytes that the head names:

    head    name of the format, salt, marker, wrapped data key
    block   marker, number, nonce, AES-256-GCM of an entry
    end     marker, number, nonce, AES-256-GCM of nothing

A block's number and kind are authenticated with it, so one that was changed, moved or taken out is
noticed. The end block says how many there are; it is written together with each new entry, over the
old one. So a file that was cut off has no end, and a block torn by a crash harms no other: reading
goes on at the next marker.
"""

from __future__ import annotations

import json
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from io import FileIO
from pathlib import Path
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from filelock import FileLock, Timeout

from reframer import paths
from reframer.errors import HistoryError, HistoryLocked, HistoryMissing
from reframer.records import Notice, Reframe

_MAGIC = b"reframer history 1\n"
_SALT = _MARKER = 16
_NONCE = 12
_NUMBER = 8
_KEY = 32
_TAG = 16
_WRAPPED = _NONCE + _KEY + _TAG
_HEAD = len(_MAGIC) + _SALT + _MARKER + _WRAPPED
# The costs of the passphrase: RFC 9106's second recommendation, for when memory is limited.
_PASSES, _LANES, _MEMORY = 3, 4, 1 << 16  # KiB
_PATIENCE = 10.0  # seconds; writing takes a fraction of one

_BlockKind = Literal[b"entry", b"end"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thought and its answer, as kept.

    Attributes:
        thought: What the person wrote.
        words: What was said in return.
        kinds: The kinds of self-criticism heard.
        technique: Title of the technique behind the words; may be empty.
        origin: Who spoke, as in `Reframe`; empty for good news, which is met with written words.
        kind_talk: Sentences of the thought in which the person spoke kindly to themselves.
        misfit: Why the words did not fit, as the person says; empty where they did not say so.
        at: Day and time in the person's own time zone, ISO 8601, to the minute.
        id: A short name that stays the same.
    """

    thought: str
    words: str
    kinds: tuple[str, ...] = ()
    technique: str = ""
    origin: str = ""
    kind_talk: int = 0
    misfit: str = ""
    at: str = field(
        default_factory=lambda: datetime.now().astimezone().isoformat(timespec="minutes")
    )
    id: str = field(default_factory=lambda: secrets.token_hex(4))

    @classmethod
    def of(cls, answer: Reframe) -> Entry:
        """Return what is kept of an answer given just now."""
        titles = ", ".join(technique.title for technique in answer.techniques)
        return cls(answer.source, answer.text, answer.kinds, titles, answer.origin)

    def hearing(self, notices: Iterable[Notice]) -> Entry:
        """Return it with the kind words counted that the ear hears in what was written."""
        return replace(self, kind_talk=sum(notice.kind_talk for notice in notices))

    @property
    def day(self) -> date:
        """The day, in the person's own time zone then."""
        return date.fromisoformat(self.at[:10])

    @property
    def when(self) -> str:
        """Day and time as shown."""
        return self.at[:16].replace("T", " ")

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        """Return the entry that `to_bytes` gave these bytes for."""
        fields = json.loads(data)
        return cls(**{**fields, "kinds": tuple(fields["kinds"])})

    def to_bytes(self) -> bytes:
        """Return what is encrypted."""
        return json.dumps(asdict(self)).encode()


def kept_file() -> Path:
    """Return where the history lies while it is on; there is no such file while it is off."""
    return paths.data_dir() / "history" / "entries"


class _Body(NamedTuple):
    """What could be read behind the head.

    Attributes:
        entries: The entries that are whole by their numbers, oldest first.
        last: The highest number given so far. Where the end is missing, one more than can be read,
            so that the gap stays to be seen.
        end: Where the next block goes, in bytes from the beginning of the file.
        problem: What is wrong with the file, in a sentence; empty where nothing is.
    """

    entries: Mapping[int, Entry]
    last: int
    end: int
    problem: str


class Lock:
    """Locks pieces of bytes with AES-256-GCM, each under a random nonce.

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, label: bytes) -> bytes:
        """Return a piece locked: its nonce and what is encrypted.

        Args:
            content: The piece.
            label: What it is; authenticated with it, and needed again to open it.
        """
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, label)

    def open(self, sealed: bytes, label: bytes) -> bytes | None:
        """Return what was locked; None where it is damaged, or locked otherwise."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], label)
        except (InvalidTag, ValueError):  # ValueError: there is not even a whole nonce
            return None


class History:
    """An unlocked history. Made by `create` and `unlock`.

    Every method reads the file anew, so several processes may hold the same history.

    Args:
        path: The file.
        key: The data key.
        marker: What stands before each block.
    """

    def __init__(self, path: Path, key: bytes, marker: bytes) -> None:
        self._path = path
        self._key = key
        self._marker = marker
        self._lock = Lock(key)

    @classmethod
    def create(cls, path: Path, passphrase: str) -> History:
        """Begin an empty history.

        Raises:
            HistoryError: There is one already, or the file cannot be written.
        """
        history = cls(path, AESGCM.generate_key(8 * _KEY), secrets.token_bytes(_MARKER))
        with _alone(path):
            if path.exists():
                raise HistoryError("There is a history already.", "It stays as it is.")
            history._rewrite(history._new_head(passphrase), {}, 0)
        return history

    @classmethod
    def unlock(cls, path: Path, passphrase: str) -> History:
        """Open a history.

        Raises:
            HistoryMissing: There is none.
            HistoryLocked: The passphrase is wrong.
            HistoryError: The file cannot be read.
        """
        with _alone(path):
            head = _Head.of(_read(path))
        try:
            key = _wrapping(passphrase, head.salt).decrypt(head.nonce, head.wrapped, head.named)
        except InvalidTag:
            raise HistoryLocked(
                "The passphrase is wrong, or the beginning of the history file is damaged.",
                "Nothing was changed.",
            ) from None
        return cls(path, key, head.marker)

    @staticmethod
    def purge(path: Path) -> None:
        """Destroy the key and delete the file, so that nothing in it can be read again.

        Raises:
            HistoryMissing: There is none.
            HistoryError: The file could not be written.
        """
        with _alone(path):
            _read(path)
            with path.open("r+b") as file:
                file.write(secrets.token_bytes(_HEAD))
                paths.flush(file)
            path.unlink()

    def lock_for(self, use: str) -> Lock:
        """Return a lock for other files. It is the same as long as there is this history.

        Args:
            use: What it is for; each use has a key of its own.
        """
        return Lock(HKDFExpand(SHA256(), _KEY, f"reframer {use}".encode()).derive(self._key))

    @property
    def problem(self) -> str:
        """What is wrong with the file, in a sentence; empty where nothing is."""
        with _alone(self._path):
            return self._body().problem

    def records(self) -> tuple[Entry, ...]:
        """Return all entries that can be read, oldest first."""
        with _alone(self._path):
            return tuple(self._body().entries.values())

    def search(self, text: str) -> tuple[Entry, ...]:
        """Return the entries whose thought, words or technique hold a text, in whatever case."""
        wanted = text.casefold()
        return tuple(
            entry
            for entry in self.records()
            if wanted in f"{entry.thought}\n{entry.words}\n{entry.technique}".casefold()
        )

    def export(self, change: Callable[[str], str] = str) -> str:
        """Return all entries as Markdown, oldest first.

        Args:
            change: What to do to the words of each entry, such as taking names out.
        """
        return "\n".join(_section(entry, change) for entry in self.records())

    def add(self, entry: Entry) -> None:
        """Keep an entry; when this returns, it is on the disk.

        Raises:
            HistoryError: It could not be written; what was kept before still is.
        """
        with _alone(self._path):
            body = self._body()
            number = body.last + 1
            new = self._block(b"entry", number, entry.to_bytes()) + self._block(b"end", number)
            with self._path.open("r+b", buffering=0) as file:
                _replace_end(file, body.end, new)

    def delete(self, entry_id: str) -> bool:
        """Delete an entry and return whether there was one of that id.

        Raises:
            HistoryError: The file could not be written; it stays as it was.
        """
        with _alone(self._path):
            body = self._body()
            gone = {number for number, entry in body.entries.items() if entry.id == entry_id}
            # The others move up, by no more than that: what is damaged leaves its gap.
            kept = {
                number - sum(before < number for before in gone): entry
                for number, entry in body.entries.items()
                if number not in gone
            }
            if gone:
                self._rewrite(_read(self._path)[:_HEAD], kept, body.last - len(gone))
        return bool(gone)

    def change_passphrase(self, passphrase: str) -> None:
        """Lock the history with another passphrase; the old one opens it no more.

        Raises:
            HistoryError: The file could not be written; the old passphrase still holds.
        """
        with _alone(self._path):
            self._body()
            blocks = _read(self._path)[_HEAD:]
            with paths.atomic_write(self._path) as file:
                file.write(self._new_head(passphrase) + blocks)

    def _new_head(self, passphrase: str) -> bytes:
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        named = _MAGIC + salt + self._marker
        return named + nonce + _wrapping(passphrase, salt).encrypt(nonce, self._key, named)

    def _rewrite(self, head: bytes, entries: Mapping[int, Entry], last: int) -> None:
        blocks = [self._block(b"entry", n, entry.to_bytes()) for n, entry in entries.items()]
        with paths.atomic_write(self._path) as file:
            file.write(head + b"".join(blocks) + self._block(b"end", last))

    def _body(self) -> _Body:
        """Read all blocks, past those that are damaged."""
        data = _read(self._path)
        if _Head.of(data).marker != self._marker:
            raise HistoryError("The history was made anew meanwhile.", "Unlock it again.")
        blocks = data[_HEAD:].split(self._marker)[1:]
        entries: dict[int, Entry] = {}
        for block in blocks:
            if (content := self._open(b"entry", block)) is not None:
                entries.setdefault(_number(block), Entry.from_bytes(content))
        # The end counts only where it is: at the end.
        ended = bool(blocks) and self._open(b"end", blocks[-1]) is not None
        count = _number(blocks[-1]) if ended else 0
        return _Body(
            entries=entries,
            last=max(count, *entries, 0) + (not ended),
            end=len(data) - (_MARKER + len(blocks[-1]) if ended else 0),
            problem=_problem(ended, count, entries.keys()),
        )

    def _block(self, kind: _BlockKind, number: int, content: bytes = b"") -> bytes:
        named = number.to_bytes(_NUMBER)
        return self._marker + named + self._lock.seal(content, kind + named)

    def _open(self, kind: _BlockKind, block: bytes) -> bytes | None:
        """Return what a block holds, None where it is damaged or of another kind."""
        return self._lock.open(block[_NUMBER:], kind + block[:_NUMBER])


class _Head(NamedTuple):
    """The parts of the head; ``named`` is what is authenticated with the wrapped key."""

    named: bytes
    salt: bytes
    marker: bytes
    nonce: bytes
    wrapped: bytes

    @classmethod
    def of(cls, data: bytes) -> _Head:
        """Read the head at the beginning of a file."""
        if not data.startswith(_MAGIC) or len(data) < _HEAD:
            raise HistoryError(
                "The history file is damaged at its beginning, where its key lies.",
                "Put back a copy from a backup, or delete it: reframer history purge",
            )
        marked = len(_MAGIC) + _SALT
        locked = marked + _MARKER
        return cls(
            named=data[:locked],
            salt=data[len(_MAGIC) : marked],
            marker=data[marked:locked],
            nonce=data[locked : locked + _NONCE],
            wrapped=data[locked + _NONCE : _HEAD],
        )


def _wrapping(passphrase: str, salt: bytes) -> AESGCM:
    """Return the cipher that wraps the data key; the same letters typed otherwise give the same."""
    letters = unicodedata.normalize("NFC", passphrase).encode()
    argon = Argon2id(salt=salt, length=_KEY, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY)
    return AESGCM(argon.derive(letters))


def _section(entry: Entry, change: Callable[[str], str]) -> str:
    """Return an entry as a section of Markdown."""
    thought = change(entry.thought.strip()).replace("\n", "\n> ")
    misfit = f"Did not fit: {entry.misfit}" if entry.misfit else ""
    beside = ". ".join(filter(None, (entry.technique, ", ".join(entry.kinds), misfit)))
    parts = (
        f"## {entry.when}",
        f"> {thought}",
        change(entry.words),
        f"*{beside}*" if beside else "",
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def _number(block: bytes) -> int:
    return int.from_bytes(block[:_NUMBER])


def _problem(ended: bool, count: int, numbers: Set[int]) -> str:
    if not ended:
        return (
            f"The end of the history file is missing. {len(numbers)} entries are whole; if there "
            "were later ones, they cannot be read."
        )
    if numbers == set(range(1, count + 1)):
        return ""
    return (
        f"The history file was changed or is damaged: {len(numbers)} of {count} entries can be "
        "read. Perhaps a backup holds the others."
    )


def _replace_end(file: FileIO, position: int, new: bytes) -> None:
    """Write something over the end of a file; where that fails, put the old end back."""
    file.seek(position)
    old = file.read()
    try:
        _write(file, position, new)
    except OSError:
        _write(file, position, old)
        file.truncate(position + len(old))
        raise


def _write(file: FileIO, position: int, data: bytes) -> None:
    file.seek(position)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HistoryMissing("There is no history.", "Run: reframer history on") from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let only one process at a time use the file, and put into words what fails."""
    try:
        with FileLock(paths.private_dir(path.parent) / ".lock", timeout=_PATIENCE):
            yield
    except Timeout:
        raise HistoryError("Another process uses the history.", "Try again.") from None
    except OSError as error:
        raise HistoryError(
            f"The history cannot be used ({error.strerror}); what it holds is as it was.",
            f"Make room or give leave to write in {path.parent}, then try again.",
        ) from error
