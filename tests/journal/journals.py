"""Shared by the tests of the journal's formats: fixtures, and answers to sentences in them."""

from __future__ import annotations

from pathlib import Path

from reframer.journal.formats import open_journal
from reframer.journal.records import Answer, Document, Unread

FIXTURES = Path(__file__).parent / "fixtures"
PASSWORD = "blue book"


def ask(path: Path) -> str:
    return PASSWORD


def read(path: Path, format: str | None = None) -> list[Document | Unread]:
    """Read a file or a folder."""
    return list(open_journal(path, format, ask))


def read_one(path: Path, format: str | None = None) -> Document:
    """Read a file that can be read."""
    (document,) = read(path, format)
    assert not isinstance(document, Unread), document.reason
    return document


def written(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file and return where it lies."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def answer(document: Document, sentence: str, words: str) -> Answer:
    """Return an answer to a sentence, wherever it stands in the document."""
    for entry in document.entries:
        start = entry.text.find(sentence)
        if start >= 0:
            end = start + len(sentence)
            return Answer(entry.id, start, end, sentence, "label", 0.8, words, "model")
    raise AssertionError(f"{sentence!r} is not in {document.path}")
