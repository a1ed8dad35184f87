"""The tab Help: where to turn, by country."""

from __future__ import annotations

import re

import gradio as gr

from reframer.safety import Directory, Helpline, all_helplines
from reframer.ui.countries import COUNTRIES, choices
from reframer.ui.house import House
from reframer.ui.markup import escaped
from reframer.ui.parts import sheet

_INTRO = (
    "<h1>Help</h1>"
    "<p>This page is a program. These are people. It needn’t be an emergency, and you don’t have "
    "to find good words.</p>"
)
_GROUPS = {
    "everyone": "For everyone",
    "young": "For young people",
    "abuse": "When someone hurts or frightens you",
}


class Help:
    """The tab's components.

    Args:
        house: What all tabs share.
    """

    def __init__(self, house: House) -> None:
        sheet(_INTRO)
        self.country = gr.Dropdown(
            choices(),
            value=lambda: known(house.country),
            label="Country",
            filterable=True,
            elem_id="country",
        )
        self.lines = sheet(lambda: helplines_markup(house.country), "lines")


def known(country: str) -> str:
    """Return a country's code where its help lines are known, otherwise nothing."""
    return country if country in COUNTRIES else ""


def helplines_markup(country: str, directory: Directory | None = None) -> str:
    """Return the help lines of a country as markup; the world's directory where none are known.

    Args:
        country: Two-letter code; may be empty.
        directory: All help lines; by default the program's and the user's own.
    """
    directory = directory or all_helplines()
    lines = [line for line in directory.helplines if line.country == country]
    world = [line for line in directory.helplines if line.country == "*"]
    shown = [_emergency(directory.emergency.get(country, ""))]
    shown += [
        _group(title, [line for line in lines if line.serves == serves])
        for serves, title in _GROUPS.items()
    ]
    shown.append(_group("In any country", world))
    shown.append(_checked(lines or world))
    return "".join(shown)


def _emergency(number: str) -> str:
    ring = (
        f"<a href='tel:{_dialled(number)}'>{escaped(number)}</a>"
        if number
        else "your local emergency number (112 or 911 works in many countries)"
    )
    return f"<p class='urgent'>If someone is in danger right now, call {ring}.</p>"


def _group(title: str, lines: list[Helpline]) -> str:
    shown = "".join(map(_line_markup, lines))
    return f"<section class='shelf'><h2>{title}</h2>{shown}</section>" if shown else ""


def _line_markup(line: Helpline) -> str:
    phone = f"<a href='tel:{_dialled(line.phone)}'>{escaped(line.phone)}</a>" if line.phone else ""
    name = escaped(line.web.removeprefix("https://"))
    web = f"<a href='{escaped(line.web)}'>{name}</a>" if line.web else ""
    ways = "".join(f"<p class='way'>{way}</p>" for way in (phone, escaped(line.text), web) if way)
    return (
        f"<div class='line'><h3>{escaped(line.name)}</h3>{ways}"
        f"<p class='cite'>{escaped(line.hours)} · {escaped(line.language)}</p></div>"
    )


def _checked(lines: list[Helpline]) -> str:
    oldest = min(line.checked for line in lines)
    return (
        f"<p class='cite'>Each number was compared with its public source on or after "
        f"{oldest:%d %B %Y}; none was dialled. If one no longer works, try another.</p>"
    )


def _dialled(number: str) -> str:
    return re.sub(r"[^0-9+*]", "", number)
