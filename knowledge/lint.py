"""Check the cards and tables by what a program can see: ``python -m knowledge.lint [FOLDER]``.

FOLDER holds cards; without it, the program's own cards and its tables of openings are checked.

Every problem is a line ``file:line: reason``; the exit code is 1 when there is any. Sense, truth
and warmth are for people to check.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from reframer import paths, settings
from reframer.embedding import LocalEmbeddings
from reframer.errors import CardError, ModelMissing
from reframer.knowledge import further_examples, read_technique
from reframer.records import Example, Technique

_TECHNIQUES = 45
_EXAMPLES = 25
_ABOUT, _STEP, _LINE, _ANSWER = (50, 160), (30, 120), 25, (18, 50)
_TEEN, _CHILD = (15, 38), (12, 30)
_SENTENCES = 3
# On one card: how many answers may begin with the same two words, with "you", ask, or deny a label.
_SAME_BEGINNING, _BEGIN_YOU, _ASK, _DENY = 2, 4, 2, 2
_LONG, _LONG_WORDS, _SHORT, _SHORT_WORDS = 3, 35, 2, 4
# In the whole store: how many answers may begin, or end, with the same words.
_SAME_START, _SAME_END = 5, 5
_NEAR_THOUGHT, _NEAR_ANSWER = 0.92, 0.90  # cosines
_OPENING, _TURN = (5, 26), (5, 36)

_SENTENCE_END = re.compile(r"(?<=[.?])\s+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_FORM = re.compile(r"[!\u2013\u2014\u2018\u2019\u201c\u201d]|(?<!')\bjust a\b", re.IGNORECASE)
_PHRASES = re.compile(r"\bvalid\b|\bproves?\b|i'?m proud|not alone", re.IGNORECASE)
_DENIAL = re.compile(
    r"(?:doesn't|don't|does not|do not) make you|isn't who you are|whole of you", re.IGNORECASE
)
# A sentence that denies a word, or gives it to the voice that said it.
_DENIED = re.compile(
    r"\b(?:not|no|never|nothing|nobody|nor|than|opposite|\w+n't|call\w*|word\w*|names?|voice|verdict"
    r"|says?|said|saying|label\w*|fears?|afraid)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, with the file and line that it is about."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class Store:
    """The cards that could be read, and where each of their examples stands.

    Args:
        files: The cards.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self.unreadable: list[Finding] = []
        self.cards: list[tuple[Path, Technique]] = []
        self._lines: dict[Path, list[str]] = {}
        for file in files:
            try:
                self.cards.append((file, read_technique(file)))
                self._lines[file] = file.read_text(encoding="utf-8").splitlines()
            except CardError as error:
                self.unreadable.append(Finding(file, error.line, error.reason))
        self.examples = [(file, e) for file, technique in self.cards for e in technique.examples]

    def find(self, file: Path, words: str) -> int:
        """Return the line on which a text begins."""
        begin = words[:30]
        for number, line in enumerate(self._lines[file], 1):
            text = " ".join(line.removeprefix(">").removeprefix('  - "').split())
            if text and (text.startswith(begin) or words.startswith(text)):
                return number
        return 1

    def at(self, file: Path, words: str, reason: str) -> Finding:
        """Return a finding at the line on which a text begins."""
        return Finding(file, self.find(file, words), reason)


def check(store: Store, embeddings: LocalEmbeddings | None) -> list[Finding]:
    """Return all problems of a store, sorted by file and line.

    Args:
        store: The cards.
        embeddings: Finds near-duplicates; None leaves that out.
    """
    findings = [*store.unreadable]
    for file, technique in store.cards:
        findings += _card(store, file, technique)
        answers = (example.answer for example in technique.examples)
        for texts, length in (
            ((*technique.words, *answers), _ANSWER),
            (technique.words_teen, _TEEN),
            (technique.words_child, _CHILD),
        ):
            for text in texts:
                findings += (store.at(file, text, reason) for reason in _answer(text, length))
    findings += _whole_store(store)
    if embeddings is not None:
        findings += _near(store, embeddings, "thought", _NEAR_THOUGHT, lambda e: e.thought)
        findings += _near(store, embeddings, "answer", _NEAR_ANSWER, lambda e: e.answer)
    return sorted(findings, key=lambda finding: (str(finding.file), finding.line, finding.reason))


