"""The tab Journal: a journal goes in, each hard sentence gets a friend's words beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from typing import Any

import gradio as gr

from reframer.errors import ReframerError
from reframer.journal.records import Held, Unread
from reframer.journal.run import Answered, Event, Finished
from reframer.journal.scan import Scanned
from reframer.ui.desk import Decided, Desk
from reframer.ui.house import House
from reframer.ui.markup import escaped, prose, words
from reframer.ui.parts import QUIETLY, UNKEPT, Shown, quiet_button, sheet

_INTRO = (
    "<h1>Journal</h1>"
    "<p>Put in some of your journal. Each hard sentence about yourself gets a friend’s words, and "
    "you decide which of them stay. This program keeps it nowhere; a large journal is better off "
    "with <code>reframer journal</code> in a terminal.</p>"
)
# One tab's journal does not wait for another's: `Desk` keeps the runs of one tab apart.
_AT_ONCE: dict[str, Any] = {**QUIETLY, "concurrency_limit": None}
_PASTED = "journal.txt"
_GENTLY = (
    "Some of it was not answered, because what is written there deserves more than a program. If "
    "any of it is still true today, please turn to somebody."
)


class Journal:
    """The tab's components and what happens when they are used.

    Args:
        house: What all tabs share.
    """

    def __init__(self, house: House) -> None:
        self.desk = gr.State(Desk(house))
        self._downloads = count(1)
        sheet(_INTRO)
        with gr.Column(elem_id="journal-in") as self._in:
            self._text = gr.Textbox(
                label="Your journal",
                lines=9,
                max_lines=16,
                elem_id="journal-text",
                html_attributes=UNKEPT,
            )
            self._name = gr.Textbox(
                _PASTED,
                label="Name of the file",
                elem_id="journal-name",
                visible="hidden",
                html_attributes=UNKEPT,
            )
        with gr.Row(elem_id="journal-do") as self._do:
            begin = gr.Button("Begin", elem_id="journal-begin", variant="primary", scale=0)
            quiet_button("Open a file", "journal-open")
        with gr.Row(elem_id="journal-going"):
            self._progress = sheet(name="journal-progress")
            self._stop = gr.Button("Stop", elem_id="journal-stop", visible=False, scale=0)
        self._held = sheet(name="held")
        with gr.Row(visible=False) as self._concern:
            go_on = quiet_button("That’s not what I meant; answer it too", "journal-go-on")
        with gr.Column(elem_id="review", visible=False) as self._review:
            self._sentence = sheet(name="sentence")
            self._words = gr.Textbox(
                label="A friend’s words",
                lines=3,
                elem_id="friends-words",
                html_attributes=UNKEPT,
            )
            with gr.Row(elem_id="decide"):
                keep = gr.Button("Keep", elem_id="keep", variant="primary", scale=0)
                leave = quiet_button("Leave the sentence as it is", "leave")
                back = quiet_button("Back", "back")
        with gr.Row(elem_id="journal-end", visible=False) as self._end:
            download = gr.Button("Download", elem_id="journal-download", scale=0)
            again = quiet_button("Clear all", "journal-clear")
        self._answers = sheet(name="answers")
        self._out = sheet(name="journal-out")

        begin.click(self._begin, [self.desk, self._text, self._name], self._shown, **_AT_ONCE)
        go_on.click(self._go_on, self.desk, self._shown, **_AT_ONCE)
        self._stop.click(self._stopped, self.desk, self._shown, **QUIETLY)
        keep.click(self._keep, [self.desk, self._words], self._shown, **QUIETLY)
        leave.click(self._leave, [self.desk, self._words], self._shown, **QUIETLY)
        back.click(self._back, [self.desk, self._words], self._shown, **QUIETLY)
        download.click(self._download, self.desk, [self._out, self._progress], **QUIETLY)
        again.click(self._clear, self.desk, self._shown, **QUIETLY)

    @property
    def _shown(self) -> list[Any]:
        return [
            self._in, self._text, self._name, self._do, self._progress, self._stop, self._held,
            self._concern, self._review, self._sentence, self._words, self._end, self._answers,
            self._out,
        ]  # fmt: skip

    def _begin(self, desk: Desk, text: str, name: str) -> Iterator[Shown]:
        """Answer the journal."""
        if not text.strip():
            yield {self._progress: prose("There is nothing in it yet.")}
            return
        yield from self._going(desk, desk.run(text, name))

    def _go_on(self, desk: Desk) -> Iterator[Shown]:
        """Answer what was set aside with concern, too."""
        yield from self._going(desk, desk.go_on())

    def _going(self, desk: Desk, events: Iterator[Event]) -> Iterator[Shown]:
        """Show how far a run is, and each answer as it is ready."""
        try:
            for event in events:
                if isinstance(event, Finished):
                    yield {**self._view(desk), self._progress: prose(_outcome(desk))}
                    return
                if line := _progress(event):
                    yield {**self._view(desk, going=True), self._progress: prose(line)}
        except ReframerError as problem:
            yield {**self._view(desk), self._progress: prose(str(problem))}
            return
        yield gr.skip()  # else Gradio shows the last once more, over what Stop showed

    def _stopped(self, desk: Desk) -> Shown:
        desk.stop()
        nothing = " ".join(("Nothing was answered yet.", *desk.unread))
        said = _outcome(desk) if desk.answers else nothing
        return {**self._view(desk), self._progress: prose(f"Stopped. {said}")}

    def _keep(self, desk: Desk, words: str) -> Shown:
        desk.decide(words, stays=True)
        return self._view(desk)

    def _leave(self, desk: Desk, words: str) -> Shown:
        desk.decide(words, stays=False)
        return self._view(desk)

    def _back(self, desk: Desk, words: str) -> Shown:
        desk.back(words)
        return self._view(desk)

    def _clear(self, desk: Desk) -> Shown:
        desk.clear()
        return {**self._view(desk), self._text: "", self._name: _PASTED, self._progress: ""}

    def _download(self, desk: Desk) -> tuple[str, str]:
        """Hand the journal to the page's script, which alone can save it without a file here."""
        try:
            data = b64encode(desk.written()).decode()
        except ReframerError as problem:
            return "", prose(str(problem))
        return f"<i>{next(self._downloads)}</i><b>{data}</b>", prose("Saved by your browser.")

    def _view(self, desk: Desk, *, going: bool = False) -> Shown:
        """Return everything that depends on what was answered so far."""
        begun = going or bool(desk.answers or desk.held)
        current = None if going else desk.current
        return {
            self._in: gr.update(visible=not begun),
            self._do: gr.update(visible=not begun),
            self._stop: gr.update(visible=going),
            self._held: held_markup(desk.held),
            self._concern: gr.update(visible=desk.may_go_on and not going),
            self._review: gr.update(visible=current is not None),
            self._sentence: _sentence_markup(desk),
            self._words: current.reply.answer.words if current else "",
            self._end: gr.update(visible=begun and not going),
            self._answers: answers_markup(desk.answers, desk.at if current else None),
            self._out: "",
        }


