"""Which rows are computed next: continuous batching (Yu et al. 2022, "Orca"), without a model.

A row is a prompt and the answer that grows behind it. A slot is a place for one row in the model's
memory, and remembers its tokens when the row has left. Each step computes one token of every
answer that is being spoken together with a piece of the prompts that are still read; a row that is
finished leaves at once, and the next one takes its place.

Nothing is read twice: a new row copies what its prompt shares with that of any slot, and waits for
a prompt that is just being read. What is copied is cut where the reading itself is cut, because
llama.cpp computes slightly other numbers in a batch of another size; so the same prompt and seed
say the same, whatever was said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

Finish = Literal["stop", "length"]
Sampler = TypeVar("Sampler")

# Prompts are read in pieces of so many tokens; larger ones are read hardly faster.
PIECE = 64


class Listener(Protocol):
    """Who hears a row's answer."""

    @property
    def closed(self) -> bool:
        """Whether nobody listens any more."""

    def begin(self, cached: int) -> None:
        """The row has a slot, which held so many tokens of its prompt already."""

    def hear(self, choice: Choice) -> None:
        """Take the next token of the answer."""

    def end(self, finish: Finish) -> None:
        """The answer is complete."""

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that was chosen.

    Attributes:
        token: The token.
        logprob: Its log-probability in nats; None where nobody asked.
    """

    token: int
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Piece(Generic[Sampler]):
    """Tokens of one slot that are computed in a step.

    Attributes:
        slot: The slot.
        start: Position of the first token.
        tokens: The tokens.
        sampler: Chooses the token that follows; None where only the prompt is read.
    """

    slot: int
    start: int
    tokens: Sequence[int]
    sampler: Sampler | None


class Backend(Protocol[Sampler]):
    """What computes.

    Attributes:
        slots: Rows that its memory holds.
        cells: Tokens that its memory holds, of all rows together.
        batch: Most tokens of one step.
    """

    slots: int
    cells: int
    batch: int

    def copy(self, source: int, target: int, length: int) -> None:
        """Let an empty slot begin with the first tokens of another one."""

    def cut(self, slot: int, length: int) -> None:
        """Forget all but a slot's first tokens."""

    def compute(self, pieces: Sequence[Piece[Sampler]]) -> list[Choice]:
        """Compute pieces; return what each sampler chose, in order."""

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""


@dataclass(eq=False, slots=True)
class Row(Generic[Sampler]):
    """A prompt that is to be answered.

    Attributes:
        prompt: Its tokens, at least one.
        room: Most tokens of the answer.
        sampler: Chooses them.
        listener: Hears them.
        background: It stands still while a row of the foreground is there.
    """

    prompt: Sequence[int]
    room: int
    sampler: Sampler
    listener: Listener
    background: bool = False

    @property
    def cells(self) -> int:
        """Tokens that it may come to."""
        return len(self.prompt) + self.room


