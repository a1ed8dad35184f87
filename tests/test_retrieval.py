"""Techniques that fit are found; the index mends itself and never holds what a person wrote."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.errors import InternalError
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from reframer.errors import IndexUnusable
from reframer.knowledge import example_id, load_techniques
from reframer.reader import Reader
from reframer.records import Example, Kind, Match, Source, Technique
from reframer.retrieval import CardIndex, TechniqueRetriever


class WordEmbeddings(Embeddings):
    """Vectors that count words: texts with words in common are near each other."""

    def __init__(self, size: int = 256) -> None:
        self.size = size

    def embed_query(self, text: str) -> list[float]:
        vector = np.full(self.size, 1e-3)
        for word in text.lower().replace(".", " ").split():
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.size] += 1
        return list((vector / np.linalg.norm(vector)).tolist())

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def _technique(
    name: str, about: str, thoughts: Sequence[str], when: tuple[Kind, ...] = (), led: bool = True
) -> Technique:
    examples = (Example(example_id(thought), name, thought, "Words.") for thought in thoughts)
    return Technique(
        id=name,
        title=name,
        move="",
        why="",
        when=when,
        not_when="",
        source=Source("Doe, A.", 1999, "Views", "Journal"),
        evidence="",
        reviewed="2026-11-24",
        about=about,
        step="",
        led=led,
        examples=tuple(examples),
    )


CARDS = (
    _technique(
        "bread",
        "kitchen flour oven",
        ["burnt bread today", "bread sank", "that cold bread"],
        ("label",),
    ),
    _technique(
        "music",
        "song choir voice",
        ["sang flat today", "choir practice gone wrong", "that choir sang flat"],
        ("shame", "label"),
    ),
    _technique("garden", "weeds soil", ["weeds won today", "dry weeds everywhere"], ("guilt",)),
    _technique("old-house", "attic dust", ["dust in the attic", "attic full"], (), led=False),
)


def _open(folder: Path, techniques: Sequence[Technique] = CARDS) -> TechniqueRetriever:
    return TechniqueRetriever.open(techniques, WordEmbeddings(), None, folder, lambda _: None)


def _names(matches: Sequence[Match]) -> list[str]:
    return [match.technique.id for match in matches]


@pytest.mark.anyio
class TestRetrieverOfLangChain(RetrieversIntegrationTests):
    """LangChain's own suite for retrievers."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return TechniqueRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": CardIndex(CARDS, WordEmbeddings(), self.folder, lambda _: None)}

    @property
    def retriever_query_example(self) -> str:
        return "my bread is burnt"


def test_the_technique_with_the_nearest_examples_comes_first(tmp_path: Path) -> None:
    match, *_ = _open(tmp_path).search("the bread sank and sank")
    assert match.technique.id == "bread"
    assert match.examples[0].thought == "bread sank"
    assert "examples" in match.reasons


def test_the_kind_of_self_criticism_decides_where_the_words_do_not(tmp_path: Path) -> None:
    retriever = _open(tmp_path)
    wanted: dict[Kind, str] = {"label": "bread", "shame": "music", "guilt": "garden"}
    for kind, name in wanted.items():
        match, *_ = retriever.search("nothing", (kind,))
        assert match.technique.id == name
        assert "kind" in match.reasons
    assert _names(retriever.search("nothing", ("shame", "guilt")))[:2] == ["music", "garden"]


def test_the_text_of_the_card_counts(tmp_path: Path) -> None:
    match, *_ = _open(tmp_path).search("flour and oven")
    assert match.technique.id == "bread"
    assert "card" in match.reasons


def test_a_thought_that_is_an_example_finds_its_card(tmp_path: Path) -> None:
    retriever = _open(tmp_path)
    for technique in CARDS:
        for example in technique.examples:
            if not example.held_out:
                match = retriever.search(example.thought, ("comparison",), k=1)[0]
                assert (match.technique.id, match.examples[0]) == (technique.id, example)


def test_a_technique_that_is_never_led_stands_back(tmp_path: Path) -> None:
    equal = [
        _technique("never-led", "rain", ["rain again"], led=False),
        _technique("led", "rain", ["rain always"]),
    ]
    retriever = _open(tmp_path, equal)
    assert _names(retriever.search("rain")) == ["led", "never-led"]
    assert _names(retriever.search("rain again"))[0] == "never-led"


def test_as_many_are_returned_as_asked_for(tmp_path: Path) -> None:
    retriever = _open(tmp_path)
    assert [len(retriever.search("bread", k=k)) for k in (1, 2, 9)] == [1, 2, len(CARDS)]


def test_held_out_examples_are_neither_indexed_nor_shown(tmp_path: Path) -> None:
    held_out = next(
        word for word in map("thought {}".format, range(99)) if int(example_id(word), 16) % 10 == 0
    )
    card = _technique("one", "rain", [held_out, "soft rain"])
    match = _open(tmp_path, [card]).search(held_out)[0]
    assert [example.thought for example in match.examples] == ["soft rain"]
    assert all(held_out.encode() not in content for content in _contents(tmp_path))


def test_a_card_whose_examples_are_all_held_out_is_found_by_its_text(tmp_path: Path) -> None:
    match = _open(tmp_path, [_technique("one", "rain", []), CARDS[0]]).search("rain")[0]
    assert (match.technique.id, match.examples) == ("one", ())


