"""A model's states: the same text leaves the same, whatever was read or said beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from reframer.errors import TextTooLong
from reframer.llama.chat import ChatLlama
from reframer.llama.states import State
from tests.ending import exit_codes

Read = Callable[[str], State]
TEXTS = ["I ruin everything.", "The bread is in the oven.", "", "😂", "late again " * 200]


def ask(text: str) -> list[BaseMessage]:
    return [SystemMessage("What does the writer need?"), HumanMessage(text)]


@pytest.fixture(scope="module")
def read(small_model: ChatLlama) -> Read:
    return small_model.reads(ask)


def test_a_state_is_a_row_of_numbers_that_differs_between_texts(read: Read) -> None:
    states = [read(text) for text in TEXTS]
    assert len({state.shape for state in states}) == 1
    assert all(np.isfinite(state).all() for state in states)
    assert len({state.tobytes() for state in states}) == len(TEXTS)


def test_what_was_read_before_changes_nothing(read: Read) -> None:
    alone = [read(text) for text in TEXTS]
    for text, state in reversed([*zip(TEXTS, alone, strict=True)]):
        np.testing.assert_array_equal(read(text), state)


def test_readers_of_several_threads_are_served_in_turn(read: Read) -> None:
    alone = [read(text) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        together = [*pool.map(read, TEXTS * 3)]
    for state, expected in zip(together, alone * 3, strict=True):
        np.testing.assert_array_equal(state, expected)


def test_reading_does_not_change_what_is_said(small_model: ChatLlama, read: Read) -> None:
    said = small_model.invoke(ask(TEXTS[0]), temperature=0, max_tokens=12).text
    read(TEXTS[1])
    assert small_model.invoke(ask(TEXTS[0]), temperature=0, max_tokens=12).text == said


def test_what_was_asked_about_a_text_counts_too(small_model: ChatLlama) -> None:
    one = small_model.reads(lambda text: [HumanMessage(f"Repeat: {text}")])
    other = small_model.reads(lambda text: [HumanMessage(f"Translate: {text}")])
    assert not np.allclose(one("Well done."), other("Well done."))


def test_a_process_may_end_while_a_text_is_read(small_model_path: Path) -> None:
    code = (
        "import sys, threading, time; from pathlib import Path\n"
        "from reframer.llama.weights import Weights\n"
        "model = Weights.open(Path(sys.argv[1]))\n"
        "read = model.reads(lambda text: [{'role': 'user', 'content': text}])\n"
        "threading.Thread(target=read, args=['word ' * 1500], daemon=True).start()\n"
        "time.sleep(0.1)"
    )
    assert exit_codes(code, small_model_path) == {0}


def test_a_text_that_does_not_fit_is_refused_in_a_line(read: Read) -> None:
    with pytest.raises(TextTooLong):
        read("word " * 5000)
    assert read(TEXTS[0]).any()
