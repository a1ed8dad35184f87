"""Journals that jrnl encrypted: opened in memory, and written encrypted with the same password.

Version 3: ``JRNLv3``, the length of a header as two bytes, the header, and a Fernet token. The
header is JSON, in base64 or as it is, and holds the salt of the key. Version 2 is the token alone;
its salt is the same in all journals.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from reframer.errors import TextUnreadable
from reframer.journal.formats.documents import Reading
from reframer.journal.formats.jrnl import Jrnl
from reframer.journal.records import Answer, AskPassword, Document, Entry, Unread, Way

_MAGIC = b"JRNLv3"
_TOKEN = re.compile(rb"gAAAA[\w=-]{95,}\s*")
_SALT_OF_2 = bytes.fromhex("f2d5710ec18d2ededc8e36748904cef8")
_LENGTH = struct.Struct(">H")
_ITERATIONS = 100_000


@dataclass(frozen=True, slots=True)
class EncryptedDocument:
    """An encrypted file and the journal within it."""

    data: bytes
    beginning: bytes
    key: bytes = field(repr=False)
    inner: Document
    format: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.inner.path

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries within."""
        return self.inner.entries

    @property
    def unread(self) -> Sequence[Unread]:
        """What could not be read within."""
        return self.inner.unread

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        """Return the file's bytes with answers put in, encrypted."""
        new = self.inner.written(answers, way)
        if new == self.inner.written((), way):  # encrypted again, it would be other bytes
            return self.data
        return self.beginning + Fernet(self.key).encrypt(new)


class JrnlEncrypted(Reading):
    """A journal of jrnl under a password."""

    name = "jrnl-encrypted"
    title = "jrnl, encrypted"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file is of this format, by its first bytes."""
        return head.startswith(_MAGIC) or bool(_TOKEN.fullmatch(head))

    def parse(self, data: bytes, path: Path, name: str, ask: AskPassword) -> Document:
        """Read what a file holds."""
        salt, begin = _header(data, name)
        key = _key(ask(path), salt)
        try:
            text = Fernet(key).decrypt(data[begin:].strip())
        except InvalidToken:
            message = f"The password does not open {name}."
            raise TextUnreadable(message, "Try again with the one that jrnl asks for.") from None
        inner = Jrnl().parse(text, path, name, ask)
        return EncryptedDocument(data, data[:begin], key, inner, self.title)


def _header(data: bytes, name: str) -> tuple[bytes, int]:
    """Return the salt, and where the token begins."""
    if not data.startswith(_MAGIC):
        return _SALT_OF_2, 0
    begin = len(_MAGIC) + _LENGTH.size
    try:
        (length,) = _LENGTH.unpack(data[len(_MAGIC) : begin])
        header = data[begin : begin + length]
        if not header.startswith(b"{"):
            header = base64.b64decode(header, validate=True)
        return base64.urlsafe_b64decode(json.loads(header)["salt"]), begin + length
    except (struct.error, ValueError, KeyError, TypeError):
        message = f"The beginning of {name} is damaged."
        raise TextUnreadable(message, "Take the file from a backup.") from None


def _key(password: str, salt: bytes) -> bytes:
    derived = PBKDF2HMAC(SHA256(), length=32, salt=salt, iterations=_ITERATIONS)
    return base64.urlsafe_b64encode(derived.derive(password.encode()))
