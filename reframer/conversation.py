"""One turn of a conversation, of whatever kind; the page and the terminal hold theirs through it.

    text ── safety reads the whole of it
         ── rules that fit the whole of a short text: a wish, small talk, another language
         ── the ear, and for short texts the labelled turns nearest to them: a thought, a wish
         ── rules and the cards: a question, good news; else it is unclear
         ──> Turn

Only a thought is worded by the model. Everything else is answered with words written by hand
(``knowledge/conversation/words.toml``) or by a card. No words come twice in one conversation, as
long as others are left; those of safety do, because they must.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from reframer import paths
from reframer.embedding import LocalEmbeddings, Vectors
from reframer.engine import LONGEST_TEXT, Reframer
from reframer.errors import TextEmpty, TextTooLong
from reframer.knowledge import Background, load_background, load_techniques
from reframer.records import Notice, Reframe, Technique, Tone, Voice, Wishes
from reframer.safety import went_on
from reframer.settings import Settings

TurnKind = Literal[
    "thought",
    "wish",
    "question",
    "good-news",
    "small-talk",
    "other-language",
    "safety",
    "unclear",
]
Wish = Literal["another", "softer", "shorter", "practical", "plain", "as-i", "as-you", "went-on"]
Card = Technique | Background

_NO_WISHES = Wishes()
_TONES: Mapping[str, Tone] = {
    "softer": "gentle",
    "shorter": "shorter",
    "practical": "practical",
    "plain": "plain",
}
_WISH_WORDS: Mapping[Wish, str] = {
    "another": "Another way",
    "softer": "Softer",
    "shorter": "Shorter",
    "practical": "More practical",
    "plain": "I don't believe that",
    "as-i": "As “I”",
    "as-you": "As “you”",
    "went-on": "That's not what I meant",
}
# A message up to this length is one thought; of a longer one only the harsh sentences are answered.
_SHORT = 240  # characters
_SHORT_WORDS = 16  # of a text that a rule may fit as a whole
# A short text is taken for what most of the nearest labelled turns are, if they agree this far and
# the nearest is this like it (cosine): very, where the ear is sure of a thought; else fairly; where
# the ear hears none, little is enough.
_NEAREST = 5
_AGREED = 0.6
_VERY_LIKE, _FAIRLY_LIKE, _LITTLE_LIKE = 0.6, 0.4, 0.3
_SHARPNESS = 4  # the power of likeness by which a nearer turn counts more
_TRIES = 3
# Who writes here mostly speaks of themselves, so the ear is more eager than in a journal, but less
# than where a text is known to be a thought. Settled like `_KNOWN`.
_EAGER = 0.16
# From this likeness on (cosine), a card knows the answer; settled on the half of the labelled
# questions that is not for evaluation.
_KNOWN = 0.5
# What a card written for this reader has ahead of one that is only fit for them, too.
_OWN = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: what was said, and what is shown in return.

    Attributes:
        said: What the person typed, or a wish in plain words.
        kind: What it was taken for.
        words: What is shown: plain text, paragraphs parted by a blank line.
        answer: What lies behind a thought's, a wish's or safety's words.
        thought: The sentence or sentences that were answered, as typed.
        card: The card that an explanation comes from.
    """

    said: str
    kind: TurnKind
    words: str
    answer: Reframe | None = None
    thought: str = ""
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is, before anything is said in return.

    Attributes:
        kind: Its kind.
        detail: Which wish, question, small talk, language or level of danger; may be empty.
        thought: The sentence or sentences to answer, as typed.
    """

    kind: TurnKind
    detail: str = ""
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A turn labelled by hand.

    Attributes:
        kind: What it is.
        detail: Which wish, small talk, language or level of danger; of a question, the ids of the
            cards that answer it, parted by commas, or ``private``, ``about`` or ``none``; else
            ``-``.
        text: What was typed.
    """

    kind: TurnKind
    detail: str
    text: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half for evaluation only."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2 == 0


