"""What was said in one conversation; it lives in memory alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reframer.conversation.records import Turn
from reframer.records import Wishes


@dataclass(frozen=True, slots=True)
class Step:
    """A turn, and how it was answered: what a wish about it starts from."""

    turn: Turn
    wishes: Wishes
    went_on: bool = False


class Memory:
    """The turns so far, and the words that should not come twice."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._shown: set[str] = set()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns so far, but for those undone."""
        return tuple(step.turn for step in self._steps)

    @property
    def last(self) -> Turn | None:
        """The last turn, if there is one."""
        return self._steps[-1].turn if self._steps else None

    @property
    def wishes(self) -> Wishes | None:
        """How the last turn was answered, if there is one."""
        return self._steps[-1].wishes if self._steps else None

    @property
    def after_safety(self) -> bool:
        """Whether the last words were those of safety."""
        return self.last is not None and self.last.kind == "safety"

    def last_answered(self) -> Step | None:
        """Return the answered thought that a wish is about; none once safety has spoken."""
        for step in reversed(self._steps):
            if step.turn.kind == "safety":
                return None
            if step.turn.answer:
                return step
        return None

    def keep(self, step: Step) -> Turn:
        """Add a turn and return it."""
        self._steps.append(step)
        return step.turn

    def undo(self) -> None:
        """Take the last turn back, if there is one; its words still count as shown."""
        del self._steps[-1:]

    def clear(self) -> None:
        """Forget everything."""
        self._steps.clear()
        self._shown.clear()

    def was_shown(self, words: str) -> bool:
        """Whether these words were shown already."""
        return words in self._shown

    def show(self, words: str) -> str:
        """Count words as shown, and return them."""
        self._shown.add(words)
        return words

    def fresh(self, variants: Sequence[str]) -> str:
        """Return the first that was not shown yet; when all were, begin again."""
        if self._shown.issuperset(variants):
            self._shown.difference_update(variants)
        return self.show(next(variant for variant in variants if variant not in self._shown))
