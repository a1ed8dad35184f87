"""The command line: which commands there are, and the one place where errors become words.

A command is imported when it is used, so that help and completion answer at once.
"""

from __future__ import annotations

from reframer import seal  # first, so that nothing gets ahead of it

# isort: split
import io
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click
from click.exceptions import Exit, NoArgsIsHelpError
from click.shell_completion import CompletionItem

from reframer.errors import ReframerError

PROGRAM = "reframer"
COMPLETION_VARIABLE = "_REFRAMER_COMPLETE"

_DEFAULT = "reframe"
_OWN_OPTIONS = frozenset({"-h", "--help", "--version"})
_STOPPED = 130
_NOBODY_READS = 141
_EPILOG = """\b
Examples:
  reframer "I'm such an idiot for missing the deadline again."
  reframer -               # type, then Ctrl-D; your shell remembers nothing
  echo "I ruin everything." | reframer --json
  reframer --jsonl < thoughts.txt

\b
The answer goes to standard output, everything else to standard error.

\b
Exit codes:
  0    done
  1    something failed, or doctor found a problem
  2    it cannot be done as asked: the text, an option or a setting
  3    the model is missing, damaged or too large
  4    a file could not be fetched
  5    a technique card or the search index is unusable
  6    something tried to leave this machine and was stopped
  7    the history cannot be opened or written
  130  stopped with Ctrl-C
  141  whoever read the output went away
"""


class _Entry(NamedTuple):
    target: str
    help: str


_COMMANDS: Mapping[str, _Entry] = {
    "reframe": _Entry("reframer.cli.reframe:reframe", "Answer a thought; a text alone does this."),
    "chat": _Entry("reframer.cli.chat:chat", "Hold a conversation in the terminal."),
    "notice": _Entry("reframer.cli.notice:notice", "Show where the inner critic speaks in a text."),
    "assess": _Entry("reframer.cli.assess:assess", "Show what safety reads, line by line."),
    "techniques": _Entry("reframer.cli.techniques:techniques", "Look at the technique cards."),
    "models": _Entry("reframer.cli.models:models", "List, fetch and check the model files."),
    "journal": _Entry(
        "reframer.cli.journal:journal", "Answer the inner critic all through a journal."
    ),
    "serve": _Entry("reframer.cli.serve:serve", "Open the chat page on this machine."),
    "history": _Entry(
        "reframer.cli.history:history", "Keep answers locked with a passphrase; off at first."
    ),
    "doctor": _Entry(
        "reframer.cli.doctor:doctor", "Check that everything works, and say what to do."
    ),
    "completion": _Entry(
        "reframer.cli.completion:completion", "Print a script that completes commands."
    ),
}


class _Commands(click.Group):
    """Commands imported when they are used; what is no command is a text to answer."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name].target.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            args = ["--help"] if sys.stdin.isatty() else [_DEFAULT]
        elif args and args[0] not in _OWN_OPTIONS | _COMMANDS.keys():
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=entry.help)
            for name, entry in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=_Commands,
    epilog=_EPILOG,
    options_metavar="[OPTIONS]",
    subcommand_metavar='"TEXT" | COMMAND ...',
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name=PROGRAM, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where an error comes from.")
def cli() -> None:
    """Answer the inner critic the way a best friend would, wholly on this machine.

    Give a self-critical TEXT as an argument or on standard input. It is a program, not a person and
    not care. Nothing you write leaves this machine, unless your settings file names a model server
    on another one, and nothing is kept unless you ask for it.
    """


def main() -> NoReturn:
    """Run the command line of this process, sealed, and end the process with its exit code."""
    seal.close()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character shows its code
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code, with every error as one line on standard error.

    Args:
        arguments: The words after the program's name. ``--debug`` may stand anywhere among them.
    """
    debug, words = _take_debug(arguments)
    try:
        return _dispatch(words)
    except BrokenPipeError:
        _write_nowhere()
        return _NOBODY_READS
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            click.echo("".join(_way_of(error)), err=True, nl=False)
        line, code = _explain(error)
        click.echo(f"{PROGRAM}: {line}", err=True)
        return code


def _dispatch(words: list[str]) -> int:
    if COMPLETION_VARIABLE in os.environ:
        cli.main(prog_name=PROGRAM)  # answers the shell and exits
    try:
        with cli.make_context(PROGRAM, words) as context:
            cli.invoke(context)
    except Exit as end:
        return end.exit_code
    except NoArgsIsHelpError as called_bare:
        click.echo(called_bare.format_message(), err=True)
        return called_bare.exit_code
    return 0


def _way_of(error: BaseException) -> Iterator[str]:
    """Yield where an error comes from, without what it says: that may be the person's own text."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _way_of(before)
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}\n"


def _explain(error: BaseException) -> tuple[str, int]:
    """Return what happened, what to do, and the exit code."""
    match error:
        case ReframerError():
            return str(error), error.exit_code
        case KeyboardInterrupt() | click.Abort():
            return f"Stopped. {error}".strip(), _STOPPED
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else PROGRAM
            return f"{' '.join(_misuse(error).split())} Try: {where} --help", 2
    return f"Something failed inside ({type(error).__name__}). Add --debug to see where.", 1


def _misuse(error: click.UsageError) -> str:
    """Return what is wrong with a command line, without what may be the person's own text in it."""
    near = getattr(error, "possibilities", None)  # names of the program's own
    meant = f"Did you mean {' or '.join(near)}?" if near else ""
    match error:
        case click.NoSuchOption():
            return f"There is no such option. {meant or 'Behind -- everything is text.'}"
        case click.BadParameter(param=click.Parameter(type=kind)) if not isinstance(
            error, click.MissingParameter
        ):
            said = _refusal(kind, error.message)
            return click.BadParameter(said, error.ctx, error.param).format_message()
    message = error.format_message()
    if message.startswith("No such command"):
        return f"There is no such command. {meant}"
    if message.startswith("Got unexpected extra argument"):
        return "It takes fewer words; a name with spaces stands in quotes."
    return message


def _refusal(kind: click.ParamType[Any], message: str) -> str:
    """Return what is wrong with a value, without the value.

    Args:
        kind: The type of the parameter.
        message: What click says of it.
    """
    match kind:
        case click.File() | click.Path():
            reason = re.split("['\"]", message)[-1].strip(" :.")  # behind the name
            return f"{reason[:1].upper()}{reason[1:]}."
        case click.Choice():
            return f"It is one of {', '.join(kind.choices)}."
        case click.DateTime():
            return "It is a day like 2024-01-31."
        case click.IntRange() | click.FloatRange():
            end = "on" if kind.max is None else f"to {kind.max}"
            return f"It is a number from {kind.min} {end}."
        case click.types.IntParamType():
            return "It is a whole number."
    return message


def _take_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Part ``--debug`` from the other words; behind ``--`` it is text like any other."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    options = [word for word in arguments[:end] if word != "--debug"]
    return len(options) < end, [*options, *arguments[end:]]


def _write_nowhere() -> None:
    """Keep Python from complaining at its end about output that nobody takes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
