"""The journal of one browser tab: what was answered in it, and what is to stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reframer.journal import formats
from reframer.journal.checkpoint import Unkept
from reframer.journal.choices import Choices, no_password
from reframer.journal.records import Document, Held, Reply, Unread, Way
from reframer.journal.run import Answered, Event, Finished, reframe_document
from reframer.ui.house import House

_WAY: Way = "below"


@dataclass(slots=True)
class Decided:
    """An answer, and whether it is to stand in the journal."""

    reply: Reply
    stays: bool = True


class Desk:
    """A journal and its answers, in memory alone. Each browser tab gets a fresh one.

    Args:
        house: What all tabs share.

    Attributes:
        answers: What was answered so far, in the journal's order once the run is over.
        held: Entries that were not answered.
        unread: Why entries could not be read, a line for each.
        at: Number of the answer that is being looked at.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._document: Document | None = None
        self._kept = Unkept()
        self._under_way: object = None
        self.answers: list[Decided] = []
        self.held: list[Held] = []
        self.unread: list[str] = []
        self.at = 0

    def __deepcopy__(self, memo: object) -> Desk:
        """Return a fresh one: this is how Gradio makes the state of a new tab."""
        return Desk(self._house)

    @property
    def current(self) -> Decided | None:
        """The answer that is being looked at; None behind the last one."""
        return self.answers[self.at] if self.at < len(self.answers) else None

    def run(self, text: str, name: str) -> Iterator[Event]:
        """Answer a journal, and tell how it goes.

        Raises:
            ReframerError: It cannot be read or answered.
        """
        self.clear()
        document = self._document = formats.parse(text.encode(), name, no_password)
        choices = Choices(wishes=self._house.settings.wishes, country=self._house.country)
        for event in self._events(document, choices):
            match event:
                case Held():
                    self.held.append(event)
                case Unread():
                    self.unread.append(event.reason)
                case Answered():
                    self._take(document, event.reply)
            yield event

    @property
    def may_go_on(self) -> bool:
        """Whether there are entries of concern, which may not have been meant so."""
        return any(entry.level == "concern" for entry in self.held)

    def go_on(self) -> Iterator[Event]:
        """Answer the entries of concern as well: they were not meant so. Those of crisis stay.

        What was answered before stays as it was decided.

        Raises:
            ReframerError: They cannot be answered.
        """
        document = self._document
        if document is None:
            return
        self.at = 0
        choices = Choices(
            wishes=self._house.settings.wishes, country=self._house.country, go_on=lambda _: True
        )
        for event in self._events(document, choices):
            match event:
                case Answered() if _place(event.reply) not in self._places:
                    self._take(document, event.reply)
                case Finished():  # until then, stopping leaves them where they can be found
                    self.held = [entry for entry in self.held if entry.level == "crisis"]
            yield event

    def decide(self, words: str, *, stays: bool) -> None:
        """Settle the answer that is being looked at, and go on to the next.

        Args:
            words: How it is to be worded.
            stays: Whether it is to stand in the journal.
        """
        if self.current is None:
            return
        self._settle(self.current, words, stays=stays)
        self.at += 1

    def back(self, words: str) -> None:
        """Go back to the answer before, and leave this one as it is worded now.

        Args:
            words: How it is worded.
        """
        if self.current is not None:
            self._settle(self.current, words, stays=self.current.stays)
        self.at = max(0, self.at - 1)

    def written(self) -> bytes:
        """Return the journal with the answers that stay.

        Raises:
            UsageError: Its format can only be read.
        """
        if self._document is None:
            return b""
        staying = [decided.reply.answer for decided in self.answers if decided.stays]
        return self._document.written(staying, _WAY)

    def stop(self) -> None:
        """Answer no more of it; what was answered stays."""
        self._under_way = None

    def clear(self) -> None:
        """Forget the journal."""
        self.stop()
        self._document = None
        self._kept = Unkept()
        self.answers, self.held, self.unread, self.at = [], [], [], 0

    @property
    def _places(self) -> set[tuple[str, int]]:
        return {_place(decided.reply) for decided in self.answers}

    def _events(self, document: Document, choices: Choices) -> Iterator[Event]:
        """Yield how the answering of a document goes, until it is stopped."""
        run = self._under_way = object()
        for event in reframe_document(self._house.friend, document, choices, self._kept):
            if self._under_way is not run:
                return  # another one may lie on the desk by now
            yield event

    def _settle(self, current: Decided, words: str, *, stays: bool) -> None:
        reply = current.reply.edited(words.strip())
        self.answers[self.at] = Decided(reply, stays and bool(reply.answer.words))

    def _take(self, document: Document, reply: Reply) -> None:
        """Put an answer where it belongs in the journal's order: they come as they are ready."""
        self.answers.append(Decided(reply))
        place = {entry.id: number for number, entry in enumerate(document.entries)}
        self.answers.sort(
            key=lambda decided: (place[decided.reply.answer.entry], decided.reply.answer.start)
        )


def _place(reply: Reply) -> tuple[str, int]:
    return reply.answer.entry, reply.answer.start
