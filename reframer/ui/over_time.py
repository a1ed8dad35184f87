"""The tab Over time: what was kept, counted by week or month. It never says what is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, cast

import gradio as gr

from reframer import pictures
from reframer.errors import HistoryError
from reframer.history import Entry
from reframer.records import Kind
from reframer.ui.chat import Chat
from reframer.ui.markup import prose
from reframer.ui.parts import QUIETLY, Shown, quiet_button, sheet
from reframer.ui.talk import Talk

# One after the other: what was looked up before a history was locked may not be shown after it.
_IN_TURN: dict[str, Any] = {**QUIETLY, "concurrency_id": "over-time"}
_CALENDARS = {"week": pictures.WEEKS, "month": pictures.MONTHS}
_OFF = (
    "With the history on, this shows which kinds of self-criticism come up over the weeks, and "
    "your kind words to yourself beside them. It is off, so nothing is kept; to turn it on, type "
    "<code>reframer history on</code> in a terminal and choose a passphrase."
)
_LOCKED = (
    "Your history is locked. With your passphrase it is shown here, and answers in the chat can be "
    "kept, until you lock it again or close this tab."
)
_EMPTY = "Nothing is kept yet. Below an answer in the chat there is now a word: Keep."
_OPEN = (
    "Counts of what you kept, and no more than that. Where you kept more there is more of "
    "everything, and the program mishears at times."
)


class OverTime:
    """The tab's components and what happens when they are used.

    Args:
        chat: The tab Chat, where answers are kept once the history is unlocked here.
        tab: The tab itself.
    """

    def __init__(self, chat: Chat, tab: gr.Tab) -> None:
        sheet("<h1>Over time</h1>")
        self._intro = sheet(name="kept-intro")
        with gr.Row(elem_id="unlock", visible=False) as self._unlock:
            self._passphrase = gr.Textbox(
                label="Passphrase of your history",
                type="password",
                lines=1,
                elem_id="passphrase",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
            )
            unlock = gr.Button("Unlock", elem_id="unlock-history", variant="primary", scale=0)
        self._note = sheet(name="kept-note")
        self._by = gr.Radio(
            [("By week", "week"), ("By month", "month")],
            value="week",
            label="How time is divided",
            show_label=False,
            visible=False,
            elem_id="divided",
        )
        self._pictures = sheet(name="pictures", ours=True)
        self._lock = quiet_button("Lock the history", "lock-history", visible=False)

        talk, shown = chat.talk, [*self._shown, *chat.keeping_shown]
        self._chat = chat
        tab.select(self._look, [talk, self._by], shown, **_IN_TURN)
        self._by.input(self._look, [talk, self._by], shown, **_IN_TURN)
        gr.on(
            [unlock.click, self._passphrase.submit],
            self._unlocked,
            [talk, self._by, self._passphrase],
            shown,
            **_IN_TURN,
        )
        self._lock.click(self._locked, [talk, self._by], shown, **_IN_TURN)

    @property
    def _shown(self) -> list[Any]:
        return [
            self._intro, self._unlock, self._passphrase, self._note, self._by, self._pictures,
            self._lock,
        ]  # fmt: skip

    def _unlocked(self, talk: Talk, by: str, passphrase: str) -> Shown:
        try:
            talk.keeper.unlock(passphrase)
        except HistoryError as problem:
            return {**self._look(talk, by), self._note: prose(str(problem))}
        return self._look(talk, by)

    def _locked(self, talk: Talk, by: str) -> Shown:
        talk.keeper.lock()
        return self._look(talk, by)

    def _look(self, talk: Talk, by: str) -> Shown:
        """Show what can be seen now."""
        keeper = talk.keeper
        try:
            entries, problem = keeper.entries(), keeper.problem
        except HistoryError as error:
            entries, problem = (), str(error)
        return {
            self._intro: _intro(on=keeper.is_on, opened=keeper.is_open, empty=not entries),
            self._unlock: gr.update(visible=keeper.is_on and not keeper.is_open),
            self._passphrase: "",
            self._note: prose(problem) if problem else "",
            self._by: gr.update(visible=bool(entries)),
            self._pictures: over_time_markup(entries, _CALENDARS[by]),
            self._lock: gr.update(visible=keeper.is_open),
            **self._chat.keeping(talk),
        }


@dataclass(frozen=True, slots=True)
class Part:
    """What was kept in a week or a month; a `reframer.pictures.Heard`.

    Attributes:
        first: Its first day.
        entries: Thoughts that were answered.
        kinds: In how many thoughts which kind of self-criticism was heard.
        kind_talk: Sentences in which the person spoke kindly to themselves.
        quiet: Nothing: who keeps an answer keeps it because of the critic.
    """

    first: date
    entries: int
    kinds: Mapping[Kind, int]
    kind_talk: int
    quiet: int = 0


def parts(entries: Sequence[Entry], calendar: pictures.Calendar) -> tuple[Part, ...]:
    """Return what was kept by week or month. A thought that got several answers a day counts once.

    Args:
        entries: What was kept.
        calendar: How time is divided.
    """
    thoughts = {(entry.day, entry.thought): entry for entry in sorted(entries, key=_day)}
    found = groupby(thoughts.values(), lambda entry: calendar.first(entry.day))
    return tuple(_part(first, tuple(kept)) for first, kept in found)


def _part(first: date, entries: Sequence[Entry]) -> Part:
    kinds = Counter(cast("Kind", kind) for entry in entries for kind in entry.kinds)
    answered = sum(entry.origin in ("model", "card") for entry in entries)
    return Part(first, answered, kinds, sum(entry.kind_talk for entry in entries))


def over_time_markup(entries: Sequence[Entry], calendar: pictures.Calendar) -> str:
    """Return the pictures of what was kept as markup; empty where nothing was."""
    if not entries:
        return ""
    picture = pictures.picture(parts(entries, calendar), calendar, "Thoughts answered")
    template = pictures.environment("ui").get_template("over_time.html.jinja")
    misfits = sum(bool(entry.misfit) for entry in entries)
    return "".join(template.render(picture=picture, misfits=misfits).splitlines())


def _intro(*, on: bool, opened: bool, empty: bool) -> str:
    words = _OFF if not on else _LOCKED if not opened else _EMPTY if empty else _OPEN
    return f"<p>{words}</p>"


def _day(entry: Entry) -> date:
    return entry.day
