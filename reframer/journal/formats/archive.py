"""The zip files of exports."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from reframer.errors import TextUnreadable

_MAGIC = b"PK\x03\x04"
_LARGEST = 200 * 1024 * 1024  # bytes of text that are unpacked; a small archive may hold very many
_HEAD = 64 * 1024
# What the library raises for a zip that is damaged, encrypted or packed in a rare way.
_BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, OSError)


def json_head(path: Path, head: bytes) -> bytes:
    """Return the beginning of a JSON file, or of the first one in a zip; else nothing.

    Args:
        path: The file.
        head: Its beginning, or all of it; a zip is opened at its path only where this is not all.
    """
    if not head.startswith(_MAGIC):
        return head if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else b""
    held = io.BytesIO(head)
    try:
        with zipfile.ZipFile(held if zipfile.is_zipfile(held) else path) as archive:
            first = next((each for each in archive.infolist() if _is_export(each)), None)
            if first is None:
                return b""
            with archive.open(first) as file:
                return file.read(_HEAD)
    except _BROKEN:
        return b""


def is_zip(data: bytes) -> bool:
    """Whether bytes are those of a zip file."""
    return data.startswith(_MAGIC)


def json_files(data: bytes, name: str) -> dict[str, bytes]:
    """Return the JSON files in a zip, by their names, in its order.

    Raises:
        TextUnreadable: The zip is damaged, encrypted or too large; the message names it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = [each for each in archive.infolist() if _is_export(each)]
            if sum(each.file_size for each in wanted) <= _LARGEST:
                return {each.filename: archive.read(each) for each in wanted}
    except _BROKEN:
        raise TextUnreadable(f"{name} cannot be unpacked.", "Export it once more.") from None
    raise TextUnreadable(f"{name} holds more than 200 MB of text.", "Export it in parts.")


def replaced(data: bytes, files: Mapping[str, bytes], name: str) -> bytes:
    """Return a zip with some of its files changed; all others hold what they held.

    Args:
        data: The zip.
        files: What is to be in the changed files, by their names.
        name: The zip's name, for the error.

    Raises:
        TextUnreadable: One of the others is damaged.
    """
    target = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
            new.comment = old.comment
            for each in old.infolist():
                new.writestr(each, files.get(each.filename) or old.read(each))
    except _BROKEN:
        message = f"{name} holds a damaged file and cannot be written."
        raise TextUnreadable(message, "Export it once more.") from None
    return target.getvalue()


def _is_export(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(".json") and not info.filename.startswith("__MACOSX")
