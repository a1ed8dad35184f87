"""``reframer serve``: the chat page."""

from __future__ import annotations

import click

from reframer import settings
from reframer.cli import away


@click.command()
@click.option("--port", type=int, help="Port on 127.0.0.1; 7865 unless the settings say otherwise.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def serve(port: int | None, no_browser: bool) -> None:
    """Open the chat page on this machine. Ctrl-C ends it."""
    chosen = settings.load({"port": port})
    away.tell(chosen)
    from reframer.ui.house import House  # these take seconds to import
    from reframer.ui.page import launch

    launch(House.open(chosen), browser=not no_browser)
