"""The tab Settings: how one would like to be spoken to. Remembered; what is written never is."""

from __future__ import annotations

from functools import partial

import gradio as gr

from reframer.errors import ReframerError
from reframer.ui.countries import choices
from reframer.ui.help import Help, helplines_markup, known
from reframer.ui.house import House
from reframer.ui.markup import prose
from reframer.ui.parts import QUIETLY, sheet

_INTRO = (
    "<h1>Settings</h1>"
    "<p>They hold from your next thought on, and are remembered in the settings file.</p>"
)
_VOICES = [("An adult", "adult"), ("A teenager", "teen"), ("A child", "child")]
_PERSONS = [("A friend’s words: “you”", "you"), ("My own words: “I”", "i")]
_TONES = [
    ("Gentle", "gentle"),
    ("Plain", "plain"),
    ("Practical, with a small step", "practical"),
    ("Short", "shorter"),
]
_SIZES = [("Normal", "normal"), ("Large", "large"), ("Larger", "larger")]
_KEYS = (
    "<section class='shelf'><h2>Keys</h2><dl class='keys'>"
    "<dt><kbd>Enter</kbd></dt><dd>send</dd>"
    "<dt><kbd>Shift</kbd> <kbd>Enter</kbd></dt><dd>new line</dd>"
    "<dt><kbd>Esc</kbd></dt><dd>stop the answer</dd>"
    "<dt><kbd>↑</kbd></dt><dd>in the empty box: edit what you wrote last</dd>"
    "<dt><kbd>Alt</kbd> <kbd>Shift</kbd> <kbd>H</kbd></dt><dd>help lines</dd>"
    "<dt><kbd>Alt</kbd> <kbd>Shift</kbd> <kbd>C</kbd></dt><dd>back to the chat</dd>"
    "</dl></section>"
)


class Choices:
    """The tab's components.

    Args:
        house: What all tabs share.
        help_tab: The tab Help, which has the country too.
        look: Shows the text size; see `look_markup`.
    """

    def __init__(self, house: House, help_tab: Help, look: gr.Markdown) -> None:
        self._house = house
        sheet(_INTRO)
        voice = self._radio("voice", "Who is reading", _VOICES)
        person = self._radio("person", "Spoken as", _PERSONS)
        tone = self._radio("tone", "Tone", _TONES)
        size = self._radio("text_size", "Text size", _SIZES)
        country = gr.Dropdown(
            choices(), value=lambda: known(house.country), label="Country of the help lines"
        )
        said = sheet(name="remembered")
        sheet(_KEYS)

        # Of several choices in a row the last one counts, though the page is still at the first.
        last = {**QUIETLY, "trigger_mode": "always_last"}
        for key, radio in (("voice", voice), ("person", person), ("tone", tone)):
            radio.input(partial(self._remember, key), radio, said, **last)
        size.input(partial(self._remember, "text_size"), size, said, **last).then(
            lambda: look_markup(house), None, look, **last
        )
        both = [country, help_tab.country]
        for chosen in both:
            chosen.input(self._move, chosen, [*both, help_tab.lines, said], **QUIETLY)

    def _radio(self, key: str, label: str, options: list[tuple[str, str]]) -> gr.Radio:
        return gr.Radio(
            options,
            value=lambda: getattr(self._house.settings, key),
            label=label,
            elem_id=key.replace("_", "-"),
        )

    def _remember(self, key: str, value: str) -> str:
        """Keep a choice and say so."""
        try:
            self._house.remember(**{key: value})
        except ReframerError as problem:
            return prose(str(problem))
        return prose("Remembered.")

    def _move(self, country: str) -> tuple[str, ...]:
        """Keep a choice of country, and show which country's help lines will be given now."""
        said = self._remember("country", country)
        now = known(self._house.country)
        return now, now, helplines_markup(self._house.country), said


def look_markup(house: House) -> str:
    """Return a mark that the style sheet takes the text size from."""
    return f"<i class='size-{house.settings.text_size}'></i>"