def labelled(name: str = "turns.tsv") -> list[Labelled]:
    """Return the labelled turns of a file of ``knowledge/conversation``."""
    table = paths.asset("knowledge", "conversation", name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return [Labelled(kind, detail, text) for kind, detail, text in rows]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Step:
    """A turn, and how it was answered: what a wish about it starts from."""

    turn: Turn
    wishes: Wishes
    went_on: bool = False


class Conversation:
    """Takes the turns of one person, one after the other. Not for several threads at once.

    Args:
        reframer: Reads, hears and answers.
        library: Knows the cards.
        wishes: How the person would like to be spoken to, until they wish otherwise.
    """

    def __init__(self, reframer: Reframer, library: Library, wishes: Wishes = _NO_WISHES) -> None:
        self._reframer = reframer
        self._library = library
        self._wishes = wishes
        self._steps: list[_Step] = []
        self._shown: set[str] = set()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns so far, but for those undone."""
        return tuple(step.turn for step in self._steps)

    def prepare(self) -> None:
        """Open now what a turn will need.

        Raises:
            ReframerError: As `Reframer.prepare`.
        """
        self._library.prepare()
        self._reframer.prepare()

    def take(self, text: str) -> Turn:
        """Take one turn of whatever kind.

        Raises:
            ReframerError: As `Reframer.reframe`; the turn is then not taken.
        """
        reading = self.read(text)
        match reading.kind:
            case "safety":
                return self._meet_danger(text)
            case "thought":
                return self._answer(text, "thought", reading.thought, self._wishes)
            case "wish":
                return self._fulfil(text, reading.detail)
            case "question":
                return self._explain(text, reading.detail)
            case "other-language":
                return self._reply(text, "other-language", self._foreign(reading.detail))
            case _:
                words = self._written(reading.detail or reading.kind)
                return self._reply(text, reading.kind, words)

    def wish(self, wish: Wish) -> Turn:
        """Take a wish about the last answer, as a button gives it.

        Raises:
            ReframerError: As `Reframer.reframe`; the turn is then not taken.
        """
        return self._fulfil(_WISH_WORDS[wish], wish)

    def prefer(self, wishes: Wishes) -> None:
        """Answer like this from the next thought on."""
        self._wishes = wishes

    def undo(self) -> None:
        """Take the last turn back, if there is one; its words still count as said."""
        del self._steps[-1:]

    def clear(self) -> None:
        """Forget the whole conversation."""
        self._steps.clear()
        self._shown.clear()

    def read(self, text: str) -> Reading:
        """Say what a text is as the next turn, without taking it.

        A rule that fits the whole of a short text is surer than the ear, and the ear knows English
        only; so these rules come before it. Nothing comes before safety.

        Raises:
            TextEmpty: There is nothing in it.
            TextTooLong: It is longer than one thought can be.
            ModelError: The embedder is missing or damaged.
        """
        risk = self._reframer.assess(text)
        if risk.level != "none":
            return Reading("safety", risk.level)
        _check_length(text)
        rules = _rules()
        plain = _plain(text)
        if self._last_kind == "safety" and rules.goes_on(plain):
            return Reading("wish", "went-on")
        if wish := rules.wish(plain):
            return Reading("wish", wish)
        if topic := rules.small_talk(plain):
            return Reading("small-talk", topic)
        if language := rules.language(text):
            return Reading("other-language", language)
        if topic := rules.topic(plain):
            return Reading("question", topic)
        return self._read_by_ear(text, plain)

    def _read_by_ear(self, text: str, plain: str) -> Reading:
        """Say what a text is that no rule knows: by what the ear hears, and by its neighbours."""
        rules = _rules()
        near = self._library.neighbours(text) if _is_short(plain) else _NO_NEIGHBOURS
        strict = self._reframer.notice_many([text])[0]
        surely = any(n.self_critical and not rules.on_matter(n.text) for n in strict)
        if near.is_about_talk and near.like >= (_VERY_LIKE if surely else _FAIRLY_LIKE):
            return Reading(near.kind, near.detail)
        if (surely or near.thought) and (thought := self._hear(text, strict)):
            return Reading("thought", thought=thought)
        if wish := rules.wish_within(text):
            return Reading("wish", wish)
        if near.is_about_talk and near.like >= _LITTLE_LIKE:
            return Reading(near.kind, near.detail)
        if rules.asks(text, plain):
            return Reading("question")
        good = (near.kind == "good-news" and near.like >= _VERY_LIKE) or rules.good_news(plain)
        if good or any(notice.kind_talk for notice in strict):
            return Reading("good-news")
        return Reading("unclear")

    def _hear(self, text: str, strict: Sequence[Notice]) -> str:
        """Return the self-critical part of a text; empty if the ear, listening eagerly, has none.

        Args:
            text: The text.
            strict: What the ear hears in it otherwise: kind words to oneself stay what they are.
        """
        eager = self._reframer.notice_many([text], _EAGER)[0]
        critical = [
            notice
            for notice, sure in zip(eager, strict, strict=True)
            if notice.self_critical and not sure.kind_talk and not _rules().on_matter(notice.text)
        ]
        return _passage(text, eager, critical) if critical else ""

    @property
    def _last_kind(self) -> TurnKind | None:
        return self._steps[-1].turn.kind if self._steps else None

    def _meet_danger(self, text: str) -> Turn:
        answer = self._reframer.reframe(text, self._wishes)
        return self._keep(Turn(text, "safety", answer.text, answer), self._wishes)

    def _fulfil(self, said: str, wish: str) -> Turn:
        if wish in ("went-on", "misread"):
            return self._set_right(said)
        step = self._last_answered()
        if step is None or step.turn.answer is None:
            return self._reply(said, "wish", self._written("nothing-yet"))
        wishes = _wished(step.wishes, step.turn.answer, wish)
        return self._answer(said, "wish", step.turn.thought, wishes, went_on=step.went_on)

    def _last_answered(self) -> _Step | None:
        """Return the answered thought that a wish is about; none once safety has spoken."""
        for step in reversed(self._steps):
            if step.turn.kind == "safety":
                return None
            if step.turn.answer:
                return step
        return None

    def _set_right(self, said: str) -> Turn:
        """Meet "That's not what I meant": after words of concern, answer what they were about."""
        if self._last_kind != "safety":
            return self._reply(said, "wish", self._written("misread"))
        text = self._steps[-1].turn.said
        thought = self._hear(text, self._reframer.notice_many([text])[0]) or text
        return self._answer(said, "wish", thought, self._wishes, went_on=True)

    def _answer(
        self,
        said: str,
        kind: TurnKind,
        thought: str,
        wishes: Wishes,
        *,
        went_on: bool = False,
    ) -> Turn:
        """Answer a thought, with words that were not shown yet."""
        for _ in range(_TRIES):
            answer = self._reframer.reframe(thought, wishes, went_on=went_on)
            if answer.origin not in ("model", "card") or answer.text not in self._shown:
                break
            wishes = replace(wishes, other_than=_used(wishes, answer))
        match answer.origin:
            case "safety":
                return self._keep(Turn(said, "safety", answer.text, answer), wishes)
            case "untouched":
                words, behind = self._written("unclear"), None
            case _ if answer.text in self._shown:
                words, behind = self._written("no-other"), None
            case _:
                words, behind = answer.text, answer
                self._shown.add(words)
        if went_on and self._last_kind == "safety":
            words = self._after_concern(words)
        turn = Turn(said, kind, words, behind, thought if behind else "")
        return self._keep(turn, wishes, went_on=went_on)

    def _after_concern(self, words: str) -> str:
        """Put before an answer, once, that it goes on and what stays visible."""
        said = went_on(self._wishes.voice)
        if said in self._shown:
            return words
        self._shown.add(said)
        return f"{said}\n\n{words}"

    def _explain(self, said: str, topic: str) -> Turn:
        """Answer a question from the cards, or with written words about the program itself."""
        if topic:
            return self._reply(said, "question", self._written(topic))
        for card, passage in self._library.passages(said, self._wishes.voice):
            if passage not in self._shown:
                self._shown.add(passage)
                words = f"{self._written('from-card', title=card.title)}\n\n{passage}"
                return self._reply(said, "question", words, card)
        return self._reply(said, "question", self._written("unknown"))

    def _foreign(self, language: str) -> str:
        lines = _words()["other-language"]
        own = lines.get(language, lines["other"])
        return f"{own}\n\n{self._fresh(lines['english'])}"

    def _written(self, section: str, **names: str) -> str:
        variants = _words()[self._wishes.voice][section]
        return self._fresh([variant.format(**names) for variant in variants])

    def _fresh(self, variants: Sequence[str]) -> str:
        """Return the first that was not shown yet; when all were, begin again."""
        if self._shown.issuperset(variants):
            self._shown.difference_update(variants)
        words = next(variant for variant in variants if variant not in self._shown)
        self._shown.add(words)
        return words

    def _reply(self, said: str, kind: TurnKind, words: str, card: Card | None = None) -> Turn:
        return self._keep(Turn(said, kind, words, card=card), self._wishes)

    def _keep(self, turn: Turn, wishes: Wishes, *, went_on: bool = False) -> Turn:
        self._steps.append(_Step(turn, wishes, went_on))
        return turn


def _check_length(text: str) -> None:
    if not text.strip():
        raise TextEmpty("There is nothing to answer.", "Write what you are telling yourself.")
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(
            f"The text has {len(text):,} characters; one message has at most {LONGEST_TEXT:,}.",
            "Send it in parts.",
        )


def _passage(text: str, notices: Sequence[Notice], critical: Sequence[Notice]) -> str:
    """Return what is answered: a short message whole, of a longer one what leads to the attack.

    That is the harshest sentence with the harsh ones beside it, and the sentence before them, which
    mostly says what happened.
    """
    if len(text) <= _SHORT:
        return text.strip()
    last = notices.index(max(critical, key=lambda notice: notice.strength))
    first = last
    while first > 0 and notices[first - 1] in critical:
        first -= 1
    while last + 1 < len(notices) and notices[last + 1] in critical:
        last += 1
    return text[notices[max(0, first - 1)].start : notices[last].end]


def _wished(wishes: Wishes, answer: Reframe, wish: str) -> Wishes:
    """Return how a thought is to be answered now, after it was answered as wished before."""
    match wish:
        case "another":
            return replace(wishes, other_than=_used(wishes, answer))
        case "as-i":
            return replace(wishes, person="i")
        case "as-you":
            return replace(wishes, person="you")
        case _:
            return replace(wishes, tone=_TONES[wish])


def _used(wishes: Wishes, answer: Reframe) -> tuple[str, ...]:
    """Return the techniques that were asked to be left, and those of an answer."""
    ids = (technique.id for technique in answer.techniques)
    return tuple(dict.fromkeys((*wishes.other_than, *ids)))


# The cards and the labelled turns


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the labelled turns nearest to a text are.

    Attributes:
        kind: What most of them are; ``unclear`` where they disagree.
        detail: The detail that most of those have.
        like: Cosine of the nearest.
        thought: Whether there is a thought among them.
    """

    kind: TurnKind
    detail: str
    like: float
    thought: bool

    @property
    def is_about_talk(self) -> bool:
        """Whether they speak of the talk itself and not of the person."""
        return self.kind in ("wish", "small-talk")


_NO_NEIGHBOURS = Neighbours("unclear", "", 0.0, thought=True)  # nothing speaks against the ear
_NOT_BY_LIKENESS = ("safety", "other-language")


class Library:
    """Finds by meaning: the card that answers a question, and the labelled turns like a text.

    Args:
        embeddings: Makes the vectors.
        techniques: The technique cards.
        background: The background cards.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        techniques: Sequence[Technique],
        background: Sequence[Background],
    ) -> None:
        self._embeddings = embeddings
        cards: list[Card] = [*techniques, *background]
        self._cards = {card.id: card for card in cards}

    @classmethod
    def open(cls, settings: Settings) -> Library:
        """Open the cards of the program and of the user.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: There is no usable card.
        """
        return cls(
            LocalEmbeddings.from_catalog(settings.models_dir),
            load_techniques(settings.cards_dir),
            load_background(),
        )

    def prepare(self) -> None:
        """Make the vectors now; otherwise they are made when the first text needs them."""
        _ = self._vectors, self._turns

    def passages(self, question: str, voice: Voice = "adult") -> tuple[tuple[Card, str], ...]:
        """Return the paragraphs of the card that answers a question, the most fitting first.

        Args:
            question: What was asked.
            voice: Whom the card should be written for.

        Returns:
            None, where no card is near enough to know the answer.
        """
        vector = np.array(self._embeddings.embed_query(question), np.float32)
        likeness = dict(zip(self._entries, (self._vectors @ vector).tolist(), strict=True))
        like, name = max(
            (like + _OWN * (voice in _readers(self._cards[name])), name)
            for (name, _), like in likeness.items()
            if _suits(self._cards[name], voice)
        )
        if like < _KNOWN + _OWN:
            return ()
        card = self._cards[name]
        paragraphs = _paragraphs(card)
        if isinstance(card, Background):
            paragraphs.sort(key=lambda text: -likeness[name, text])
        return tuple((card, paragraph) for paragraph in paragraphs)

    def neighbours(self, text: str) -> Neighbours:
        """Return what the labelled turns nearest to a text are; none of them is held out."""
        turns, vectors = self._turns
        likeness = vectors @ np.array(self._embeddings.embed_query(text), np.float32)
        nearest = [(turns[row], float(likeness[row])) for row in np.argsort(-likeness)[:_NEAREST]]
        kinds: defaultdict[TurnKind, float] = defaultdict(float)
        details: defaultdict[tuple[TurnKind, str], float] = defaultdict(float)
        for turn, like in nearest:
            weight = max(0.0, like) ** _SHARPNESS
            kinds[turn.kind] += weight
            details[turn.kind, turn.detail] += weight
        kind = max(kinds, key=kinds.__getitem__)
        if kinds[kind] < _AGREED * sum(kinds.values()):
            kind = "unclear"
        of_kind = [name for name in details if name[0] == kind]
        _, detail = max(of_kind, key=details.__getitem__, default=(kind, ""))
        return Neighbours(kind, detail, nearest[0][1], thought="thought" in kinds)

    @cached_property
    def _turns(self) -> tuple[list[Labelled], Vectors]:
        turns = [
            turn
            for turn in labelled()
            if not (turn.held_out or turn.kind in _NOT_BY_LIKENESS or turn.detail == "went-on")
        ]
        texts = [turn.text for turn in turns]
        return turns, np.array(self._embeddings.embed_documents(texts), np.float32)

    @cached_property
    def _entries(self) -> list[tuple[str, str]]:
        """Return what a question is compared with: ids of cards, and texts."""
        asked = _rules().asked
        return [
            (name, text)
            for name, card in self._cards.items()
            for text in (
                *asked.get(name, ()),
                card.title,
                *([name.replace("-", " ")] if isinstance(card, Technique) else []),
                *_paragraphs(card),
            )
        ]

    @cached_property
    def _vectors(self) -> Vectors:
        texts = [text for _, text in self._entries]
        return np.array(self._embeddings.embed_documents(texts), np.float32)


def _paragraphs(card: Card) -> list[str]:
    return (card.about if isinstance(card, Technique) else card.body).split("\n\n")


def _readers(card: Card) -> tuple[Voice, ...]:
    """Return whom a card is written for; the techniques are written for all but children."""
    return ("adult", "teen") if isinstance(card, Technique) else card.readers


def _suits(card: Card, voice: Voice) -> bool:
    """Whether a reader may be given a card: the young also those for adults, children not."""
    return voice in _readers(card) or (voice == "teen" and "adult" in _readers(card))


# The rules


class _Rules:
    """Knows the turns that are no thoughts by their wording.

    Args:
        table: The rules as read from TOML.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        before, after = table["filler"]["before"], table["filler"]["after"]
        self._wishes = {
            wish: re.compile(f"(?:{before} )*(?:{pattern})(?: {after})*")
            for wish, pattern in table["wish"].items()
        }
        self._goes_on = re.compile(table["went-on"]["said"])
        self._small_talk = _compiled(table["small-talk"])
        self._form = re.compile(table["question"]["form"])
        self._matter = re.compile(table["question"]["matter"])
        self._topics = _compiled(table["question"]["topic"])
        self._good = re.compile(table["good-news"]["said"])
        self._but = re.compile(table["good-news"]["but"])
        self._common = {name: frozenset(words.split()) for name, words in table["language"].items()}
        self._scripts = {
            name: re.compile(f"[{letters}]") for name, letters in table["script"].items()
        }
        self.asked: Mapping[str, list[str]] = table["asked"]

    def goes_on(self, plain: str) -> bool:
        """Whether it says that what safety read was not meant so."""
        return _is_short(plain) and bool(self._goes_on.fullmatch(plain))

    def wish(self, plain: str) -> str:
        """Return which wish a whole text is; empty if none."""
        return _first(self._wishes, plain) if _is_short(plain) else ""

    def wish_within(self, text: str) -> str:
        """Return the wish in one clause of a short text, the last one first; empty if none."""
        if not _is_short(_plain(text)):
            return ""
        clauses = [_plain(clause) for clause in re.split(r"[.,;:!?\n]+", text)]
        found = (_first(self._wishes, clause) for clause in reversed(clauses) if clause)
        return next((wish for wish in found if wish), "")

    def small_talk(self, plain: str) -> str:
        """Return which small talk a whole text is; empty if none."""
        return _first(self._small_talk, plain) if _is_short(plain) else ""

    def on_matter(self, text: str) -> bool:
        """Whether a sentence asks about self-talk as such, though it may sound hard on oneself."""
        plain = _plain(text)
        return bool(self._form.fullmatch(plain) and self._matter.fullmatch(plain))

    def topic(self, plain: str) -> str:
        """Return what a short question asks about the program itself; empty if nothing."""
        asks = _is_short(plain) and self._form.fullmatch(plain)
        return _first(self._topics, plain) if asks else ""

    def asks(self, text: str, plain: str) -> bool:
        """Whether a text asks something."""
        return bool(plain) and (text.rstrip().endswith("?") or bool(self._form.fullmatch(plain)))

    def good_news(self, plain: str) -> bool:
        """Whether a text tells of something good."""
        return bool(self._good.fullmatch(plain)) and not self._but.fullmatch(plain)

    def language(self, text: str) -> str:
        """Return the language of a text, by script and by its commonest words; empty for English.

        A name without words of its own stands for any language in its script.
        """
        letters = [letter for letter in text if letter.isalpha()]
        if 2 * sum(map(_is_latin, letters)) < len(letters):
            found = (name for name, script in self._scripts.items() if script.search(text))
            return next(found, "other")
        words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower().replace("’", "'"))
        shares = {
            name: sum(word in common for word in words) for name, common in self._common.items()
        }
        best = max(shares, key=shares.__getitem__)
        enough = 4 * shares[best] >= len(words) and shares[best] > shares["en"]
        return best if enough else ""


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in patterns.items()}


def _first(patterns: Mapping[str, re.Pattern[str]], plain: str) -> str:
    """Return the name of the first pattern that a whole text fits; empty if none."""
    return next((name for name, pattern in patterns.items() if pattern.fullmatch(plain)), "")


def _is_latin(letter: str) -> bool:
    return letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff"


def _is_short(plain: str) -> bool:
    return 0 < len(plain.split()) <= _SHORT_WORDS


def _plain(text: str) -> str:
    """Return a text in the form that the rules are written for."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.sub(r"[^\w]+", " ", re.sub(r"['’`´]", "", text)).split())


@cache
def _rules() -> _Rules:
    return _Rules(_read("rules.toml"))


@cache
def _words() -> dict[str, Any]:
    return _read("words.toml")


def _read(name: str) -> dict[str, Any]:
    with paths.asset("knowledge", "conversation", name).open("rb") as file:
        return tomllib.load(file)
