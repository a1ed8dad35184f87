"""Is a draft kind, true, short and safe? The same rules for every model.

Each rule looks at a draft beside the thought it answers and says what is wrong, or nothing. The
rules are those of the project's voice; the words they look for are in ``knowledge/voice.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from reframer import paths
from reframer.records import Example, Problem
from reframer.sentences import WORD, stems

_SENTENCE_END = re.compile(r"(?<=[.?!])[\"')\]]*\s+")
_SHORTEST, _LONGEST, _SENTENCES = 10, 55, 4
_SHORTEST_OPENING, _LONGEST_OPENING = 5, 24
_DENIED = re.compile(
    r"\b(not|never|no|nor|isn't|aren't|wasn't|doesn't|don't|didn't|won't|nothing|without|"
    r"rather than|instead of|words?|names?|voice|verdict|label|thought|says?|said|"
    r"call(ed|ing|s)?|feel(s|ing)?|felt|hears?|heard|if|than|rule|whether)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\byou(?:'re| are| were)\s+(?:(?:\w+ly|just|still|really|not)\s+)?(?:an?|the|one of|that)\b"
    r"|\bthat'?s (?:what|who) you are\b|\b(?:makes|made) you an?\b",
    re.IGNORECASE,
)
_SPEAKS_AS_WRITER = re.compile(r"\b(my|mine|myself|I'm|I am|I was|I've|I have|I feel|we|our|us)\b")
# A whole answer may say "I" as a friend does; an opening says back, and so has no I of its own.
_SAYS_I = re.compile(r"\b(I|I'd|I'll|me|My|We|Our)\b")
_QUOTED = re.compile(r'"[^"]*"')
_TWICE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
# "You ran straight past you": somebody else ran, and the thought left out who.
_TO_ONESELF = re.compile(
    r"\byou (?:\w+ ){1,2}(?:past|at|from|with|to|towards|about) you\b(?= (?:at|in|on|and)\b|[,.;])",
    re.IGNORECASE,
)
_FIRST_TIME = re.compile(r"\b(first time|just this once|only once|just once)\b", re.IGNORECASE)
_NOT = r"(?:never|not|cannot|\w+n't|cant|dont|didnt|doesnt|havent|hasnt|hadnt|wasnt|wont|couldnt)"
_NOT_DONE = re.compile(rf"\b{_NOT} (?:really |even |ever |yet |been |be )?(\w+)", re.IGNORECASE)
_YOU_DID = re.compile(
    r"\byou(?:'ve| have| had|'d|'re| are| were)? (?:still |just |then |also )?(\w+)", re.IGNORECASE
)
_FOREIGN = re.compile(r"[\u0370-\u1fff\u2e80-\ud7ff\uf900-\ufaff]")
_MARKUP = re.compile(r"[<>{}\[\]#*_`|]|https?:|^\s*[-\d]+[.)]?\s", re.MULTILINE)
_NUMBER_WORDS = (
    "five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
).split()
_PRONOUNS = frozenset({"she", "her", "hers", "he", "him", "his", "she's", "he's"})
# A name, or somebody with a role, to whom a "she" or "he" in the answer may point.
_SOMEBODY = re.compile(
    r"(?<=[a-z,] )[A-Z][a-z]+|\b(friend|cat|dog|girl|boy|man|woman|guy|lady|aunt|uncle|gran\w*|nan|"
    r"niece|nephew|cousin|neighbou?r|patient|client|customer|student|pupil|teacher|coach|priest|"
    r"imam|rabbi|god|driver|resident|someone|somebody|baby|widow\w*|date|mate|flatmate|roommate)\b"
)
# People whom an answer must not bring in where the thought does not speak of them.
_PEOPLE = (
    ("mother mum mom mama mother's mum's mom's", "parents parent family"),
    ("father dad papa father's dad's", "parents parent family"),
    ("husband wife partner spouse boyfriend girlfriend ex", "marriage married divorce divorced"),
    ("son daughter child children kid kids baby toddler", "parent mother father mum mom dad"),
    ("brother sister sibling", "family"),
    ("boss manager colleague colleagues coworker teacher", "work job office team school class"),
    ("doctor nurse therapist", "hospital ward clinic"),
)


@dataclass(frozen=True)
class _Draft:
    """A draft and its thought, with what several rules need from them."""

    text: str
    thought: str
    examples: tuple[Example, ...]

    @cached_property
    def words(self) -> list[str]:
        return _words(self.text)

    @cached_property
    def thought_words(self) -> frozenset[str]:
        return frozenset(_words(self.thought))

    @cached_property
    def sentences(self) -> list[str]:
        return [part for part in _SENTENCE_END.split(self.text.strip()) if part]


Rule = Callable[[_Draft], str | None]

_STRAIGHT = str.maketrans("’‘“”", "''\"\"")


def _draft(text: str, thought: str, examples: Iterable[Example] = ()) -> _Draft:
    """Return a draft with the straight marks that all rules are written with."""
    return _Draft(text.translate(_STRAIGHT), thought.translate(_STRAIGHT), tuple(examples))


def review(draft: str, thought: str, examples: Iterable[Example] = ()) -> tuple[Problem, ...]:
    """Say which rules of the voice a draft breaks.

    Args:
        draft: What the model would say.
        thought: What the person said.
        examples: The card's examples that the model may have seen; a copy of one is refused.

    Returns:
        The problems in the order of the rules; empty for a draft that may be shown.
    """
    subject = _draft(draft, thought, examples)
    found = ((name, rule(subject)) for name, rule in RULES.items())
    return tuple(Problem(name, detail) for name, detail in found if detail)


def review_opening(sentence: str, thought: str) -> tuple[Problem, ...]:
    """Say what is wrong with a first sentence that should say back a thought without judging it.

    Args:
        sentence: What the model would say.
        thought: What the person said.
    """
    subject = _draft(sentence, thought)
    rules = {
        **_RULES_OF_OPENINGS,
        "length": _opening_length,
        "speaker": _opening_speaker,
        "verdict": _verdict,
        "foreign": _foreign,
    }
    found = ((name, rule(subject)) for name, rule in rules.items())
    return tuple(Problem(name, detail) for name, detail in found if detail)


def too_long(answer: str) -> bool:
    """Return whether an answer has more words or sentences than a friend's has."""
    return _excess(_draft(answer, "")) is not None


