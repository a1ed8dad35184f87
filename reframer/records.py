"""The frozen records that the rooms hand each other, in the order in which the flow makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# From this cosine on two thoughts say the same in other words (docs/log.md).
TWIN = 0.85

Kind = Literal[
    "label",
    "should",
    "comparison",
    "all-or-nothing",
    "catastrophe",
    "mind-reading",
    "guilt",
    "shame",
    "worthlessness",
    "body",
    "perfectionism",
    "feelings-judged",
    "undeserving",
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
# What a reader sees of them.
KIND_NAMES: Mapping[Kind, str] = {
    "label": "hard names for yourself",
    "should": "rules with should and must",
    "comparison": "measuring yourself against others",
    "all-or-nothing": "always and never, all or nothing",
    "catastrophe": "fearing the worst",
    "mind-reading": "guessing what others think of you",
    "guilt": "blaming yourself",
    "shame": "wanting to hide",
    "worthlessness": "feeling that you count for nothing",
    "body": "hard words about your body",
    "perfectionism": "never good enough",
    "feelings-judged": "scolding yourself for a feeling",
    "undeserving": "good things you feel you don't deserve",
}

Level = Literal["none", "concern", "crisis"]
Origin = Literal["model", "card", "safety", "untouched"]
Tone = Literal["gentle", "plain", "practical", "shorter"]
TONES: tuple[Tone, ...] = Tone.__args__  # type: ignore[attr-defined]
Voice = Literal["adult", "teen", "child"]
VOICES: tuple[Voice, ...] = Voice.__args__  # type: ignore[attr-defined]
Person = Literal["you", "i"]
PERSONS: tuple[Person, ...] = Person.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a text; the pieces of a text, joined, give it back exactly.

    Attributes:
        text: The piece with its trailing white space; equal to ``source[start:end]``.
        start: Offset of its first character in the source, in characters.
        end: Offset behind its last character.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What the ear heard in one sentence.

    Attributes:
        text: The sentence without surrounding white space; equal to ``source[start:end]``.
        start: Offset of its first character in the source, in characters.
        end: Offset behind its last character.
        self_critical: Whether the inner critic speaks in it.
        kind: The kind of self-criticism, if any.
        strength: How sure and how harsh, from 0 to 1; 0 where nothing critical was heard.
        kind_talk: Whether the writer speaks kindly to themselves in it.
    """

    text: str
    start: int
    end: int
    self_critical: bool
    kind: Kind | None
    strength: float
    kind_talk: bool = False


@dataclass(frozen=True, slots=True)
class Risk:
    """What safety read in the whole text.

    Attributes:
        level: ``none``, ``concern`` or ``crisis``.
        signals: Names of what led to the level, never the words themselves.
    """

    level: Level = "none"
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the person would like to be spoken to.

    Attributes:
        tone: ``gentle`` as a matter of course; ``plain`` without comfort around it; ``practical``
            with the small step in it; ``shorter``.
        voice: Whom the words are for.
        person: ``you`` for a friend's words, ``i`` for words to say to oneself.
        other_than: Ids of techniques that another way of answering is wanted than.
    """

    tone: Tone = "gentle"
    voice: Voice = "adult"
    person: Person = "you"
    other_than: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thought:
    """A self-critical thought that the ear heard and a friend answers.

    Attributes:
        text: What is answered.
        kinds: Kinds of self-criticism in it, most telling first.
        before: What the writer said just before it in the same entry, so that an answer can know
            who "she" is; may be empty.
    """

    text: str
    kinds: tuple[Kind, ...] = ()
    before: str = ""

    @property
    def story(self) -> str:
        """The thought with what led to it."""
        return f"{self.before} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a technique comes from. ``doi`` is empty where it is not certain."""

    authors: str
    year: int
    title: str
    venue: str
    doi: str = ""

    def __str__(self) -> str:
        cited = f"{self.authors} ({self.year}). {self.title.rstrip('.')}. {self.venue}."
        return f"{cited} https://doi.org/{self.doi}" if self.doi else cited


@dataclass(frozen=True, slots=True)
class Example:
    """A self-critical thought and a friend's words to it, written by hand on a card.

    Attributes:
        id: First eight hexadecimal digits of the SHA-256 of the thought, so it stays the same when
            the card is reordered or the answer is mended.
        technique: Id of the technique whose card holds it.
        thought: What somebody says to themselves.
        answer: What a best friend says.
        opening: The answer's first sentence, where it was written to say the thought back.
    """

    id: str
    technique: str
    thought: str
    answer: str
    opening: str = ""

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the fixed tenth used only for evaluation."""
        return int(self.id, 16) % 10 == 0


@dataclass(frozen=True, slots=True)
class Technique:
    """One card: a way of being kind and true to oneself, with its source.

    Attributes:
        id: The card's file name without suffix.
        title: Its name as shown to the reader.
        move: What the friend does with it, one sentence; goes into the prompt.
        why: Why it helps, one sentence; shown to the reader.
        when: The kinds of self-criticism that it answers, best first.
        not_when: When it should not be used.
        source: Where it comes from.
        evidence: How well it is supported, one honest line.
        reviewed: The day on which the card was last reviewed, ISO 8601.
        about: What it is, for the reader.
        step: A small practice of at most two minutes.
        words: A friend's answers that fit any thought which the technique fits; they are given
            when no draft of the model may be shown.
        words_teen: The same for young people.
        words_child: The same for children.
        led: False for methods that belong with a trained person; their card only informs.
        examples: Hand-written examples.
    """

    id: str
    title: str
    move: str
    why: str
    when: tuple[Kind, ...]
    not_when: str
    source: Source
    evidence: str
    reviewed: str
    about: str
    step: str
    led: bool = True
    words: tuple[str, ...] = ()
    words_teen: tuple[str, ...] = ()
    words_child: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A technique that fits a thought.

    Attributes:
        technique: The technique.
        examples: Its examples nearest to the thought, nearest first.
        score: How well it fits; comparable within one search only.
        reasons: What it was found by: ``examples``, ``kind`` or ``card``.
        twin: Whether the nearest example says the same, so that its answer answers the thought.
        apt: How apt each of the card's words is for the thought, where that is known: 1 goes to
            the heart, 0 misses, -1 hurts.
    """

    technique: Technique
    examples: tuple[Example, ...]
    score: float
    reasons: tuple[str, ...]
    twin: bool = False
    apt: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule of the voice that a draft breaks.

    Attributes:
        rule: The rule's short name, for counting.
        detail: What was seen, for ``--explain``.
    """

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reframe:
    """The answer to one text.

    Attributes:
        source: The text as it came.
        text: What is said in return; for ``untouched``, the source itself.
        origin: Who speaks: the local ``model``, a ``card``'s own words, ``safety``'s written words,
            or nobody because there was nothing to answer (``untouched``).
        risk: What safety read in the source.
        kinds: Kinds of self-criticism heard in it, most telling first.
        techniques: Techniques that the answer draws on.
        model: Id of the model that spoke; empty where none did.
        seconds: Wall-clock time that the answer took.
        rejected: How many drafts the review refused, by rule.
    """

    source: str
    text: str
    origin: Origin
    risk: Risk = Risk()
    kinds: tuple[Kind, ...] = ()
    techniques: tuple[Technique, ...] = ()
    model: str = ""
    seconds: float = 0.0
    rejected: Mapping[str, int] = field(default_factory=dict)
