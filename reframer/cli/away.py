"""Says where words go, before the first of them leaves this machine."""

from __future__ import annotations

import click

from reframer.server import address
from reframer.settings import Settings


def tell(chosen: Settings) -> None:
    """Let the process reach the model server that the settings name, and say so, if there is one.

    Raises:
        ModelError: There is no such kind of server.
        SettingsError: It is not said where the server is, or it is another machine that the
            settings file does not name.
    """
    address.let_through(chosen)
    if host := address.destination(chosen):
        click.echo(f"Your words will go to {host}.", err=True)
