"""Turns words about oneself into words to a friend and back: "I overslept", "you overslept"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache

from reframer import paths
from reframer.sentences import WORD

_APOSTROPHES = {
    "im": "i'm",
    "ive": "i've",
    "dont": "don't",
    "didnt": "didn't",
    "doesnt": "doesn't",
    "wasnt": "wasn't",
    "isnt": "isn't",
    "havent": "haven't",
    "hasnt": "hasn't",
    "hadnt": "hadn't",
    "wouldnt": "wouldn't",
    "couldnt": "couldn't",
    "werent": "weren't",
}
_TO_YOU = {
    "i": "you",
    "i'm": "you're",
    "i've": "you've",
    "i'd": "you'd",
    "i'll": "you'll",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "our": "your",
    "am": "are",
}
_WAS = {"was": "were", "wasn't": "weren't"}
_TO_I = {
    "you're": "I'm",
    "you've": "I've",
    "you'd": "I'd",
    "you'll": "I'll",
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
}

_NUMBER = re.compile(
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|thirty))\s+$",
    re.IGNORECASE,
)
_ADVERB = r"(?:\w+ly|still|already|really|again|also|both|once|then|too)"
_I_WAS = re.compile(rf"\byou((?:\s+{_ADVERB})?\s+)(wasn't|was)\b", re.IGNORECASE)
_YOU_ARE = re.compile(rf"\byou(\s+{_ADVERB})?\s+(are|were|aren't|weren't)\b", re.IGNORECASE)
_ARE_YOU = re.compile(r"\b(are|were|have|do|did|can|could|would|will) you\b", re.IGNORECASE)
_YOU = re.compile(r"\byou\b", re.IGNORECASE)
_BE = {"are": "am", "were": "was", "aren't": "am not", "weren't": "wasn't"}


def to_you(clause: str) -> str:
    """Turn words about "me" into words to "you": "I lost my keys" becomes "you lost your keys"."""
    turned = WORD.sub(
        lambda word: word[0] if _is_hour(word, clause) else _turn(word[0], _TO_YOU), clause
    )
    return _I_WAS.sub(lambda found: f"you{found[1]}{_WAS[found[2].lower()]}", turned)


def _is_hour(word: re.Match[str], clause: str) -> bool:
    """Whether a word is the "am" of a time of day."""
    return word[0].lower() == "am" and bool(_NUMBER.search(clause[: word.start()]))


def to_i(text: str) -> str:
    """Turn a friend's words to "you" into words to oneself: "you're tired" becomes "I'm tired"."""
    text = text.replace("’", "'")
    text = _ARE_YOU.sub(lambda found: f"{_cased(_be(found[1]), found[1])} I", text)
    text = _YOU_ARE.sub(lambda found: f"I{found[1] or ''} {_be(found[2])}", text)
    text = WORD.sub(lambda word: _cased(_TO_I.get(word[0].lower(), word[0]), word[0]), text)
    return _YOU.sub(lambda found: _me_or_i(text[: found.start()], text[found.end() :]), text)


def _me_or_i(before: str, after: str) -> str:
    """Return whether a "you" between two parts of a text is who acts or who is acted on."""
    if _ends_with("before_me", before):
        return "me"
    if _ends_with("perhaps_before_me", before):
        return "I" if _begins_with("behind_i", after) else "me"
    ends = not after.strip() or after[0] in ".,;:?)\"'" or _begins_with("behind_me", after)
    begins = (
        not before.strip() or before.rstrip()[-1] in '.?!:;,"' or _ends_with("before_i", before)
    )
    return "me" if ends and not begins else "I"


def _turn(word: str, table: Mapping[str, str]) -> str:
    plain = word.lower().replace("’", "'")
    plain = _APOSTROPHES.get(plain, plain)
    if plain not in table:
        return plain if plain in _APOSTROPHES.values() else word
    return table[plain]


def _cased(word: str, like: str) -> str:
    return word[0].upper() + word[1:] if like[0].isupper() else word


def _be(verb: str) -> str:
    return _BE.get(verb.lower(), verb)


def _ends_with(group: str, text: str) -> bool:
    return bool(re.search(rf"\b(?:{_words(group)})\s+$", text, re.IGNORECASE))


def _begins_with(group: str, text: str) -> bool:
    return bool(re.match(rf"\s+(?:{_words(group)})\b", text, re.IGNORECASE))


def _words(group: str) -> str:
    return "|".join(_table()[group].split())


@cache
def _table() -> dict[str, str]:
    return tomllib.loads(paths.asset("knowledge", "person.toml").read_text("utf-8"))
