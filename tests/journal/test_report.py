"""The journal's report: one page that holds all it needs, for every eye and for paper."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reframer import paths
from reframer.journal import report
from reframer.journal.records import (
    Answer,
    Fit,
    Held,
    Insight,
    JournalResult,
    Month,
    Phrase,
    Reply,
    Unread,
)
from reframer.journal.report import report_html
from reframer.knowledge import load_techniques
from reframer.records import KIND_NAMES, KINDS, Source, Technique
from tests.journal.diary import FOLDER, diary

HOSTILE = "<script src=https://e.org/x.js></script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}&lt;"
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "rect", "line"}
SMALL = Path(__file__).parent / "small-report.txt"
BLOCKS = set(
    "title body div h1 h2 h3 h4 p li blockquote desc figcaption summary caption th td".split()
)
NOTHING = JournalResult(
    title="empty",
    path=Path("empty"),
    formats=(),
    entries=0,
    first=None,
    last=None,
    replies=(),
    held=(),
    insight=Insight(),
    unread=(),
    model="",
    asked="",
    made=date(2026, 4, 1),
)


class Page(HTMLParser):
    """A page as read: its tags with their attributes, and its words block by block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._raw: list[tuple[str, str]] = []
        self.style = ""
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, "a tag was left open"

    @property
    def blocks(self) -> list[tuple[str, str]]:
        read = ((tag, " ".join(words.split())) for tag, words in self._raw)
        return [(tag, words) for tag, words in read if words]

    @property
    def words(self) -> str:
        return "\n".join(words for _, words in self.blocks)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in BLOCKS:
            self._raw.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        elif self._raw:
            tag, words = self._raw.pop()
            self._raw.append((tag, words + data))


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the cards takes longer than all the rest."""
    monkeypatch.setattr(report, "load_techniques", lambda *_, **__: cards())


@cache
def cards() -> tuple[Technique, ...]:
    return load_techniques()


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_html(diary()))


def reply(number: int, day: date | None = None, text: str = "I ruin everything.") -> Reply:
    answer = Answer(
        entry=f"{number}.md#1",
        start=0,
        end=len(text),
        sentence=text,
        kind="label",
        strength=0.5,
        words=text,
        origin="model",
        technique="not-yet",
    )
    return Reply(answer, day, title=text, technique="Not yet")


def test_an_answer_stands_beside_its_sentence_with_its_technique_and_source(page: Page) -> None:
    said = [words for tag, words in page.blocks if tag == "blockquote"]
    assert said == [f"You wrote: {r.answer.sentence}" for r in diary().replies]
    by_id = {card.id: card for card in cards()}
    for shown in diary().replies:
        card = by_id[shown.answer.technique]
        for words in (shown.answer.words, card.title, card.why, card.source.title):
            assert words in page.words


def test_entries_come_by_day_and_those_without_a_day_last() -> None:
    days = [None, date(2026, 2, 1), date(2025, 12, 31), date(2026, 1, 5)]
    replies = tuple(reply(number, day) for number, day in enumerate(days))
    page = Page(report_html(replace(NOTHING, entries=4, replies=replies)))
    months = [words for tag, words in page.blocks if tag == "h3"]
    assert months == ["December 2025", "January 2026", "February 2026", "Without a date"]
    entries = [words for tag, words in page.blocks if tag == "h4"]
    assert entries[0] == "Wednesday, 31 December"
    assert entries[-1] == "I ruin everything."  # its title, where there is no day
    links = [link["href"] for link in page.all("a")]
    assert {"#month-2025-12", "#month-2026-01", "#undated"} <= set(links)


def test_what_safety_set_aside_comes_first_with_where_to_turn(page: Page) -> None:
    assert page.words.index("14 February 2026") < page.words.index("A friend says")
    assert "Samaritans: call 116 123" in page.words
    assert "https://www.samaritans.org" in [link["href"] for link in page.all("a")]


def test_the_same_help_is_shown_once_for_all_entries_that_need_it() -> None:
    held = tuple(
        Held(f"{day}.md#1", date(2026, 2, day), HOSTILE, "concern", "Talk to somebody.")
        for day in (3, 9)
    )
    words = Page(report_html(replace(NOTHING, entries=2, held=held))).words
    assert words.count("Talk to somebody.") == 1
    assert "3 February 2026, 9 February 2026" in words
    assert "script" not in words  # of an entry with a day, nothing else is shown


@pytest.mark.parametrize(
    ("went_on", "said", "unsaid"),
    [
        ((False, False), "These entries have no answer", "not meant so"),
        ((True, False), "One entry has no answer", "These entries"),
        ((True, True), "some entries were not meant so, and they are answered", "no answer"),
    ],
)
def test_an_entry_that_was_not_meant_so_is_said_to_be_answered_and_the_help_stays(
    went_on: tuple[bool, ...], said: str, unsaid: str
) -> None:
    held = tuple(
        Held(f"{day}.md#1", date(2026, 2, day), "", "concern", "Talk to somebody.", answered)
        for day, answered in enumerate(went_on, start=1)
    )
    words = Page(report_html(replace(NOTHING, entries=2, held=held))).words
    assert said in words
    assert unsaid not in words
    assert "Talk to somebody." in words


def test_whatever_somebody_wrote_stays_text(page: Page) -> None:
    hostile = replace(
        NOTHING,
        title=HOSTILE,
        formats=(HOSTILE,),
        entries=2,
        replies=(replace(reply(1, text=HOSTILE), technique=HOSTILE),),
        held=(Held(HOSTILE, None, HOSTILE, "crisis", f"{HOSTILE}\n\n- {HOSTILE}"),),
        insight=Insight(
            months=(Month(date(2026, 1, 1), 1, 0, {"label": 1}, 0),),
            phrases=(Phrase(HOSTILE, 2),),
            techniques=(Fit("their-own", HOSTILE, 1),),
        ),
        unread=(Unread(Path(HOSTILE), HOSTILE),),
        model=HOSTILE,
        asked=f"openai:{HOSTILE}",
    )
    shown = Page(report_html(hostile))
    assert not shown.all("script") + shown.all("img")
    assert {tag for tag, _ in shown.tags} <= {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, has in shown.tags for name in has)
    assert f"You wrote: {HOSTILE}" in shown.words


def test_the_page_asks_for_nothing_else(page: Page) -> None:
    assert not [tag for tag, has in page.tags if {"src", "srcset", "data", "poster"} & has.keys()]
    assert not page.all("link") + page.all("script") + page.all("iframe") + page.all("object")
    assert "url(" not in page.style
    assert "@import" not in page.style
    policy = next(m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_every_picture_has_its_words_and_the_numbers_stand_in_a_table(page: Page) -> None:
    ids = {has["id"] for _, has in page.tags if has.get("id")}
    pictures = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    heard = {r.answer.kind for r in diary().replies}
    assert len(pictures) == 1 + len(heard)
    assert all(set(str(svg["aria-labelledby"]).split()) <= ids for svg in pictures)
    assert "Hard names for yourself: 4 times in all, most in February 2026 (2)." in page.words
    heads = [words for tag, words in page.blocks if tag == "th"]
    assert heads[:4] == ["Month", "Entries", "Entries without the critic", "Kind words"]
    assert heads[-3:] == ["January 2026", "February 2026", "March 2026"]


def test_it_can_be_walked_through_by_headings_and_links(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    ids = [has["id"] for _, has in page.tags if has.get("id")]
    assert len(set(ids)) == len(ids)
    links = [str(link["href"]) for link in page.all("a")]
    assert links[0] == "#words"
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == 1


def colours(style: str) -> list[dict[str, str]]:
    return [
        dict(re.findall(r"--(\w+): (#\w+)", rule))
        for rule in re.findall(":root {(.*?)}", style, re.S)
    ]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_and_pictures_stand_out_from_the_paper_in_light_dark_and_print(page: Page) -> None:
    schemes = colours(page.style)
    assert len(schemes) == 3
    for scheme in schemes:
        for ground in ("paper", "wash"):
            for words in ("ink", "soft", "leaf"):
                assert contrast(scheme[words], scheme[ground]) >= 4.5  # WCAG 2.2, 1.4.3
        assert contrast(scheme["clay"], scheme["paper"]) >= 3  # 1.4.11


def test_its_colours_are_those_of_the_chat_page(page: Page) -> None:
    css = paths.package_file("ui", "page.css").read_text(encoding="utf-8")
    rules = re.findall(r"(?::root|\.dark) {(.*?)}", css, re.S)
    for rule, scheme in zip(rules[:2], colours(page.style), strict=False):
        chat = dict(re.findall(r"--(\w+): (#\w+)", rule))
        shared = chat.keys() & scheme.keys()
        assert len(shared) > 5
        assert all(chat[name] == scheme[name] for name in shared)


def test_a_journal_without_anything_in_it_says_so_quietly() -> None:
    words = Page(report_html(NOTHING)).words
    assert "There was no entry to read." in words
    assert "there is nothing to answer" in words
    assert "What came up" not in words


def test_files_that_could_not_be_read_are_named_within_the_journal(page: Page) -> None:
    assert "old/scan.md: The bytes are not text in UTF-8." in page.words
    assert str(FOLDER) not in page.words


def test_a_chosen_server_is_named_as_the_one_that_was_given_the_sentences() -> None:
    assert "Nothing left this machine." in Page(report_html(diary())).words
    for model in ("openai:large", ""):  # also where none of its drafts could be shown
        served = Page(report_html(replace(diary(), model=model, asked="openai:large"))).words
        assert "Nothing left this machine." not in served
        assert "300 characters that stand before each, were given to openai:large" in served
        assert "a server you chose" in served


def test_months_without_entries_keep_their_place_in_the_pictures() -> None:
    months = tuple(
        Month(first, 1, 0, {"guilt": 1}, 0) for first in (date(2025, 11, 1), date(2026, 2, 1), None)
    )
    page = Page(report_html(replace(NOTHING, entries=3, insight=Insight(months))))
    picture = next(svg for svg in page.all("svg") if svg.get("role") == "img")
    assert picture["viewbox"] == "0 100.0 500 100.0"
    rows = [words for tag, words in page.blocks if tag == "th"][-3:]
    assert rows == ["November 2025", "February 2026", "Without a date"]


def test_every_kind_has_a_name_that_a_reader_understands() -> None:
    assert tuple(KIND_NAMES) == KINDS
    assert len(set(KIND_NAMES.values())) == len(KINDS)


def test_ten_years_with_two_thousand_answers_are_laid_out_at_once() -> None:
    replies = tuple(
        reply(number, date(2016 + number // 200, number % 12 + 1, number % 28 + 1))
        for number in range(2000)
    )
    months = tuple(
        Month(date(2016 + number // 12, number % 12 + 1, 1), 30, 20, dict.fromkeys(KINDS, 2), 5)
        for number in range(120)
    )
    result = replace(NOTHING, entries=3650, replies=replies, insight=Insight(months))
    started = time.process_time()
    html = report_html(result)
    assert time.process_time() - started < 2
    assert len(html) < 5_000_000


def test_a_small_report_reads_from_beginning_to_end_as_it_always_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = replace(
        cards()[0],
        id="not-yet",
        title="Not yet",
        why="Skills grow.",
        step="Write down the word.",
        source=Source("Dweck, C. S.", 2006, "Mindset", "Random House", "10.1000/182"),
    )
    monkeypatch.setattr(report, "load_techniques", lambda *_, **__: (card,))
    small = replace(
        NOTHING,
        title="2026.md",
        formats=("Markdown",),
        entries=3,
        first=date(2026, 1, 5),
        last=date(2026, 1, 9),
        replies=(reply(1, date(2026, 1, 5)),),
        held=(Held("2026.md#2", date(2026, 1, 9), "", "concern", "Please ring.\n\n- Lines: 1"),),
        insight=Insight(
            (Month(date(2026, 1, 1), 2, 1, {"label": 2}, 1),),
            (Phrase("I ruin everything.", 2),),
            (Fit("not-yet", "Not yet", 1),),
        ),
        unread=(Unread(Path("2026.md"), "Entry 3 has no text."),),
    )
    read = [f"{tag}: {words}" for tag, words in Page(report_html(small)).blocks]
    assert read == SMALL.read_text(encoding="utf-8").splitlines()
