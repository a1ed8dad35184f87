"""The ear: finds the sentences in which the inner critic speaks, and says of what kind it is.

Each sentence is heard by itself, without what others are quoted as saying in it. What it sounds
like, of what kind it is and how harsh, the reader tells.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from reframer.encoder import Vectors
from reframer.reader import Reader
from reframer.records import KINDS, Notice
from reframer.sentences import split

CLASSES = ("neutral", "critical", "kind")

_CRITICAL = CLASSES.index("critical")
_KIND_TALK = CLASSES.index("kind")

_QUOTED = re.compile(
    r"(?<!\d)\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|„[^“”\n]{1,400}[“”]|«[^»\n]{1,400}»|「[^」\n]{1,400}」"
    r"|(?<![\w'’])['‘](?!(?:cause|cos|til|till|bout|em)\b)(?=\w)(?:[^'‘’\n]|(?<=\w)['’](?=\w)){3,400}+['’](?!\w)"
)
_OWN_VOICE = re.compile(
    r"\bi(?:'ve|'d|'m)? (?:just |keep |kept |still |was |only |always )*(?:thought|think|thinking"
    r"|muttered|said to myself)\b|\b(?:to |told |tell |call |called |hear |heard )myself\b"
    r"|\bmy (?:own |inner )?(?:head|brain|mind|critic)\b|\ball i (?:could|can) think\b"
    r"|\bi was like\b"
)
_BESIDE_QUOTE = 60
_HIDDEN = "“…”"
_REACH = 1500  # characters of a sentence that are heard; the embedder reads no more either
_A_LETTER = re.compile(r"[^\W\d_]")
_SURELY_NEUTRAL = (1.0, 0.0, 0.0)


class Critic:
    """Hears the inner critic in texts.

    Args:
        reader: Reads the sentences.

    Attributes:
        threshold: Probability from which a sentence counts as self-critical.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.threshold = reader.thresholds.critical

    def notice(self, text: str, threshold: float | None = None) -> tuple[Notice, ...]:
        """Hear every sentence of a text.

        Args:
            text: Any text.
            threshold: Probability from which a sentence counts as self-critical; lower is more
                eager. By default the one chosen in training.

        Returns:
            One notice for each sentence, in order; white space alone is no sentence.
        """
        return self.notice_many([text], threshold)[0]

    def notice_many(
        self, texts: Sequence[str], threshold: float | None = None
    ) -> tuple[tuple[Notice, ...], ...]:
        """Hear every sentence of several texts together, which is faster than one by one.

        Args:
            texts: Any texts.
            threshold: As for ``notice``.

        Returns:
            The notices of each text, in order.
        """
        limit = self.threshold if threshold is None else threshold
        spans = [_spans(text) for text in texts]
        heard = [
            _hide(text, start, end, quotes)[:_REACH]
            for text, of_text in zip(texts, spans, strict=True)
            for quotes in [_quotes(text)]
            for start, end in of_text
        ]
        readings = self._reader.read(heard)
        wordless = [row for row, text in enumerate(heard) if not _A_LETTER.search(text)]
        readings.voices[wordless] = _SURELY_NEUTRAL
        rows = iter(zip(readings.voices, readings.kinds, readings.harshness.tolist(), strict=True))
        return tuple(
            tuple(
                _notice(text, span, limit, *row) for span, row in zip(of_text, rows, strict=False)
            )
            for text, of_text in zip(texts, spans, strict=True)
        )


def unquoted(source: str) -> str:
    """Return a text with what others say in it hidden.

    Quoted words stay where the whole line is a quote, and where the writer quotes the voice in
    their own head: that one is listened for.
    """
    return _hide(source, 0, len(source), _quotes(source))


def _quotes(source: str) -> list[tuple[int, int]]:
    """Return where others are quoted."""
    return [quote.span() for quote in _QUOTED.finditer(source) if not _is_own_voice(source, quote)]


def _hide(source: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> str:
    """Return ``source[start:end]`` with the quotes hidden, which may reach beyond it."""
    pieces = []
    for opening, closing in quotes[bisect_right(quotes, start, key=lambda quote: quote[1]) :]:
        if opening >= end:
            break
        pieces += [source[start : max(start, opening)], _HIDDEN]
        start = min(end, closing)
    return "".join([*pieces, source[start:end]])


def _is_own_voice(source: str, quote: re.Match[str]) -> bool:
    before = source[max(0, quote.start() - _BESIDE_QUOTE) : quote.start()].rpartition("\n")[2]
    after = source[quote.end() : quote.end() + _BESIDE_QUOTE].partition("\n")[0]
    beside = f"{before} | {after}".lower().replace("’", "'")
    return not (before.strip() or after.strip()) or bool(_OWN_VOICE.search(beside))


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where the sentences begin and end without their surrounding white space."""
    return [
        (piece.end - len(piece.text.lstrip()), piece.start + len(piece.text.rstrip()))
        for piece in split(text)
        if piece.text.strip()
    ]


def _notice(
    text: str,
    span: tuple[int, int],
    limit: float,
    voices: Vectors,
    kinds: Vectors,
    harshness: float,
) -> Notice:
    start, end = span
    probability = float(voices[_CRITICAL])
    critical = probability >= limit
    return Notice(
        text=text[start:end],
        start=start,
        end=end,
        self_critical=critical,
        kind=KINDS[int(kinds.argmax())] if critical else None,
        strength=probability * (1 + harshness) / 2 if critical else 0.0,
        kind_talk=not critical and int(voices.argmax()) == _KIND_TALK,
    )
