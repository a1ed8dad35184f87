"""Takes the pictures of docs/screens from the running program: ``python -m tests.screens``.

Each picture is taken light, dark, and at a phone's width, of the page with the real model in a home
of its own, and of the report of a small journal. They are to be looked at before they are kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reframer import settings
from reframer.history import Entry, History
from tests.free_port import free_port
from tests.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
SCREENS = ROOT / "docs" / "screens"
CHROMIUM = Path("/usr/bin/chromium")
PASSPHRASE = "three quiet words"
THOUGHT = "I snapped at my kids again this morning. I'm a terrible parent."
JOURNAL = """2026-11-20

Rain all day. I forgot the parents' evening again, I'm a useless mother.

2026-11-21

Soup with Anna. I was kind to myself about the kitchen, it can wait.

2026-11-22

Everyone else at work understood the new system at once. What is wrong with me?
"""
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 800}},
    "dark": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
TABS = ("Practice", "Help", "Privacy", "Settings")
_PATIENCE_MS = 300_000
_REPORT_SHOWN = 1600  # pixels: the answers, and the first pictures


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        report = write_report(Path(home))
        for look, options in LOOKS.items():
            for name, page in views(browser, address, options):
                take(page, f"{name}-{look}")
            page = opened(browser, options, report.as_uri())
            take(page, f"journal-report-{look}", most=_REPORT_SHOWN)
        browser.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the page in a home of its own with a history, and give its address."""
    keep_some_weeks(home)
    words = ("-m", "reframer", "serve", "--no-browser", "--port", str(free_port()))
    with serving(words, environment(home)) as address:
        yield address


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a user in Great Britain whose home is that folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**own, "HOME": str(home), "REFRAMER_COUNTRY": "GB"}


def data_folder(home: Path) -> Path:
    """Return the folder of the user's data, with the models in it."""
    folder = home / ".local" / "share" / "reframer"
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "models").symlink_to(settings.load().models_dir)
    return folder


def keep_some_weeks(home: Path) -> None:
    """Write a history of made entries."""
    history = History.create(data_folder(home) / "history" / "entries", PASSPHRASE)
    kinds = (
        "label", "guilt", "label", "should", "comparison", "label", "guilt", "should", "label",
        "perfectionism", "should", "guilt",
    )  # fmt: skip
    begin = datetime.now().astimezone() - timedelta(days=5 * len(kinds))
    for number, kind in enumerate(kinds):
        at = (begin + timedelta(days=5 * number)).isoformat(timespec="minutes")
        kind_talk = number // 4 if number % 2 else 0
        history.add(Entry("…", "…", (kind,), "Not yet", "model", kind_talk=kind_talk, at=at))


def write_report(home: Path) -> Path:
    """Let the program answer the journal, and return its report."""
    diary, out = home / "diary.md", home / "report"
    diary.write_text(JOURNAL, encoding="utf-8")
    command = [sys.executable, "-m", "reframer", "journal", str(diary), "--out", str(out)]
    # Without the history, which would ask for its passphrase.
    elsewhere = home / "elsewhere"
    data_folder(elsewhere)
    subprocess.run(command, cwd=ROOT, env=environment(elsewhere), check=True)
    return out / "report.html"


def views(browser: Browser, address: str, options: Mapping[str, Any]) -> Iterator[tuple[str, Page]]:
    """Yield the page in each state that a picture is taken of, with its name."""
    page = opened(browser, options, address)
    page.locator("#thought textarea").wait_for()
    page.get_by_text("still waking up").wait_for(state="hidden")
    yield "first", page
    page.locator("#thought textarea").fill(THOUGHT)
    page.locator("#thought textarea").press("Enter")
    page.locator("#talk .latest .words").wait_for()
    page.locator("#stop").wait_for(state="hidden")
    yield "chat", page
    go(page, "Journal")
    page.locator("#journal-text textarea").fill(JOURNAL)
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_text("Sentence 1 of 2").wait_for()
    yield "journal", page
    go(page, "Over time")
    page.get_by_label("Passphrase of your history").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock", exact=True).click()
    page.locator("#pictures svg").first.wait_for()
    yield "over-time", page
    for tab in TABS:
        go(page, tab)
        yield tab.lower(), page


def opened(browser: Browser, options: Mapping[str, Any], address: str) -> Page:
    """Return a page that shows an address and holds still."""
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    return page


def go(page: Page, tab: str) -> None:
    """Open a tab."""
    page.get_by_role("tab", name=tab).click()
    page.locator(f"#{tab.lower().replace(' ', '-')}").wait_for()


def take(page: Page, name: str, most: int = 0) -> None:
    """Write the picture of a page: all of it on a desk, the first screen on a phone.

    Args:
        page: The page.
        name: The picture's name.
        most: Greatest height on a desk, in pixels; 0 for all of the page.
    """
    page.wait_for_timeout(800)  # what was asked for has come; let the fonts settle
    whole = not name.endswith("phone")
    size = page.viewport_size
    if most and whole and size:
        page.set_viewport_size({"width": size["width"], "height": most})
    page.screenshot(path=SCREENS / f"{name}.png", full_page=whole and not most)


if __name__ == "__main__":
    main()