def _progress(event: Event) -> str:
    """Return how far a run is, in words; empty where an event says nothing of it."""
    match event:
        case Scanned():
            return f"Reading. {_counted(event.found, 'hard sentence')} so far."
        case Answered() if event.done < event.total:
            left = f", {_duration(event.seconds_left)} left" if event.seconds_left else ""
            return f"{event.done} of {event.total} answered{left}."
        case Unread():
            return event.reason
    return ""


def _outcome(desk: Desk) -> str:
    """Return what came of a run, and what could not be read."""
    said = ""
    if desk.answers:
        said = (
            f"{_counted(len(desk.answers), 'sentence')} answered. They stay unless you leave them."
        )
    elif not desk.held:
        said = "No hard sentence about yourself was heard in it."
    return " ".join(filter(None, (said, *desk.unread)))


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    return f"about {_counted(round(seconds / 60), 'minute')}"


def held_markup(held: list[Held]) -> str:
    """Return what is said of entries that were not answered, the most serious once."""
    if not held:
        return ""
    days = ", ".join(dict.fromkeys(f"{entry.day:%d %B %Y}" for entry in held if entry.day))
    where = f"<p class='cite'>{escaped(days)}</p>" if days else ""
    return f"<div class='today'>{prose(_GENTLY)}{where}{words(held[0].words)}</div>"


def _sentence_markup(desk: Desk) -> str:
    """Return the sentence that is being looked at."""
    if desk.current is None:
        return ""
    answer = desk.current.reply.answer
    return (
        f"<h2>Sentence {desk.at + 1} of {len(desk.answers)}</h2>"
        f"<blockquote><p dir='auto'>{escaped(answer.sentence)}</p></blockquote>"
    )


def answers_markup(answers: list[Decided], at: int | None) -> str:
    """Return each sentence beside the words for it.

    Args:
        answers: All answers.
        at: Number of the one that is being looked at; None where none is.
    """
    return "".join(_row(decided, now=number == at) for number, decided in enumerate(answers))


def _row(decided: Decided, *, now: bool) -> str:
    reply = decided.reply
    day = f"<p class='cite'>{reply.day:%d %B %Y}</p>" if reply.day else ""
    technique = f"<p class='cite'>{escaped(reply.technique)}</p>" if reply.technique else ""
    beside = (
        f"<div class='words' dir='auto'>{words(reply.answer.words)}</div>{technique}"
        if decided.stays
        else "<p class='waiting'>Left as it is.</p>"
    )
    sentence = f"<p dir='auto'>{escaped(reply.answer.sentence)}</p>"
    return (
        f"<section class='turn{' now' if now else ''}'><div class='asked'>{sentence}{day}</div>"
        f"<div class='answer'>{beside}</div></section>"
    )