def invents(text: str, thought: str) -> bool:
    """Return whether a text brings in a person, a name or a number that the thought does not have.

    Args:
        text: Words of a card.
        thought: What the person said.
    """
    return _speaks_of_something(text) and _invented(_draft(text, thought)) is not None


@cache
def _speaks_of_something(text: str) -> bool:
    """Return whether a text could invent at all; the cards' words are asked for every thought."""
    return _invented(_draft(text, "")) is not None


def _opening_length(draft: _Draft) -> str | None:
    if len(draft.sentences) > 1:
        return f"{len(draft.sentences)} sentences"
    count = len(draft.words)
    return None if _SHORTEST_OPENING <= count <= _LONGEST_OPENING else f"{count} words"


def _foreign(draft: _Draft) -> str | None:
    """What is said back holds the thought's own words, and beside them only the plainest."""
    brought = stems(draft.text) - stems(draft.thought) - _plain()
    return f"words from nowhere: {', '.join(sorted(brought))}" if brought else None


def _verdict(draft: _Draft) -> str | None:
    return _search("verdicts", draft.text)


def _speaker(draft: _Draft) -> str | None:
    return _as_writer(_SPEAKS_AS_WRITER, draft)


def _opening_speaker(draft: _Draft) -> str | None:
    return _as_writer(_SAYS_I, draft) or _speaker(draft)


def _as_writer(pattern: re.Pattern[str], draft: _Draft) -> str | None:
    seen = pattern.search(_QUOTED.sub("", draft.text))
    return f"speaks as the writer: {seen[0]!r}" if seen else None


def _critic(draft: _Draft) -> str | None:
    return _search("agreement", draft.text)


def _insult(draft: _Draft) -> str | None:
    """An insult has no place in a model's draft: denying one well is beyond a small model."""
    seen = _pattern("insults").search(draft.text)
    return f"repeats {seen[0]!r}" if seen else None


def _label(draft: _Draft) -> str | None:
    """A model that says what somebody is mostly says what the critic said."""
    seen = _LABEL.search(draft.text)
    return f"says what they are: {seen[0]!r}" if seen else None


def _invented(draft: _Draft) -> str | None:
    for name, words in (
        ("number", _numbers(draft)),
        ("name", _names(draft)),
        ("person", _people(draft)),
        ("person", _strangers(draft)),
    ):
        if words:
            return f"{name} that the thought does not have: {words[0]!r}"
    return None


def _strangers(draft: _Draft) -> list[str]:
    """Return a "she" or "he" of whom the thought does not speak in any way."""
    spoken_of = {*_PRONOUNS, *" ".join(f"{people} {hints}" for people, hints in _PEOPLE).split()}
    if draft.thought_words & spoken_of or _SOMEBODY.search(draft.thought):
        return []
    return [word for word in draft.words if word in _PRONOUNS]


def _numbers(draft: _Draft) -> list[str]:
    said = draft.thought_words | {re.sub(r"\D", "", word) for word in draft.thought_words}
    digits_said = any(character.isdigit() for character in draft.thought)
    return [
        word
        for word in draft.words
        if (word[0].isdigit() and re.sub(r"\D", "", word) not in said)
        or (word in _NUMBER_WORDS and word not in said and not digits_said)
    ]


