"""What is read before anything else: is the person who writes in danger, and where may they turn?

    text ── normal (slips put right) ── units (whole, sentences, pairs, pieces of long ones)
         ── lexicon (patterns with guards)      ─┐
         ── reader (a small network)            ─┴── the highest level wins ──> Risk
    Risk ── signposts (written words, help lines of the country) ──> text

No language model words an answer here. The lexicon works alone; the reader, which tells how like
statements of danger a text is, only ever adds to it. Where the chat model has read a text, too
(`reframer.probe`), what it made of it and what the reader did are weighed together. Joining a word
list with a small classifier follows Swaminathan et al. (2023), npj Digital Medicine 6, 213.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import yaml

from reframer import paths
from reframer.encoder import Vectors
from reframer.errors import KnowledgeError, ModelError
from reframer.reader import Reader
from reframer.records import Level, Risk, Voice
from reframer.sentences import split

Serves = Literal["everyone", "young", "abuse"]

RANK: Mapping[Level, int] = {"none": 0, "concern": 1, "crisis": 2}
LONGEST_AGE_DAYS = 365

_PASSAGE = 6  # sentences, at most, that the reader takes for one story
_LONGEST_PIECE = 30  # words; a longer sentence is also read in pieces
_PIECE_STEP = 15
_LINES_SHOWN = 2
# From here on a text that reader and chat model read together is called a concern: where about as
# many harmless ones are flagged as by the reader alone (docs/log.md).
_BOTH = 0.45
_RESEMBLANCE = "resemblance"


# Reading words


@dataclass(frozen=True, slots=True)
class Reading:
    """What the lexicon found in one piece of text.

    Attributes:
        level: The highest level found.
        signals: Names of the signals at any level, in the lexicon's order.
        figure: Whether the text is a figure of speech from end to end, and surely no more.
    """

    level: Level = "none"
    signals: tuple[tuple[Level, str], ...] = ()
    figure: bool = False


@dataclass(frozen=True, slots=True)
class _Guard:
    where: str
    leaves: Level
    pattern: re.Pattern[str]

    def holds(self, text: str, start: int, end: int) -> bool:
        """Whether it sets aside what was found at ``text[start:end]``."""
        if self.where == "before":
            return bool(self.pattern.search(text[:start]))
        if self.where == "after":
            return bool(self.pattern.search(text[end:]))
        if self.where == "quoted":
            return text.count('"', 0, end) % 2 == 1 and bool(self.pattern.search(text))
        return bool(self.pattern.search(text))


@dataclass(frozen=True, slots=True)
class _Signal:
    name: str
    level: Level
    guards: tuple[_Guard, ...]
    pattern: re.Pattern[str]


class Lexicon:
    """Patterns that name a danger, and guards that know when they do not.

    Args:
        table: The lexicon as read from YAML.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._spelling: dict[str, str] = {
            wrong: right
            for right, wrongs in table["spellings"].items()
            for wrong in str(wrongs).split()
        }
        self._near: frozenset[str] = frozenset(table["near"].split())
        self._phrases = [(re.compile(what), put) for what, put in table["phrases"]]
        macros = {f"{{{name}}}": pattern for name, pattern in table["macros"].items()}
        guards = {
            name: _Guard(g["where"], g["leaves"], re.compile(_expand(g["pattern"], macros)))
            for name, g in table["guards"].items()
        }
        self._figures = re.compile("|".join(table["figures"]))
        self._signals = tuple(
            _Signal(
                signal["name"],
                signal["level"],
                tuple(guards[name] for name in signal["guards"]),
                re.compile("|".join(_expand(pattern, macros) for pattern in signal["patterns"])),
            )
            for signal in table["signals"]
        )

    @classmethod
    @cache
    def shipped(cls) -> Lexicon:
        """Return the lexicon that comes with the program."""
        with paths.asset("knowledge", "safety", "lexicon.yaml").open("rb") as file:
            return cls(yaml.safe_load(file))

    def normal(self, text: str) -> str:
        """Return a text in the form the patterns are written for.

        Lower case, straight double quotes, no apostrophes, digits read as the letters they stand
        for, common slips put right, one space between words.
        """
        text = unicodedata.normalize("NFKC", text).lower()
        text = re.sub("[\u200b-\u200f\u2060\ufeff\u00ad'\u2018\u2019\u02bc`]", "", text)
        text = re.sub("[\u201c\u201d\u201e\u00ab\u00bb]", '"', text)
        text = re.sub("[\u2013\u2014]", " - ", text)
        text = re.sub(r"(?<=\w)[._](?=[a-z])|(?<=[a-z])[._](?=\w)", " ", text)
        text = re.sub(r"([a-z])\1{2,}", r"\1\1", text)
        text = re.sub(r"\w+", lambda word: self._right(word[0]), text)
        text = re.sub(r"\s+", " ", text).strip()
        for what, put in self._phrases:
            text = what.sub(put, text)
        return text

    def read(self, text: str) -> Reading:
        """Return what the patterns find in a text already `normal`."""
        found: dict[tuple[Level, str], None] = {}
        for signal in self._signals:
            for match in signal.pattern.finditer(text):
                level = signal.level
                for guard in signal.guards:
                    if guard.holds(text, match.start(), match.end()):
                        level = min(level, guard.leaves, key=RANK.__getitem__)
                if level != "none":
                    found[level, signal.name] = None
                if level == signal.level:
                    break  # it cannot become more; guards read the whole text for every find
        highest = _highest(level for level, _ in found)
        figure = bool(self._figures.fullmatch(text.rstrip(" .!")))
        return Reading(highest, tuple(found), figure)

    def _right(self, word: str) -> str:
        if not word.isalpha() and not word.isdigit() and word.isascii():
            word = word.translate(_LETTERS)
        if right := self._spelling.get(word):
            return right
        if len(word) < _SHORTEST_NEAR or word in self._near:
            return word
        return next((right for right in self._near if _one_slip(word, right)), word)


