"""Rows share a model without a trace of each other: any mix says what each row alone would say."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reframer.llama.scheduler import PIECE, Choice, Finish, Piece, Row, Scheduler

END = 0
KINDS_OF_TOKENS = 12


def next_token(tokens: Sequence[int], seed: int) -> int:
    """Return what the pretended model says behind some tokens; one in twelve ends the answer."""
    return zlib.crc32(repr((list(tokens), seed)).encode()) % KINDS_OF_TOKENS


def alone(prompt: Sequence[int], room: int, seed: int) -> list[int]:
    """Return the answer to a prompt that has the model for itself."""
    said: list[int] = []
    while len(said) < room and (token := next_token([*prompt, *said], seed)) != END:
        said.append(token)
    return said


class PretendedModel:
    """A backend that keeps each slot's tokens, and refuses what a real one would garble."""

    batch = 2 * PIECE

    def __init__(self, slots: int, cells: int) -> None:
        self.slots, self.cells = slots, cells
        self.held: list[list[int]] = [[] for _ in range(slots)]
        self.computed = 0
        self.steps: list[list[int]] = []
        self.broken = False

    def copy(self, source: int, target: int, length: int) -> None:
        assert not self.held[target]
        assert length <= len(self.held[source])
        self.held[target] = self.held[source][:length]

    def cut(self, slot: int, length: int) -> None:
        assert length <= len(self.held[slot])
        del self.held[slot][length:]

    def compute(self, pieces: Sequence[Piece[int]]) -> list[Choice]:
        if self.broken:
            raise ArithmeticError
        assert 0 < sum(len(piece.tokens) for piece in pieces) <= self.batch
        for piece in pieces:
            assert piece.start == len(self.held[piece.slot])
            assert piece.tokens
            self.held[piece.slot] += piece.tokens
            self.computed += len(piece.tokens)
        assert sum(map(len, self.held)) <= self.cells
        self.steps.append([piece.slot for piece in pieces])
        asked = [piece for piece in pieces if piece.sampler is not None]
        return [Choice(next_token(self.held[piece.slot], piece.sampler or 0)) for piece in asked]

    def ends(self, token: int) -> bool:
        return token == END


@dataclass(eq=False)
class Ear:
    """Hears one row, and may stop listening after some tokens."""

    patience: int = 1_000
    cached: int = -1
    said: list[int] = field(default_factory=list)
    finish: Finish | None = None
    error: BaseException | None = None

    @property
    def closed(self) -> bool:
        return len(self.said) >= self.patience

    def begin(self, cached: int) -> None:
        self.cached = cached

    def hear(self, choice: Choice) -> None:
        self.said.append(choice.token)

    def end(self, finish: Finish) -> None:
        assert self.finish is None
        self.finish = finish

    def fail(self, error: BaseException) -> None:
        self.error = error


def row(
    prompt: Sequence[int], room: int = 20, seed: int = 1, *, background: bool = False
) -> tuple[Row[int], Ear]:
    ear = Ear()
    return Row(list(prompt), room, seed, ear, background), ear


def run(scheduler: Scheduler[int], limit: int = 10_000) -> None:
    for _ in range(limit):
        if scheduler.idle:
            return
        scheduler.step()
    pytest.fail("the rows never end")


PROMPTS = st.builds(
    lambda shared, own: [1] * shared + own,
    st.integers(0, 200),
    st.lists(st.integers(1, 5), min_size=1, max_size=40),
)


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(
        st.tuples(PROMPTS, st.integers(1, 30), st.integers(1, 9), st.booleans()), max_size=14
    ),
    slots=st.integers(1, 5),
    between=st.integers(0, 7),
)
def test_every_row_says_what_it_would_say_alone(
    asked: list[tuple[list[int], int, int, bool]], slots: int, between: int
) -> None:
    model = PretendedModel(slots, cells=600)
    scheduler: Scheduler[int] = Scheduler(model)
    ears = []
    for prompt, room, seed, background in asked:
        one, ear = row(prompt, room, seed, background=background)
        scheduler.add(one)
        ears.append(ear)
        for _ in range(between):
            if not scheduler.idle:
                scheduler.step()
    run(scheduler)
    for (prompt, room, seed, _), ear in zip(asked, ears, strict=True):
        expected = alone(prompt, room, seed)
        assert ear.said == expected
        assert ear.finish == ("length" if len(expected) == room else "stop")


