"""A conversation: each turn is heard, met as what it is, and remembered."""

from __future__ import annotations

from dataclasses import replace

from reframer.conversation.hearing import Hearing
from reframer.conversation.library import Library
from reframer.conversation.memory import Memory, Step
from reframer.conversation.records import Card, Reading, Turn, TurnKind, Wish
from reframer.conversation.wishes import WISH_WORDS, used, wished
from reframer.conversation.written import foreign, written
from reframer.engine import Reframer, Stopped
from reframer.records import Person, Wishes
from reframer.safety import stays
from reframer.safety import went_on as goes_on

_NO_WISHES = Wishes()
_TRIES = 3


class Conversation:
    """Takes the turns of one person, one after the other. Not for several threads at once.

    Args:
        reframer: Reads, hears and answers.
        library: Knows the cards.
        wishes: How the person would like to be spoken to, until they wish otherwise.
        stopped: Whether the answer under way is wanted no more, as in `Reframer.reframe`.
    """

    def __init__(
        self,
        reframer: Reframer,
        library: Library,
        wishes: Wishes = _NO_WISHES,
        stopped: Stopped = lambda: False,
    ) -> None:
        self._reframer = reframer
        self._library = library
        self._wishes = wishes
        self._stopped = stopped
        self._hearing = Hearing(reframer, library)
        self._memory = Memory()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns so far, but for those undone."""
        return self._memory.turns

    @property
    def person(self) -> Person:
        """Whether the last words are a friend's (``you``) or words to say to oneself (``i``)."""
        return (self._memory.wishes or self._wishes).person

    def prepare(self) -> None:
        """Open now what a turn will need.

        Raises:
            ReframerError: As `Reframer.prepare`.
        """
        self._library.prepare()
        self._reframer.prepare()

    def take(self, text: str) -> Turn:
        """Take one turn of whatever kind.

        Raises:
            ReframerError: As `Reframer.reframe`; the turn is then not taken.
        """
        reading = self.read(text)
        match reading.kind:
            case "safety":
                return self._meet_danger(text)
            case "thought":
                return self._answer(text, "thought", reading.thought, self._wishes)
            case "wish":
                return self._fulfil(text, reading.detail)
            case "question":
                return self._explain(text, reading.detail)
            case "other-language":
                return self._reply(text, "other-language", self._foreign(reading.detail))
            case _:
                words = self._written(reading.detail or reading.kind)
                return self._reply(text, reading.kind, words)

    def wish(self, wish: Wish) -> Turn:
        """Take a wish about the last answer, as a button gives it.

        Raises:
            ReframerError: As `Reframer.reframe`; the turn is then not taken.
        """
        return self._fulfil(WISH_WORDS[wish], wish)

    def read(self, text: str) -> Reading:
        """Say what a text is as the next turn, without taking it; for the rest see `Hearing.read`.

        Raises:
            ReframerError: As `Hearing.read`.
        """
        last = self._memory.last
        return self._hearing.read(text, last.kind if last else None)

    def prefer(self, wishes: Wishes) -> None:
        """Answer like this from the next thought on."""
        self._wishes = wishes

    def undo(self) -> None:
        """Take the last turn back, if there is one; its words still count as said."""
        self._memory.undo()

    def clear(self) -> None:
        """Forget the whole conversation."""
        self._memory.clear()

    def _meet_danger(self, text: str) -> Turn:
        answer = self._reframer.reframe(text, self._wishes)
        return self._keep(Turn(text, "safety", answer.text, answer), self._wishes)

    def _fulfil(self, said: str, wish: str) -> Turn:
        if wish in ("went-on", "misread"):
            return self._set_right(said)
        step = self._memory.last_answered()
        if step is None or step.turn.answer is None:
            return self._reply(said, "wish", self._written("nothing-yet"))
        wishes = wished(step.wishes, step.turn.answer, wish)
        return self._answer(said, "wish", step.turn.thought, wishes, went_on=step.went_on)

    def _set_right(self, said: str) -> Turn:
        """Meet "That's not what I meant": after words of concern, answer what they were about.

        A text of crisis is read again as a whole, however often this is said, and its words stay.
        """
        last = self._memory.last
        if last is None or last.kind != "safety" or last.answer is None:
            return self._reply(said, "wish", self._written("misread"))
        text = last.answer.source
        in_crisis = last.answer.risk.level == "crisis"
        thought = text if in_crisis else self._hearing.thought_in(text) or text
        return self._answer(said, "wish", thought, self._wishes, went_on=True)

    def _answer(
        self,
        said: str,
        kind: TurnKind,
        thought: str,
        wishes: Wishes,
        *,
        went_on: bool = False,
    ) -> Turn:
        """Answer a thought, with words that were not shown yet."""
        for _ in range(_TRIES):
            answer = self._reframer.reframe(thought, wishes, went_on=went_on, stopped=self._stopped)
            if answer.origin not in ("model", "card") or not self._memory.was_shown(answer.text):
                break
            wishes = replace(wishes, other_than=used(wishes, answer))
        match answer.origin:
            case "safety":
                words = f"{stays(wishes.voice)}\n\n{answer.text}" if went_on else answer.text
                return self._keep(Turn(said, "safety", words, answer), wishes)
            case "untouched":
                words, behind = self._written("unclear"), None
            case _ if self._memory.was_shown(answer.text):
                words, behind = self._written("no-other"), None
            case _:
                words, behind = self._memory.show(answer.text), answer
        if went_on and self._memory.after_safety:
            words = self._after_concern(words)
        turn = Turn(said, kind, words, behind, thought)
        return self._keep(turn, wishes, went_on=went_on)

    def _after_concern(self, words: str) -> str:
        """Put before an answer, once, that it goes on and what stays visible."""
        said = goes_on(self._wishes.voice)
        if self._memory.was_shown(said):
            return words
        return f"{self._memory.show(said)}\n\n{words}"

    def _explain(self, said: str, topic: str) -> Turn:
        """Answer a question from the cards, or with written words about the program itself."""
        if topic:
            return self._reply(said, "question", self._written(topic))
        for card, passage in self._library.passages(said, self._wishes.voice):
            if not self._memory.was_shown(passage):
                words = f"{self._written('from-card', title=card.title)}\n\n{passage}"
                self._memory.show(passage)
                return self._reply(said, "question", words, card)
        return self._reply(said, "question", self._written("unknown"))

    def _foreign(self, language: str) -> str:
        own, english = foreign(language)
        return f"{own}\n\n{self._memory.fresh(english)}"

    def _written(self, section: str, **names: str) -> str:
        return self._memory.fresh(written(section, self._wishes.voice, **names))

    def _reply(self, said: str, kind: TurnKind, words: str, card: Card | None = None) -> Turn:
        return self._keep(Turn(said, kind, words, card=card), self._wishes)

    def _keep(self, turn: Turn, wishes: Wishes, *, went_on: bool = False) -> Turn:
        return self._memory.keep(Step(turn, wishes, went_on))
