"""Text cut into sentences with exact offsets; the pieces, joined, give the text back.

Rules, not a model: diaries and chats are lower case, full of emoji and short of full stops, so a
line end counts as the end of a thought unless a program clearly wrapped the paragraph. Everything
looks only a few characters around a mark, so the time grows with the length of the text and no
faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reframer.records import Sentence

_OPENING = "\"'“‘„‚«‹([{¿¡「『（《〈【*_"
_CLOSING = "\"'”’“»›«)\\]}」』）》〉】*_"
_EMOJI = (
    "[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff]"
    "[\ufe0f\u200d\u20e3\u2600-\u27bf\U0001f000-\U0001faff\U000e0020-\U000e007f]*+"
)
_MARK = re.compile(
    f"(?P<wide>[。！？｡]++)(?P<wide_closing>[{_CLOSING}]*+)"
    f"|(?P<stop>[.!?…‽؟۔।॥]++)(?P<closing>[{_CLOSING}]*+)"
    f"|(?P<emoji>{_EMOJI})"
)
_SPACE = re.compile(r"\s*+")
_STARTS_WITH_EMOJI = re.compile(_EMOJI)
# A word with its apostrophes and hyphens, as the rules of the voice count words.
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CONTRACTED = re.compile(r"['’](?:s|re|ve|d|ll|m|t)$")
_SUFFIX = re.compile(r"(?:ies|es|s|ed|ing|ly|er|est|y|e)$")
_SHORTEST_STEM = 3
_LAST_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*\Z")
_ENUMERATOR = re.compile(r"(?:\A|[\n\r])[ \t]{0,4}(?:\d{1,3}|[A-Za-z])\Z")
_LIST_OR_HEADING = re.compile(r"\s*(?:[-*+•–—>#|]|\d{1,3}[.)]|\[[ xX]\])(?=\s|#|$)")

_BEFORE_NAMES = frozenset(
    "mr mrs ms mx dr prof rev fr sr jr st mt sgt capt col gen lt hon messrs "
    "e.g i.e eg ie vs cf viz approx fig dept est incl".split()
)
_BEFORE_NUMBERS = frozenset(
    "no nos nr vol ch pp p pg art jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_MID_SENTENCE = frozenset("etc a.m p.m am pm al inc ltd co corp ave rd min max tel ca ph.d".split())

_LOOK_BACK = 24
_LOOK_AHEAD = 4
_ENUMERATOR_WIDTH = 9
_WRAPPED_LINES = 3
_WRAPPED_SHORTEST = 40
_WRAPPED_SPREAD = 20


def split(text: str) -> tuple[Sentence, ...]:
    """Cut a text into sentences.

    Args:
        text: Any text; several languages' end marks, quotes and brackets are known.

    Returns:
        Pieces in order. Joined they are the text; each holds its trailing white space, and only
        the first may begin with any. An empty text has no pieces.
    """
    pieces = []
    begin = 0
    reached = _past_space(text, 0)
    for cut in sorted({*_line_ends(text), *_sentence_ends(text), len(text)}):
        if reached < cut or (cut == len(text) and begin < cut):
            reached = _past_space(text, cut)
            pieces.append(Sentence(text[begin:reached], begin, reached))
            begin = reached
    return tuple(pieces)


def _line_ends(text: str) -> Iterator[int]:
    """Yield the ends of lines that end a thought: all but those inside a wrapped paragraph."""
    offset = 0
    for paragraph in _paragraphs(text):
        wrapped = _is_wrapped(paragraph)
        for line in paragraph:
            offset += len(line)
            if not wrapped or line is paragraph[-1]:
                yield offset


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Yield runs of lines; a blank line, a list item and a heading begin a new one."""
    paragraph: list[str] = []
    for line in text.splitlines(keepends=True):
        if paragraph and (not line.strip() or _LIST_OR_HEADING.match(line)):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _is_wrapped(paragraph: list[str]) -> bool:
    """Whether a program broke the lines: all full but the last, and no next word had room."""
    lines = [line.rstrip() for line in paragraph if line.strip()]
    if len(lines) < _WRAPPED_LINES:
        return False
    longest = max(map(len, lines))
    shortest = max(_WRAPPED_SHORTEST, longest - _WRAPPED_SPREAD)
    return all(
        len(line) >= shortest and len(line) + 1 + len(following.split(maxsplit=1)[0]) > longest
        for line, following in zip(lines, lines[1:], strict=False)
    )


def _sentence_ends(text: str) -> Iterator[int]:
    """Yield the offsets behind end marks with their closing quotes and brackets, and emoji."""
    for mark in _MARK.finditer(text):
        end = mark.end()
        after_space = _past_space(text, end)
        if after_space == len(text):
            continue
        spaced = after_space > end
        follows = text[after_space : after_space + _LOOK_AHEAD]
        if mark["wide"]:
            ends = spaced or not mark["wide_closing"] or follows[0] in _OPENING
        elif not spaced or _STARTS_WITH_EMOJI.match(follows):
            ends = False
        else:
            ends = bool(mark["emoji"]) or _stop_ends(text, mark, follows.lstrip(_OPENING)[:1])
        if ends:
            yield end


def _stop_ends(text: str, mark: re.Match[str], first: str) -> bool:
    """Whether a stop ends its sentence, by the word before it and the first letter behind it."""
    stop = mark["stop"]
    lower = first.islower()
    if lower and (mark["closing"] or stop.endswith(("..", "…"))):
        return False
    if stop != ".":
        return True
    before = text[max(0, mark.start() - _LOOK_BACK) : mark.start()]
    last_word = _LAST_WORD.search(before)
    if not last_word:
        return True
    word = last_word[0].rpartition(".")[2] if last_word[0].isupper() else last_word[0].lower()
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return not (
        is_initial
        or word in _BEFORE_NAMES
        or (word in _BEFORE_NUMBERS and first.isdigit())
        or (word in _MID_SENTENCE and lower)
        or _ENUMERATOR.search(before[-_ENUMERATOR_WIDTH:])
    )


def _past_space(text: str, offset: int) -> int:
    space = _SPACE.match(text, offset)
    return space.end() if space else offset


def stems(text: str) -> frozenset[str]:
    """Return the words of a text without their usual endings."""
    return frozenset(_stem(word.lower()) for word in WORD.findall(text))


def _stem(word: str) -> str:
    word = _CONTRACTED.sub("", word)
    for _ in range(2):
        shorter = _SUFFIX.sub("", word)
        if len(shorter) >= _SHORTEST_STEM:
            word = shorter
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2]
    return word[:-1] if doubled else word
