"""Says back what somebody told of themselves: "I overslept" becomes "You overslept", and back.

Plain rules that would rather say nothing than something wrong. Only what happened is said back,
never the harsh judgement on it: "I overslept again, I'm hopeless" gives "You overslept again".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from reframer import paths
from reframer.records import Notice, Voice
from reframer.sentences import WORD

_SHORTEST, _LONGEST = 3, 16  # words of a clause
_NEAR = 2  # sentences from the harshest one
# Words of a text; of a longer story rules do not know which clause hurts ("you made tea").
_LONGEST_STORY = 45

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
_CLAUSES = re.compile(
    r"\s*(?:[;:—–]|,(?!\d)|\s-\s|\.{2,}|…|\bbecause\b|\bcos\b|\bcuz\b)\s*", re.IGNORECASE
)
_LEADING_WORD = re.compile(r"^(?:and|but|so|then)\b,?\s*", re.IGNORECASE)
# "such an idiot for missing the train": what comes behind "for", if somebody is blamed for it.
_BLAMED_FOR = re.compile(
    r"\b(?:such an?|what an?|an?|so|myself|guilty|ashamed|bad)\b.*\bfor\s+"
    r"(?P<act>(?:not\s+)?(?!thing|evening|morning)\w{2,}(?<!th)ing\b[^.,;:!?—–]*)",
    re.IGNORECASE,
)
# An exclamation hung on without a comma: "im 34 and live at home what a loser".
_HUNG_ON = re.compile(
    r"[\s,]+(?:and\s+)?(?:what an?\b|such an?\b|how (?:\w+ )?(?:can|could) i\b|god,?\s+(?:i|what)\b"
    r"|lol\b|ffs\b|i['’]?m (?:such an?|so|an?|the)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_WAS_WITHOUT_I = re.compile(r"\b(?:and|but|or)\s+(?:\w+ly\s+)?was(?:n['’]?t)?\b", re.IGNORECASE)
_ADVERB = r"(?:\w+ly|still|already|really|again|also|both|once|then|too)"
_I_WAS = re.compile(rf"\byou((?:\s+{_ADVERB})?\s+)(wasn't|was)\b", re.IGNORECASE)
_YOU_ARE = re.compile(rf"\byou(\s+{_ADVERB})?\s+(are|were|aren't|weren't)\b", re.IGNORECASE)
_ARE_YOU = re.compile(r"\b(are|were|have|do|did|can|could|would|will) you\b", re.IGNORECASE)
_YOU = re.compile(r"\byou\b", re.IGNORECASE)
_BE = {"are": "am", "were": "was", "aren't": "am not", "weren't": "wasn't"}


def opening(text: str, notices: Sequence[Notice], voice: Voice = "adult") -> str:
    """Return a sentence that says back what happened, or nothing where rules cannot do it well.

    Args:
        text: What the person wrote.
        notices: What the ear heard in it.
        voice: Whom the words are for.

    Returns:
        A whole sentence spoken to "you", without any judgement; or an empty text.
    """
    critical = [index for index, notice in enumerate(notices) if notice.self_critical]
    if not critical or len(WORD.findall(text)) > _LONGEST_STORY:
        return ""
    worst = max(critical, key=lambda index: notices[index].strength)
    near = range(max(0, worst - _NEAR), min(len(notices), worst + _NEAR + 1))
    for index in sorted(near, key=lambda index: abs(index - worst)):
        for said, frames in _said_back(notices[index].text):
            return _framed(said, _table()["frames"][frames][voice], text)
    return ""


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


def _said_back(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield what of a sentence can be said back, with the name of the frames it goes into."""
    if '"' in sentence or "“" in sentence or "?" in sentence:
        return
    for clause in _CLAUSES.split(_HUNG_ON.sub("", sentence)):
        clause = clause.strip(" .!*_~'")
        if _statement().fullmatch(clause) and _harmless(clause):
            said = to_you(_LEADING_WORD.sub("", clause))
            yield said[0].upper() + said[1:], "statement"
    if (blamed := _BLAMED_FOR.search(sentence)) and _harmless(blamed["act"], shortest=2):
        yield to_you(blamed["act"].strip()), "blamed"


def _harmless(clause: str, shortest: int = _SHORTEST) -> bool:
    words = WORD.findall(clause)
    return (
        shortest <= len(words) <= _LONGEST
        and not _never_said_back().search(clause)
        and not _WAS_WITHOUT_I.search(clause)
    )


def _framed(said: str, frames: Sequence[str], text: str) -> str:
    """Put what is said back into one of the frames, chosen by the text, so that it stays."""
    return frames[sum(text.encode()) % len(frames)].format(said)


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


@cache
def _statement() -> re.Pattern[str]:
    """Return what says that "I" did something, still does it, or am so old: not what I am."""
    lead = (
        r"(?:(?:and|but|so|then|today|yesterday|tonight|now|again|last (?:night|week|month|year)"
        r"|this (?:morning|week|year|afternoon|evening)),?\s+)*"
    )
    did = rf"\w+ed|(?:did|have|had|would)n['’]?t\s+\w+|{_words('did')}"
    did = rf"(?!need|feed|used to|won['’]?t)(?:{did})"
    return re.compile(
        rf"{lead}(?:i\s+(?:\w+ly\s+)?(?:{did}|still\s+\w+|keep\s+\w+ing)|i['’]?ve\s+\w+"
        r"|i['’]?m\s+\d+)\b.*",
        re.IGNORECASE | re.DOTALL,
    )


@cache
def _never_said_back() -> re.Pattern[str]:
    insults = tomllib.loads(paths.asset("knowledge", "voice.toml").read_text("utf-8"))["insults"]
    return re.compile(
        rf"\b(?:{_words('never_said_back')})\b|\b(?:{'|'.join(insults)})", re.IGNORECASE
    )


def _words(group: str) -> str:
    return "|".join(_table()[group].split())


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(paths.asset("knowledge", "mirror.toml").read_text("utf-8"))
