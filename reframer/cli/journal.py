"""``reframer journal``: a whole journal, answered sentence by sentence."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from reframer.errors import UsageError
from reframer.records import KINDS, PERSONS, TONES, VOICES

_WAYS = ("callout", "below", "replace")
_UNDO = "undo"
_EPILOG = """\b
Examples:
  reframer journal diary.md --dry-run
  reframer journal ~/vault --since 2024-01-01
  reframer journal ~/vault --write callout --review
  reframer journal undo ~/vault

\b
Exit codes: 1 if a file could not be read or written, otherwise as for every command.
"""


class _Journal(click.Group):
    """Reads a journal unless another command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["read", *args]
        return super().parse_args(ctx, args)


def _kinds(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Return the kinds that are divided by commas."""
    kinds = tuple(kind for kind in value.split(",") if kind)
    for kind in kinds:
        if kind not in KINDS:
            raise click.BadParameter(f"They are {', '.join(KINDS)}.", ctx, param)
    return kinds


def _day(
    ctx: click.Context,  # noqa: ARG001 - part of the interface
    param: click.Parameter,  # noqa: ARG001
    value: datetime | None,
) -> date | None:
    return value.date() if value else None


_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=_Journal, epilog=_EPILOG, subcommand_metavar="PATH | COMMAND ...")
def journal() -> None:
    """Answer the inner critic all through a journal, and leave the journal as it is.

    PATH is a file, a folder, an export, or - for standard input. For the options see
    reframer journal read --help; the word read may be left out.
    """


@journal.command(epilog=_EPILOG)
@click.argument("path", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the report; by default beside the journal.",
)
@click.option(
    "--format",
    metavar="NAME",
    default="",
    help="Format; by default seen by content. The names are in docs/journal.md.",
)
@click.option("--write", type=click.Choice(_WAYS), help="Also put the answers into copies.")
@click.option("--in-place", is_flag=True, help="With --write: into the journal, after a backup.")
@click.option("--review", is_flag=True, help="Go through the answers before they are written.")
@click.option("--dry-run", is_flag=True, help="Only show which sentences would be answered.")
@click.option(
    "--since", metavar="DAY", type=_DAY, callback=_day, help="First day to read, like 2024-01-31."
)
@click.option("--until", metavar="DAY", type=_DAY, callback=_day, help="Last day to read.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Answer at most N.")
@click.option(
    "--kinds",
    metavar="KIND,...",
    callback=_kinds,
    default="",
    help="Answer these kinds only. The names are in docs/journal.md.",
)
@click.option(
    "--min-strength",
    metavar="X",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Answer only what is at least so harsh and sure, from 0 to 1.",
)
@click.option("--tone", type=click.Choice(TONES), help="How the friend speaks.")
@click.option("--voice", type=click.Choice(VOICES), help="To whom.")
@click.option("--person", type=click.Choice(PERSONS), help="Said to you, or as your own words.")
@click.option("--keep", is_flag=True, help="Keep the checkpoint when all is done.")
@click.option("--json", "as_json", is_flag=True, help="Print an event of the run on every line.")
@click.option("--country", metavar="CODE", help="Two-letter country code for help lines, like GB.")
@click.pass_context
def read(context: click.Context, /, path: Path, **options: Any) -> None:
    """Read the journal at PATH and answer the inner critic in it, sentence by sentence.

    A report and the answers in plain formats go into a folder beside the journal, which itself is
    only read, unless --in-place is given. A run that was stopped goes on where it was when the same
    command is given again.
    """
    from reframer.cli import journaling  # loads the flow

    if options["in_place"] and not options["write"]:
        raise UsageError("--in-place needs to know how.", "Add: --write callout")
    if str(path) == "-" and (options["in_place"] or options["review"]):
        raise UsageError("Standard input can be neither changed nor reviewed.", "Name a file.")
    if options["in_place"] and path.is_fifo():
        raise UsageError("A pipe cannot be changed.", "Name a file.")
    context.exit(journaling.read_journal(path, options))


@journal.command(_UNDO)
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def undo(context: click.Context, path: Path) -> None:
    """Put back what the journal at PATH was before the last --in-place.

    A file that was changed since is left as it is, and named.
    """
    from reframer.cli import journaling

    context.exit(journaling.undo_journal(path))
