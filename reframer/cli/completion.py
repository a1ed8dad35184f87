"""``reframer completion``: let the shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reframer.cli import COMPLETION_VARIABLE, PROGRAM, cli

_EPILOG = """\b
Turn it on by adding a line to your shell's start-up file:
  bash  ~/.bashrc   eval "$(reframer completion bash)"
  zsh   ~/.zshrc    eval "$(reframer completion zsh)"
  fish  ~/.config/fish/config.fish   reframer completion fish | source
"""


@click.command(epilog=_EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes reframer's commands and options in SHELL."""
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(cli, {}, PROGRAM, COMPLETION_VARIABLE).source())
