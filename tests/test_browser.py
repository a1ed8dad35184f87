"""The page in a real browser: what a person sees, by mouse and keyboard, light and dark."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reframer import settings
from reframer.history import Entry, History
from tests.free_port import free_port
from tests.serving import serving
from tests.test_proof import files_with

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parent.parent
THOUGHT = "I froze in the meeting. They must think I'm useless."
SLOW = "I'm so slow, I'm such an idiot."
JOURNAL = "2026-11-20\n\nSoup. I am worthless.\n\n2026-11-21\n\nI'm a terrible friend.\n"
TABS = ("Chat", "Journal", "Practice", "Over time", "Help", "Privacy", "Settings")
PASSPHRASE = "three quiet words"
ANSWER_MS = 20_000
SETTLED_MS = 3_000

pytest.importorskip("playwright", reason="playwright is not installed: pip install -e '.[dev]'")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"There is no {CHROMIUM}: apt-get install chromium"
)


@contextmanager
def served(folder: Path, *words: str) -> Iterator[str]:
    """Serve the page with a fake friend in another process, and give its address."""
    environ = {
        **os.environ,
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "REFRAMER_MODELS_DIR": str(settings.load().models_dir),
        "REFRAMER_COUNTRY": "GB",
    }
    with serving(("-m", "tests.page_server", str(free_port()), *words), environ) as address:
        yield address


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@pytest.fixture(scope="module")
def address(config: Path) -> Iterator[str]:
    with served(config) as address:
        yield address


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM)
    yield browser
    browser.close()


class Visit:
    """Opens pages, and remembers what no page may do: fail aloud, or load from elsewhere."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.failures: list[str] = []

    def open(self, address: str, **options: Any) -> Page:
        context = self._browser.new_context(**options)
        context.set_default_timeout(ANSWER_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self._asked(request.url))
        page.goto(address)
        page.locator("#thought textarea").wait_for()
        return page

    def close(self) -> None:
        for context in self._browser.contexts:
            context.close()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.failures.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.failures.append(f"asked for {url}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    visit.close()
    assert visit.failures == []


@pytest.fixture
def page(visit: Visit, address: str) -> Page:
    return visit.open(address)


def box(page: Page) -> Locator:
    return page.locator("#thought textarea")


def say(page: Page, text: str, turn: int = 1) -> Locator:
    """Type a text, send it, and return the words that come back as the turn of that number."""
    box(page).fill(text)
    box(page).press("Enter")
    return words(page, turn)


def words(page: Page, turn: int) -> Locator:
    latest = page.locator(f"#talk .turn:nth-of-type({turn}).latest .words")
    latest.wait_for()
    return latest


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def go(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab).click()
    page.locator(f"#{tab.lower().replace(' ', '-')}").wait_for()


def settle(page: Page) -> None:
    """Wait for the settings a fresh page asks for; they take back a choice made before them."""
    page.wait_for_timeout(SETTLED_MS)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.tagName"))


def is_wider_than_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds that keeps somebody out."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


# First screen


def test_the_page_is_there_within_three_seconds(visit: Visit, address: str) -> None:
    times = []
    for _ in range(5):  # other programs may be at work on this machine
        started = time.perf_counter()
        visit.open(address)
        times.append(time.perf_counter() - started)
        if times[-1] < 3.0:
            return
    raise AssertionError(f"It took {times} seconds.")


def test_the_first_screen_says_what_it_is_and_waits_for_words(page: Page) -> None:
    assert page.get_by_role("heading", name="What are you telling yourself?").is_visible()
    assert page.locator("#examples button").count() == 3
    assert page.get_by_text("not a person and not care").is_visible()
    page.wait_for_function("() => document.activeElement.matches('#thought textarea')")


def test_an_example_is_put_into_the_box_to_be_changed(page: Page) -> None:
    example = page.locator("#examples button").first
    text = example.inner_text()
    example.click()
    page.wait_for_function("text => document.activeElement.value === text", arg=text)


# Answers


def test_a_thought_is_answered_with_where_the_words_come_from(page: Page) -> None:
    assert "meeting" in say(page, THOUGHT).inner_text()
    turn = page.locator("#talk .latest")
    assert turn.locator(".asked").inner_text() == THOUGHT
    assert turn.locator(".behind b").is_visible()
    assert re.search(r"\(\d{4}\)", turn.locator(".cite").inner_text())
    turn.get_by_text("A small step").click()
    assert turn.locator(".step p").is_visible()
    assert box(page).input_value() == ""
    assert not page.locator("#welcome").is_visible()


def test_new_words_are_read_out_to_who_cannot_see_them(page: Page) -> None:
    said = say(page, THOUGHT).inner_text()
    live = page.locator("#live")
    assert live.get_attribute("aria-live") == "polite"
    assert live.inner_text().strip() == said.strip()


def test_the_same_words_given_again_are_read_out_again_and_cleared_ones_are_gone(
    page: Page,
) -> None:
    live, danger = page.locator("#live"), "I want to kill myself tonight."
    first = say(page, danger).inner_text()
    before = live.inner_html()
    assert say(page, danger, 2).inner_text() == first
    assert live.inner_html() != before
    press(page, "Undo")
    words(page, 1)
    assert live.inner_text().strip() == ""
    press(page, "Clear all")
    page.locator("#welcome").wait_for()
    assert live.inner_text().strip() == ""


@pytest.mark.parametrize(
    "wish", ["Another way", "Softer", "Shorter", "More practical", "As “I”", "This did not fit"]
)
def test_a_wish_is_answered_beside_the_thought_it_is_about(page: Page, wish: str) -> None:
    before = say(page, THOUGHT).inner_text()
    press(page, wish)
    after = words(page, 2)
    assert after.inner_text() != before
    assert THOUGHT in page.locator("#talk .latest .asked").inner_text()


def test_a_wish_and_a_stop_leave_what_is_half_typed(page: Page) -> None:
    say(page, THOUGHT)
    box(page).fill("And then")
    press(page, "Another way")
    words(page, 2)
    assert box(page).input_value() == "And then"
    box(page).fill(SLOW)
    box(page).press("Enter")
    page.locator("#stop").wait_for()
    box(page).fill("And then")
    press(page, "Stop")
    page.wait_for_function("text => document.activeElement.value === text", arg=f"{SLOW}\nAnd then")


def test_words_to_say_oneself_can_be_turned_back(page: Page) -> None:
    say(page, THOUGHT)
    press(page, "As “I”")
    words(page, 2)
    assert not page.get_by_role("button", name="As “I”").is_visible()
    press(page, "As “you”")
    words(page, 3)
    assert page.get_by_role("button", name="As “I”").is_visible()
    say(page, "in my own words please", 4)
    assert page.get_by_role("button", name="As “you”").is_visible()


def test_the_words_can_be_copied(visit: Visit, address: str) -> None:
    page = visit.open(address, permissions=["clipboard-read", "clipboard-write"])
    said = say(page, THOUGHT).inner_text()
    press(page, "Copy")
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == said.strip()
    press(page, "Copied")
    page.wait_for_timeout(2500)
    assert page.get_by_role("button", name="Copy", exact=True).is_visible()


def test_an_answer_can_be_stopped_and_leaves_no_trace(page: Page) -> None:
    say(page, THOUGHT)
    box(page).fill(SLOW)
    box(page).press("Enter")
    page.get_by_text("Thinking about it").wait_for()
    press(page, "Stop")
    page.wait_for_function("text => document.activeElement.value === text", arg=SLOW)
    assert page.get_by_text("Thinking about it").count() == 0
    say(page, "I am useless.", turn=2)
    assert page.locator("#talk .turn").count() == 2


def test_messages_sent_in_quick_succession_are_all_answered(page: Page) -> None:
    for text in (SLOW, "I want to kill myself tonight.", "I am useless."):
        box(page).fill(text)
        box(page).press("Enter")
        page.locator("#talk .asked").get_by_text(text).wait_for()
    words(page, 3)
    assert "116 123" in page.locator("#talk .is-safety .words").inner_text()
    assert page.locator("#talk .turn").count() == 3


def test_what_was_said_can_be_edited_undone_and_cleared(page: Page) -> None:
    say(page, THOUGHT)
    press(page, "Edit what I wrote")
    page.wait_for_function("text => document.activeElement.value === text", arg=THOUGHT)
    say(page, f"{THOUGHT} Again.")
    say(page, "I am useless.", turn=2)
    press(page, "Undo")
    words(page, 1)
    assert page.locator("#talk .turn").count() == 1
    press(page, "Clear all")
    page.locator("#welcome").wait_for()
    assert page.locator("#talk .turn").count() == 0


def test_a_long_message_comes_back_whole_to_be_edited(page: Page) -> None:
    day = "We had soup and walked along the river. My sister had driven there in the new car. " * 4
    text = f"{day}I'm such an idiot for losing the keys."
    say(page, text)
    press(page, "Softer")
    words(page, 2)
    press(page, "Edit what I wrote")
    page.wait_for_function("text => document.activeElement.value === text", arg=text)


def test_a_new_answer_is_brought_into_view(visit: Visit, address: str) -> None:
    page = visit.open(address, viewport={"width": 390, "height": 500})
    for turn in range(1, 4):
        said = say(page, f"{THOUGHT} {'Again. ' * turn}", turn)
    page.wait_for_function("() => window.scrollY > 300")
    top = said.evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < 500


def test_two_tabs_know_nothing_of_each_other(visit: Visit, address: str) -> None:
    one, other = visit.open(address), visit.open(address)
    say(one, THOUGHT)
    assert other.locator("#welcome").is_visible()
    say(other, "I am a bad friend.")
    assert "friend" not in one.locator("#talk .asked").inner_text()
    one.reload()
    one.locator("#welcome").wait_for()


# Danger, and texts that mean harm


def test_danger_is_met_with_written_words_and_help_lines(page: Page) -> None:
    said = say(page, "I want to kill myself tonight, I have the pills here.").inner_text()
    assert "116 123" in said
    assert "999" in said
    assert not page.locator("#wishes").is_visible()
    first = page.locator("#talk .words span").first
    assert first.evaluate("e => getComputedStyle(e).animationName") == "none"
    press(page, "That’s not what I meant")
    assert "116 123" in words(page, 2).inner_text()


@pytest.mark.parametrize(
    "hostile",
    [
        "I'm useless <img src=x onerror=alert(1)>",
        "I'm useless ![x](https://example.org/x.png) **bold** `code` $$x^2$$",
        "I'm useless <script>alert(1)</script><!-- </section>",
        "I'm useless \u202eesrever dna\u202c أنا عديم الفائدة",
        "I'm useless\n\n# A heading\n\n<b>and</b> [a link](javascript:alert(1))",
    ],
)
def test_a_hostile_text_is_shown_as_it_is(page: Page, hostile: str) -> None:
    say(page, hostile)
    shown = page.locator("#talk .asked")
    assert shown.inner_text().split() == hostile.split()
    assert shown.locator("img, script, strong, a, h1, code, .katex").count() == 0


def test_an_endless_text_is_refused_in_a_line_and_stays_in_the_box(page: Page) -> None:
    text = "I am useless. " * 3600
    box(page).fill(text)
    box(page).press("Enter")
    page.locator("#note").get_by_text("characters").wait_for()
    page.wait_for_function("text => document.activeElement.value === text", arg=text)
    assert page.locator("#talk .turn").count() == 0


def test_more_than_the_page_takes_is_refused_in_a_line_and_stays_in_the_box(page: Page) -> None:
    text = "I am useless. " * 80_000
    box(page).fill(text)
    box(page).press("Enter")
    page.get_by_role("alert").get_by_text("Send it in parts").wait_for()
    press(page, "Send")
    assert box(page).input_value() == text
    box(page).fill(THOUGHT)
    box(page).press("Enter")
    words(page, 1)
    assert page.get_by_text("Send it in parts").count() == 0
    go(page, "Journal")
    page.locator("#journal-text textarea").fill(text)
    press(page, "Begin")
    page.get_by_role("alert").get_by_text("reframer journal").wait_for()


def test_a_closed_tab_keeps_nobody_waiting(visit: Visit, address: str) -> None:
    for _ in range(5):  # each would hold six of the places in which answers are drafted
        page = visit.open(address)
        box(page).fill("I am an endless idiot.")
        box(page).press("Enter")
        page.get_by_text("Thinking about it").wait_for()
        page.context.close()
    say(visit.open(address), THOUGHT)


def test_a_stopped_answer_keeps_nobody_waiting(page: Page) -> None:
    for _ in range(20):
        box(page).fill("I am an endless idiot.")
        box(page).press("Enter")
        page.get_by_text("Thinking about it").wait_for()
        press(page, "Stop")
        page.locator("#welcome").wait_for()
    say(page, THOUGHT)


def test_without_a_model_the_cards_answer_and_the_page_says_what_to_do(
    visit: Visit, tmp_path: Path
) -> None:
    with served(tmp_path, "missing") as address:
        page = visit.open(address)
        page.get_by_text("reframer models pull").wait_for()
        say(page, THOUGHT)
        assert page.get_by_text("No model worded this: the card’s own words").is_visible()
        go(page, "Help")
        assert page.get_by_text("Samaritans").first.is_visible()
        visit.close()


# What the browser keeps


@contextmanager
def own_browser(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """Open a browser whose profile, cache, home and temporary files all lie in one folder."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    environ = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    context = playwright.chromium.launch_persistent_context(
        folder / "profile",
        executable_path=CHROMIUM,
        env={**os.environ, **environ},
        args=[f"--disk-cache-dir={folder / 'cache'}"],
    )
    context.set_default_timeout(ANSWER_MS)
    yield context
    context.close()


def leave_a_trace(page: Page, mark: str) -> None:
    """Put a word into a box that nothing keeps the browser from remembering."""
    page.evaluate(
        """mark => {
            const box = document.createElement("textarea");
            document.body.append(box);
            box.value = mark;
        }""",
        mark,
    )


@pytest.mark.parametrize("ending", ["left", "open"])
def test_a_browser_that_was_closed_has_kept_nothing_that_was_typed(
    address: str,
    config: Path,
    playwright: Playwright,
    tmp_path_factory: pytest.TempPathFactory,
    ending: str,
) -> None:
    began = time.time()
    folder = tmp_path_factory.mktemp("b")  # a socket in it needs a short path
    mark, trace = (f"zq{secrets.token_hex(6)}" for _ in range(2))
    with own_browser(playwright, folder) as context:
        page = context.new_page()
        page.goto(address)
        say(page, f"I'm such an idiot, I ruined the {mark} again.")
        box(page).press_sequentially(f"Never sent: {mark}")
        go(page, "Journal")
        page.locator("#journal-text textarea").fill(f"{mark}\n\n{JOURNAL}")
        page.locator("#journal-name :is(textarea, input)").evaluate(
            "(field, mark) => { field.value = mark; }", mark
        )
        press(page, "Begin")
        page.locator("#review").wait_for()
        page.locator("#friends-words textarea").fill(f"In my own words: {mark}")
        go(page, "Practice")
        page.locator("#search textarea").fill(mark)
        page.get_by_text("No card has these words").wait_for()
        leave_a_trace(page, trace)
        if ending == "left":
            page.goto("about:blank")
    assert files_with(mark, [folder]) == []
    assert files_with(mark, [config, Path(tempfile.gettempdir())], began) == []
    assert ending == "open" or files_with(trace, [folder])


# The other tabs


def test_a_journal_is_answered_gone_through_and_saved(page: Page) -> None:
    go(page, "Journal")
    page.locator("#journal-text textarea").fill(JOURNAL)
    press(page, "Begin")
    page.locator("#review").wait_for()
    page.get_by_text("Sentence 1 of 2").wait_for()
    first = page.locator("#answers .turn").first
    assert first.locator(".asked").inner_text().startswith("I am worthless")
    assert first.locator(".words").is_visible()
    press(page, "Leave the sentence as it is")
    first.get_by_text("Left as it is.").wait_for()
    page.locator("#friends-words textarea").fill("In my own words.")
    press(page, "Back")
    page.get_by_text("Sentence 1 of 2").wait_for()
    press(page, "Leave the sentence as it is")
    page.get_by_text("Sentence 2 of 2").wait_for()
    assert page.locator("#friends-words textarea").input_value() == "In my own words."
    assert page.locator("#sentence").get_attribute("aria-live") == "polite"
    assert page.locator("#answers [aria-current=true]").inner_text().startswith("I'm a terrible")
    press(page, "Keep")
    page.locator("#review").wait_for(state="detached")
    page.wait_for_function("() => document.activeElement.id === 'journal-download'")
    with page.expect_download() as download:
        press(page, "Download")
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename == "journal.txt"
    assert saved == JOURNAL.replace("friend.\n", "friend.\nFriend: In my own words.\n")


def test_a_journal_does_not_wait_for_that_of_another_tab(visit: Visit, address: str) -> None:
    one, other = visit.open(address), visit.open(address)
    for page, journal in ((one, "I am an endless idiot.\n"), (other, JOURNAL)):
        go(page, "Journal")
        page.locator("#journal-text textarea").fill(journal)
        press(page, "Begin")
        page.locator("#journal-do").wait_for(state="hidden")
    other.get_by_text("Sentence 1 of 2").wait_for()
    assert one.locator("#journal-stop").is_visible()
    press(one, "Stop")
    one.get_by_text("Stopped.").wait_for()


def test_a_journal_file_is_read_by_the_page_itself(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "2026-11-20.md"
    file.write_text(JOURNAL, encoding="utf-8")
    go(page, "Journal")
    with page.expect_file_chooser() as chooser:
        press(page, "Open a file")
    chooser.value.set_files(file)
    page.wait_for_function("() => document.querySelector('#journal-text textarea').value")
    assert page.locator("#journal-text textarea").input_value() == JOURNAL
    assert page.locator("#journal-name :is(textarea, input)").input_value() == file.name


def choose(page: Page, file: Path) -> None:
    go(page, "Journal")
    with page.expect_file_chooser() as chooser:
        press(page, "Open a file")
    chooser.value.set_files(file)


def test_a_file_of_windows_is_saved_with_its_mark_and_line_ends(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "diary.txt"
    file.write_bytes(b"\xef\xbb\xbf" + JOURNAL.replace("\n", "\r\n").encode())
    choose(page, file)
    page.wait_for_function("() => document.querySelector('#journal-text textarea').value")
    press(page, "Begin")
    page.locator("#review").wait_for()
    press(page, "Leave the sentence as it is")
    page.get_by_text("Sentence 2 of 2").wait_for()
    press(page, "Leave the sentence as it is")
    page.locator("#review").wait_for(state="detached")
    with page.expect_download() as download:
        press(page, "Download")
    assert Path(download.value.path()).read_bytes() == file.read_bytes()


def refused_beside_a_journal(page: Page, file: Path) -> None:
    """Choose a file that cannot be taken, and see that what stands in the box already stays."""
    go(page, "Journal")
    page.locator("#journal-text textarea").fill(JOURNAL)
    choose(page, file)
    page.get_by_text("reframer journal, and its path").wait_for()
    assert page.locator("#journal-text textarea").input_value() == JOURNAL
    assert page.locator("#journal-name :is(textarea, input)").input_value() == "journal.txt"


def test_a_file_that_would_be_damaged_is_refused_with_another_way(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "old.txt"
    file.write_bytes("I’m a terrible friend.".encode("cp1252"))
    refused_beside_a_journal(page, file)


def test_a_file_that_is_too_large_is_refused_with_another_way(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "years.md"
    file.write_text("We had soup.\n" * 50_000, encoding="utf-8")
    refused_beside_a_journal(page, file)


def test_danger_in_a_journal_is_met_before_anything_else(page: Page) -> None:
    go(page, "Journal")
    page.locator("#journal-text textarea").fill("I want to kill myself tonight.")
    press(page, "Begin")
    page.locator("#held").get_by_text("116 123").wait_for()


def test_what_was_set_aside_with_concern_is_answered_where_it_was_not_meant_so(page: Page) -> None:
    go(page, "Journal")
    page.locator("#journal-text textarea").fill(
        "Sometimes I wish I could just disappear.\nI'm such an idiot for losing the keys."
    )
    press(page, "Begin")
    page.locator("#held").get_by_text("116 123").wait_for()
    assert page.locator("#answers .turn").count() == 0
    press(page, "That’s not what I meant; answer it too")
    page.locator("#answers .turn").first.wait_for()
    page.locator("#held").get_by_text("116 123").wait_for(state="hidden")


def test_the_library_can_be_searched(page: Page) -> None:
    go(page, "Practice")
    assert page.get_by_text("A small step for today").is_visible()
    entries = page.locator("#library .entry")
    entries.first.wait_for()
    everything = entries.count()
    assert everything == 64
    page.locator("#search textarea").fill("mirror")
    page.wait_for_function(
        f"() => document.querySelectorAll('#library .entry').length < {everything}"
    )
    entries.first.locator("summary").click()
    assert entries.first.locator(".card .cite").first.is_visible()
    page.locator("#search textarea").fill("xyzzy")
    page.get_by_text("No card has these words").wait_for()


def test_without_a_history_the_page_says_how_to_turn_it_on_and_keeps_nothing(page: Page) -> None:
    go(page, "Over time")
    page.locator("#kept-intro").get_by_text("reframer history on").wait_for()
    assert not page.locator("#passphrase").is_visible()
    go(page, "Chat")
    say(page, THOUGHT)
    assert not page.get_by_role("button", name="Keep", exact=True).is_visible()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, History]]:
    """Serve a page beside a history, and give its address and the history."""
    folder = tmp_path_factory.mktemp("kept")
    history = History.create(folder / "reframer" / "history" / "entries", PASSPHRASE)
    history.add(Entry("I'm stupid.", "A hard word.", ("label",), "Not yet", "model", kind_talk=1))
    with served(folder) as address:
        yield address, history


def unlock(page: Page, passphrase: str = PASSPHRASE) -> None:
    go(page, "Over time")
    page.get_by_label("Passphrase of your history").fill(passphrase)
    press(page, "Unlock")


def test_a_history_is_shown_to_who_knows_its_passphrase(
    visit: Visit, kept: tuple[str, History]
) -> None:
    page = visit.open(kept[0])
    unlock(page, "not this one")
    page.get_by_role("alert").get_by_text("The passphrase is wrong").wait_for()
    assert page.locator("#pictures svg").count() == 0
    unlock(page)
    picture = page.get_by_role("img", name="Hard names for yourself: once in all")
    picture.wait_for()
    page.get_by_label("By month").check()
    page.get_by_role("heading", name="Month by month").wait_for()
    press(page, "Lock the history")
    page.get_by_label("Passphrase of your history").wait_for()
    assert page.locator("#pictures svg").count() == 0


@pytest.fixture
def torn(kept: tuple[str, History]) -> Iterator[tuple[str, History]]:
    """Tear off the end of the history for one test."""
    file = kept[1]._path
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    yield kept
    file.write_bytes(whole)


def test_a_damaged_history_is_said_to_be_before_and_after_more_is_kept(
    visit: Visit, torn: tuple[str, History]
) -> None:
    address, history = torn
    page = visit.open(address)
    unlock(page)
    page.get_by_role("alert").get_by_text("The end of the history file is missing").wait_for()
    assert page.locator("#pictures svg").count() > 0
    history.add(Entry("I'm late.", "A full day."))
    page.get_by_label("By month").check()
    page.get_by_role("alert").get_by_text("entries can be read").wait_for()


def said_with_history(page: Page) -> str:
    """Unlock the history, say the thought, and return the answer's words."""
    unlock(page)
    page.locator("#pictures svg").first.wait_for()
    go(page, "Chat")
    return say(page, THOUGHT).inner_text()


def test_an_answer_is_kept_when_asked_and_only_then(
    visit: Visit, kept: tuple[str, History]
) -> None:
    page = visit.open(kept[0])
    before = kept[1].records()
    said = said_with_history(page)
    assert kept[1].records() == before
    press(page, "Keep")
    page.locator("#note").get_by_text("Kept in your history.").wait_for()
    assert page.evaluate("document.activeElement.matches('#thought textarea')")
    (entry,) = kept[1].records()[len(before) :]
    assert (entry.thought, entry.words, entry.misfit) == (THOUGHT, said.strip(), "")
    assert not page.get_by_role("button", name="Keep", exact=True).is_visible()
    other = visit.open(kept[0])
    say(other, THOUGHT)
    assert not other.get_by_role("button", name="Keep", exact=True).is_visible()


def test_what_did_not_fit_is_kept_with_its_reason(visit: Visit, kept: tuple[str, History]) -> None:
    page = visit.open(kept[0])
    before = kept[1].records()
    said = said_with_history(page)
    press(page, "This did not fit")
    words(page, 2)
    assert kept[1].records() == before
    press(page, "Too soft")
    page.locator("#note").get_by_text("Kept in your history.").wait_for()
    assert page.evaluate("document.activeElement.matches('#thought textarea')")
    (entry,) = kept[1].records()[len(before) :]
    assert (entry.words, entry.misfit) == (said.strip(), "Too soft")
    assert not page.get_by_role("button", name="Too soft").is_visible()


def test_a_locked_history_says_that_a_reason_was_not_kept(
    visit: Visit, kept: tuple[str, History]
) -> None:
    page = visit.open(kept[0])
    before = kept[1].records()
    said_with_history(page)
    press(page, "This did not fit")
    words(page, 2)
    go(page, "Over time")
    press(page, "Lock the history")
    page.get_by_label("Passphrase of your history").wait_for()
    go(page, "Chat")
    press(page, "Too soft")
    page.locator("#note").get_by_text("That was not kept.").wait_for()
    assert kept[1].records() == before


def test_help_lines_follow_the_country_and_are_remembered(page: Page, config: Path) -> None:
    go(page, "Help")
    assert page.get_by_text("Samaritans").first.is_visible()
    country = page.get_by_role("combobox", name="Country", exact=True)
    country.click()
    country.fill("Irel")
    country.press("Enter")
    page.locator("#lines").get_by_text("Samaritans Ireland").first.wait_for()
    go(page, "Settings")
    chosen = page.get_by_role("combobox", name="Country of the help lines")
    assert chosen.input_value() == "Ireland"
    assert 'country = "IE"' in (config / "reframer" / "settings.toml").read_text()


def test_choices_are_remembered(page: Page, config: Path) -> None:
    go(page, "Settings")
    settle(page)
    page.get_by_label("A teenager").check()
    page.get_by_text("Remembered.").wait_for()
    assert page.locator("#remembered").get_attribute("aria-live") == "polite"
    assert 'voice = "teen"' in (config / "reframer" / "settings.toml").read_text()
    page.reload()
    go(page, "Settings")
    page.locator("#voice .selected").get_by_text("A teenager").wait_for()


def test_the_letters_can_be_made_larger(page: Page) -> None:
    size = "parseFloat(getComputedStyle(document.querySelector('#about')).fontSize)"
    before = page.evaluate(size)
    go(page, "Settings")
    settle(page)
    page.locator("#text-size").get_by_label("Larger").check()
    page.wait_for_function(f"() => {size} > {before} * 1.3")
    page.locator("#text-size").get_by_label("Normal").check()
    page.wait_for_function(f"() => {size} === {before}")


def test_the_privacy_page_says_what_was_looked_at(page: Page) -> None:
    go(page, "Privacy")
    assert page.get_by_text("nothing is kept unless you keep it").first.is_visible()
    assert page.get_by_text("The program is sealed").is_visible()


# Everybody's eyes and hands


def test_all_can_be_done_by_keyboard(page: Page) -> None:
    page.wait_for_function("() => document.activeElement.matches('#thought textarea')")
    page.keyboard.type(THOUGHT)
    page.keyboard.press("Enter")
    words(page, 1)
    while focused(page) != "Another way":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    words(page, 2)
    page.keyboard.press("ArrowUp")
    page.wait_for_function("text => document.activeElement.value === text", arg=THOUGHT)
    page.keyboard.press("Alt+Shift+H")
    page.get_by_role("heading", name="Help", exact=True).wait_for()
    page.keyboard.press("Alt+Shift+C")
    page.wait_for_function("() => document.activeElement.matches('#thought textarea')")
    while focused(page) != "Practice":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Practice").wait_for()


def test_escape_stops_the_answer(page: Page) -> None:
    box(page).fill(SLOW)
    box(page).press("Enter")
    page.locator("#stop").wait_for()
    page.keyboard.press("Escape")
    page.locator("#welcome").wait_for()


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_is_wider_than_the_window(visit: Visit, address: str, width: int) -> None:
    page = visit.open(address, viewport={"width": width, "height": 800})
    say(page, f"{THOUGHT} {'longword' * 20}")
    for tab in TABS:
        go(page, tab)
        assert not is_wider_than_its_window(page), tab


def test_nothing_moves_for_who_wants_it_still(visit: Visit, address: str) -> None:
    page = visit.open(address, reduced_motion="reduce")
    say(page, THOUGHT)
    sentence = page.locator("#talk .words span").first
    assert sentence.evaluate("e => getComputedStyle(e).animationName") == "none"


def test_pictures_are_no_wider_than_a_phone(visit: Visit, kept: tuple[str, History]) -> None:
    page = visit.open(kept[0], viewport={"width": 360, "height": 800})
    unlock(page)
    page.get_by_text("The same in numbers").click()
    page.get_by_role("table").wait_for()
    assert not is_wider_than_its_window(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_pictures(
    visit: Visit, kept: tuple[str, History], scheme: str
) -> None:
    page = visit.open(kept[0], color_scheme=scheme, reduced_motion="reduce")
    unlock(page)
    page.get_by_text("The same in numbers").click()
    page.get_by_role("table").wait_for()
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, address: str, scheme: str) -> None:
    page = visit.open(address, color_scheme=scheme, reduced_motion="reduce")
    say(page, THOUGHT)
    for tab in TABS:
        go(page, tab)
        assert serious(page) == [], tab


def test_the_dark_is_dark(visit: Visit, address: str) -> None:
    page = visit.open(address, color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 60
