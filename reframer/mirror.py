"""Says back what somebody told of themselves: "I overslept" becomes "You overslept".

Plain rules that would rather say nothing than something wrong. Only what happened is said back,
never the harsh judgement on it: "I overslept again, I'm hopeless" gives "You overslept again". How
often they are right was read by eye (docs/log.md).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple

from reframer import paths
from reframer.person import to_you
from reframer.records import Thought, Voice
from reframer.sentences import WORD, split

_SHORTEST, _LONGEST = 4, 20  # words of what is said back
_BEGINNING = 15  # characters
# Of the words of a text; what is a smaller part of a story is seldom what hurts ("you made tea").
_LEAST = 0.25
_APPLIES = re.IGNORECASE | re.DOTALL

# Where a sentence can be cut: what stands between two cuts still says what it said.
_CUTS = re.compile(
    r"\s*(?:[;:—–…]|\s-\s|\.{2,}|\b(?:because|cos|cuz|though)\b"
    r"|,?\s+(?:and|but|so|then)\s+(?=(?:now\s+|today\s+)?i\b)|,?\s+so\s+(?=i['’]?m\b|that\b)"
    r"|(?<!look)(?<!looks)(?<!looked)(?<!feel)(?<!feels)(?<!felt)(?<!feeling)(?<!sound)"
    r"(?<!sounded)\s+like\s+(?:an?|the|some)\b.*)\s*",
    _APPLIES,
)
# Where somebody else begins to act; a sentence that is too long is cut there, too.
_OTHER_DOER = re.compile(
    r",?\s+(?:and|but|so|when|while|until)\s+(?=(?:my|the|an?|he|she|they|it|nobody|no one)\b)",
    re.IGNORECASE,
)
_COMMAS = re.compile(r"\s*,(?!\d)\s*(?:(?:and|but|so|then)\b)?\s*", re.IGNORECASE)
_GOES_ON = re.compile(
    r"(?:with|in|on|at|of|for|to|from|by|after|before|while|when|about|without|\w+ing|\w+ed)\b",
    re.IGNORECASE,
)
_LEADING_WORDS = re.compile(
    r"^(?:(?:and|but|so|then|ok(?:ay)?|well|like|also|plus|anyway|yes|no|oh|now)\b(?!\sone\b),?\s*)+",
    re.IGNORECASE,
)
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
    _APPLIES,
)
_QUOTED = re.compile(r"[\"“”‘?*]|(?<!\w)['’]")
_SHOUTED = re.compile(r"\b[A-Z]{2,}\b(?!\d)")
_WAS_WITHOUT_I = re.compile(r"\b(?:and|but|or)\s+(?:\w+ly\s+)?was(?:n['’]?t)?\b", re.IGNORECASE)
_POINTS = re.compile(
    r"\b(?:he|she|it|they|him|them|that|this|those|these|there|his|her|their|its)\b", re.IGNORECASE
)
_SOMEBODY = re.compile(r"\b(?i:my|your|the|an?|his|her)\s+\w+|(?<!^)\b[A-Z]\w+")
_PARENT = re.compile(
    r"(^|,\s|\b(?:and|for|with|to|of|from|at|on|put|told|asked|rang|called|sent|showed|gave|let|made)\s)"
    r"(mum|mom|mam|dad|nan|gran|grandma|grandad)\b(?! of\b)",
    re.IGNORECASE,
)


class _Form(NamedTuple):
    """A way in which something is told, and what has to stand before it when it is said back."""

    pattern: re.Pattern[str]
    lead: str


class Said(NamedTuple):
    """What can be said back.

    Attributes:
        text: Words to "you", without an end mark.
        frames: Name of the frames that they go into.
    """

    text: str
    frames: str


def opening(thought: Thought, sounds_harsh: Callable[[str], bool], voice: Voice = "adult") -> str:
    """Return a sentence that says back what happened, or nothing where rules cannot do it well.

    Args:
        thought: What the person wrote.
        sounds_harsh: Whether the critic is heard in a sentence; then it is not said.
        voice: Whom the words are for.

    Returns:
        A whole sentence spoken to "you", without any judgement; or an empty text.
    """
    said = said_back(thought, sounds_harsh)
    return _framed(said, _table()["frames"][said.frames][voice], thought.text) if said else ""


def said_back(thought: Thought, sounds_harsh: Callable[[str], bool]) -> Said | None:
    """Return what of a thought is said back, as `opening` does, before it is put into a frame."""
    least = _LEAST * len(WORD.findall(thought.story))
    for text in (thought.text, thought.before):
        for sentence in split(text):
            for said in _sayable(sentence.text.strip(), text):
                if len(WORD.findall(said.text)) >= least and not sounds_harsh(said.text):
                    return said
    return None


def _sayable(sentence: str, text: str) -> Iterator[Said]:
    """Yield what of a sentence can be said back, the best first."""
    if _QUOTED.search(sentence):
        return
    for clause in _clauses(sentence):
        plain = _LEADING_WORDS.sub("", clause.strip(" .!_~,()")).strip()
        said = _turned(plain)
        if said and _harmless(plain) and _fits(said) and _stands_alone(plain, text):
            yield Said(said[0].upper() + said[1:], "statement")
    if (blamed := _BLAMED_FOR.search(sentence)) and _harmless(blamed["act"]):
        yield Said(to_you(blamed["act"].strip()), "blamed")


def _clauses(sentence: str) -> Iterator[str]:
    """Yield the parts of a sentence that could stand alone, the longer first."""
    for whole in _CUTS.split(_HUNG_ON.sub("", sentence)):
        if len(WORD.findall(whole)) > _LONGEST:
            yield _OTHER_DOER.split(whole)[0]
        parts = _COMMAS.split(whole)
        ends = [*(comma.start() for comma in _COMMAS.finditer(whole)), len(whole)]
        on = takewhile(lambda part: _GOES_ON.match(part) or _turned(part), parts[1:_LONGEST])
        for count in range(sum(1 for _ in on), -1, -1):
            yield whole[: ends[count]]
        yield from parts[1:]


def _turned(clause: str) -> str:
    """Return a clause turned to "you"; nothing if it does not tell what happened."""
    for form in _forms():
        if told := form.pattern.fullmatch(clause):
            rest = to_you(told["rest"])
            rest = rest[0].lower() + rest[1:] if form.lead else rest
            return _PARENT.sub(_your, f"{told['when'] or ''}{form.lead}{rest}")
    return ""


def _your(parent: re.Match[str]) -> str:
    return f"{parent[1]}your {parent[2].lower()}"


def _fits(said: str) -> bool:
    return _SHORTEST <= len(WORD.findall(said)) <= _LONGEST


def _harmless(clause: str) -> bool:
    return (
        not _never_said_back().search(clause)
        and not _WAS_WITHOUT_I.search(clause)
        and not _SHOUTED.search(_abbreviations().sub("", clause))
    )


def _stands_alone(clause: str, text: str) -> bool:
    """Whether a clause says of whom it speaks, or the text itself begins with it and does not."""
    points = _POINTS.search(clause)
    begins = " ".join(text.split()).lower().startswith(clause.lower()[:_BEGINNING])
    return not points or begins or bool(_SOMEBODY.search(clause[: points.start()]))


def _framed(said: Said, frames: Sequence[str], text: str) -> str:
    """Put what is said back into one of the frames, chosen by the text, so that it stays."""
    parted = "," in said.text
    fitting = [frame for frame in frames if frame.startswith("{}.") == parted]
    return fitting[sum(text.encode()) % len(fitting)].format(said.text)


@cache
def _forms() -> tuple[_Form, ...]:
    """Return the ways in which it is told what happened: not what somebody is."""
    deed = rf"(?:\w+ed|went|{_words('did')})"
    undone = r"(?:did|had|have|would|could|was)n['’]?t\s+\w+"
    happened = (
        rf"{deed}|(?:is|was|did|has|had|would|could)n['’]?t|said|was|were|has|had|is\s+\w+ing"
    )
    adverb = r"(?:\w+ly\s+|just\s+|still\s+|also\s+|nearly\s+|once\s+|then\s+)?"
    people = (
        r"my\s+(?:\w+\s+)?\w+(?:['’]s\s\w+)?|the\s+\w+(?:\s\w+)?|(?!still\b|just\b)(?-i:[A-Z]\w+)"
    )
    whose = r"(?:\s(?:and|from|in|at|of)\s(?:my\s|the\s)?\w+)?"
    forms = {
        rf"i\s+{adverb}(?:(?!need|feed|used\sto){deed}|felt|had|did|was|{undone}|still\s+\w+"
        r"|keep\s+\w+ing)\b.*": "",
        r"(?:i['’]?ve\s+\w+|i['’]?m\s+\d+"
        rf"|i['’]?m\s+(?!(?:{_words('not_doing')})\b)\w+ing)\b.*": "",
        r"(?:took|cost)\s+me\b.*": "it ",
        rf"(?:{_words('done_to')})\b.*": "you were ",
        rf"{adverb}(?!(?:{_words('not_deeds')})\b)(?:{deed}|{undone})\s+\w.*": "you ",
        rf"(?:{people}|nobody|no one|mum|mom|dad|boss|he|she|they){whose}\s+(?:just\s+|still\s+)?"
        rf"(?:{happened})\b.*": "",
    }
    when = rf"(?P<when>(?:(?:{_words('when')}),?\s+)*)"
    return tuple(
        _Form(re.compile(rf"{when}(?P<rest>{form})", _APPLIES), lead)
        for form, lead in forms.items()
    )


@cache
def _never_said_back() -> re.Pattern[str]:
    insults = tomllib.loads(paths.asset("knowledge", "voice.toml").read_text("utf-8"))["insults"]
    return re.compile(
        rf"\b(?:{_words('never_said_back')})\b|\b(?:{'|'.join(insults)})", re.IGNORECASE
    )


@cache
def _abbreviations() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_words('abbreviations')})\b")


def _words(group: str) -> str:
    return "|".join(_table()[group].split())


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(paths.asset("knowledge", "mirror.toml").read_text("utf-8"))
