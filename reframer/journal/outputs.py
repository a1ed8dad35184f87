"""What a run leaves behind: a report beside the journal, copies with the answers in, a backup.

The journal itself is touched by `write_in_place` alone. A file goes through these steps:

1. It is compared with what the run read; one that changed since is left, and said to be.
2. The old bytes go into the backup, then a line into the backup's list: where, before, after.
3. The new bytes take the file's place in one step, with the file's mode.

So at any moment a file is whole, old or new, and `undo` can tell which.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reframer import paths
from reframer.errors import JournalError, UsageError
from reframer.journal import checkpoint
from reframer.journal.checkpoint import Checkpoint
from reframer.journal.formats import COPIES, REPORT_FILES, STDIN
from reframer.journal.records import Answer, Held, JournalResult, Reply, Unread, Way
from reframer.journal.report import report_html
from reframer.journal.run import Finished

COLUMNS = (
    "entry",
    "day",
    "title",
    "start",
    "end",
    "sentence",
    "kind",
    "strength",
    "words",
    "origin",
    "technique",
)
_REPORT = "-reframed"
_LONGEST_NAME = 255  # bytes, on nearly every file system
GENTLY = (
    "Some entries were not answered, because what is written in them deserves more than a program."
    " If any of it is still true today, please turn to somebody."
)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the files.

    Attributes:
        files: The files that were written.
        left: Those that were left as they were, and why.
        backup: Folder of what was there before, where the journal itself was changed.
    """

    files: tuple[Path, ...] = ()
    left: tuple[Unread, ...] = ()
    backup: Path | None = None


# The report


def beside(journal: Path) -> Path:
    """Return the folder that the report of a journal goes into unless another one is named."""
    if journal == STDIN:
        return Path("journal-reframed")
    whole = journal.resolve()
    name = whole.name  # with its suffix: diary.md and diary.txt are two journals
    if len(os.fsencode(name + _REPORT)) <= _LONGEST_NAME:
        return whole.with_name(name + _REPORT)
    end = f"-{checkpoint.name_of(whole)}{_REPORT}"  # so that two names cut alike stay apart
    cut = os.fsencode(name)[: _LONGEST_NAME - len(end)].decode(errors="ignore")
    return whole.with_name(cut + end)


def check_folder(out: Path, journal: Path) -> None:
    """Make sure before a long run that its report has a place.

    Raises:
        UsageError: The folder is the journal itself, holds what no run left where a report and
            copies would go, or cannot be written to.
    """
    copies, whole = out.joinpath(COPIES).resolve(), journal.resolve()
    own, *others = (out.joinpath(name).exists() for name in (*REPORT_FILES, COPIES))
    foreign = any(others) and not own
    if out.resolve() == whole or foreign or whole.is_relative_to(copies):
        raise UsageError(
            "The report needs a folder of its own.", f"For example: --out {out / _REPORT[1:]}"
        )
    try:
        paths.private_dir(out)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be made ({error.strerror}).", "Name another --out."
        ) from error
    if not os.access(out, os.W_OK):
        raise UsageError(f"{out} cannot be written to.", "Name another --out.")


def write_report(result: JournalResult, out: Path) -> Path:
    """Write the report and the answers in plain formats, and return the report's path.

    Args:
        result: What came of the journal.
        out: Folder for ``report.html``, ``reframes.jsonl``, ``reframes.csv`` and ``reframes.md``.

    Raises:
        JournalError: They cannot be written.
    """
    json_lines, table, markdown, report = (out / name for name in REPORT_FILES)
    with _told(out):
        _write(json_lines, "".join(_json_lines(result)))  # first: by it a later run knows the rest
        _write(table, _csv(result))
        _write(markdown, "\n".join(_markdown(result)))
        _write(report, report_html(result))
    return report


def as_record(reply: Reply) -> dict[str, Any]:
    """Return an answer as plain values, in the order of `COLUMNS`."""
    answer = reply.answer
    return {
        "entry": answer.entry,
        "day": reply.day.isoformat() if reply.day else None,
        "title": reply.title,
        "start": answer.start,
        "end": answer.end,
        "sentence": answer.sentence,
        "kind": answer.kind,
        "strength": round(answer.strength, 3),
        "words": answer.words,
        "origin": answer.origin,
        "technique": answer.technique,
    }


