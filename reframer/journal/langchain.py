"""A journal in LangChain: its entries as documents, and documents with a friend's words in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import BaseDocumentTransformer, Document

from reframer.engine import Reframer
from reframer.errors import TextUnreadable
from reframer.journal.choices import no_password
from reframer.journal.formats import open_journal
from reframer.journal.records import AskPassword, Unread
from reframer.records import Notice, Thought, Wishes


class JournalLoader(BaseLoader):
    """Loads each entry of a journal as a document.

    The metadata are ``source``, the file; ``entry``, its id; ``day``, as ISO 8601 or None; and
    ``title``.

    Args:
        path: File or folder of the journal.
        format: Name of its format; empty to go by content.
        ask: Asks for the password of an encrypted file.
    """

    def __init__(self, path: Path, format: str = "", ask: AskPassword = no_password) -> None:
        self._path = path
        self._format = format
        self._ask = ask

    def lazy_load(self) -> Iterator[Document]:
        """Yield the entries.

        Raises:
            TextUnreadable: A file cannot be read.
            UsageError: There is nothing at the path, or no such format.
        """
        for document in open_journal(self._path, self._format, self._ask):
            if isinstance(document, Unread):
                raise TextUnreadable(document.reason)
            for entry in document.entries:
                metadata = {
                    "source": str(document.path),
                    "entry": entry.id,
                    "day": entry.day.isoformat() if entry.day else None,
                    "title": entry.title,
                }
                yield Document(entry.text, metadata=metadata)


class ReframeTransformer(BaseDocumentTransformer):
    """Puts a friend's words in the place of the self-critical sentences of documents.

    The sentences and the words are in the metadata ``reframes``. A document in which safety finds
    danger comes back as it was, with the level in the metadata ``risk``.

    Args:
        reframer: The flow.
        wishes: How the words are to be said.
    """

    def __init__(self, reframer: Reframer, wishes: Wishes | None = None) -> None:
        self._reframer = reframer
        self._wishes = wishes or Wishes()

    def transform_documents(
        self,
        documents: Sequence[Document],
        **kwargs: Any,  # noqa: ARG002 - part of the interface
    ) -> Sequence[Document]:
        """Return the documents with a friend's words in them."""
        return [self._transform(document) for document in documents]

    def _transform(self, document: Document) -> Document:
        text = document.page_content
        risk = self._reframer.assess(text)
        if risk.level != "none":
            return _with(document, text, risk=risk.level)
        (notices,) = self._reframer.notice_many([text])
        critical = [notice for notice in notices if notice.self_critical]
        words = self._answered(critical)
        for number, notice in sorted(enumerate(critical), reverse=True):
            text = text[: notice.start] + words[number] + text[notice.end :]
        reframes = [
            {"sentence": notice.text, "words": words[number]}
            for number, notice in enumerate(critical)
        ]
        return _with(document, text, risk=risk.level, reframes=reframes)

    def _answered(self, critical: Sequence[Notice]) -> dict[int, str]:
        thoughts = [Thought(n.text, (n.kind,) if n.kind else ()) for n in critical]
        answers = self._reframer.answer_as_completed(thoughts, self._wishes)
        return {number: answer.text for number, answer in answers}


def _with(document: Document, text: str, **metadata: Any) -> Document:
    return Document(text, id=document.id, metadata={**document.metadata, **metadata})
