"""What commands read: bytes that must be text."""

from __future__ import annotations

from reframer.errors import TextUnreadable


def decode(data: bytes) -> str:
    """Return the text that bytes stand for; a byte order mark at the beginning is dropped.

    Raises:
        TextUnreadable: They are not UTF-8, or hold a null character as binary files do.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise TextUnreadable("This is not text in UTF-8.", "Save it as plain text in UTF-8.")
    return text