def _json_lines(result: JournalResult) -> Iterator[str]:
    for reply in result.replies:
        yield json.dumps(as_record(reply), ensure_ascii=False) + "\n"


def _csv(result: JournalResult) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS)
    writer.writeheader()
    writer.writerows(as_record(reply) for reply in result.replies)
    return table.getvalue()


def _markdown(result: JournalResult) -> Iterator[str]:
    yield f"# {result.title}\n"
    if not all(held.went_on for held in result.held):
        yield f"{GENTLY}\n"
    if result.held:
        for words in dict.fromkeys(held.words for held in result.held):
            yield f"{words}\n"
        for held in result.held:
            yield f"- {heading(held)}{' (answered all the same)' if held.went_on else ''}"
        yield ""
    entry = ""
    for reply in result.replies:
        if reply.answer.entry != entry:
            entry = reply.answer.entry
            yield f"## {heading(reply)}\n"
        yield "".join(f"> {line.strip()}\n" for line in reply.answer.sentence.splitlines())
        yield f"{reply.answer.words}\n"


def heading(of: Reply | Held) -> str:
    """Return the line by which a reader finds an entry again.

    The title of an entry that was left alone is not repeated: it may be its hardest line.
    """
    day = of.day.isoformat() if of.day else ""
    if isinstance(of, Held):
        return day or of.entry
    return " · ".join(part for part in (day, of.title) if part) or of.answer.entry


# The journal with the answers in


def write_copies(finished: Finished, way: Way, out: Path) -> Written:
    """Write copies of the files that hold answers, with the answers in.

    Args:
        finished: The end of the run.
        way: How the answers are put in.
        out: Folder of the report; the copies go into ``journal`` in it, under their own names.
            Older copies of the journal's files that get none now are removed.

    Raises:
        JournalError: They cannot be written.
    """
    files: list[Path] = []
    left: list[Unread] = []
    copies = out / COPIES
    for change in _changes(finished, way, left):
        copy = copies / change.name
        with _told(out), paths.atomic_write(copy) as file:
            file.write(change.new)
        files.append(copy)
    with _told(out):
        _remove_older(copies, finished.result.path, files)
    return Written(tuple(files), tuple(left))


def _remove_older(copies: Path, journal: Path, new: Sequence[Path]) -> None:
    """Remove copies by an earlier run of files that got none now; nothing else that lies there."""
    folder = journal if journal.is_dir() else journal.parent
    for copy in {path for path in copies.rglob("*") if path.is_file()} - {*new}:
        if (folder / copy.relative_to(copies)).is_file():
            copy.unlink()


def write_in_place(finished: Finished, way: Way) -> Written:
    """Put the answers into the journal itself, after a backup.

    Args:
        finished: The end of the run.
        way: How the answers are put in.

    Raises:
        JournalError: The backup cannot be made. Files that were written by then are in it.
    """
    files: list[Path] = []
    left: list[Unread] = []
    with _Backup.made(finished.result.path) as backup:
        for change in _changes(finished, way, left):
            backup.keep(change)
            try:
                _replace(change.path, change.old, change.new)
                files.append(change.path)
            except OSError as error:
                left.append(Unread(change.path, f"It cannot be written ({error.strerror})."))
    return Written(tuple(files), tuple(left), backup.folder if files else None)


def undo(journal: Path) -> Written:
    """Put the newest backup of a journal back.

    A file that is no longer what the run wrote is left as it is, and the backup is kept then.

    Raises:
        JournalError: There is no backup, or a run is at work on the journal.
    """
    files: list[Path] = []
    left: list[Unread] = []
    with checkpoint.alone(journal), _Backup.newest(journal) as backup:
        for path, after in backup.files():
            kept = backup.copy_of(path)
            try:
                old, now = kept.read_bytes(), path.read_bytes()
                if _hash(now) == after:
                    _replace(path, now, old)
                    files.append(path)
                elif now != old:
                    left.append(Unread(path, f"It was changed after the run. The old one: {kept}"))
            except OSError as error:
                reason = f"It cannot be put back ({error.strerror}). The old one: {kept}"
                left.append(Unread(path, reason))
        if not left:
            backup.remove()
    return Written(tuple(files), tuple(left))


