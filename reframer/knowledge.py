"""The cards: what the program knows about being kind to oneself, read and checked.

A technique card has front matter in YAML, a paragraph or two about the technique, the section
``## A small step`` and the section ``## Examples``, in which every thought is a block quote and the
paragraph under it is the answer. A background card has front matter and a text. Further examples,
whose first sentence was written to say the thought back, stand in tables by area of life.

Cards may come from anybody, and their words reach the page and the model. So they are plain text:
what could be markup, a template or a turn of a chat is refused.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import yaml

from reframer import paths
from reframer.errors import CardError, KnowledgeError
from reframer.records import KINDS, Example, Source, Technique

Reader = Literal["adult", "teen", "child"]
READERS: tuple[Reader, ...] = Reader.__args__  # type: ignore[attr-defined]

Choice = TypeVar("Choice", bound=str)

_LARGEST_CARD = 200_000  # characters
_STEP, _EXAMPLES = "A small step", "Examples"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_HEADING = re.compile(r"##\s+(.*\S)\s*")
_NOT_PLAIN = re.compile(
    r"<[a-z/!?|<]"  # HTML, and the special tokens of chat templates
    r"|\|>|\[/?inst|[{}]"  # more of these, and templates
    r"|!\[|\]\(|^\s*(?:#|```)"  # Markdown that loads, links or makes a heading
    r"|[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]",  # unseen characters
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Background:
    """One background card: an idea that the program stands on.

    Attributes:
        id: The card's file name without suffix.
        title: Its heading.
        readers: Whom it is written for.
        sources: Where it comes from, one reference each.
        reviewed: The day on which the card was last reviewed, ISO 8601.
        body: The text, paragraphs parted by blank lines.
    """

    id: str
    title: str
    readers: tuple[Reader, ...]
    sources: tuple[str, ...]
    reviewed: str
    body: str


def tell(problem: CardError) -> None:
    """Name a malformed card on the standard error stream."""
    sys.stderr.write(f"{problem}\n")


def load_techniques(
    user_dir: Path | None = None, on_problem: Callable[[CardError], None] = tell
) -> tuple[Technique, ...]:
    """Read the program's technique cards with all their examples, then the user's own.

    Args:
        user_dir: Folder of the user's cards; it need not exist.
        on_problem: Told of each malformed card, which is left out.

    Raises:
        KnowledgeError: There is no usable card.
    """
    own = _cards(paths.asset("knowledge", "techniques"))
    theirs = [] if user_dir is None else _cards(user_dir)
    more = _further_examples()
    techniques: dict[str, Technique] = {}
    for file in [*own, *theirs]:
        try:
            technique = read_technique(file)
            if file in own:
                examples = (*technique.examples, *more.get(technique.id, ()))
                technique = replace(technique, examples=examples)
            if technique.id in techniques:
                raise CardError(file, 1, f"the id {technique.id} belongs to another card already")
            techniques[technique.id] = technique
        except CardError as problem:
            on_problem(problem)
    if not techniques:
        raise KnowledgeError("There is no usable technique card.", "Install the program again.")
    return tuple(techniques.values())


def todays(techniques: tuple[Technique, ...], day: date) -> Technique:
    """Return the technique whose small step is the day's: every one in turn, for everybody."""
    led = [technique for technique in techniques if technique.led]
    return led[day.toordinal() % len(led)]


def load_background(on_problem: Callable[[CardError], None] = tell) -> tuple[Background, ...]:
    """Read the background cards.

    Args:
        on_problem: Told of each malformed card, which is left out.
    """
    cards = []
    for file in _cards(paths.asset("knowledge", "background")):
        try:
            cards.append(read_background(file))
        except CardError as problem:
            on_problem(problem)
    return tuple(cards)


def read_technique(file: Path) -> Technique:
    """Read one technique card.

    Raises:
        CardError: It is malformed; the error names the line and the reason.
    """
    card = _Card(file)
    front = card.front
    sections = card.sections(frozenset({_STEP, _EXAMPLES}))
    technique = Technique(
        id=front.id(),
        title=front.text("title"),
        move=front.text("move"),
        why=front.text("why"),
        when=front.choices("when", KINDS),
        not_when=front.text("not_when"),
        source=_source(front),
        evidence=front.text("evidence"),
        reviewed=front.day("reviewed"),
        led=front.flag("led", default=True),
        about=card.prose("", sections[""]),
        step=card.prose(_STEP, sections[_STEP]),
        words=front.texts("words") if front.has("words") else (),
        words_teen=front.texts("words_teen") if front.has("words_teen") else (),
        words_child=front.texts("words_child") if front.has("words_child") else (),
        examples=tuple(_examples(card, front.id(), sections[_EXAMPLES])),
    )
    front.refuse_unknown()
    return technique


