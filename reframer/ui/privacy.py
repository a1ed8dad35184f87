"""The tab Privacy: what is kept and where, and what was looked at just now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reframer import paths, seal, settings
from reframer.history import kept_file
from reframer.journal import checkpoint
from reframer.server.address import destination, promise
from reframer.settings import Settings
from reframer.ui.house import House
from reframer.ui.markup import escaped
from reframer.ui.parts import sheet

_WORDS = (
    "<h1>Privacy</h1>"
    "<p class='lead'>{promise}</p>"
    "<section class='shelf'><h2>What you write</h2>"
    "<p>It is read in this computer’s memory, and forgotten when you close the page, clear the "
    "conversation or end the program. What you sent last before you close the page may stay there "
    "until more is sent. It is not written to a file, a log or the search index. With the history "
    "on and unlocked, the word Keep puts one thought and its answer into a file that only your "
    "passphrase opens. Nothing here counts what you do.</p>"
    "</section>"
    "<section class='shelf'><h2>Who can see this page</h2>"
    "<p>Only a browser on this computer that was opened with the secret address of this launch. "
    "The page tells the browser to store nothing and to load nothing from elsewhere.</p></section>"
    "<section class='shelf'><h2>What this can’t protect</h2>"
    "<p>Someone who looks over your shoulder or uses your account on this computer. Your browser’s "
    "own additions can read any page. While you write, memory may be swapped to disk by the "
    "system. What you copy or download is yours to look after.</p></section>"
)


class Privacy:
    """The tab's components.

    Args:
        house: What all tabs share.
    """

    def __init__(self, house: House) -> None:
        sheet(_WORDS.format(promise=escaped(promise(house.settings))))
        sheet(lambda: findings_markup(house.settings), "findings")


def findings_markup(chosen: Settings) -> str:
    """Return what can be looked at by the program itself, looked at now, as markup."""
    items = "".join(f"<li>{finding}</li>" for finding in findings(chosen))
    return f"<section class='shelf'><h2>Looked at just now</h2><ul>{items}</ul></section>"


def findings(chosen: Settings) -> Iterator[str]:
    """Yield what is found, one sentence each, as markup."""
    yield (
        f"The program is sealed: it can’t connect to any other computer{_but_one(chosen)}."
        if seal.is_closed()
        else "<b>The program is not sealed.</b> Start it with “reframer serve”."
    )
    yield (
        f"<b>The model is served by another program ({escaped(chosen.model)}).</b> What you write "
        "is handed to it."
        if chosen.served
        else "The model runs inside this program."
    )
    yield _kept("Settings", settings.settings_file(), "how you like to be spoken to")
    yield _kept("Models", chosen.models_dir, "downloaded files")
    yield _kept("History", kept_file(), "what you chose to keep, locked")
    yield _kept(
        "Journals", checkpoint.folder(), "where a run in the terminal goes on, and its backups"
    )
    yield _kept("Search index", paths.cache_dir(), "the public cards")
    yield "In a terminal, “reframer doctor” checks the rest."


def _but_one(chosen: Settings) -> str:
    host = destination(chosen)
    return f" than {escaped(host)}, which your settings name" if host else ""


def _kept(what: str, path: Path, holds: str) -> str:
    where = f"<code>{escaped(_from_home(path))}</code>"
    if not path.exists():
        return f"{what}: nothing is there yet ({where})."
    others = path.stat().st_mode & 0o077
    seen = "others on this computer may see it" if others else "only you can open it"
    return f"{what}: {holds}, in {where}; {seen}."


def _from_home(path: Path) -> str:
    """Return a path as people write it, with ~ for their home."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
