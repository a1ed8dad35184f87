"""One thing that ``reframer doctor`` looked at."""

from __future__ import annotations

from dataclasses import dataclass

import click

_NAME_WIDTH = 17


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        ok: Whether it is as it should be.
        found: What was found.
        advice: What to do about it, where it is not ok.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""

    def show(self) -> None:
        """Print it, with what to do where it is not ok."""
        mark = click.style("ok", fg="green") if self.ok else click.style("!!", fg="red")
        click.echo(f"{mark}  {self.name:{_NAME_WIDTH}} {self.found}")
        if not self.ok and self.advice:
            click.echo(f"    {'':{_NAME_WIDTH}} {self.advice}")
