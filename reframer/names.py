"""Takes names out of a text that somebody else will read.

It goes by capital letters and by the words that the technique cards use, so it errs on the side of
taking out too much; a name typed in small letters stays. Whoever hands the text on should read it.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cache

from reframer.knowledge import load_techniques
from reframer.sentences import split

NAME = "[name]"
CONTACT = "[contact]"

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_CONTACT = re.compile(r"https?://\S+|\S+@\S+\.\w+|(?<!\w)@\w+|\+?\d[\d ()/.-]{5,}\d")
_ENDING = re.compile(r"['’](?:s|re|ve|ll|d|m)?$", re.IGNORECASE)
_CAPITAL_ANYWAY = frozenset(
    "i monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december mom mum dad grandma grandpa christmas "
    "easter english ok tv adhd".split()
)


def without_names(text: str) -> str:
    """Return a text with names, addresses, links and telephone numbers taken out."""
    text = _CONTACT.sub(CONTACT, text)
    names = _names_in(text)

    def hide(match: re.Match[str]) -> str:
        stem = _stem(match[0])
        is_name = match[0][0].isupper() and stem.lower() in names
        return NAME + match[0][len(stem) :] if is_name else match[0]

    return _WORD.sub(hide, text)


def _names_in(text: str) -> set[str]:
    """Return the words that look like names, in small letters."""
    names = set()
    for sentence in split(text):
        for number, match in enumerate(_WORD.finditer(sentence.text)):
            word = _stem(match[0])
            if word[:1].isupper() and _is_name(word, first=number == 0):
                names.add(word.lower())
    return names


def _is_name(word: str, first: bool) -> bool:
    small = word.lower()
    if small in _CAPITAL_ANYWAY:
        return False
    shouted_or_first = first or word.isupper()
    return not (shouted_or_first and small in _common_words())


def _stem(word: str) -> str:
    """Return a word without ’s and the like."""
    return _ENDING.sub("", word)


@cache
def _common_words() -> Set[str]:
    """Return the words that the cards write in small letters."""
    texts = (
        f"{technique.about} {technique.step} {technique.why} "
        + " ".join(f"{example.thought} {example.answer}" for example in technique.examples)
        for technique in load_techniques()
    )
    return {_stem(word) for text in texts for word in _WORD.findall(text) if word.islower()}