def test_what_a_person_wrote_never_reaches_the_disk(tmp_path: Path) -> None:
    retriever = _open(tmp_path)
    retriever.search("zebrafinch zebrafinch")
    retriever.invoke("zebrafinch")
    contents = _contents(tmp_path)
    assert any(b"burnt bread today" in content for content in contents)
    assert all(b"zebrafinch" not in content for content in contents)


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def _told(folder: Path, techniques: Sequence[Technique] = CARDS, size: int = 256) -> list[str]:
    said: list[str] = []
    retriever = TechniqueRetriever.open(techniques, WordEmbeddings(size), None, folder, said.append)
    assert retriever.search("burnt bread", k=1)[0].technique.id == "bread"
    return said


def _database(folder: Path) -> Path:
    return next(folder.glob("index/*/chroma.sqlite3"))


def test_the_index_is_made_once(tmp_path: Path) -> None:
    assert len(_told(tmp_path)) == 1
    assert _told(tmp_path) == []


def test_other_cards_or_another_embedder_make_another_index(tmp_path: Path) -> None:
    _told(tmp_path)
    mended = (replace(CARDS[0], about="kitchen"), *CARDS[1:])
    assert len(_told(tmp_path, mended)) == 1
    assert len(_told(tmp_path, size=128)) == 1
    assert _told(tmp_path) == []


def test_an_answer_that_was_mended_is_shown_from_the_same_index(tmp_path: Path) -> None:
    _told(tmp_path)
    example = replace(CARDS[0].examples[0], answer="Mended.")
    mended = (replace(CARDS[0], examples=(example, *CARDS[0].examples[1:])), *CARDS[1:])
    assert _told(tmp_path, mended) == []


def test_indexes_of_old_cards_are_deleted(tmp_path: Path) -> None:
    for number in range(6):
        _told(tmp_path, (replace(CARDS[0], about=f"kitchen {number}"), *CARDS[1:]))
    assert len(list(tmp_path.glob("index/*-*"))) == 3


@pytest.mark.parametrize("damage", ["empty", "garbled", "gone", "no vectors"])
def test_a_damaged_index_is_made_again_with_a_word(tmp_path: Path, damage: str) -> None:
    # Another process made it: Chroma keeps what this one has open.
    _in_another_process(tmp_path)
    database = _database(tmp_path)
    if damage == "empty":
        database.write_bytes(b"")
    elif damage == "garbled":
        database.write_bytes(b"not a database " * 1000)
    elif damage == "gone":
        database.unlink()
    else:
        content = database.read_bytes()
        database.write_bytes(content[: len(content) // 2])
    assert _told(tmp_path)[0] == "The search index was damaged; it is made again."
    assert _told(tmp_path) == []


def test_what_a_killed_build_left_is_swept_away(tmp_path: Path) -> None:
    leftover = tmp_path / "index" / ".0123-leftover"
    leftover.mkdir(parents=True)
    _told(tmp_path)
    assert not leftover.exists()


def test_a_running_search_survives_the_loss_of_its_index(tmp_path: Path) -> None:
    retriever = _open(tmp_path)
    for store in retriever.index._stores.values():
        store._client.close()
    assert retriever.search("burnt bread", k=1)[0].technique.id == "bread"


def test_an_index_that_cannot_be_kept_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file in its place")
    with pytest.raises(IndexUnusable, match="cannot be kept"):
        _open(tmp_path)


def test_an_index_that_cannot_be_filled_is_a_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise InternalError("database or disk is full")

    monkeypatch.setattr("reframer.retrieval._add", full)
    with pytest.raises(IndexUnusable, match="cannot be made") as caught:
        _open(tmp_path)
    assert "disk" in caught.value.hint


_PROCESS = """
import sys
from pathlib import Path
from tests.test_retrieval import CARDS, WordEmbeddings
from reframer.retrieval import TechniqueRetriever
retriever = TechniqueRetriever.open(CARDS, WordEmbeddings(), folder=Path(sys.argv[1]))
print(retriever.search("burnt bread", k=1)[0].technique.id)
"""


def _start(folder: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def _in_another_process(folder: Path) -> None:
    process = _start(folder)
    out, err = process.communicate()
    assert out.split() == ["bread"], err


def test_two_processes_at_once_share_one_index(tmp_path: Path) -> None:
    processes = [_start(tmp_path) for _ in range(2)]
    results = [process.communicate() for process in processes]
    assert [out.split() for out, _ in results] == [["bread"], ["bread"]], results
    assert len(list(tmp_path.glob("index/*-*"))) == 1


def test_a_dotenv_file_in_the_current_folder_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\nOTHER=1\n")
    root = Path(__file__).parent.parent
    process = _start(
        tmp_path / "cache",
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "CHROMA_SERVER_HOST": "example.org"},
    )
    out, err = process.communicate()
    assert out.split() == ["bread"], err


def test_the_real_cards_are_found_by_plain_thoughts(tmp_path: Path, reader: Reader) -> None:
    retriever = TechniqueRetriever.open(
        load_techniques(), reader.embeddings, reader, tmp_path, lambda _: None
    )
    for thought, wanted in (
        ("I should be over his death by now", "grief-at-its-own-pace"),
        ("I shouted at her and made her cry, I'm horrible", "guilt-to-repair"),
        ("I relapsed and smoked again after three weeks", "lapse-not-relapse"),
        ("my thighs are so ugly", "kind-talk-to-the-body"),
    ):
        assert wanted in _names(retriever.search(thought, k=5)), thought