def read_background(file: Path) -> Background:
    """Read one background card.

    Raises:
        CardError: It is malformed; the error names the line and the reason.
    """
    card = _Card(file)
    front = card.front
    background = Background(
        id=front.id(),
        title=front.text("title"),
        readers=front.choices("for", READERS),
        sources=front.texts("sources"),
        reviewed=front.day("reviewed"),
        body=card.prose("", card.sections(frozenset())[""]),
    )
    front.refuse_unknown()
    return background


def example_id(thought: str) -> str:
    """Return the id of an example: the beginning of the SHA-256 of its thought."""
    return hashlib.sha256(thought.encode()).hexdigest()[:8]


def further_examples(file: Path) -> Iterator[Example]:
    """Read examples from a table with the columns technique, thought, opening and turn.

    Args:
        file: The table, with tabs between its columns.
    """
    with file.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            thought, opening, turn = row["thought"], row["opening"], row["turn"]
            answer = f"{opening} {turn}"
            yield Example(example_id(thought), row["technique"], thought, answer, opening)


def _further_examples() -> dict[str, list[Example]]:
    """Return the examples of all tables by technique."""
    found: dict[str, list[Example]] = {}
    for file in sorted(paths.asset("knowledge", "openings").glob("*.tsv")):
        for example in further_examples(file):
            found.setdefault(example.technique, []).append(example)
    return found


def _cards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.md")) if folder.is_dir() else []


def _source(front: _Front) -> Source:
    part = front.part("source")
    doi = part.text("doi") if part.has("doi") else ""
    if doi and not _DOI.fullmatch(doi):
        raise part.error("doi", "a DOI looks like 10.1000/182")
    source = Source(
        authors=part.text("authors"),
        year=part.number("year"),
        title=part.text("title"),
        venue=part.text("venue"),
        doi=doi,
    )
    part.refuse_unknown()
    return source


def _examples(card: _Card, technique: str, blocks: list[_Block]) -> Iterator[Example]:
    """Pair every quoted thought with the paragraph under it."""
    if not blocks:
        raise CardError(card.file, card.last_line, "there is no example")
    for thought, answer in zip(blocks[::2], [*blocks[1::2], None], strict=False):
        if not thought.quoted:
            raise CardError(card.file, thought.line, "a thought (> ...) must stand here")
        if answer is None or answer.quoted:
            raise CardError(card.file, thought.line, "the thought has no answer under it")
        words = _joined(thought)
        yield Example(example_id(words), technique, words, _joined(answer))


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines without a blank one between them."""

    line: int
    lines: tuple[str, ...]

    @property
    def quoted(self) -> bool:
        return self.lines[0].startswith(">")


def _joined(block: _Block) -> str:
    lines = (line.removeprefix(">") if block.quoted else line for line in block.lines)
    return " ".join(" ".join(lines).split())


class _Card:
    """A card's file, parted into front matter and blocks, each with its line."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines = _read(file).splitlines()
        self.last_line = max(1, len(self._lines))
        fences = [number for number, line in enumerate(self._lines) if line.rstrip() == "---"][:2]
        if len(fences) < 2 or fences[0] != 0:
            raise CardError(file, 1, "the card must begin with front matter between two lines ---")
        self._body = fences[1] + 1
        self._headings = {"": self._body + 1}
        self.front = _Front.parse(file, "\n".join(self._lines[1 : fences[1]]), first_line=2)

    def sections(self, wanted: frozenset[str]) -> dict[str, list[_Block]]:
        """Return the blocks by heading; those before the first heading under an empty one."""
        found: dict[str, list[_Block]] = {"": []}
        blocks = found[""]
        gathered: list[str] = []
        for number, line in enumerate([*self._lines[self._body :], ""], self._body + 1):
            heading = _HEADING.fullmatch(line)
            if gathered and (heading or not line.strip()):
                blocks.append(_Block(number - len(gathered), tuple(gathered)))
                gathered = []
            if heading:
                blocks = self._open(found, heading[1], wanted, number)
            elif line.strip():
                self._check(line, number)
                gathered.append(line)
        for name in sorted(wanted - found.keys()):
            raise CardError(self.file, self.last_line, f"the section ## {name} is missing")
        return found

    def prose(self, name: str, blocks: list[_Block]) -> str:
        """Return a section's paragraphs, parted by blank lines."""
        if not blocks:
            raise CardError(self.file, self._headings[name], "this part has no text")
        return "\n\n".join(_joined(block) for block in blocks)

    def _open(
        self, found: dict[str, list[_Block]], name: str, known: frozenset[str], number: int
    ) -> list[_Block]:
        if name not in known:
            raise CardError(self.file, number, f"there is no section named {name!r:.60}")
        if name in found:
            raise CardError(self.file, number, f"the section ## {name} is there twice")
        self._headings[name] = number
        return found.setdefault(name, [])

    def _check(self, line: str, number: int) -> None:
        if seen := _NOT_PLAIN.search(line):
            raise CardError(self.file, number, f"only plain text may stand here, not {seen[0]!r}")


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CardError(file, line, "the card is not text in UTF-8") from None
    except OSError as error:
        raise CardError(file, 1, f"the card cannot be read ({error.strerror})") from None
    if len(text) > _LARGEST_CARD:
        raise CardError(file, 1, f"the card has more than {_LARGEST_CARD:,} characters")
    return text