_LETTERS = str.maketrans("013457", "oieast")
_SHORTEST_NEAR = 6


def _highest(levels: Iterable[Level]) -> Level:
    none: Level = "none"
    return max(levels, key=RANK.__getitem__, default=none)


def _expand(pattern: str, macros: Mapping[str, str]) -> str:
    for name, meaning in macros.items():
        pattern = pattern.replace(name, meaning)
    return pattern


def _one_slip(word: str, right: str) -> bool:
    """Whether two words differ by one letter put in, left out, exchanged or swapped."""
    if abs(len(word) - len(right)) > 1 or word[0] != right[0]:
        return False
    start = _shared(word, right)
    end = _shared(word[start:][::-1], right[start:][::-1])
    left, wanted = word[start : len(word) - end], right[start : len(right) - end]
    return max(len(left), len(wanted)) == 1 or (len(left) == 2 and left == wanted[::-1])


def _shared(word: str, other: str) -> int:
    """Return how many letters two words begin with in common."""
    pairs = enumerate(zip(word, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(word), len(other)))


# Assessing


class Safety:
    """Reads the whole of a text for danger.

    Args:
        reader: Tells what a text resembles; None to go by the lexicon alone.
    """

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader
        self._lexicon = Lexicon.shipped()

    @classmethod
    def open(cls, folder: Path, on_problem: Callable[[str], None] = lambda _: None) -> Self:
        """Return safety with the reader where it can be opened, else with the lexicon alone.

        Args:
            folder: Folder of the model files.
            on_problem: Told why the reader cannot be opened, in a sentence.
        """
        try:
            return cls(Reader.from_catalog(folder))
        except (ModelError, KnowledgeError) as problem:
            on_problem(problem.message)
        except OSError as problem:
            on_problem(f"{problem}.")
        return cls()

    def assess(self, text: str, probed: Vectors | None = None) -> Risk:
        """Return the highest level that any part of the text reaches, and the signals for it.

        The text is read whole, sentence by sentence, and in pairs of neighbours, so that a long
        entry does not hide a line, nor a full stop a thought.

        Args:
            text: Any text, as it was typed.
            probed: Share of each level in what the chat model makes of the text, if it was asked.
                Where only a resemblance speaks for a concern, it counts as much as the reader.
        """
        readings = {unit: self._lexicon.read(self._lexicon.normal(unit)) for unit in _units(text)}
        found = {(signal, level) for r in readings.values() for level, signal in r.signals}
        found |= {(_RESEMBLANCE, level) for level in self._resembles(text, readings, probed)}
        level = _highest(level for _, level in found)
        return Risk(level, tuple(sorted(name for name, reached in found if reached == level)))

    def _resembles(
        self, text: str, readings: Mapping[str, Reading], probed: Vectors | None
    ) -> set[Level]:
        """Return the level above none that the reader sees, if any, figures of speech left out.

        A sentence out of its story may sound like what it is not, and a story may hide a sentence.
        So a passage is as alarming as it is on average of two: read whole, and in its worst part.

        Args:
            text: The text.
            readings: What the lexicon found in each of its units, the whole first.
            probed: As in `assess`.
        """
        whole = next(iter(readings.values()), None)
        if self._reader is None or whole is None or whole.figure:
            return set()
        figures = {unit for unit, reading in readings.items() if reading.figure}
        sentences = [piece.text for piece in split(text) if piece.text.strip() not in figures]
        passages = [_units(passage) for passage in _passages(sentences)]
        if not any(passages):
            return set()
        levels = self._reader.read([unit for units in passages for unit in units]).levels
        ends = np.cumsum([len(units) for units in passages])[:-1]
        alarms = [_alarm(each) for each in np.split(levels, ends) if len(each)]
        least = self._reader.thresholds
        found: set[Level] = set()
        for none, _, crisis in alarms:
            if crisis >= least.crisis:
                found.add("crisis")
            elif _is_concern(none, least.concern, probed):
                found.add("concern")
        return found


