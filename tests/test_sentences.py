"""Texts are cut where a careful reader would cut them, and never lose a character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reframer.sentences import split
from tests.timing import seconds_for

PIECES = st.sampled_from(
    [
        *'I am Dr. e.g. ... … ! ? . 3.5 é 。 ？ 😂 👩\u200d👧 " ” » ) 」 ( 「'.split(),
        *(" ", "\n", "\r\n", "\n\n", "\t", "\u2028", ". ", "- ", "1. ", "# "),
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


def cut(text: str) -> list[str]:
    return [piece.text.strip() for piece in split(text)]


@settings(deadline=None)
@given(TEXTS)
def test_pieces_are_an_exact_partition(text: str) -> None:
    pieces = split(text)
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces] == [text[piece.start : piece.end] for piece in pieces]
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces)][: len(pieces)]


@settings(deadline=None)
@given(TEXTS)
def test_white_space_belongs_to_the_piece_before_it(text: str) -> None:
    pieces = split(text)
    assert not any(piece.text[0].isspace() for piece in pieces[1:])
    assert all(piece.text.strip() for piece in pieces) or len(pieces) == 1


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_blank_line_always_separates(first: str, second: str) -> None:
    before = split(first)
    if first.strip():
        assert split(f"{first}\n\n{second}")[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I met Dr. Shah. He was kind.", ["I met Dr. Shah.", "He was kind."]),
        ("We read J. K. Jerome. Then bed.", ["We read J. K. Jerome.", "Then bed."]),
        ("So did I. Then we left.", ["So did I.", "Then we left."]),
        ("I ran 3.5 km today. Slowly.", ["I ran 3.5 km today.", "Slowly."]),
        ("Room no. 5 was cold. No. It was ice.", ["Room no. 5 was cold.", "No.", "It was ice."]),
        ("up at 6 a.m. again. tired.", ["up at 6 a.m. again.", "tired."]),
        ("so tired... not again. ok", ["so tired... not again.", "ok"]),
        ("So tired... Not again.", ["So tired...", "Not again."]),
        ("i failed. im stupid! why? no idea", ["i failed.", "im stupid!", "why?", "no idea"]),
        ("failed again 😭 im so stupid 😭😭 bed", ["failed again 😭", "im so stupid 😭😭", "bed"]),
        ("Well done. 😂 Then home.", ["Well done. 😂", "Then home."]),
        ('"Why?" she asked. "Stop!" He left.', ['"Why?" she asked.', '"Stop!"', "He left."]),
        ("Late (again!) and wet. Home.", ["Late (again!) and wet.", "Home."]),
        ("„Genug.“ Er ging. «Assez.» Elle rit.", ["„Genug.“", "Er ging.", "«Assez.»", "Elle rit."]),
        ("¿Por qué? No sé.", ["¿Por qué?", "No sé."]),
        (
            "私はだめだ。「なぜ？」と聞いた。終わり",
            ["私はだめだ。", "「なぜ？」と聞いた。", "終わり"],
        ),
        ("no stops here\nand none here", ["no stops here", "and none here"]),
        ("# Monday\n- tired\n1. work\n2. sleep", ["# Monday", "- tired", "1. work", "2. sleep"]),
        ("one\r\ntwo\r\n\r\nthree", ["one", "two", "three"]),
    ],
)
def test_cuts_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_paragraph_wrapped_by_a_program_is_read_through() -> None:
    text = (
        "This is a paragraph that was wrapped by a program\n"
        "at about fifty columns so that the lines all are of\n"
        "similar length and it ends here. Next sentence is\n"
        "short.\n"
    )
    assert len(cut(text)) == 2


def test_one_thought_a_line_is_cut_by_line() -> None:
    lines = [
        "i always say the wrong thing at dinner",
        "nobody called",
        "i should ring mum tomorrow",
    ]
    assert cut("\n".join(lines * 2)) == lines * 2


def test_nothing_and_white_space() -> None:
    assert split("") == ()
    assert [piece.text for piece in split(" \n\t\n")] == [" \n\t\n"]


@pytest.mark.parametrize("unit", ["a", ".", " ", '"', "!)", "😂", "Dr. x", "1. ", "a\n", "。"])
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        return seconds_for(lambda: split(text))

    assert seconds(200_000) < 40 * max(seconds(20_000), 0.005)
