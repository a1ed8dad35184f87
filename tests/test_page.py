"""The chat page: what it shows, and that it is only there for its user."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from reframer import paths
from reframer.errors import ModelMissing
from reframer.records import Reframe, Source, Technique
from reframer.settings import Settings
from reframer.ui import page

TECHNIQUE = Technique(
    id="not-yet",
    title="Not yet",
    move="",
    why="Skills grow.",
    when=("label",),
    not_when="",
    source=Source("Dweck, C. S.", 2006, "Mindset", "Random House"),
    evidence="",
    reviewed="2026-11-24",
    about="",
    step="Write the word yet.",
)


class Echo:
    """A flow that answers with the text itself."""

    def prepare(self) -> None:
        pass

    def reframe(self, text: str) -> Reframe:
        return Reframe(text, text, "model", techniques=(TECHNIQUE,))


def _friend(opening: Callable[[], Any]) -> page.Friend:
    return page.Friend(opening)


def _last(friend: page.Friend, text: str) -> str:
    _, history = page._take(text, [])
    *_, answered = page._answer(friend, history)
    content = answered[-1]["content"]
    assert isinstance(content, str)
    return content


def test_an_answer_shows_words_technique_source_and_step() -> None:
    shown = _last(_friend(Echo), "I can't swim")
    for part in ("I can&#x27;t swim", "Not yet", "Skills grow.", "Dweck", "Write the word yet."):
        assert part in shown


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "![x](https://e.org)"]
)
def test_markup_in_a_thought_stays_text(hostile: str) -> None:
    shown = _last(_friend(Echo), hostile)
    assert "<img" not in shown
    assert "<script" not in shown
    _, history = page._take(hostile, [])
    assert "<" not in history[0]["content"]


def test_a_thought_reaches_the_flow_as_it_was_typed() -> None:
    heard: list[str] = []

    class Ear(Echo):
        def reframe(self, text: str) -> Reframe:
            heard.append(text)
            return super().reframe(text)

    _last(_friend(Ear), 'I said "<3 & you" to him')
    assert heard == ['I said "<3 & you" to him']


def test_a_missing_model_is_said_in_one_line() -> None:
    class Missing(Echo):
        def reframe(self, text: str) -> Reframe:
            raise ModelMissing("The model is not here.", "Run: reframer models pull")

    assert "Run: reframer models pull" in _last(_friend(Missing), "I ruin everything")


def test_an_empty_thought_changes_nothing() -> None:
    assert page._take("  ", []) == ("", [])
    assert list(page._answer(_friend(Echo), [])) == [[]]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(port=port, models_dir=paths.cache_dir() / "no-models-here")
    yield page.launch(settings, browser=False, block=False)


def test_the_page_opens_with_its_link_and_only_with_it(address: str) -> None:
    parts = urlsplit(address)
    home = f"{parts.scheme}://{parts.netloc}/"
    with httpx.Client(follow_redirects=True) as user, httpx.Client() as stranger:
        opened = user.get(address)
        assert opened.status_code == 200
        assert "reframer" in opened.text
        assert "k=" not in str(opened.url)
        assert user.get(f"{home}config").status_code == 200
        assert stranger.get(home).status_code == 401
        assert stranger.get(f"{home}config").status_code == 401


def test_the_browser_may_load_nothing_from_elsewhere(address: str) -> None:
    with httpx.Client(follow_redirects=True) as user:
        policy = user.get(address).headers["content-security-policy"]
    sources = {word for rule in policy.split(";") for word in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "data:"}