def unsure(risk: Risk) -> bool:
    """Whether the chat model's view may change a level: none, or a concern by resemblance alone."""
    return risk.level == "none" or (risk.level == "concern" and alike(risk))


def alike(risk: Risk) -> bool:
    """Whether a text only resembles what shows a danger, and no word of it names one."""
    return risk.signals == (_RESEMBLANCE,)


def _alarm(levels: Vectors) -> Vectors:
    """Return what a passage is taken for, from its units, of which the first is all of it."""
    worst = np.array([levels[:, 0].min(), levels[:, 1].max(), levels[:, 2].max()])
    alarm: Vectors = (levels[0] + worst) / 2
    return alarm


def _is_concern(none: float, least: float, probed: Vectors | None) -> bool:
    """Whether a passage is called a concern.

    Args:
        none: Share of the level none in what the reader takes it for.
        least: How much must be left for the other levels where the reader is alone.
        probed: What the chat model takes the whole text for, if it was asked.
    """
    if probed is None:
        return 1 - none >= least
    return 1 - (none + float(probed[0])) / 2 >= _BOTH


def _passages(sentences: Sequence[str]) -> Iterator[str]:
    """Yield the sentences of a text a few at a time, evenly divided."""
    if not sentences:
        return
    size = math.ceil(len(sentences) / math.ceil(len(sentences) / _PASSAGE))
    for at in range(0, len(sentences), size):
        yield "".join(sentences[at : at + size])


def also_unsafe(answer: str) -> bool:
    """Whether an answer must not be shown: it speaks of dying, or of danger to the reader.

    An answer speaks to "you"; it is read again as if the reader had said it of themselves.

    Args:
        answer: What the model said.
    """
    lexicon = Lexicon.shipped()
    text = lexicon.normal(answer)
    if _DYING.search(text):
        return True
    versions = (text, _turned(text, you="i"), _turned(text, you="me"))
    return any(lexicon.read(version).level != "none" for version in versions)


_DYING = re.compile(
    r"\b(?:die|dies|died|dying|dead|deaths?|suicid\w*|kill\w*|overdos\w*|self harm\w*|unaliv\w*"
    r"|pass(?:ed|ing)? away|end your life|in the grave)\b"
)
_FIRST_PERSON = {
    "your": "my",
    "youre": "im",
    "youll": "ill",
    "youd": "id",
    "youve": "ive",
    "yourself": "myself",
}


