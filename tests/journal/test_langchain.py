"""A journal in LangChain's terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.documents import Document

from reframer.errors import TextUnreadable
from reframer.journal.langchain import JournalLoader, ReframeTransformer
from tests.journal.conftest import DAYS
from tests.journal.friend import SAYINGS, friend


def test_every_entry_is_a_document_that_says_where_it_comes_from(vault: Path) -> None:
    documents = JournalLoader(vault).load()
    assert [document.page_content for document in documents] == list(DAYS.values())
    assert documents[1].metadata == {
        "source": str(vault / "2024-01-15.md"),
        "entry": "2024-01-15.md#1",
        "day": "2024-01-15",
        "title": "Anna called about Friday. She was kind. I'm such an idiot.",
    }


def test_a_file_that_cannot_be_read_is_an_error(vault: Path) -> None:
    (vault / "broken.md").write_bytes(b"\0")
    with pytest.raises(TextUnreadable, match="broken"):
        JournalLoader(vault).load()


def test_documents_get_a_friends_words_in_place_of_the_critics() -> None:
    text = "Soup. I'm such an idiot. A walk. What an idiot I was."
    before = Document(text, id="7", metadata={"source": "diary"})
    (after,) = ReframeTransformer(friend()).transform_documents([before])
    first, second = after.metadata["reframes"]
    assert after.page_content == f"Soup. {first['words']} A walk. {second['words']}"
    assert {first["words"], second["words"]} <= set(SAYINGS)
    assert first["sentence"] == "I'm such an idiot."
    assert (after.id, after.metadata["source"]) == ("7", "diary")
    assert before.page_content == text


def test_a_document_in_danger_comes_back_as_it_was() -> None:
    (after,) = ReframeTransformer(friend()).transform_documents([Document("danger, idiot")])
    assert (after.page_content, after.metadata) == ("danger, idiot", {"risk": "crisis"})