def check_openings(files: Iterable[Path], store: Store) -> Iterator[Finding]:
    """Yield the problems of tables of openings.

    Args:
        files: The tables.
        store: The cards, with whose examples nothing may be the same.
    """
    cards = {technique.id for _, technique in store.cards}
    seen = {example.id for _, example in store.examples}
    for file in files:
        for line, example in enumerate(further_examples(file), 2):
            turn = example.answer.removeprefix(f"{example.opening} ")
            reasons = [*_sentence(example.opening, _OPENING), *_sentence(turn, _TURN)]
            if example.technique not in cards:
                reasons.append(f"there is no card {example.technique!r}")
            if example.id in seen:
                reasons.append("the same thought stands elsewhere")
            seen.add(example.id)
            yield from (Finding(file, line, reason) for reason in reasons)


def _sentence(text: str, length: tuple[int, int]) -> Iterator[str]:
    """Yield what is wrong with an opening, or with the turn behind it."""
    least, most = length
    if not least <= (count := len(text.split())) <= most:
        yield f"{count} words, not {least} to {most}"
    if not text.endswith((".", "?", ".'", '."')):
        yield "ends without a full stop"
    if seen := _voice("openers").match(text):
        yield f"opens with {seen[0]!r}"
    for pattern in (_FORM, _describing()):
        if seen := pattern.search(text):
            yield f"says {seen[0]!r}"


def _card(store: Store, file: Path, technique: Technique) -> Iterator[Finding]:
    for name in ("move", "why"):
        if (count := len(getattr(technique, name).split())) > _LINE:
            yield Finding(file, 1, f"{name} has {count} words, more than {_LINE}")
    if len(technique.when) > 5:
        yield Finding(file, 1, "when has more than five kinds")
    for name, text, (least, most) in (
        ("about", technique.about, _ABOUT),
        ("step", technique.step, _STEP),
    ):
        if not least <= (count := len(text.split())) <= most:
            yield store.at(file, text, f"{name} has {count} words, not {least} to {most}")
    examples = technique.examples
    if len(examples) < _EXAMPLES:
        yield Finding(file, 1, f"{len(examples)} examples, fewer than {_EXAMPLES}")
    lengths = [len(example.thought.split()) for example in examples]
    if sum(length >= _LONG_WORDS for length in lengths) < _LONG:
        yield Finding(file, 1, f"fewer than {_LONG} thoughts of {_LONG_WORDS} words or more")
    if sum(length <= _SHORT_WORDS for length in lengths) < _SHORT:
        yield Finding(file, 1, f"fewer than {_SHORT} thoughts of at most {_SHORT_WORDS} words")
    yield from _too_often(store, file, [example.answer for example in examples])


def _too_often(store: Store, file: Path, answers: Sequence[str]) -> Iterator[Finding]:
    """Find what may stand in a few answers of a card, but stands in more."""
    shapes: tuple[tuple[str, int, Callable[[str], bool]], ...] = (
        ("begin with you", _BEGIN_YOU, lambda a: a.lower().startswith("you")),
        ("ask a question", _ASK, lambda a: "?" in a),
        ("deny a label (doesn't make you ...)", _DENY, lambda a: bool(_DENIAL.search(a))),
    )
    for name, most, has in shapes:
        seen = [answer for answer in answers if has(answer)]
        if len(seen) > most:
            yield store.at(file, seen[most], f"{len(seen)} answers {name}, more than {most}")
    for begin, seen in _grouped(answers, lambda words: words[:2]).items():
        if len(seen) > _SAME_BEGINNING:
            yield store.at(file, seen[-1], f"{len(seen)} answers begin with {begin!r}")


def _answer(answer: str, length: tuple[int, int]) -> Iterator[str]:
    """Yield what is wrong with one answer by itself; the length is the fewest and most words."""
    least, most = length
    if not least <= (count := len(answer.split())) <= most:
        yield f"{count} words, not {least} to {most}"
    if (count := len(_SENTENCE_END.split(answer))) > _SENTENCES:
        yield f"{count} sentences, more than {_SENTENCES}"
    if seen := _voice("openers").match(answer):
        yield f"opens with {seen[0]!r}"
    for pattern in (_FORM, _PHRASES, _voice("phrases")):
        if seen := pattern.search(answer):
            yield f"says {seen[0]!r}"
    for sentence in _SENTENCE_END.split(answer):
        for pattern in (_voice("promises"), _voice("agreement"), _describing()):
            if (seen := pattern.search(sentence)) and not _DENIED.search(sentence):
                yield f"says {seen[0]!r}"