def _turned(text: str, you: str) -> str:
    """Return a text that speaks to the reader as if the reader had said it."""
    words = {"you": you, **_FIRST_PERSON}
    return re.sub(r"\byou\w*\b", lambda word: words.get(word[0], word[0]), text)


def _units(text: str) -> list[str]:
    """Return the parts of a text that are read: whole, sentences, neighbours, long ones' pieces."""
    sentences = [sentence.text.strip() for sentence in split(text) if sentence.text.strip()]
    pairs = [" ".join(pair) for pair in zip(sentences, sentences[1:], strict=False)]
    pieces = [piece for sentence in sentences for piece in _pieces(sentence)]
    whole = " ".join(text.split())
    return list(dict.fromkeys([whole, *sentences, *pairs, *pieces])) if sentences else []


def _pieces(sentence: str) -> Iterable[str]:
    words = sentence.split()
    if len(words) <= _LONGEST_PIECE:
        return ()
    starts = range(0, len(words) - _PIECE_STEP, _PIECE_STEP)
    return (" ".join(words[start : start + _LONGEST_PIECE]) for start in starts)


# Where to turn


@dataclass(frozen=True, slots=True)
class Helpline:
    """A place to turn to.

    Attributes:
        country: Two-letter code (ISO 3166-1), or ``*`` for a directory of all countries.
        name: What it is called.
        phone: The number as dialled in the country; may be empty where there is ``text`` or
            ``web``.
        text: How to write to it, in words; may be empty.
        web: Its address, with https; may be empty.
        hours: When it answers, in words.
        language: Languages it answers in.
        source: Where the entry comes from, with https.
        checked: The day on which the entry was last gone through; docs/safety.md says how.
        serves: ``everyone``, the ``young``, or people who suffer ``abuse``.
    """

    country: str
    name: str
    phone: str
    text: str
    web: str
    hours: str
    language: str
    source: str
    checked: date
    serves: Serves = "everyone"

    def __post_init__(self) -> None:
        _check(bool(re.fullmatch(r"[A-Z]{2}|\*", self.country)), "country", self.name)
        _check(bool(self.name and self.hours and self.language), "name", self.name)
        _check(bool(re.fullmatch(r"[0-9+*][0-9 ()-]*|", self.phone)), "phone", self.name)
        _check(bool(self.phone or self.text or self.web), "phone", self.name)
        _check(bool(re.fullmatch(r"https://\S+|", self.web)), "web", self.name)
        _check(bool(re.fullmatch(r"https://\S+", self.source)), "source", self.name)
        _check(type(self.checked) is date, "checked", self.name)
        _check(self.serves in ("everyone", "young", "abuse"), "serves", self.name)

    def stale(self, today: date) -> bool:
        """Whether it was last checked more than a year ago, or in the future."""
        return not 0 <= (today - self.checked).days <= LONGEST_AGE_DAYS

    def __str__(self) -> str:
        ways = [f"call {self.phone}" if self.phone else "", self.text]
        said = " or ".join(way for way in ways if way)
        said = f"{said} ({self.hours})" if said else self.hours
        return f"{self.name}: {said}{f', {self.web}' if self.web else ''}"


@dataclass(frozen=True, slots=True)
class Directory:
    """The help lines, best first in each country, and the numbers for emergencies."""

    helplines: tuple[Helpline, ...]
    emergency: Mapping[str, str]


def user_helplines() -> Path:
    """Return the path of the user's own help lines, whether or not it exists."""
    return paths.config_dir() / "helplines.toml"


def load_directory(user_file: Path | None = None) -> Directory:
    """Read the help lines that ship with the program and the user's own, which come first.

    An entry of the user's takes the place of a shipped one with the same country and name.

    Args:
        user_file: The user's file; it need not exist. None to read the shipped ones only.

    Raises:
        KnowledgeError: A file cannot be read or an entry is malformed.
    """
    shipped = _read_directory(paths.asset("knowledge", "safety", "helplines.toml"))
    if user_file is None or not user_file.is_file():
        return shipped
    own = _read_directory(user_file)
    replaced = {(line.country, line.name) for line in own.helplines}
    kept = [line for line in shipped.helplines if (line.country, line.name) not in replaced]
    return Directory((*own.helplines, *kept), {**shipped.emergency, **own.emergency})


