"""The tab Practice: the cards as a small library, and one small step for today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import gradio as gr

from reframer.knowledge import Background, Reader, todays
from reframer.records import KINDS, Kind, Technique
from reframer.safety import signposts
from reframer.ui.house import House
from reframer.ui.markup import escaped, folded, prose
from reframer.ui.parts import QUIETLY, UNKEPT, sheet

_INTRO = (
    "<h1>Practice</h1>"
    "<p>Ways of being kind and true to yourself, each with its source. Open what speaks to you.</p>"
)
_SHELVES: dict[Kind, str] = {
    "label": "When you call yourself names",
    "should": "When everything is a should",
    "comparison": "When everyone else seems further along",
    "all-or-nothing": "When it is all or nothing",
    "catastrophe": "When everything looks lost",
    "mind-reading": "When you are sure what they think",
    "guilt": "When you did something wrong",
    "shame": "When you would rather not be seen",
    "worthlessness": "When you feel worth nothing",
    "body": "When it is about your body",
    "perfectionism": "When it is never good enough",
    "feelings-judged": "When you scold yourself for a feeling",
    "undeserving": "When you think you haven’t earned it",
}
_INFORMS = "Good to know about, and meant to be done with a trained person"
_READERS: dict[Reader, str] = {
    "adult": "To read",
    "teen": "To read, for teenagers",
    "child": "To read, for children",
}


class Practice:
    """The tab's components.

    Args:
        house: What all tabs share.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        sheet(_INTRO)
        sheet(lambda: today_markup(house.techniques, date.today()), "today")
        search = gr.Textbox(
            label="Search the cards",
            placeholder="for example: body, exam, sorry",
            container=True,
            elem_id="search",
            html_attributes=UNKEPT,
        )
        shelves = sheet(self._find(""), "library")
        search.change(
            self._find,
            search,
            shelves,
            trigger_mode="always_last",
            **QUIETLY,
        )

    def _find(self, query: str) -> str:
        return found_markup(self._house, query)


def today_markup(techniques: tuple[Technique, ...], day: date) -> str:
    """Return the day's small step as markup."""
    technique = todays(techniques, day)
    return (
        f"<div class='today'><h2>A small step for today</h2>{prose(technique.step)}"
        f"<p class='cite'>From the card “{escaped(technique.title)}”. Leave it if it doesn’t suit "
        "you.</p></div>"
    )


def found_markup(house: House, query: str) -> str:
    """Return the cards with all words of a query; in danger, the written words stand above them."""
    met = signposts(house.friend.assess(query), house.country, house.settings.wishes.voice)
    above = f"<section class='shelf'>{prose(met)}</section>" if met else ""
    return above + library_markup(house.techniques, house.background, query)


def library_markup(
    techniques: tuple[Technique, ...], background: tuple[Background, ...], query: str = ""
) -> str:
    """Return the cards as markup, those with all words of the query, shelf by shelf."""
    words = query.lower().split()
    led = [t for t in techniques if t.led and _has(words, _text(t))]
    informing = [t for t in techniques if not t.led and _has(words, _text(t))]
    shelves = [
        _shelf(_SHELVES[kind], map(_technique_markup, (t for t in led if t.when[0] == kind)))
        for kind in KINDS
    ]
    shelves.append(_shelf(_INFORMS, map(_technique_markup, informing)))
    for reader, title in _READERS.items():
        cards = [b for b in background if b.readers[0] == reader and _has(words, b.title + b.body)]
        shelves.append(_shelf(title, map(_background_markup, cards)))
    return "".join(shelves) or "<p class='none'>No card has these words. Try a shorter one.</p>"


def _has(words: list[str], text: str) -> bool:
    text = text.lower()
    return all(word in text for word in words)


def _text(technique: Technique) -> str:
    said = (f"{example.thought} {example.answer}" for example in technique.examples)
    return " ".join((technique.title, technique.why, technique.about, technique.step, *said))


def _shelf(title: str, cards: Iterable[str]) -> str:
    shown = "".join(cards)
    return f"<section class='shelf'><h2>{title}</h2>{shown}</section>" if shown else ""


def _technique_markup(technique: Technique) -> str:
    example = technique.examples[0]
    inside = (
        f"{prose(technique.about)}"
        f"<h3>A small step</h3>{prose(technique.step)}"
        "<h3>How a friend might say it</h3>"
        f"<blockquote>{prose(example.thought)}</blockquote>{prose(example.answer)}"
        f"<h3>When not to use it</h3>{prose(technique.not_when)}"
        f"<h3>How well it is supported</h3>{prose(technique.evidence)}"
        f"<p class='cite'>{escaped(str(technique.source))}</p>"
    )
    return _card(technique.title, technique.why, inside)


def _background_markup(card: Background) -> str:
    sources = "".join(f"<p class='cite'>{escaped(source)}</p>" for source in card.sources)
    return _card(card.title, "", f"{prose(card.body)}{sources}")


def _card(title: str, line: str, inside: str) -> str:
    below = f"<span>{escaped(line)}</span>" if line else ""
    return folded(f"<b>{escaped(title)}</b>{below}", f"<div class='card'>{inside}</div>", "entry")
