"""The tab Chat: type a thought, read a friend's words and where they come from."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from reframer.conversation import Turn, Wish
from reframer.errors import ReframerError
from reframer.records import Technique
from reframer.ui.house import House
from reframer.ui.markup import escaped, folded, prose, words
from reframer.ui.parts import QUIETLY, Shown, quiet_button, sheet
from reframer.ui.talk import Talk, Wanted

# What is sent is taken up at once: `Talk` sees to it that one answer follows the other.
_AT_ONCE: dict[str, Any] = {**QUIETLY, "trigger_mode": "multiple", "concurrency_limit": None}

EXAMPLES = (
    "I snapped at my kids again. I'm a terrible parent.",
    "everyone else my age has their life together",
    "I froze in the meeting. They must think I'm useless.",
)
_WELCOME = (
    "<h1>What are you telling yourself?</h1>"
    "<p>Write down a hard word against yourself. You get back what a good friend might say, "
    "and where it comes from.</p>"
)
_WISHES: tuple[tuple[Wish, str], ...] = (
    ("another", "Another way"),
    ("softer", "Softer"),
    ("shorter", "Shorter"),
    ("practical", "More practical"),
    ("as-i", "As “I”"),
    ("as-you", "As “you”"),
)
_REASONS = ("It missed the point", "It isn’t true", "Too soft", "Too hard")
_ASK_REASON = "What was it? Your reason is kept in your locked history, beside the words."
_KEPT = "Kept in your history."
_NOT_KEPT = "That was not kept. Your history has to be on and unlocked under Over time."
_CARD_SPEAKS = (
    "No model worded this: the card’s own words, perhaps behind a sentence that says back yours."
)


class Chat:
    """The tab's components and what happens when they are used.

    Args:
        house: What all tabs share.
    """

    def __init__(self, house: House) -> None:
        self.talk = gr.State(Talk(house))
        self._welcome = sheet(_WELCOME, "welcome")
        self._turns = sheet(name="talk")
        self._live = sheet(name="live")
        with gr.Row(elem_id="wishes", visible=False) as self._wishes:
            wishes = {wish: quiet_button(label, wish) for wish, label in _WISHES}
            quiet_button("Copy", "copy")
            self._keep = quiet_button("Keep", "keep-answer", visible=False)
            misfit = quiet_button("This did not fit", "misfit")
        with gr.Row(elem_id="reasons", visible=False) as self._reasons:
            sheet(f"<p>{_ASK_REASON}</p>")
            reasons = [quiet_button(reason) for reason in _REASONS]
        with gr.Row(elem_id="good", visible=False) as self._good:
            keep_good = quiet_button("Keep", "keep-good")
        with gr.Row(elem_id="safety", visible=False) as self._safety:
            meant = quiet_button("That’s not what I meant", "went-on")
        self._note = sheet(name="note")
        with gr.Row(elem_id="composer"):
            self._thought = gr.Textbox(
                label="Your thought",
                show_label=False,
                container=False,
                placeholder="As it sounds in your head",
                autofocus=True,
                lines=1,
                max_lines=8,
                elem_id="thought",
                html_attributes=gr.InputHTMLAttributes(
                    autocomplete="off", spellcheck=False, enterkeyhint="send"
                ),
            )
            send = gr.Button("Send", elem_id="send", variant="primary", min_width=80, scale=0)
            self._stop = gr.Button("Stop", elem_id="stop", visible=False, min_width=80, scale=0)
        with gr.Column(elem_id="examples") as self._examples:
            examples = [quiet_button(example) for example in EXAMPLES]
        with gr.Row(elem_id="tools", visible=False) as self._tools:
            edit = quiet_button("Edit what I wrote", "edit")
            undo = quiet_button("Undo", "undo")
            clear = quiet_button("Clear all", "clear")
        self._as_i, self._as_you = wishes["as-i"], wishes["as-you"]

        asking = [
            gr.on(
                [self._thought.submit, send.click],
                self._take,
                [self.talk, self._thought],
                self._shown,
                **_AT_ONCE,
            ),
            *(
                button.click(partial(self._wish, wish), self.talk, self._shown, **_AT_ONCE)
                for wish, button in (*wishes.items(), ("went-on", meant))
            ),
            misfit.click(self._misfit, self.talk, self._shown, **_AT_ONCE),
        ]
        for asked in asking:
            answered = asked.then(self._answer, self.talk, self._shown, **_AT_ONCE)
            answered.then(self._refused, [self.talk, self._thought], self._thought, **_AT_ONCE)
        self._stop.click(self._stopped, [self.talk, self._thought], self._shown, **QUIETLY)
        edit.click(self._edited, self.talk, self._shown, **QUIETLY)
        undo.click(self._undone, self.talk, self._shown, **QUIETLY)
        clear.click(self._cleared, self.talk, self._shown, **QUIETLY)
        gr.on([self._keep.click, keep_good.click], self._kept, self.talk, self._shown, **QUIETLY)
        for button in reasons:
            button.click(partial(self._reason, button.value), self.talk, self._shown, **QUIETLY)
        for button in examples:
            button.click(partial(str, button.value), None, self._thought, **QUIETLY)

    @property
    def _shown(self) -> list[Any]:
        return [
            self._welcome, self._turns, self._live, self._wishes, self._safety, self._note,
            self._thought, self._stop, self._examples, self._tools, self._as_i, self._as_you,
            self._reasons, *self.keeping_shown,
        ]  # fmt: skip

    @property
    def keeping_shown(self) -> list[Any]:
        """What `keeping` shows."""
        return [self._keep, self._good]

    def keeping(self, talk: Talk) -> Shown:
        """Show where something can be kept: nowhere, unless the history is on and unlocked."""
        may_keep = talk.keeper.may_keep(talk.last)
        good = talk.last is not None and talk.last.answer is None
        return {
            self._keep: gr.update(visible=may_keep and not good),
            self._good: gr.update(visible=may_keep and good),
        }

    def _take(self, talk: Talk, text: str) -> Shown:
        """Want an answer to what was typed."""
        if not text.strip():
            return {self._note: ""}
        talk.want(Wanted(lambda talked: talked.take(text), text, text))
        return {**self._view(talk), self._thought: ""}

    def _wish(self, wish: Wish, talk: Talk) -> Shown:
        """Want an answer to the last thought as it is wished for."""
        talk.want(_wished(wish, talk))
        return self._view(talk)

    def _misfit(self, talk: Talk) -> Shown:
        """Want another answer, and where a reason can be kept, ask for it."""
        unfit = talk.last if talk.keeper.may_keep(talk.last) else None
        talk.want(_wished("another", talk), unfit)
        return self._view(talk)

    def _reason(self, reason: str, talk: Talk) -> Shown:
        """Keep the words that did not fit, and why."""
        unfit, talk.unfit = talk.unfit, None
        return self._noted(talk, unfit, reason)

    def _kept(self, talk: Talk) -> Shown:
        return self._noted(talk, talk.last)

    def _noted(self, talk: Talk, turn: Turn | None, misfit: str = "") -> Shown:
        try:
            kept = turn is not None and talk.keep(turn, misfit)
        except ReframerError as problem:
            return {**self._view(talk), self._note: prose(str(problem))}
        said = prose(_KEPT if kept else _NOT_KEPT)
        return {**self._view(talk), self._live: said, self._note: said}

    def _answer(self, talk: Talk) -> Shown:
        """Show the answer that is next in line, or why there is none."""
        try:
            taken = talk.run()
        except ReframerError as problem:
            note = prose(str(problem))
            return {**self._view(talk), self._note: note, self._live: note}
        if not taken:  # whoever stopped it shows what there is
            return {self._note: gr.skip()}
        return {**self._view(talk), self._live: _aloud(talk)}

    def _refused(self, talk: Talk, text: str) -> Shown:
        """Put back into the box what there could be no answer to."""
        refused, talk.refused = talk.refused, ()
        return {self._thought: _together(refused, text) if refused else gr.skip()}

    def _stopped(self, talk: Talk, text: str) -> Shown:
        unanswered = talk.stop()
        return {**self._view(talk), self._thought: _together(unanswered, text)}

    def _edited(self, talk: Talk) -> Shown:
        written = talk.written
        talk.undo()
        return {**self._view(talk), self._thought: written}

    def _undone(self, talk: Talk) -> Shown:
        talk.undo()
        return self._view(talk)

    def _cleared(self, talk: Talk) -> Shown:
        talk.clear()
        return {**self._view(talk), self._thought: ""}

    def _view(self, talk: Talk) -> Shown:
        """Return everything that depends on what was said so far, and on what is waited for."""
        waiting = talk.waiting
        last = None if waiting else talk.last
        answered = last is not None and last.answer is not None and bool(last.answer.techniques)
        begun = bool(talk.turns or waiting)
        as_i = talk.person == "i"
        return {
            self._welcome: gr.update(visible=not begun),
            self._examples: gr.update(visible=not begun),
            self._turns: conversation_markup(talk.turns, waiting),
            self._wishes: gr.update(visible=answered),
            self._safety: gr.update(visible=last is not None and last.kind == "safety"),
            self._as_i: gr.update(visible=not as_i),
            self._as_you: gr.update(visible=as_i),
            self._tools: gr.update(visible=bool(talk.turns) and not waiting),
            self._stop: gr.update(visible=bool(waiting)),
            self._reasons: gr.update(visible=talk.unfit is not None),
            self._live: "",
            self._note: "",
            **self.keeping(talk),
        }


def _wished(wish: Wish, talk: Talk) -> Wanted:
    return Wanted(lambda talked: talked.wish(wish), talk.asked)


def _together(texts: tuple[str, ...], beside: str) -> str:
    """Return texts that come back into the box, before what was typed there meanwhile."""
    return "\n".join(text for text in (*texts, beside) if text)


def _aloud(talk: Talk) -> str:
    """Return the last words as markup to be read out, which differs from turn to turn.

    Else the same words given twice in a row would be no change, and would not be read out again.
    """
    said = prose(talk.last.words) if talk.last else ""
    return f"<div class='turn-{len(talk.turns)}'>{said}</div>"


def conversation_markup(turns: tuple[Turn, ...], waiting: tuple[str, ...] = ()) -> str:
    """Return a conversation as markup: each thought, and beside it the words for it.

    Args:
        turns: What was said.
        waiting: The thoughts that are being answered.
    """
    shown = [_turn_markup(turn, latest=False) for turn in turns[:-1]]
    if turns:
        shown.append(_turn_markup(turns[-1], latest=not waiting))
    thinking = "<p class='waiting'>Thinking about it …</p>"
    shown += [_row(thought, "", thinking, "turn latest") for thought in waiting]
    return "".join(shown)


def _turn_markup(turn: Turn, *, latest: bool) -> str:
    behind = _behind(turn)
    if behind and not latest:
        behind = folded("Why, and where it comes from", behind, "more")
    spoken = f"<div class='words' dir='auto'>{words(turn.words)}</div>{behind}"
    wish = turn.said if turn.kind == "wish" and turn.thought else ""
    name = f"turn {'latest' if latest else 'past'} is-{turn.kind}"
    return _row(turn.thought or turn.said, wish, spoken, name)


def _row(thought: str, wish: str, answer: str, name: str) -> str:
    asked = f"<p class='wish'>{escaped(wish)}</p>" if wish else ""
    return (
        f"<section class='{name}'><div class='asked'><p dir='auto'>{escaped(thought)}</p>{asked}"
        f"</div><div class='answer'>{answer}</div></section>"
    )


def _behind(turn: Turn) -> str:
    """Return what stands below the words: technique, why, source, and a small step."""
    if isinstance(turn.card, Technique):
        return _about(turn.card, "")
    if turn.card is not None:
        sources = "".join(f"<p class='cite'>{escaped(source)}</p>" for source in turn.card.sources)
        return f"<div class='behind'><p><b>{escaped(turn.card.title)}</b></p>{sources}</div>"
    if turn.answer is None or not turn.answer.techniques:
        return ""
    note = _CARD_SPEAKS if turn.answer.origin == "card" else ""
    return "".join(_about(technique, note) for technique in turn.answer.techniques)


def _about(technique: Technique, note: str) -> str:
    step = folded("A small step, if you like", prose(technique.step), "step")
    return (
        f"<div class='behind'><p><b>{escaped(technique.title)}</b><br>{escaped(technique.why)} "
        f"{note}</p><p class='cite'>{escaped(str(technique.source))}</p>{step}</div>"
    )