class _Front:
    """Front matter, or a part of it, whose values are asked for by kind and name.

    It is read as a tree of texts with their lines (no value becomes an object of another type
    unless asked for), so nothing in it can be run.
    """

    def __init__(self, file: Path, node: yaml.Node, first_line: int) -> None:
        self._file = file
        self._first_line = first_line
        self._line = first_line + node.start_mark.line
        self._values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            raise CardError(file, self._line, "names with values must stand here (name: value)")
        for key, value in node.value:
            name = str(key.value)
            if name in self._values:
                raise self._error(key, f"{name} is there twice")
            self._values[name] = value
        self._unasked = set(self._values)

    @classmethod
    def parse(cls, file: Path, text: str, first_line: int) -> _Front:
        """Read YAML that begins at a line of a file."""
        try:
            node = yaml.compose(text, yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = first_line + (error.problem_mark.line if error.problem_mark else 0)
            raise CardError(file, line, f"the YAML is malformed ({error.problem})") from None
        except (yaml.YAMLError, RecursionError):
            raise CardError(file, first_line, "the YAML is malformed") from None
        if node is None:
            raise CardError(file, first_line, "the front matter is empty")
        return cls(file, node, first_line)

    def id(self) -> str:
        """Return the card's id, which is its file name without suffix."""
        name = self.text("id")
        if name != self._file.stem or not _ID.fullmatch(name):
            raise self.error("id", "must be the file name without .md, in a-z, 0-9 and hyphens")
        return name

    def has(self, name: str) -> bool:
        """Return whether there is a value of that name."""
        return name in self._values

    def text(self, name: str) -> str:
        """Return one line of plain text."""
        return self._plain(name, self._value(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, at least one."""
        node = self._value(name)
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(name, "must be a list with at least one entry")
        return tuple(self._plain(name, entry) for entry in node.value)

    def choices(self, name: str, known: tuple[Choice, ...]) -> tuple[Choice, ...]:
        """Return a list of known words, each at most once."""
        chosen = self.texts(name)
        for word in chosen:
            if word not in known:
                raise self.error(name, f"{word!r:.40} is none of {', '.join(known)}")
        if len(set(chosen)) < len(chosen):
            raise self.error(name, "has a word twice")
        return tuple(word for entry in chosen for word in known if word == entry)

    def number(self, name: str) -> int:
        """Return a whole number."""
        try:
            return int(self.text(name))
        except ValueError:
            raise self.error(name, "must be a whole number") from None

    def day(self, name: str) -> str:
        """Return a day as ISO 8601."""
        try:
            return date.fromisoformat(self.text(name)).isoformat()
        except ValueError:
            raise self.error(name, "must be a day like 2026-11-24") from None

    def flag(self, name: str, *, default: bool) -> bool:
        """Return yes or no; the default where the name is not there."""
        if not self.has(name):
            return default
        word = self.text(name).lower()
        if word not in ("true", "false"):
            raise self.error(name, "must be true or false")
        return word == "true"

    def part(self, name: str) -> _Front:
        """Return names with values under a name."""
        return _Front(self._file, self._value(name), self._first_line)

    def refuse_unknown(self) -> None:
        """Raise an error if there is a name that was never asked for."""
        for name in self._values:
            if name in self._unasked:
                raise self.error(name[:40], "no such name is known")

    def error(self, name: str, reason: str) -> CardError:
        """Return an error at the line of a value."""
        node = self._values.get(name)
        if node is None:
            return CardError(self._file, self._line, f"{name}: {reason}")
        return self._error(node, f"{name}: {reason}")

    def _value(self, name: str) -> yaml.Node:
        if name not in self._values:
            raise CardError(self._file, self._line, f"{name} is missing")
        self._unasked.discard(name)
        return self._values[name]

    def _plain(self, name: str, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"{name}: a text must stand here")
        text = " ".join(node.value.split())
        if not text:
            raise self._error(node, f"{name}: is empty")
        if seen := _NOT_PLAIN.search(text):
            raise self._error(node, f"{name}: only plain text may stand here, not {seen[0]!r}")
        return text

    def _error(self, node: yaml.Node, reason: str) -> CardError:
        return CardError(self._file, self._first_line + node.start_mark.line, reason)
