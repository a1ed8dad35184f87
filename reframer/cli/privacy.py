"""``reframer doctor privacy``: what is sealed, what is kept and who may read it."""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import psutil

from reframer import paths, seal, settings
from reframer.cli import history
from reframer.cli.check import Check
from reframer.errors import ConnectionRefused, ReframerError
from reframer.journal import checkpoint
from reframer.server.address import Server, destination, let_through
from reframer.settings import Settings

_NOBODY = ("192.0.2.1", 443)  # of the addresses that belong to nobody, for examples
_NO_NAME = "nobody.invalid"
_NOT_COVERED = (
    "What you type as an argument stays in your shell's history, and others can see it in the "
    "list of processes meanwhile. What you type after `reframer -` does not.",
    "The browser has services of its own: look-ups, sync, spell-checking, extensions.",
    "The clipboard, keyboards and screen readers may remember what passes through them.",
    "Backups hold the files that you make yourself, such as an export.",
    "Whoever administers this machine, or logs in as you, can read along.",
)


@click.command()
@click.pass_context
def privacy(context: click.Context) -> None:
    """Show what is sealed, what is kept and who may read it, and what cannot be protected.

    This tries to reach another machine, to show that it is refused. Ends with exit code 1 where
    something is not as it should be.
    """
    chosen = settings.load()
    host = destination(chosen)
    but = f" but your words to {host}" if host else ""
    parts = {
        f"Nothing{but} leaves this machine": (*_look_at_the_seal(), _look_at_the_model(chosen)),
        "What is on the disk": tuple(_look_at_the_disk(chosen)),
    }
    for title, checks in parts.items():
        click.echo(title)
        for check in checks:
            check.show()
        click.echo()
    click.echo("What the program cannot protect (docs/privacy.md says more)")
    for line in (*_NOT_COVERED, _swap()):
        click.echo(f"  - {line}")
    context.exit(0 if all(check.ok for checks in parts.values() for check in checks) else 1)


def _look_at_the_seal() -> Iterator[Check]:
    if not seal.is_closed():  # then nothing is tried: it might succeed
        yield Check("seal", False, "This process is not sealed.", "Start it by its command.")
        return
    yield Check("seal", True, "It is closed; nothing in this process can open it.")
    yield _attempt("connection", _connect)
    yield _attempt("name look-up", lambda: socket.getaddrinfo(_NO_NAME, 443))
    astray = [name for name, value in seal.SWITCHES.items() if os.environ.get(name) != value]
    yield Check(
        "switches",
        not astray,
        f"{len(seal.SWITCHES)} variables tell libraries not to report: {', '.join(seal.SWITCHES)}.",
        f"Something changed {', '.join(astray)}.",
    )
    loaded = [name for name in seal.BLOCKED_MODULES if sys.modules.get(name) is not None]
    yield Check("libraries", not loaded, f"{' and '.join(seal.BLOCKED_MODULES)} cannot be loaded.")
    no_image = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    yield Check("crash", no_image, "A crash writes no image of the memory to the disk.")


def _attempt(name: str, leave: Callable[[], object]) -> Check:
    """Try to leave this machine; it is as it should be when the seal refuses."""
    try:
        leave()
    except ConnectionRefused as refusal:
        return Check(name, True, f"Tried just now. {refusal.message}")
    except OSError:
        pass  # the machine's network failed, but the seal let it pass
    return Check(name, False, "Tried just now, and the seal let it pass.", "Please report this.")


def _connect() -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        probe.connect(_NOBODY)


def _look_at_the_model(chosen: Settings) -> Check:
    if not chosen.served:
        return Check("model", True, "It runs inside this program.")
    try:
        let_through(chosen)
    except ReframerError as problem:
        return Check("model", False, problem.message, problem.hint)
    served = Server.named_by(chosen)
    if served.is_here:
        return Check("model", True, f"{chosen.model} is another program; it sees what you write.")
    along = "" if served.is_encrypted else " Others on the way could read along: it is not https."
    return Check("model", True, f"Your words will go to {served.place}, and nowhere else.{along}")


def _look_at_the_disk(chosen: Settings) -> Iterator[Check]:
    public = {
        "models": (chosen.models_dir, "public files"),
        "search index": (paths.cache_dir() / "index", "the technique cards, nothing of yours"),
        "settings": (settings.settings_file(), "what you chose"),
        "own cards": (chosen.cards_dir, "what you wrote there yourself"),
    }
    for name, (path, holds) in public.items():
        where = f"{path}: {holds}; {_readers(path)}." if path.exists() else f"{path}: nothing yet."
        yield Check(name, True, where)
    yield _look_at_the_journals()
    yield _look_at_the_history()


def _look_at_the_journals() -> Check:
    folder = checkpoint.folder()
    if not folder.exists():
        return Check("journals", True, f"{folder}: nothing yet.")
    return Check(
        "journals",
        _is_private(folder),
        f"{folder}: where a run that was cut off goes on, and backups of what was changed in place;"
        f" {_readers(folder)}.",
        f"Make it yours alone: chmod 700 {folder}",
    )


def _look_at_the_history() -> Check:
    folder = history.folder()
    if not history.is_there():
        return Check("history", True, "Off. No answers are kept.")
    state = "On" if history.is_on() else "Off, but what was kept is still there"
    return Check(
        "history",
        _is_private(folder),
        f"{state}. {folder}: locked with your passphrase; {_readers(folder)}.",
        f"Make it yours alone: chmod 700 {folder}",
    )


def _readers(path: Path) -> str:
    return "only you may read it" if _is_private(path) else "others on this machine may read it"


def _is_private(path: Path) -> bool:
    """Return whether a path, or a folder around it, is closed to everybody but its owner."""
    return any(not part.stat().st_mode & 0o077 for part in (path, *path.parents))


def _swap() -> str:
    if psutil.swap_memory().total:
        return "This machine moves memory to the disk at times (swap). An encrypted disk helps."
    return "This machine has no swap just now, so memory stays in memory unless it hibernates."
