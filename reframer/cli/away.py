"""Says where words go, before the first of them leaves this machine."""

from __future__ import annotations

from contextlib import suppress

import click

from reframer.errors import ReframerError
from reframer.server import address
from reframer.settings import Settings


def tell(chosen: Settings) -> None:
    """Let the process reach the model server that the settings name, and say so, if there is one.

    A server that cannot be used is told of when the model is opened. Until then safety can answer.
    """
    with suppress(ReframerError):
        address.let_through(chosen)
        if host := address.destination(chosen):
            click.echo(f"Your words will go to {host}.", err=True)
