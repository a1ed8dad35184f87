"""``reframer history``: what you choose to keep, locked with a passphrase."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from reframer import names, paths
from reframer.errors import HistoryLocked, HistoryMissing, UsageError
from reframer.history import Entry, History, Lock, kept_file
from reframer.records import Notice, Reframe

_TRIES = 3
_NO_WAY_BACK = (
    "Only this passphrase opens the history. Nobody can bring it back if it is lost, and there is "
    "no other way in."
)


@click.group()
def history() -> None:
    """Keep answers, locked with a passphrase. Off, unless you turn it on.

    While it is on, reframer reframe --keep puts a thought and its answer into an encrypted file on
    this machine, and so does Keep on the page. Nothing is kept that you did not ask for.
    """


@history.command()
def on() -> None:
    """Turn the history on; the first time this asks for a passphrase."""
    if _kept().exists():
        click.echo("The history is on already.", err=True)
    elif _put_away().exists():
        _put_away().rename(_kept())
        click.echo("The history is on again. Your passphrase is the one it had.", err=True)
    else:
        click.echo(_NO_WAY_BACK, err=True)
        History.create(_kept(), _new_passphrase())
        click.echo("The history is on. To keep an answer: reframer reframe --keep", err=True)


@history.command()
def off() -> None:
    """Turn the history off; what was kept stays, locked."""
    if not _kept().exists():
        click.echo("The history is off already.", err=True)
        return
    if _put_away().exists():
        raise UsageError(
            f"An older history lies where this one would be put: {_put_away()}.",
            "Move that file somewhere else, then turn the history off again.",
        )
    _kept().rename(_put_away())
    click.echo(
        "The history is off. What was kept can still be read; purge deletes it.",
        err=True,
    )


@history.command()
def show() -> None:
    """Show what was kept, oldest first."""
    _list(_unlock().records())


@history.command()
@click.argument("text", required=False)
def search(text: str | None) -> None:
    """Show the entries that hold TEXT, in whatever case; without TEXT, ask for it.

    What is typed as an argument stays in the shell's own history; what is asked for does not.
    """
    unlocked = _unlock()
    _list(unlocked.search(text or click.prompt("Search for", err=True)))


@history.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--without-names",
    is_flag=True,
    help="Take out what looks like a name, an address or a number. Read it before you hand it on.",
)
def export(file: Path | None, without_names: bool) -> None:
    """Write everything as Markdown into a new FILE that only you can read, or to standard output.

    The export is not locked.
    """
    if file is not None and file.exists():
        raise UsageError("That file exists already.", "Choose another name.")
    text = _unlock().export(names.without_names if without_names else str)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with paths.atomic_write(file) as out:
            out.write(text.encode())
    except OSError as error:
        raise UsageError(
            f"That file cannot be written ({error.strerror}).", "Choose another place."
        ) from error


@history.command()
@click.argument("entry_id", metavar="ID")
def delete(entry_id: str) -> None:
    """Delete one entry; show prints the ID beside its day."""
    if not _unlock().delete(entry_id):
        raise UsageError("There is no entry of that ID.", "Run: reframer history show")
    click.echo("Deleted.", err=True)


@history.command()
def purge() -> None:
    """Destroy the key and delete everything that was kept. No passphrase is needed."""
    files = _files()
    click.confirm("Delete everything that was kept, for good?", abort=True, err=True)
    for file in files:
        History.purge(file)
    click.echo("Everything that was kept is gone, and the history is off.", err=True)


@history.command()
def passphrase() -> None:
    """Change the passphrase."""
    unlocked = _unlock()
    click.echo(_NO_WAY_BACK, err=True)
    unlocked.change_passphrase(_new_passphrase())
    click.echo("The passphrase is changed.", err=True)


def is_on() -> bool:
    """Return whether answers may be kept."""
    return _kept().exists()


def is_there() -> bool:
    """Return whether something was kept, be the history on or off."""
    return _kept().exists() or _put_away().exists()


def folder() -> Path:
    """Return where the history lies, whether or not there is one."""
    return _kept().parent


def keep_answer(answer: Reframe, notices: Sequence[Notice]) -> None:
    """Ask for the passphrase and keep an answer.

    Args:
        answer: The answer.
        notices: What the ear hears in what was said.

    Raises:
        HistoryError: The history is not on, does not open, or cannot be written.
    """
    _unlock().add(Entry.of(answer).hearing(notices))
    click.echo("Kept.", err=True)


def unlock_for(use: str) -> Lock:
    """Ask for the passphrase and return a lock for other private files, see `History.lock_for`.

    Raises:
        HistoryError: There is no terminal to ask in, or the history does not open.
    """
    if not has_terminal():
        raise HistoryLocked(
            "The history is on, so what is kept on the way is locked with its passphrase.",
            "Run this in a terminal, or turn it off: reframer history off",
        )
    return _unlock().lock_for(use)


def has_terminal() -> bool:
    """Whether somebody can be asked, even where standard input is a pipe."""
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _kept() -> Path:
    return kept_file()


def _put_away() -> Path:
    return _kept().with_suffix(".off")


def _files() -> list[Path]:
    """Return the files of the history: the one that is on, then one that was put away."""
    files = [file for file in (_kept(), _put_away()) if file.exists()]
    if not files:
        raise HistoryMissing("Nothing is kept.", "To begin: reframer history on")
    return files


def _unlock() -> History:
    """Ask for the passphrase, a few times, and say what is wrong with the file."""
    file = _files()[0]
    for tried in range(1, _TRIES + 1):
        try:
            unlocked = History.unlock(file, _ask("Passphrase"))
            break
        except HistoryLocked as problem:
            if tried == _TRIES:
                raise
            click.echo(problem.message, err=True)
    if damage := unlocked.problem:
        click.echo(damage, err=True)
    return unlocked


def _ask(question: str) -> str:
    return str(click.prompt(question, hide_input=True, err=True))


def _new_passphrase() -> str:
    return str(
        click.prompt(
            "New passphrase (a few words are good)",
            hide_input=True,
            confirmation_prompt="The same once more",
            err=True,
        )
    )


def _list(entries: Iterable[Entry]) -> None:
    for entry in entries:
        click.echo(f"{entry.when}  {entry.id}")
        click.echo(textwrap.indent(entry.thought.strip(), "  > "))
        click.echo(textwrap.indent(entry.words, "  "))
        if entry.misfit:
            click.echo(f"  (This did not fit: {entry.misfit})")
        click.echo(f"  ({entry.technique})\n" if entry.technique else "")
