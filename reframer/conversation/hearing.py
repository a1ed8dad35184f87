"""Says what a text is as the next turn: which kind, and what of it is to be answered."""

from __future__ import annotations

from collections.abc import Sequence

from reframer.conversation.library import Library
from reframer.conversation.likeness import Like
from reframer.conversation.records import Reading, TurnKind
from reframer.conversation.rules import load_rules, plain_form
from reframer.engine import LONGEST_TEXT, Reframer
from reframer.errors import TextEmpty, TextTooLong
from reframer.probe import Probed
from reframer.records import Notice
from reframer.safety import alike

# A message up to this length is one thought; of a longer one only the harsh sentences are answered.
_SHORT = 240  # characters
# Longer texts than this may be several things at once, and the labelled turns are not so long.
_ONE_TURN = 30  # words
# Where the ear is sure of a thought, a text must be this like something else to be taken for it.
_SURE = 0.5
# Who writes here mostly speaks of themselves, so the ear is more eager than in a journal, but less
# than where a text is known to be a thought. Settled on the labelled turns not for evaluation.
_EAGER = 0.3


class Hearing:
    """Hears which kind of turn a text is.

    Args:
        reframer: Assesses and hears.
        library: Knows which kind of turn a text is like.
    """

    def __init__(self, reframer: Reframer, library: Library) -> None:
        self._reframer = reframer
        self._library = library
        self._rules = load_rules()

    def read(self, text: str, after: TurnKind | None) -> Reading:
        """Say what a text is.

        A rule that fits the whole of a short text is surer than the ear, and the ear knows English
        only; so these rules come before it. Nothing comes before safety, but for one thing: where
        a text is small talk or a wish from end to end ("bye", "say it as I"), it is no sign of
        danger merely because it is like one. What no rule knows, the chat model reads, too.

        Args:
            text: What was typed.
            after: The kind of the turn before it; None where there is none.

        Raises:
            TextEmpty: There is nothing in it.
            TextTooLong: It is longer than one thought can be.
            ModelError: The embedder is missing or damaged.
        """
        risk = self._reframer.assess(text)
        plain = plain_form(text)
        by_rule = self._read_by_rule(text, plain, after)
        if by_rule and (risk.level == "none" or (_exact(by_rule) and alike(risk))):
            _check_length(text)
            return by_rule
        risk, probed = self._reframer.look_closer(text, risk)
        if risk.level != "none":
            return Reading("safety", risk.level)
        _check_length(text)
        if by_rule:
            return by_rule
        if language := self._rules.language(text):
            return Reading("other-language", language)
        return self._read_by_ear(text, plain, probed)

    def _read_by_rule(self, text: str, plain: str, after: TurnKind | None) -> Reading | None:
        """Say what a text is that a rule fits from end to end."""
        if after == "safety" and self._goes_on(text):
            return Reading("wish", "went-on")
        if wish := self._rules.wish(plain):
            return Reading("wish", wish)
        if topic := self._rules.small_talk(plain):
            return Reading("small-talk", topic)
        if topic := self._rules.topic(plain):
            return Reading("question", topic)
        return None

    def _goes_on(self, text: str) -> bool:
        """Whether it says that danger was not meant, and nothing beside that is alarming."""
        beside = self._rules.beside_going_on(text)
        return beside is not None and (not beside or self._reframer.assess(beside).level == "none")

    def thought_in(self, text: str) -> str:
        """Return the self-critical part of a text; empty where the ear hears none."""
        return self._thought(text, self._reframer.notice_many([text])[0])

    def _read_by_ear(self, text: str, plain: str, probed: Probed | None) -> Reading:
        """Say what a text is that no rule knows: by what the ear hears, and by what it is like."""
        strict = self._reframer.notice_many([text])[0]
        if like := self._like(text, plain, strict, probed):
            return self._read_like(text, strict, like)
        if thought := self._thought(text, strict):
            return Reading("thought", thought=thought)
        if self._rules.asks(text, plain):
            return Reading("question")
        if any(notice.kind_talk for notice in strict) or self._rules.good_news(plain):
            return Reading("good-news")
        return Reading("unclear")

    def _like(
        self, text: str, plain: str, strict: Sequence[Notice], probed: Probed | None
    ) -> Like | None:
        """Return what a text is like; None where that cannot be relied on.

        Where the chat model does not read it, too, that is a long text, and one in which the ear is
        sure of a thought.
        """
        if probed:
            return self._library.like(text, probed.turns)
        if len(plain.split()) > _ONE_TURN:
            return None
        like = self._library.like(text)
        surely = any(n.self_critical and not self._rules.on_matter(n.text) for n in strict)
        return None if surely and like.share < _SURE else like

    def _read_like(self, text: str, strict: Sequence[Notice], like: Like) -> Reading:
        """Say what a text is that is like this; of a wish, one clause may say which."""
        if like.kind == "thought":
            return Reading("thought", thought=self._thought(text, strict) or text.strip())
        if like.kind == "wish":
            return Reading("wish", self._rules.wish_within(text) or like.detail)
        if like.kind == "unclear" and any(notice.kind_talk for notice in strict):
            return Reading("good-news")
        return Reading(like.kind, like.detail)

    def _thought(self, text: str, strict: Sequence[Notice]) -> str:
        """Return the self-critical part of a text; empty if the ear, listening eagerly, has none.

        Args:
            text: The text.
            strict: What the ear hears in it otherwise: kind words to oneself stay what they are.
        """
        eager = self._reframer.notice_many([text], _EAGER)[0]
        critical = [
            notice
            for notice, sure in zip(eager, strict, strict=True)
            if notice.self_critical
            and not sure.kind_talk
            and not self._rules.on_matter(notice.text)
        ]
        return _passage(text, eager, critical) if critical else ""


def _exact(reading: Reading | None) -> bool:
    """Whether a rule knows each word; those of questions and of "misread" leave some open."""
    return reading is not None and reading.kind != "question" and reading.detail != "misread"


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
