"""A text that is handed on has no names in it, as far as a program can tell."""

from __future__ import annotations

import pytest

from reframer.names import without_names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I shouted at Anna again.", "I shouted at [name] again."),
        ("Tomasz said I'm useless.", "[name] said I'm useless."),
        ("Will hates me. I know Will does.", "[name] hates me. I know [name] does."),
        ("That was Anna’s cake.", "That was [name]’s cake."),
        ("I failed Mrs. O'Brien and Jean-Luc.", "I failed [name]. [name] and [name]."),
        ("Write to anna@example.org or +49 170 1234567", "Write to [contact] or [contact]"),
        ("see https://example.org/anna", "see [contact]"),
    ],
)
def test_names_and_addresses_are_taken_out(text: str, expected: str) -> None:
    assert without_names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I'm such an idiot. I ruined it on Monday, and Mom saw it.",
        "Everyone else can do this. Why can't I?",
        "I AM SO STUPID",
        "it was 3 o'clock in 2026",
        "",
    ],
)
def test_all_else_stays_as_it_was(text: str) -> None:
    assert without_names(text) == text