def test_a_row_that_is_finished_leaves_and_the_next_takes_its_place_at_once() -> None:
    model = PretendedModel(2, cells=500)
    scheduler: Scheduler[int] = Scheduler(model)
    rooms = (3, 30, 3, 3, 3)
    asked = [row([2, number + 1], room, seed=2) for number, room in enumerate(rooms)]
    for one, _ in asked:
        scheduler.add(one)
    run(scheduler)
    assert all(ear.finish for _, ear in asked)
    assert sum(len(slots) == 2 for slots in model.steps) >= len(model.steps) // 3


def test_drafts_of_one_prompt_read_it_once() -> None:
    model = PretendedModel(8, cells=4000)
    scheduler: Scheduler[int] = Scheduler(model)
    prompt = [3] * 300
    asked = [row(prompt, 1, seed) for seed in range(1, 7)]
    for one, _ in asked:
        scheduler.add(one)
    run(scheduler)
    assert model.computed == len(prompt) + 5
    assert [ear.cached for _, ear in asked] == [0, *[299] * 5]


def test_a_shared_beginning_is_taken_over_in_whole_pieces() -> None:
    model = PretendedModel(3, cells=2000)
    scheduler: Scheduler[int] = Scheduler(model)
    first, _ = row([*[3] * 150, 1, 2])
    second, ear = row([*[3] * 150, 4, 5, 6])
    for one in (first, second):
        scheduler.add(one)
        run(scheduler)
    assert ear.cached == 2 * PIECE


def test_answers_are_never_taken_for_a_prompt_that_was_read() -> None:
    model = PretendedModel(1, cells=2000)
    scheduler: Scheduler[int] = Scheduler(model)
    prompt = [3] * 70
    first, heard = row(prompt, seed=4)
    scheduler.add(first)
    run(scheduler)
    second, ear = row([*prompt, *heard.said, 1, 2, 3], seed=5)
    scheduler.add(second)
    run(scheduler)
    assert ear.cached == PIECE


def test_the_background_stands_still_while_somebody_waits_in_front() -> None:
    model = PretendedModel(4, cells=2000)
    scheduler: Scheduler[int] = Scheduler(model)
    journal = [row([2, 2, number], 40, background=True) for number in range(1, 9)]
    for one, _ in journal:
        scheduler.add(one)
    for _ in range(4):
        scheduler.step()
    before = [len(ear.said) for _, ear in journal]
    chat, ear = row([5, 5], 10, seed=3)
    scheduler.add(chat)
    while not ear.finish:
        scheduler.step()
        assert [len(ear.said) for _, ear in journal] == before
    run(scheduler)
    assert all(ear.finish for _, ear in journal)


def test_a_listener_who_leaves_frees_the_row_within_a_step() -> None:
    model = PretendedModel(1, cells=500)
    scheduler: Scheduler[int] = Scheduler(model)
    one, ear = row([5, 1, 1], 200, seed=8)
    ear.patience = 2
    waiting, gone = row([2, 2])
    gone.patience = 0
    scheduler.add(one)
    scheduler.add(waiting)
    run(scheduler)
    assert (len(ear.said), gone.said, gone.cached) == (2, [], -1)


def test_rows_wait_while_memory_is_full_and_none_is_lost() -> None:
    model = PretendedModel(8, cells=130)
    scheduler: Scheduler[int] = Scheduler(model)
    asked = [row([number] * 90, 30, seed=number) for number in range(1, 6)]
    for one, _ in asked:
        scheduler.add(one)
    run(scheduler)
    assert [ear.said for _, ear in asked] == [alone([n] * 90, 30, n) for n in range(1, 6)]


def test_after_a_failure_the_rows_that_still_wait_are_computed() -> None:
    model = PretendedModel(1, cells=500)
    scheduler: Scheduler[int] = Scheduler(model)
    (first, broken), (second, ear) = row([1, 2, 3]), row([1, 2, 4])
    scheduler.add(first)
    scheduler.add(second)
    model.broken = True
    with pytest.raises(ArithmeticError) as caught:
        scheduler.step()
    scheduler.fail(caught.value)
    model.broken = False
    run(scheduler)
    assert broken.error is caught.value
    assert ear.said == alone([1, 2, 4], 20, 1)