def _names(draft: _Draft) -> list[str]:
    """Capitalised words inside sentences that the thought does not hold."""
    names = []
    for sentence in draft.sentences:
        for word in WORD.findall(sentence)[1:]:
            plain = word.lower().removesuffix("'s")
            known = plain in draft.thought_words or f"{plain}'s" in draft.thought_words
            of_oneself = word == "I" or word.startswith("I'")
            if word[0].isupper() and not of_oneself and not known:
                names.append(word)
    return names


def _people(draft: _Draft) -> list[str]:
    for people, hints in _PEOPLE:
        group = people.split()
        if not draft.thought_words & {*group, *hints.split()}:
            brought = [word for word in draft.words if word in group]
            if brought:
                return brought
    return []


def _promise(draft: _Draft) -> str | None:
    return _search("promises", draft.text)


def _praise(draft: _Draft) -> str | None:
    return _search("praise", draft.text)


def _advice(draft: _Draft) -> str | None:
    for sentence in draft.sentences:
        if not _DENIED.search(sentence) and (seen := _search("advice", sentence)):
            return seen
    return None


def _again(draft: _Draft) -> str | None:
    if "again" in draft.thought_words and (seen := _FIRST_TIME.search(draft.text)):
        return f"the thought says 'again', the draft {seen[0]!r}"
    return None


def _negation(draft: _Draft) -> str | None:
    """What the thought says was not done, the draft must not say was done."""
    not_done = stems(" ".join(_NOT_DONE.findall(draft.thought)))
    done = stems(_NOT_DONE.sub("", draft.thought))
    turned = (not_done - done) & stems(" ".join(_YOU_DID.findall(draft.text)))
    return f"turns a no into a yes: {', '.join(sorted(turned))}" if turned else None


def _opener(draft: _Draft) -> str | None:
    seen = _pattern("openers").match(draft.text.strip())
    return f"opens with {seen[0]!r}" if seen else None


def _phrase(draft: _Draft) -> str | None:
    return _search("phrases", draft.text)


def _length(draft: _Draft) -> str | None:
    count = len(draft.words)
    return f"{count} words" if count < _SHORTEST else _excess(draft)


def _excess(draft: _Draft) -> str | None:
    if len(draft.words) > _LONGEST:
        return f"{len(draft.words)} words"
    if len(draft.sentences) > _SENTENCES:
        return f"{len(draft.sentences)} sentences"
    return None


def _form(draft: _Draft) -> str | None:
    if "!" in draft.text:
        return "an exclamation mark"
    if seen := _MARKUP.search(draft.text):
        return f"markup: {seen[0]!r}"
    if _FOREIGN.search(draft.text) and not _FOREIGN.search(draft.thought):
        return "another language"
    return None


def _fluency(draft: _Draft) -> str | None:
    if not re.search(r"[.?][\"')]*$", draft.text.strip()):
        return "cut off"
    if len({sentence.lower() for sentence in draft.sentences}) < len(draft.sentences):
        return "says a sentence twice"
    grams = list(zip(draft.words, draft.words[1:], draft.words[2:], draft.words[3:], strict=False))
    if len(set(grams)) < len(grams):
        return "goes round in circles"
    if seen := _TO_ONESELF.search(draft.text):
        return f"{seen[0]!r}"
    seen = _TWICE.search(draft.text)
    return f"{seen[0]!r}" if seen and seen[1].lower() not in ("that", "had") else None


def _echo(draft: _Draft) -> str | None:
    if _overlap(draft.words, _words(draft.thought)) > 0.6:
        return "repeats the thought"
    for example in draft.examples:
        if _overlap(draft.words, _words(example.answer)) > 0.6:
            return f"copies the example {example.id}"
    return None


RULES: dict[str, Rule] = {
    "speaker": _speaker,
    "critic": _critic,
    "insult": _insult,
    "label": _label,
    "invented": _invented,
    "promise": _promise,
    "praise": _praise,
    "advice": _advice,
    "again": _again,
    "negation": _negation,
    "opener": _opener,
    "phrase": _phrase,
    "length": _length,
    "form": _form,
    "fluency": _fluency,
    "echo": _echo,
}


# An opening may repeat the thought: saying it back is what it is for.
_RULES_OF_OPENINGS = {name: rule for name, rule in RULES.items() if name not in ("length", "echo")}


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


def _overlap(words: list[str], other: list[str]) -> float:
    """Return the share of the first text's word pairs, in order, that the other one holds."""
    pairs = set(zip(words, words[1:], strict=False))
    return len(pairs & set(zip(other, other[1:], strict=False))) / len(pairs) if pairs else 0.0


def _search(group: str, text: str) -> str | None:
    seen = _pattern(group).search(text)
    return f"says {seen[0]!r}" if seen else None


@cache
def _plain() -> frozenset[str]:
    return stems(_table()["plain"])


@cache
def _pattern(group: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_table()[group])})", re.IGNORECASE)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(paths.asset("knowledge", "voice.toml").read_text("utf-8"))
