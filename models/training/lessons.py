"""Make the lessons of the voice: ``python -m models.training.lessons``.

The voice learns to open an answer: a thought is given, and the sentence written by hand that says
it back. Beside it, as a second task, it learns to judge an opening: a draft of an earlier adapter
is given, and whether it was found true and fit to be shown. ``models/training/drafts.tsv`` holds
some thousand drafts with such a mark, each given by reading. Drafts found good are openings to
learn from, too.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Protocol

import click
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, convert_to_openai_messages

from models.training.pairs import Lessons, Pair
from reframer import catalog, paths, prompts, settings
from reframer.knowledge import example_id, load_techniques
from reframer.llama.gguf import read_header
from reframer.llama.weights import Weights
from reframer.records import Example, Technique

_DRAFTS = Path(__file__).with_name("drafts.tsv")
_QUESTION = "Is that true to every word that I told you, and kind to hear? Answer yes or no."
_YES, _NO = "yes", "no"
# A judgement is learned by heart sooner than an opening, and then judges worse (docs/log.md).
_TIMES_OPENED, _TIMES_JUDGED = 2, 1


class Tokenizer(Protocol):
    """What turns prompts and answers into tokens; `reframer.llama.weights.Weights` does."""

    def prompt(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Return the tokens of a prompt, up to where the answer begins."""

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An opening that an earlier adapter drafted, and what a reader found.

    Attributes:
        thought: What it was drafted for.
        opening: The draft.
        good: Whether it is true to the thought and fit to be shown.
    """

    thought: str
    opening: str
    good: bool

    @property
    def held_out(self) -> bool:
        """Whether its thought is one of those kept for evaluation."""
        return Example(example_id(self.thought), "", self.thought, "").held_out


def drafts(file: Path = _DRAFTS) -> list[Draft]:
    """Return the marked drafts of a table with the columns mark, thought and opening."""
    with file.open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Draft(row["thought"], row["opening"], row["mark"] == "1") for row in rows]


def written(techniques: Iterable[Technique]) -> list[Example]:
    """Return the examples that have an opening, written by hand."""
    return [example for card in techniques for example in card.examples if example.opening]


def lessons(
    examples: Sequence[Example], marked: Sequence[Draft], tokenizer: Tokenizer, end: int, base: str
) -> Lessons:
    """Return all pairs, asked for exactly as the program asks.

    Args:
        examples: Examples that have an opening.
        marked: Drafts that were marked.
        tokenizer: The model's own.
        end: The token that ends an answer.
        base: SHA-256 of the model's file.
    """

    def pair(messages: Sequence[BaseMessage], answer: str) -> Pair:
        prompt = tokenizer.prompt(convert_to_openai_messages(messages))
        return Pair((*prompt, *tokenizer.tokens(answer), end), len(prompt))

    learned = [one for one in examples if not one.held_out]
    read = [one for one in marked if not one.held_out]
    openings = [(one.thought, one.opening) for one in learned]
    openings += [(one.thought, one.opening) for one in read if one.good]
    opened = [pair(prompts.opening(thought), opening) for thought, opening in openings]
    judged = [pair(_judgement(one), _YES if one.good else _NO) for one in read]
    return Lessons(
        [*opened * _TIMES_OPENED, *judged * _TIMES_JUDGED],
        [pair(prompts.opening(one.thought), one.opening) for one in examples if one.held_out],
        base,
        _fingerprint(openings, read),
    )


def _judgement(draft: Draft) -> list[BaseMessage]:
    """Return the messages that ask whether a draft is true, in the conversation it was said in."""
    asked = prompts.opening(draft.thought)
    return [*asked, AIMessage(draft.opening), HumanMessage(_QUESTION)]


def _fingerprint(openings: Sequence[tuple[str, str]], read: Sequence[Draft]) -> str:
    rows = [*openings, *map(astuple, read)]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


@click.command()
@click.option("--gguf", type=Path, help="The base model's file [default: the default model].")
@click.option("--out", type=Path, default=Path("build/training/lessons.json"), show_default=True)
def main(gguf: Path | None, out: Path) -> None:
    """Write the lessons as tokens of the base model."""
    base = gguf or catalog.locate(catalog.default("chat"), settings.load().models_dir)[0]
    end = int(read_header(base).values["tokenizer.ggml.eos_token_id"])
    examples = written(load_techniques())
    made = lessons(examples, drafts(), Weights.open(base), end, catalog.hash_file(base))
    paths.private_dir(out.parent)
    made.save(out)
    tokens = sum(map(len, made.pairs))
    click.echo(f"{len(made.pairs)} pairs of {tokens} tokens, {len(made.held_out)} held out")


if __name__ == "__main__":
    main()
