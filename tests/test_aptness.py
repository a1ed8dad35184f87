"""The words of a card that follow are those that are apt for the thought."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.evaluation.voice import thoughts
from reframer import paths
from reframer.aptness import Aptness, alternately, side_by_side
from reframer.errors import KnowledgeError
from reframer.knowledge import example_id, load_techniques
from reframer.reader import Reader
from reframer.records import Technique, Wishes
from reframer.retrieval import TechniqueRetriever
from reframer.review import invents
from reframer.ui.chat import EXAMPLES
from reframer.wording import card_words

TECHNIQUES = load_techniques()
MARKS = Path(paths.asset("models", "training", "apt.tsv"))
# What each of the words takes for granted: w a wrong, l a loss, y that it may yet be learnt.
GRANTED = {
    words: facts
    for facts, words in (
        line.split("\t")
        for line in paths.asset("models", "training", "granted.tsv").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
}


@pytest.fixture(scope="module")
def retriever(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> TechniqueRetriever:
    return _open(TECHNIQUES, reader, tmp_path_factory.mktemp("index"))


def _open(techniques: tuple[Technique, ...], reader: Reader, folder: Path) -> TechniqueRetriever:
    return TechniqueRetriever.open(techniques, reader.embeddings, reader, folder, lambda _: None)


def test_all_words_for_adults_are_known() -> None:
    known = set(Aptness.open().words)
    missing = [one for card in TECHNIQUES for one in card.words if example_id(one) not in known]
    assert missing == [], "run: python -m models.training.aptness"


def test_no_thought_that_the_voice_is_measured_by_was_marked() -> None:
    marked = {line.split("\t")[0] for line in MARKS.read_text("utf-8").splitlines()}
    assert not marked & {" ".join(one.thought.split()) for one in thoughts()}


def test_what_was_apt_for_a_thought_is_apt_for_one_like_it() -> None:
    marked = np.eye(4, dtype=np.float32)[:2]
    learned = Aptness(
        centre=np.zeros(2, np.float32),
        thoughts=side_by_side(marked[:, :2], marked[:, :2]),
        words=("aa", "bb", "cc"),
        influence=np.array([[1, 0, 5], [0, 1, 5]], np.float32),
        bias=np.zeros(3, np.float32),
        facts=np.array([[0.6], [0]], np.float32),
        often=np.zeros(1, np.float32),
        granted=np.zeros((3, 1), np.float32),
        weights=np.array([0.5, 0.25, -0.5], np.float32),
    )
    alike = np.array([1, 0.1], np.float32)
    said = learned.of(alike, alike, {"aa": 0.0, "bb": 0.0}, {"aa": 0.0, "bb": 0.0})
    assert said.keys() == {"aa", "bb"}
    assert said["aa"] > said["bb"]
    behind = learned.of(alike, alike, {"aa": -0.2, "bb": 0.0}, {"aa": 0.4, "bb": 0.0})
    assert behind["aa"] == pytest.approx(said["aa"] - 0.1 + 0.1, abs=1e-6)


def test_words_fall_behind_where_what_they_take_for_granted_does_not_hold() -> None:
    marked = np.eye(2, dtype=np.float32)
    learned = Aptness(
        centre=np.zeros(2, np.float32),
        thoughts=side_by_side(marked, marked),
        words=("they grieve", "anybody"),
        influence=np.zeros((2, 2), np.float32),
        bias=np.array([0.2, 0], np.float32),
        facts=np.array([[1], [0]], np.float32),
        often=np.zeros(1, np.float32),
        granted=np.array([[1], [0]], np.float32),
        weights=np.array([0, 0, -0.5], np.float32),
    )
    nothing = {"they grieve": 0.0, "anybody": 0.0}
    grieving, other = (learned.of(vector, vector, nothing, nothing) for vector in marked)
    assert grieving["they grieve"] == pytest.approx(0.2)
    assert other["they grieve"] < other["anybody"]


def test_of_those_that_are_nearly_the_most_apt_each_thought_has_its_own() -> None:
    apt = {"a": 0.9, "b": 0.88, "c": 0.5}
    chosen = [alternately(apt, f"thought {number}") for number in range(20)]
    assert set(chosen) == {"a", "b"}
    assert chosen == [alternately(apt, f"thought {number}") for number in range(20)]


@pytest.mark.parametrize("content", [b"not numbers", b"PK\x03\x04 half an archive"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "aptness.npz"
    file.write_bytes(content)
    with pytest.raises(KnowledgeError, match=r"aptness\.npz"):
        Aptness.open(file)


@pytest.mark.parametrize(
    ("thought", "techniques"),
    [
        ("Everyone at work is smarter than me.", {"whole-picture"}),
        ("I'm so fat and ugly.", {"kind-talk-to-the-body", "body-functionality"}),
        ("It's been a year since dad died, I should stop crying.", {"grief-at-its-own-pace"}),
        ("I called my sister a cow and she cried.", {"guilt-to-repair", "behaviour-not-identity"}),
        ("I should be over him by now.", {"permission-for-feelings", "grief-at-its-own-pace"}),
    ],
)
def test_plain_thoughts_are_met_with_words_for_their_sort(
    retriever: TechniqueRetriever, thought: str, techniques: set[str]
) -> None:
    found = retriever.best(thought)
    assert found.technique.id in techniques
    assert max(found.apt.values()) > 0.5


@pytest.mark.parametrize(
    ("thought", "fact"),
    [
        ("My dog died in her sleep last night. I'm a wreck, I can't stop crying.", "w"),
        ("Cancelled on the choir again because my back was bad. Useless old thing.", "l"),
        ("I can't do my own bra up since the stroke.", "y"),
        ("They laughed at my accent in the meeting and I said nothing. Pathetic.", "w"),
        ("late again", "l"),
    ],
)
def test_what_words_take_for_granted_holds(
    retriever: TechniqueRetriever, thought: str, fact: str
) -> None:
    found = retriever.best(thought)
    assert fact not in GRANTED[card_words(found, thought, "", Wishes())]


def test_words_about_somebody_who_is_not_in_the_thought_are_left_out(
    retriever: TechniqueRetriever,
) -> None:
    for thought in ("I lost my temper and shouted.", "I failed the exam."):
        apt = retriever.best(thought).apt
        assert apt
        assert not [words for words in apt if invents(words, thought)]


def test_another_technique_is_found_where_one_was_used(retriever: TechniqueRetriever) -> None:
    thought = "I left my laptop on the train again, I'm such an idiot."
    first = retriever.best(thought).technique.id
    assert retriever.best(thought, other_than=[first]).technique.id != first


@pytest.mark.parametrize("thought", EXAMPLES)
def test_the_thoughts_on_the_first_page_are_answered_by_hand(
    retriever: TechniqueRetriever, thought: str
) -> None:
    found = retriever.best(thought)
    assert found.twin
    assert found.examples[0].thought == thought


@pytest.mark.parametrize(
    "thought",
    [
        "I snapped at my daughter this morning. I'm a terrible dad.",
        "scared to have kids, scared not to. what a coward at 44",
    ],
)
def test_an_answer_that_speaks_of_what_is_in_its_own_thought_alone_is_not_given(
    retriever: TechniqueRetriever, thought: str
) -> None:
    assert not retriever.best(thought).twin


def test_ones_own_card_answers_where_it_fits_best(reader: Reader, tmp_path: Path) -> None:
    thought = "I dropped the whole tray of seedlings again, clumsy oaf."
    example = replace(TECHNIQUES[0].examples[0], thought="I dropped all the seedlings, clumsy oaf.")
    own = replace(
        TECHNIQUES[0],
        id="seedlings",
        title="Seedlings",
        about="What to say when a tray of seedlings was dropped.",
        words=("Seedlings come up again, and a tray is a tray.",),
        examples=(replace(example, id=example_id(example.thought), technique="seedlings"),),
    )
    found = _open((*TECHNIQUES, own), reader, tmp_path).best(thought)
    assert found.technique.id == "seedlings"
    assert found.apt == {}
