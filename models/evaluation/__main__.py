"""Print the reports: ``python -m models.evaluation [AREA ...] [--data DIR]``."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import click

from models import evaluation
from reframer import seal

# Measured by `make bench` and `make soak`, alone on the machine.
_APART = frozenset({"__main__", "speed", "soak"})


def areas() -> list[str]:
    """Return the names of all areas that can be measured."""
    return [m.name for m in pkgutil.iter_modules(evaluation.__path__) if m.name not in _APART]


@click.command()
@click.argument("chosen", metavar="[AREA]...", nargs=-1)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the evaluation data that is not part of the project.",
)
def main(chosen: tuple[str, ...], data: Path | None) -> None:
    """Measure the program and print a table for each AREA; by default for all."""
    for area in chosen or areas():
        if area not in areas():
            raise click.UsageError(f"There is no area {area}; there are {', '.join(areas())}.")
        sys.stdout.write(f"## {area.capitalize()}\n\n")
        sys.stdout.write(f"{import_module(f'models.evaluation.{area}').report(data)}\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    seal.close()
    main()
