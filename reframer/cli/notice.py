"""``reframer notice``: where the inner critic speaks in a text."""

from __future__ import annotations

from typing import BinaryIO

import click

from reframer import settings
from reframer.cli import show
from reframer.cli.read import decode
from reframer.records import Notice


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for every sentence.")
def notice(file: BinaryIO, as_json: bool) -> None:
    """Show the sentences of FILE, by default of standard input, in which the inner critic speaks.

    With --json every sentence is printed, in order, with its place in the text in characters and
    what was heard in it: the kind of self-criticism, its strength from 0 to 1, or kind words to
    oneself. Where the text sounds like danger, help lines go to standard error.
    """
    from reframer.cli.assess import met_danger  # loads the tokenizer and the matrix library
    from reframer.critic import Critic
    from reframer.reader import Reader

    text = decode(file.read())
    chosen = settings.load()
    met_danger(text, chosen)
    critic = Critic(Reader.from_catalog(chosen.models_dir))
    notices = critic.notice(text)
    if as_json:
        for heard in notices:
            show.to_json(as_record(heard))
    else:
        _list(notices)


def as_record(heard: Notice) -> dict[str, str | int | float | bool | None]:
    """Return what ``--json`` prints of a sentence."""
    return {
        "text": heard.text,
        "start": heard.start,
        "end": heard.end,
        "self_critical": heard.self_critical,
        "kind": heard.kind,
        "strength": round(heard.strength, 3),
        "kind_talk": heard.kind_talk,
    }


def _list(notices: tuple[Notice, ...]) -> None:
    for heard in notices:
        if heard.self_critical or heard.kind_talk:
            strength = f"{heard.strength:.2f}" if heard.self_critical else ""
            label = heard.kind or "kind words"
            click.echo(f"{label:16} {strength:4}  {' '.join(heard.text.split())}")
    critical = sum(heard.self_critical for heard in notices)
    click.echo(f"Self-critical: {critical} of {len(notices)} sentences.", err=True)
