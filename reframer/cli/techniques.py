"""``reframer techniques``: look at the cards, and find those that fit a thought."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

import click

from reframer import settings
from reframer.cli.read import decode
from reframer.cli.show import filled
from reframer.errors import TextEmpty, UsageError
from reframer.knowledge import load_techniques
from reframer.records import Match, Technique

_EXAMPLES_SHOWN = 3

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def techniques() -> None:
    """Look at the technique cards, the program's and your own."""


@techniques.command("list")
@_JSON
def list_techniques(as_json: bool) -> None:
    """List all techniques."""
    cards = _load()
    if as_json:
        _print_json([_summary(card) for card in cards])
        return
    width = max(len(card.id) for card in cards)
    for card in cards:
        click.echo(f"{card.id:{width}}  {card.title}")


@techniques.command()
@click.argument("technique_id", metavar="ID")
@_JSON
def show(technique_id: str, as_json: bool) -> None:
    """Show one technique: what it is, a small step, examples, and where it comes from."""
    card = _find(technique_id, _load())
    if as_json:
        _print_json(asdict(card))
        return
    click.secho(card.title, bold=True)
    _paragraphs(*card.about.split("\n\n"))
    if not card.led:
        _paragraphs("This belongs with a trained person; the program only tells of it.")
    _paragraphs(f"A small step: {card.step}")
    for example in card.examples[:_EXAMPLES_SHOWN]:
        _paragraphs(f"> {example.thought}", example.answer)
    _paragraphs(
        f"Answers: {', '.join(card.when)}",
        f"Not when: {card.not_when}",
        f"Evidence: {card.evidence}",
        f"Source: {card.source}",
    )


@techniques.command()
@click.argument("text")
@click.option("-k", "count", type=click.IntRange(1, 50), default=3, help="How many to show.")
@_JSON
def search(text: str, count: int, as_json: bool) -> None:
    """Find the techniques that fit TEXT; - reads it from standard input.

    Where TEXT sounds like danger, help lines go to standard error; in a crisis no card follows.
    """
    thought = decode(sys.stdin.buffer.read()) if text == "-" else text
    if not thought.strip():
        raise TextEmpty("There is no text to search with.", 'Try: "I ruin everything."')
    matches = _search(thought, count)
    if as_json:
        _print_json([_found(match) for match in matches])
        return
    for match in matches:
        click.secho(f"{match.technique.id}  {match.technique.title}", bold=True)
        _paragraphs(match.technique.why)
        for example in match.examples[:1]:
            _paragraphs(f"> {example.thought}", example.answer)
        click.echo()


def _load() -> tuple[Technique, ...]:
    return load_techniques(settings.load().cards_dir)


def _find(technique_id: str, cards: Sequence[Technique]) -> Technique:
    by_id = {card.id: card for card in cards}
    if technique_id in by_id:
        return by_id[technique_id]
    near = get_close_matches(technique_id, by_id, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See: reframer techniques list"
    raise UsageError("There is no technique of that name.", hint)


def _search(thought: str, count: int) -> tuple[Match, ...]:
    """Return the cards that fit best; none for a crisis, which is met with other words."""
    from reframer.cli.assess import met_danger  # loads what list and show do not need
    from reframer.reader import Reader
    from reframer.retrieval import TechniqueRetriever

    chosen = settings.load()
    if met_danger(thought, chosen) == "crisis":
        return ()
    reader = Reader.from_catalog(chosen.models_dir)
    retriever = TechniqueRetriever.open(_load(), reader.embeddings, reader)
    return retriever.search(thought, k=count)


def _summary(card: Technique) -> dict[str, Any]:
    return {
        "id": card.id,
        "title": card.title,
        "source": str(card.source),
        "kinds": list(card.when),
        "examples": len(card.examples),
    }


def _found(match: Match) -> dict[str, Any]:
    return {
        **_summary(match.technique),
        "score": round(match.score, 4),
        "reasons": list(match.reasons),
        "nearest": [asdict(example) for example in match.examples],
    }


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2).encode())


def _paragraphs(*texts: str) -> None:
    for text in texts:
        click.echo(f"{filled(text)}\n")
