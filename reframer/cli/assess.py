"""``reframer assess``: what safety reads in each line of a text, and what would be shown."""

from __future__ import annotations

from typing import BinaryIO

import click

from reframer import settings
from reframer.cli import show
from reframer.cli.read import decode
from reframer.records import Level
from reframer.safety import Safety, signposts
from reframer.settings import Settings


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each line.")
@click.option("--country", metavar="CODE", help="Two-letter country code for help lines, like GB.")
def assess(file: BinaryIO, as_json: bool, country: str | None) -> None:
    """Show what safety reads in each line of FILE, by default of standard input.

    Each line is read on its own and gives one line of output, an empty one too, so that the two
    can be laid side by side. This is for looking at how safety works; a text that was written as a
    whole is read as a whole everywhere else.
    """
    chosen = settings.load({"country": country})
    safety = open_safety(chosen)
    for line in file:
        text = decode(line).rstrip("\r\n")
        risk = safety.assess(text)
        record = {
            "text": text,
            "level": risk.level,
            "signals": list(risk.signals),
            "shown": signposts(risk, chosen.country, chosen.wishes.voice),
        }
        if as_json:
            show.to_json(record)
        else:
            click.echo("  ".join((f"{risk.level:7}", ", ".join(risk.signals))).rstrip())


def met_danger(text: str, chosen: Settings) -> Level:
    """Let safety read a text; in danger, print the written words beside the output.

    Args:
        text: What a command is about to do something else with.
        chosen: The settings.

    Returns:
        The level of danger that the text shows.
    """
    risk = open_safety(chosen).assess(text)
    if words := signposts(risk, chosen.country, chosen.wishes.voice):
        click.echo(f"{show.filled(words)}\n", err=True)
    return risk.level


def open_safety(chosen: Settings) -> Safety:
    """Open safety with the reader where it can be opened, and with the lexicon alone otherwise."""
    return Safety.open(
        chosen.models_dir,
        lambda problem: click.echo(f"Only the word list is used: {problem}", err=True),
    )
