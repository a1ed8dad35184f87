"""Knows the turns that are no thoughts by their wording (``knowledge/conversation/rules.toml``)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from reframer import paths

_SHORT_WORDS = 16  # of a text that a rule may fit as a whole
_CLAUSE_ENDS = re.compile(r"[.,;:!?\n]+")


class Rules:
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

    def beside_going_on(self, text: str) -> str | None:
        """Return what stands beside the clauses that say that danger was not meant.

        None where no clause of a short text says so.
        """
        clauses = [clause for clause in _CLAUSE_ENDS.split(text) if plain_form(clause)]
        others = [one for one in clauses if not self._goes_on.fullmatch(plain_form(one))]
        said = is_short(plain_form(text)) and len(others) < len(clauses)
        return " ".join(others) if said else None

    def wish(self, plain: str) -> str:
        """Return which wish a whole text is; empty if none."""
        return _first(self._wishes, plain) if is_short(plain) else ""

    def wish_within(self, text: str) -> str:
        """Return the wish in one clause of a short text, the last one first; empty if none."""
        if not is_short(plain_form(text)):
            return ""
        clauses = [plain_form(clause) for clause in _CLAUSE_ENDS.split(text)]
        found = (_first(self._wishes, clause) for clause in reversed(clauses) if clause)
        return next((wish for wish in found if wish), "")

    def small_talk(self, plain: str) -> str:
        """Return which small talk a whole text is; empty if none."""
        return _first(self._small_talk, plain) if is_short(plain) else ""

    def on_matter(self, text: str) -> bool:
        """Whether a sentence asks about self-talk as such, though it may sound hard on oneself."""
        plain = plain_form(text)
        return bool(self._form.fullmatch(plain) and self._matter.fullmatch(plain))

    def topic(self, plain: str) -> str:
        """Return what a short question asks about the program itself; empty if nothing."""
        asks = is_short(plain) and self._form.fullmatch(plain)
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
        # One word alone may be a name, or English too: "Ben left. Worthless."
        sure = shares[best] >= min(2, len(words)) or not all(map(str.isascii, letters))
        enough = sure and 4 * shares[best] >= len(words) and shares[best] > shares["en"]
        return best if enough else ""


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in patterns.items()}


def _first(patterns: Mapping[str, re.Pattern[str]], plain: str) -> str:
    """Return the name of the first pattern that a whole text fits; empty if none."""
    return next((name for name, pattern in patterns.items() if pattern.fullmatch(plain)), "")


def _is_latin(letter: str) -> bool:
    return letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff"


def is_short(plain: str) -> bool:
    """Whether a text in plain form is one that a rule may fit as a whole."""
    return 0 < len(plain.split()) <= _SHORT_WORDS


def plain_form(text: str) -> str:
    """Return a text in the form that the rules are written for."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.sub(r"[^\w]+", " ", re.sub(r"['’`´]", "", text)).split())


@cache
def load_rules() -> Rules:
    """Return the rules of the program."""
    with paths.asset("knowledge", "conversation", "rules.toml").open("rb") as file:
        return Rules(tomllib.load(file))