def _whole_store(store: Store) -> Iterator[Finding]:
    """Find what is the same in too many answers, or in two thoughts."""
    if len(store.cards) < _TECHNIQUES and store.cards:
        yield Finding(store.cards[0][0].parent, 1, f"fewer than {_TECHNIQUES} cards")
    where = {example.answer: file for file, example in store.examples}
    answers = list(where)
    for begin, seen in _grouped(answers, lambda words: words[:3]).items():
        if len(seen) >= _SAME_START:
            yield store.at(where[seen[-1]], seen[-1], f"{len(seen)} answers begin with {begin!r}")
    for end, seen in _grouped(answers, lambda words: words[-4:]).items():
        if len(seen) >= _SAME_END:
            yield store.at(where[seen[-1]], seen[-1], f"{len(seen)} answers end with {end!r}")
    for pick, name in ((_thought_key, "thought"), (_last_sentence, "closing sentence")):
        first: dict[str, Path] = {}
        for file, example in store.examples:
            key = pick(example)
            if key in first:
                text = example.thought if name == "thought" else example.answer
                yield store.at(file, text, f"the same {name} as in {first[key].name}")
            first.setdefault(key, file)


def _near(
    store: Store,
    embeddings: LocalEmbeddings,
    name: str,
    least: float,
    text: Callable[[Example], str],
) -> Iterator[Finding]:
    """Find texts that are nearly the same by their vectors."""
    if not store.examples:
        return
    vectors = embeddings.vectors([text(example) for _, example in store.examples])
    alike = np.triu(vectors @ vectors.T, k=1)
    for first, second in np.argwhere(alike >= least):
        file, example = store.examples[second]
        other, twin = store.examples[first]
        yield store.at(
            file,
            text(example),
            f"a {name} nearly like {other.name}:{store.find(other, text(twin))} "
            f"({alike[first, second]:.2f})",
        )


def _grouped(texts: Iterable[str], key: Callable[[list[str]], list[str]]) -> dict[str, list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        groups[" ".join(key(_words(text)))].append(text)
    return groups


def _thought_key(example: Example) -> str:
    return " ".join(_words(example.thought))


def _last_sentence(example: Example) -> str:
    return " ".join(_words(_SENTENCE_END.split(example.answer)[-1]))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@cache
def _describing() -> re.Pattern[str]:
    """Return a pattern of insults said of "you"."""
    insult = "|".join(_entries("insults"))
    return re.compile(
        r"\b(?:you(?:'re|'ve been| are| were| look| seem| sound)(?: \w+){0,3}? |you |your )"
        rf"(?:{insult})(?!\w)",
        re.IGNORECASE,
    )


@cache
def _voice(group: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_entries(group))})(?!\w)", re.IGNORECASE)


def _entries(group: str) -> list[str]:
    words: list[str] = tomllib.loads(paths.asset("knowledge", "voice.toml").read_text("utf-8"))[
        group
    ]
    return words


def _embeddings() -> LocalEmbeddings | None:
    try:
        return LocalEmbeddings.from_catalog(settings.load().models_dir)
    except ModelMissing as error:
        sys.stderr.write(f"Near-duplicates are not looked for. {error}\n")
        return None


def main(arguments: Sequence[str]) -> int:
    """Check the cards of a folder, by default the program's; return the exit code."""
    folder = Path(arguments[0]) if arguments else paths.asset("knowledge", "techniques")
    store = Store(sorted(folder.rglob("*.md")))
    findings = check(store, _embeddings())
    if not arguments:
        tables = sorted(paths.asset("knowledge", "openings").glob("*.tsv"))
        findings += check_openings(tables, store)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(
        f"{len(store.cards)} cards, {len(store.examples)} examples, {len(findings)} problems\n"
    )
    return 1 if findings or not store.cards else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
