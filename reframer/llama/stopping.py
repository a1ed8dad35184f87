"""From the bytes of tokens to text that ends before a stop word."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence


def decode(pieces: Iterable[bytes]) -> Iterator[str]:
    """Turn pieces of UTF-8 into text; a character may be divided over several pieces.

    Args:
        pieces: Bytes, in order. Bytes that are no UTF-8 become U+FFFD.

    Yields:
        Text, never empty, as soon as its last byte has come.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def until(stop: Sequence[str], texts: Iterable[str]) -> Iterator[str]:
    """Pass text on up to a stop word, however it is divided into pieces.

    What may be the beginning of a stop word is held back until it is certain, so no part of one is
    ever seen. Of several stop words the one that is complete first counts, and of those that are
    complete together the longest. Nothing is read behind a stop word.

    Args:
        stop: Stop words; empty ones do not count.
        texts: Pieces of text, in order.

    Yields:
        Text, never empty.
    """
    words = [word for word in stop if word]
    held = ""
    for text in texts:
        held += text
        if found := [(held.index(word) + len(word), -len(word)) for word in words if word in held]:
            end, length = min(found)
            if kept := held[: end + length]:
                yield kept
            return
        safe = len(held) - _beginning(words, held)
        if safe:
            yield held[:safe]
            held = held[safe:]
    if held:
        yield held


def _beginning(words: Sequence[str], text: str) -> int:
    """Return the length of the longest end of a text that begins one of the words."""
    longest = max(map(len, words), default=0) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(word.startswith(text[-length:]) for word in words):
            return length
    return 0
