"""Cards load with all they hold; a malformed one is named with file, line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from reframer import paths
from reframer.errors import CardError
from reframer.knowledge import (
    example_id,
    load_background,
    load_techniques,
    read_background,
    read_technique,
)

CARD = """\
---
id: open-window
title: An open window
move: Say what else can be seen from here.
why: A wider view leaves room for more than the verdict.
when: [label, shame]
not_when: Somebody is in danger.
source:
  authors: Doe, A.
  year: 1999
  title: "Windows: a study"
  venue: Journal of Views
evidence: Weak.
reviewed: 2026-11-24
---

What it is,
in two lines.

And why.

## A small step

Look out.

## Examples

> im such a
> fool

You looked once
and that is all.

> hopeless

That is a heavy word.
"""


def _card(folder: Path, text: str = CARD, name: str = "open-window") -> Path:
    file = folder / f"{name}.md"
    file.write_text(text, encoding="utf-8")
    return file


def _error(folder: Path, old: str, new: str) -> CardError:
    assert old in CARD
    with pytest.raises(CardError) as caught:
        read_technique(_card(folder, CARD.replace(old, new, 1)))
    return caught.value


def test_a_card_gives_all_it_holds(tmp_path: Path) -> None:
    technique = read_technique(_card(tmp_path))
    assert technique.id == "open-window"
    assert technique.when == ("label", "shame")
    assert str(technique.source) == "Doe, A. (1999). Windows: a study. Journal of Views."
    assert technique.reviewed == "2026-11-24"
    assert technique.about == "What it is, in two lines.\n\nAnd why."
    assert technique.step == "Look out."
    assert technique.led
    assert technique.words == ()
    first, second = technique.examples
    assert (first.thought, first.answer) == ("im such a fool", "You looked once and that is all.")
    assert (second.technique, second.thought) == ("open-window", "hopeless")


def test_an_example_keeps_its_id_when_its_answer_is_mended(tmp_path: Path) -> None:
    before = read_technique(_card(tmp_path)).examples[1].id
    mended = CARD.replace("That is a heavy word.", "A heavy word to carry.")
    assert read_technique(_card(tmp_path, mended)).examples[1].id == before
    assert before == example_id("hopeless") == "b12b89c7"


def test_words_for_any_thought_are_read(tmp_path: Path) -> None:
    words = CARD.replace("evidence:", 'words:\n  - "One: answer."\n  - Two.\nevidence:')
    assert read_technique(_card(tmp_path, words)).words == ("One: answer.", "Two.")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("---\nid", "id", 1, "front matter"),
        ("id: open-window", "id: other", 2, "file name"),
        ("title: An open window\n", "", 2, "title is missing"),
        ("title: An open window", "title: [a]", 3, "a text must stand here"),
        ("title: An open window", "title: ''", 3, "empty"),
        ("title: An open window", 'title: "An open window', 11, "YAML"),
        ("why:", "whence:", 2, "why is missing"),
        ("evidence:", "colour: red\nevidence:", 13, "no such name"),
        ("evidence:", "title: again\nevidence:", 13, "twice"),
        ("[label, shame]", "[label, sadness]", 6, "'sadness' is none of"),
        ("[label, shame]", "[label, label]", 6, "twice"),
        ("[label, shame]", "[]", 6, "at least one"),
        ("year: 1999", "year: soon", 10, "whole number"),
        ("venue:", "doi: somewhere\n  venue:", 12, "DOI"),
        ("reviewed: 2026-11-24", "reviewed: last week", 14, "a day like"),
        ("evidence: Weak.", "evidence: Weak.\nled: perhaps", 14, "true or false"),
        ("## A small step", "## A leap", 22, "no section"),
        ("## A small step\n\nLook out.\n\n", "", 32, "A small step is missing"),
        ("Look out.", "", 22, "no text"),
        ("> hopeless", "hopeless", 34, "a thought"),
        ("\nThat is a heavy word.\n", "", 34, "no answer"),
    ],
)
def test_a_malformed_card_is_named_with_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    error = _error(tmp_path, old, new)
    assert error.file.name == "open-window.md"
    assert reason in error.reason
    assert error.line == line


@pytest.mark.parametrize(
    "injected",
    [
        "<b>bold</b>",
        "<img src=x>",
        "<!-- hidden -->",
        "<|im_start|>system",
        "<|im_end|>",
        "[INST] obey [/INST]",
        "<<SYS>>",
        "</s>",
        "{thought}",
        "{{ 7 * 7 }}",
        "![](https://example.org/x.png)",
        "[here](https://example.org)",
        "a\u202eb",
        "a\u200bb",
        "a\x1b[31mb",
    ],
)
def test_markup_templates_and_turns_of_a_chat_are_refused(tmp_path: Path, injected: str) -> None:
    reason = "only plain text"
    assert reason in _error(tmp_path, "That is a heavy word.", f"That {injected} word.").reason
    assert reason in _error(tmp_path, "> hopeless", f"> hopeless {injected}").reason
    quoted = injected.replace("\x1b", "\\e")
    assert reason in _error(tmp_path, "move: Say", f'why2: ""\nmove: "Say {quoted}"\nx:').reason


def test_yaml_cannot_make_objects(tmp_path: Path) -> None:
    error = _error(tmp_path, "An open window", "!!python/object/apply:os.getcwd []")
    assert error.line == 3


def test_a_card_that_is_not_text_or_much_too_long_is_named(tmp_path: Path) -> None:
    file = tmp_path / "open-window.md"
    file.write_bytes(CARD.encode() + b"\n\xff\n")
    with pytest.raises(CardError, match="UTF-8") as caught:
        read_technique(file)
    assert caught.value.line == CARD.count("\n") + 2
    with pytest.raises(CardError, match="characters"):
        read_technique(_card(tmp_path, CARD + "a" * 200_000))


def test_the_readme_counts_the_examples_as_the_files_do() -> None:
    examples = [example for card in load_techniques() for example in card.examples]
    lessons = sum(not example.held_out for example in examples)
    readme = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
    assert f"{lessons:,} of {len(examples):,};" in readme


def test_the_cards_of_the_program_are_all_whole() -> None:
    problems: list[CardError] = []
    techniques = load_techniques(on_problem=problems.append)
    assert problems == []
    assert len(techniques) >= 45
    assert sum(len(technique.examples) for technique in techniques) >= 1200
    assert all(len(technique.examples) >= 25 for technique in techniques)
    assert all(technique.words for technique in techniques)


def test_cards_of_ones_own_are_added_and_a_malformed_one_is_left_out(tmp_path: Path) -> None:
    _card(tmp_path)
    _card(tmp_path, "no front matter", "broken")
    _card(tmp_path, CARD.replace("id: open-window", "id: good-enough"), "good-enough")
    problems: list[CardError] = []
    techniques = load_techniques(tmp_path, problems.append)
    assert techniques[-1].id == "open-window"
    assert [problem.file.name for problem in problems] == ["broken.md", "good-enough.md"]
    assert len(techniques) == len(load_techniques()) + 1


def test_a_malformed_card_is_told_on_the_error_stream(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _card(tmp_path, "no front matter", "broken")
    load_techniques(tmp_path)
    assert f"{tmp_path / 'broken.md'}, line 1:" in capsys.readouterr().err


def test_a_folder_of_ones_own_need_not_exist(tmp_path: Path) -> None:
    assert load_techniques(tmp_path / "nowhere") == load_techniques()


def test_a_background_card_is_read(tmp_path: Path) -> None:
    front = "id: hello\ntitle: Hello\nfor: [teen, child]\nsources: [Doe 1999]\nreviewed: 2026-11-24"
    text = f"---\n{front}\n---\n\nA.\n\nB.\n"
    card = read_background(_card(tmp_path, text, "hello"))
    assert (card.readers, card.sources, card.body) == (("teen", "child"), ("Doe 1999",), "A.\n\nB.")


def test_the_background_cards_are_all_whole() -> None:
    problems: list[CardError] = []
    cards = load_background(problems.append)
    assert problems == []
    assert len(cards) == len(list(paths.asset("knowledge", "background").glob("*.md")))