def country_here(environ: Mapping[str, str] | None = None) -> str:
    """Return the country of the locale, such as ``GB`` of ``en_GB.UTF-8``; empty if it has none."""
    environ = os.environ if environ is None else environ
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", locale)
    return found[1] if found else ""


def signposts(risk: Risk, country: str = "", voice: Voice = "adult") -> str:
    """Return the written words for a risk, with help lines of the country.

    Args:
        risk: What was read; for ``none`` there is nothing to say and the text is empty.
        country: Two-letter code; empty to go by the locale.
        voice: Whom the words are for.
    """
    if risk.level == "none":
        return ""
    country = (country or country_here()).upper()
    directory = all_helplines()
    words = _words()[risk.level][voice]
    topic = next((_TOPICS[name] for name in risk.signals if name in _TOPICS), "low")
    lines = _choose(directory.helplines, country, voice, topic)
    emergency = directory.emergency.get(country, "")
    urgent = words["urgent"].format(
        number=f"call {emergency}" if emergency else _words()["emergency_elsewhere"]
    )
    return "\n\n".join(
        [
            words.get(topic, words["low"]),
            words["turn"],
            "\n".join(f"- {line}" for line in lines),
            urgent,
        ]
    )


def went_on(voice: Voice = "adult") -> str:
    """Return the written words for "That's not what I meant".

    Args:
        voice: Whom the words are for.
    """
    return str(_words()["went_on"][voice])


def stays(voice: Voice = "adult") -> str:
    """Return the written words for the same after words of crisis, which are shown again.

    Args:
        voice: Whom the words are for.
    """
    return str(_words()["stays"][voice])


_TOPICS = {
    "abuse": "abuse",
    "eating": "eating",
    "self-harm": "self_harm",
    "unreal": "unreal",
    "other-in-danger": "other",
}


def _choose(
    lines: Iterable[Helpline], country: str, voice: Voice, topic: str
) -> tuple[Helpline, ...]:
    """Return the lines to show, best first; the international directory where there are none."""
    wanted: list[Serves] = ["everyone"]
    if topic == "abuse":
        wanted.insert(0, "abuse")
    if voice != "adult":
        wanted.insert(0, "young")
    lines = tuple(lines)
    here = [line for line in lines if line.country == country and line.serves in wanted]
    here.sort(key=lambda line: wanted.index(line.serves))
    first_of_each = [line for i, line in enumerate(here) if line.serves not in _kinds(here[:i])]
    chosen = dict.fromkeys([*first_of_each, *here])
    return tuple(chosen)[:_LINES_SHOWN] or tuple(line for line in lines if line.country == "*")


def _kinds(lines: Iterable[Helpline]) -> set[str]:
    return {line.serves for line in lines}


def all_helplines() -> Directory:
    """Return all help lines; a mistake in the user's file must not leave a person without any."""
    try:
        return load_directory(user_helplines())
    except KnowledgeError:
        return load_directory()


@cache
def _words() -> dict[str, Any]:
    with paths.asset("knowledge", "safety", "words.toml").open("rb") as file:
        return tomllib.load(file)


def _read_directory(file: Path) -> Directory:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Helpline)}
        entries = table.get("helpline", [])
        for entry in entries:
            if unknown := set(entry) - known:
                raise KnowledgeError(f"{file}: a help line has the unknown key {min(unknown)!r}.")
        emergency = table.get("emergency", {})
        numbers = emergency.values() if isinstance(emergency, dict) else [None]
        if not all(isinstance(number, str) for number in numbers):
            raise KnowledgeError(f'{file}: numbers for emergencies are written like GB = "999".')
        return Directory(tuple(Helpline(**entry) for entry in entries), emergency)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise KnowledgeError(
            f"The help lines in {file} cannot be read: {error}.", "See docs/safety.md for the form."
        ) from error


def _check(holds: bool, key: str, name: str) -> None:
    if not holds:
        raise KnowledgeError(
            f"The help line {name!r} has no proper {key!r}.", "See docs/safety.md for the form."
        )