@dataclass(slots=True)
class _Slot(Generic[Sampler]):
    """A place in memory, with what it holds and who uses it.

    Attributes:
        number: Its number in the backend.
        prompt: The prompt of its last row.
        held: So many tokens of prompt and answer are computed.
        row: Who uses it now.
        said: Tokens of the row's answer; the last one is not computed yet.
        since: When its last row came; rows are numbered as they come.
    """

    number: int
    prompt: Sequence[int] = ()
    held: int = 0
    row: Row[Sampler] | None = None
    said: list[int] = field(default_factory=list)
    since: int = 0

    @property
    def read(self) -> int:
        """So many tokens of its prompt are computed."""
        return min(self.held, len(self.prompt))

    @property
    def cells(self) -> int:
        return self.row.cells if self.row else self.held

    def next_piece(self, sampler: Sampler) -> Piece[Sampler]:
        """Return what is to be computed next for its row."""
        if self.said:
            return Piece(self.number, self.held, self.said[-1:], sampler)
        last = len(self.prompt) - 1
        if self.held == last:
            return Piece(self.number, last, self.prompt[last:], sampler)
        end = min(last, (self.held // PIECE + 1) * PIECE)
        return Piece(self.number, self.held, self.prompt[self.held : end], None)


class Scheduler(Generic[Sampler]):
    """Shares a backend among rows. It belongs to one thread.

    Args:
        backend: What computes.
    """

    def __init__(self, backend: Backend[Sampler]) -> None:
        self._backend = backend
        self._slots: list[_Slot[Sampler]] = [_Slot(number) for number in range(backend.slots)]
        self._waiting: list[Row[Sampler]] = []
        self._seated = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting and not self._busy()

    def add(self, row: Row[Sampler]) -> None:
        """Let a row wait for a slot, behind those that came before and ahead of the background."""
        self._waiting.append(row)
        self._waiting.sort(key=lambda waiting: waiting.background)

    def step(self) -> None:
        """Let rows in, compute one step, let finished rows out."""
        self._let_go()
        self._admit()
        chosen = self._choose()
        choices = iter(self._backend.compute([piece for _, _, piece in chosen]) if chosen else ())
        for slot, row, piece in chosen:
            slot.held += len(piece.tokens)
            if piece.sampler is not None:
                self._say(slot, row, next(choices))

    def fail(self, error: BaseException) -> None:
        """Give up every row that has a slot, and forget what the slots held."""
        for slot in self._slots:
            if slot.row:
                slot.row.listener.fail(error)
            self._empty(slot)

    def _busy(self) -> list[tuple[_Slot[Sampler], Row[Sampler]]]:
        return [(slot, slot.row) for slot in self._slots if slot.row]

    def _let_go(self) -> None:
        """Free the slots of rows to which nobody listens, and strike those that wait."""
        for slot, row in self._busy():
            if row.listener.closed:
                self._retire(slot, row, "stop")
        for row in [row for row in self._waiting if row.listener.closed]:
            self._waiting.remove(row)
            row.listener.end("stop")

    def _admit(self) -> None:
        """Give waiting rows a slot while there is room."""
        for row in list(self._waiting):
            free = [slot for slot in self._slots if not slot.row]
            # The foreground always finds a slot that the background left.
            if len(free) <= (self._backend.slots // 4 if row.background else 0):
                return
            source, shared = self._nearest(row.prompt)
            if self._soon(row) > shared:
                continue
            target = self._place(row, free, source)
            if target is None:
                return
            self._waiting.remove(row)
            self._seat(row, target, source, shared)

    def _place(
        self, row: Row[Sampler], free: Sequence[_Slot[Sampler]], source: _Slot[Sampler]
    ) -> _Slot[Sampler] | None:
        """Return the slot that a row is to have; None while there is no room."""
        if not self._busy():
            # Who is alone finds the memory as if it were empty but for the shared beginning. Cells
            # left lying between would change the order of sums, and so, now and then, a word.
            for slot in free:
                if slot is not source:
                    self._empty(slot)
            return source
        target = _least_missed(free, source)
        if self._make_room(row.cells - target.held, spare=(source, target)):
            return target
        in_place = not source.row and self._make_room(row.cells - source.held, spare=(source,))
        return source if in_place else None

    def _nearest(self, prompt: Sequence[int]) -> tuple[_Slot[Sampler], int]:
        """Return the slot that holds most of a prompt, and how much of it may be used."""
        found = [(_usable(slot.prompt, slot.read, prompt), slot) for slot in self._slots]
        shared, slot = max(found, key=lambda one: (one[0], one[1].since))
        return slot, shared

    def _soon(self, row: Row[Sampler]) -> int:
        """Return how much of a prompt will be usable once the rows that are being read are read.

        The foreground does not wait for the background, which stands still for it.
        """
        ends = [
            _usable(slot.prompt, len(slot.prompt) - 1, row.prompt)
            for slot in self._slots
            if slot.row and not slot.said and (row.background or not slot.row.background)
        ]
        return max(ends, default=0)

    def _make_room(self, wanted: int, spare: Sequence[_Slot[Sampler]]) -> bool:
        """Empty slots that nobody uses, the oldest first, until so many cells are free."""
        idle = sorted((s for s in self._slots if not s.row and s.held), key=lambda slot: slot.since)
        left = self._backend.cells - sum(slot.cells for slot in self._slots)
        for slot in [slot for slot in idle if slot not in spare]:
            if left >= wanted:
                break
            left += slot.held
            self._empty(slot)
        return left >= wanted

    def _seat(
        self, row: Row[Sampler], target: _Slot[Sampler], source: _Slot[Sampler], shared: int
    ) -> None:
        if target is source:
            self._backend.cut(target.number, shared)
        else:
            self._empty(target)
            if shared:
                self._backend.copy(source.number, target.number, shared)
        self._seated += 1
        target.prompt, target.held, target.row = row.prompt, shared, row
        target.said, target.since = [], self._seated
        row.listener.begin(shared)

    def _choose(self) -> list[tuple[_Slot[Sampler], Row[Sampler], Piece[Sampler]]]:
        """Return what is computed in this step: every answer's next token, then prompts."""
        busy = self._busy()
        front = [(slot, row) for slot, row in busy if not row.background]
        pieces = [(slot, row, slot.next_piece(row.sampler)) for slot, row in front or busy]
        pieces.sort(key=lambda chosen: (chosen[2].sampler is None, chosen[0].since))
        fitting, room = [], self._backend.batch
        for slot, row, piece in pieces:
            if len(piece.tokens) <= room:
                fitting.append((slot, row, piece))
                room -= len(piece.tokens)
        return fitting

    def _say(self, slot: _Slot[Sampler], row: Row[Sampler], choice: Choice) -> None:
        if self._backend.ends(choice.token):
            self._retire(slot, row, "stop")
            return
        slot.said.append(choice.token)
        row.listener.hear(choice)
        if len(slot.said) == row.room:
            self._retire(slot, row, "length")

    def _retire(self, slot: _Slot[Sampler], row: Row[Sampler], finish: Finish) -> None:
        """Free a slot; it keeps its prompt for those who come after."""
        row.listener.end(finish)
        slot.row, slot.said, slot.held = None, [], slot.read
        self._backend.cut(slot.number, slot.held)

    def _empty(self, slot: _Slot[Sampler]) -> None:
        self._backend.cut(slot.number, 0)
        slot.prompt, slot.held, slot.row, slot.said = (), 0, None, []


def _usable(held: Sequence[int], read: int, prompt: Sequence[int]) -> int:
    """Return how many of a prompt's first tokens may be taken from one that was read that far.

    All but the last token of the same prompt, whose odds are still to be computed; of another one
    the whole pieces that both share.
    """
    last = len(prompt) - 1
    if read >= last and held == prompt:
        return last
    pairs = zip(held[:read], prompt[:last], strict=False)
    common = next((at for at, (a, b) in enumerate(pairs) if a != b), min(read, last))
    return common // PIECE * PIECE


def _least_missed(free: Sequence[_Slot[Sampler]], source: _Slot[Sampler]) -> _Slot[Sampler]:
    """Return the free slot whose memory is missed least; what is about to be copied is missed."""
    return min(free, key=lambda slot: (slot is source, slot.held > 0, slot.since))
