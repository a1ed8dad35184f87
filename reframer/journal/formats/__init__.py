"""The formats that journals come in, and the way through a journal's files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reframer.errors import ReframerError, TextUnreadable, UsageError
from reframer.journal.formats import archive
from reframer.journal.formats.dated import Dated
from reframer.journal.formats.day_one import DayOne
from reframer.journal.formats.day_one_classic import DayOneClassic
from reframer.journal.formats.journey import Journey
from reframer.journal.formats.jrnl import Jrnl
from reframer.journal.formats.jrnl_encrypted import JrnlEncrypted
from reframer.journal.formats.jrnl_json import JrnlJson
from reframer.journal.formats.logseq import Logseq
from reframer.journal.formats.obsidian import Obsidian
from reframer.journal.formats.org import Org
from reframer.journal.formats.text import shown
from reframer.journal.records import AskPassword, Document, Format, Unread

# In the order in which they are tried: the more certain the sign, the earlier; the last reads all.
FORMATS: tuple[Format, ...] = (
    JrnlEncrypted(),
    DayOneClassic(),
    Journey(),
    DayOne(),
    JrnlJson(),
    Org(),
    Logseq(),
    Jrnl(),
    Obsidian(),
    Dated(),
)
STDIN = Path("-")
# What a run leaves in the folder of its report, the first one first; and its copies, in a folder.
REPORT_FILES = ("reframes.jsonl", "reframes.csv", "reframes.md", "report.html")
COPIES = "journal"

_HEAD = 64 * 1024
_LARGEST = 200 * 1024 * 1024
_SPARE = frozenset({("logseq", "bak")})  # earlier versions of the same pages
_TEXT_SUFFIXES = frozenset({"", ".txt", ".text", ".md", ".markdown", ".jrnl"})


def named(name: str) -> Format:
    """Return the format of a name.

    Raises:
        UsageError: There is none; the hint names all.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in FORMATS)
    raise UsageError(f"There is no format {name!r}.", f"Choose one of {names}.")


def find(path: Path, name: str | None = None) -> Format:
    """Return the format of a file.

    Args:
        path: The file.
        name: The format's name, if it is not to be found out.

    Raises:
        UsageError: There is no format of that name.
        OSError: The file cannot be read.
    """
    if name:
        return named(name)
    with path.open("rb") as file:
        return _detected(path, file.read(_HEAD))


def parse(data: bytes, name: str, ask: AskPassword) -> Document:
    """Return what bytes hold that come from no file of this machine.

    Args:
        data: The bytes.
        name: What their file is called.
        ask: Asks for the password, where they are encrypted.

    Raises:
        TextUnreadable: They are not what their format promises.
    """
    path = Path(name)
    return _detected(path, data).parse(data, path, shown(name), ask)


def open_journal(
    path: Path, format_name: str | None, ask: AskPassword
) -> Iterator[Document | Unread]:
    """Read a journal, one file after the other, so that no more than one is held.

    Within a folder, hidden files, pictures and the like are passed over, and so is what earlier
    runs left. Links are not followed: what they lead to inside the folder is read where it lies.

    Args:
        path: A file, a folder, or ``-`` for standard input.
        format_name: The format's name, if it is not to be found out.
        ask: Asks for the password of an encrypted file.

    Yields:
        Each file, and what could not be read, with the reason.

    Raises:
        UsageError: There is no format of that name, or nothing at the path.
    """
    chosen = named(format_name) if format_name else None
    if path != STDIN and not path.exists():
        raise UsageError(f"There is nothing at {path}.", "Give a file or a folder.")
    # A file's folders tell its format and its day, also from within one of them.
    whole = path if path == STDIN else path.absolute()

    def as_given(found: Path) -> Path:
        return path / found.relative_to(whole)

    for each in _read(whole, chosen, lambda found: ask(as_given(found))):
        yield replace(each, path=as_given(each.path)) if isinstance(each, Unread) else each


def _read(path: Path, chosen: Format | None, ask: AskPassword) -> Iterator[Document | Unread]:
    """Yield the files of a journal whose path is whole; see `open_journal`."""
    if path == STDIN:
        yield from _opened(path, "stdin", chosen, ask)
    elif path.is_dir():
        for found in _walk(path, Path(os.path.realpath(path))):
            if isinstance(found, Unread):
                yield found
            elif _is_journal(found):
                yield from _opened(found, found.relative_to(path).as_posix(), chosen, ask)
    else:
        yield from _opened(path, path.name, chosen, ask)


def _opened(
    path: Path, name: str, chosen: Format | None, ask: AskPassword
) -> Iterator[Document | Unread]:
    """Yield a file's document, or why it cannot be read."""
    # A byte of a name that stands for nothing is shown as its code, so that names stay apart.
    name = os.fsencode(name).decode(errors="backslashreplace")
    try:
        document = _document(path, name, chosen, ask)
    except ReframerError as error:
        yield Unread(path, str(error))
    except OSError as error:
        yield Unread(path, f"{name} cannot be read: {error.strerror}.")
    else:
        yield document
        yield from document.unread


def _document(path: Path, name: str, chosen: Format | None, ask: AskPassword) -> Document:
    data = _bytes(path, name)
    return (chosen or _detected(path, data)).parse(data, path, name, ask)


def _bytes(path: Path, name: str) -> bytes:
    """Return what a file holds. It is read once: a pipe has nothing to give a second time."""
    if path == STDIN:
        return sys.stdin.buffer.read()
    if path.stat().st_size > _LARGEST:
        raise TextUnreadable(f"{name} is larger than 200 MB.", "Cut it into parts.")
    return path.read_bytes()


def _detected(path: Path, data: bytes) -> Format:
    """Return the format of a file's bytes, or of its first 64 KiB."""
    head = data if archive.is_zip(data) else data[:_HEAD]  # a zip is listed at its end
    return next(each for each in FORMATS if each.recognises(path, head))


def _is_journal(path: Path) -> bool:
    """Whether a file in a folder is more than a picture, a program's settings and the like."""
    if path.suffix.lower() in _TEXT_SUFFIXES:
        return True
    try:
        return find(path) is not FORMATS[-1]
    except OSError:
        return False


def _walk(folder: Path, root: Path) -> Iterator[Path | Unread]:
    """Yield the files of a folder by name, those of its folders among them."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Unread(folder, f"The folder cannot be read: {error.strerror}.")
        return
    left_by_a_run = REPORT_FILES[0] in {entry.name for entry in entries}
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith(".") or (folder.name, entry.name) in _SPARE:
            continue
        if left_by_a_run and entry.name in (*REPORT_FILES, COPIES):
            continue
        if entry.is_symlink():
            leads_out = not Path(os.path.realpath(path)).is_relative_to(root)
            if leads_out and (path.is_dir() or path.suffix.lower() in _TEXT_SUFFIXES):
                yield Unread(path, "A link that leads out of the folder is not followed.")
        elif entry.is_dir():
            yield from _walk(path, root)
        elif entry.is_file():
            yield path