class _Backup:
    """The files of a journal as they were before a run wrote into them.

    Args:
        folder: Where they lie, under names that tell nothing, beside a list.

    Attributes:
        folder: The same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._list = Checkpoint(folder / "list.jsonl")

    @classmethod
    @contextmanager
    def made(cls, journal: Path) -> Iterator[_Backup]:
        """Begin a backup; one in which nothing was kept is removed."""
        moment = datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
        folder = cls._of(journal) / moment
        with _told(folder):
            paths.private_dir(folder)
        backup = cls(folder)
        try:
            yield backup
        finally:
            backup._list.close()
            if not backup._list.items():
                backup.remove()

    @classmethod
    @contextmanager
    def newest(cls, journal: Path) -> Iterator[_Backup]:
        """Open the newest backup of a journal."""
        folder = max(cls._of(journal).glob("*/"), default=None)
        if folder is None:
            raise JournalError("There is no backup of that journal.", "Nothing was changed.")
        backup = cls(folder)
        try:
            yield backup
        finally:
            backup._list.close()

    def keep(self, change: _Change) -> None:
        """Keep a file's bytes, then note what it will be."""
        with _told(self.folder), paths.atomic_write(self.copy_of(change.path)) as file:
            file.write(change.old)
        self._list.put({str(change.path): {"after": _hash(change.new)}})

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield each file, and the hash of what the run wrote."""
        for name, line in self._list.items():
            yield Path(name), line["after"]

    def copy_of(self, path: Path) -> Path:
        """Return where the old bytes of a file lie."""
        return self.folder / checkpoint.name_of(path)

    def remove(self) -> None:
        """Remove the backup."""
        shutil.rmtree(self.folder)

    @staticmethod
    def _of(journal: Path) -> Path:
        return checkpoint.folder() / "backups" / checkpoint.name_of(journal)


@dataclass(frozen=True, slots=True)
class _Change:
    """A file that answers go into: where it is, its path within the journal, before and after."""

    path: Path
    name: str
    old: bytes
    new: bytes


def _changes(finished: Finished, way: Way, left: list[Unread]) -> Iterator[_Change]:
    """Yield what is to become of the files that hold answers.

    Args:
        finished: The end of the run.
        way: How the answers are put in.
        left: Gets the files that are to stay as they are.
    """
    by_entry: defaultdict[str, list[Answer]] = defaultdict(list)
    for reply in finished.result.replies:
        by_entry[reply.answer.entry].append(reply.answer)
    for document in finished.documents:
        answers = [answer for entry in document.entries for answer in by_entry[entry.id]]
        if not answers:
            continue
        path, old = document.path, document.written((), way)
        name = document.entries[0].id.rpartition("#")[0]
        piped = path == STDIN or path.is_fifo()  # nothing is there that could be compared
        try:
            if not piped and path.read_bytes() != old:
                left.append(Unread(path, "It was changed while the run was under way."))
            elif (new := document.written(answers, way)) != old:
                real = path if piped else path.resolve()  # a link stays a link
                yield _Change(real, name, old, new)
        except OSError as error:
            left.append(Unread(path, f"It can no longer be read ({error.strerror})."))
        except UsageError as error:  # a format that can only be read
            left.append(Unread(path, error.message))


def _replace(path: Path, old: bytes, new: bytes) -> None:
    """Put new bytes in a file's place, in one step and with its mode, if it still holds the old."""
    mode = stat.S_IMODE(path.stat().st_mode)
    with paths.atomic_write(path) as file:
        file.write(new)
        os.fchmod(file.fileno(), mode)
        if path.read_bytes() != old:
            raise OSError(errno.EBUSY, "it was changed this very moment")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, text: str) -> None:
    # A file name that is no Unicode reaches the text as lone surrogates; JSON reads them back.
    with paths.atomic_write(path) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say of an error of the disk what it is about."""
    try:
        yield
    except OSError as error:
        raise JournalError(
            f"{folder} cannot be written to ({error.strerror}).",
            "Make room or name another --out, then give the same command; the answers are kept.",
        ) from error
