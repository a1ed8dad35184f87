"""``reframer reframe``: a text in, a friend's words out. A bare text calls it too."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from reframer import settings
from reframer.cli import away, show
from reframer.cli.read import decode
from reframer.errors import HistoryMissing, ReframerError, TextEmpty, TextTooLong, UsageError
from reframer.records import PERSONS, TONES, VOICES

if TYPE_CHECKING:
    from reframer.engine import Reframer
    from reframer.settings import Settings

# Far beyond a thought; keeps an endless input from filling the memory before anybody reads it.
_MOST_BYTES = 1_000_000


@click.command()
@click.argument("words", nargs=-1, metavar='["TEXT" | -]')
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.option(
    "--jsonl",
    "as_lines",
    is_flag=True,
    help="Answer every line of standard input with a line of JSON; a bad one gets an error there.",
)
@click.option("--tone", type=click.Choice(TONES), help="How the friend speaks.")
@click.option("--voice", type=click.Choice(VOICES), help="Whom the words are for.")
@click.option("--person", type=click.Choice(PERSONS), help="Said to you, or to say to yourself.")
@click.option("--explain", is_flag=True, help="Say why this answer, and why drafts were refused.")
@click.option("--keep", is_flag=True, help="Keep the answer in your locked history, if it is on.")
@click.option("--model", help="Id of a model, path of a GGUF file, or openai:NAME at a server.")
@click.option("--base-url", metavar="URL", help="Where that server is.")
@click.option("--country", metavar="CODE", help="Two-letter country code for help lines, like GB.")
@click.pass_context
def reframe(
    context: click.Context,
    /,
    words: tuple[str, ...],
    as_json: bool,
    as_lines: bool,
    explain: bool,
    keep: bool,
    **wanted: str | None,
) -> None:
    """Answer a self-critical TEXT, or standard input, the way a best friend would.

    The words go to standard output; the technique behind them, why it helps, its source and a small
    step go to standard error.
    """
    chosen = settings.load(wanted)
    away.tell(chosen)
    if as_lines:
        if words not in ((), ("-",)):
            raise UsageError("--jsonl takes its thoughts from standard input, one a line.", "")
        if keep:
            raise UsageError("--keep keeps one answer, and --jsonl gives many.", "")
        context.exit(_answer_lines(sys.stdin.buffer, chosen))
    if keep:
        _check_history_is_on()
    text = _read(words)
    with show.status("Thinking about it …"):
        friend = open_reframer(chosen)
        answer = friend.reframe(text, chosen.wishes)
    if as_json:
        show.to_json(show.as_record(answer))
    else:
        show.words(answer)
    if explain:
        show.reasons(answer)
    if keep:  # the words come first, then the question for the passphrase
        from reframer.cli.history import keep_answer

        (notices,) = friend.notice_many([text])
        keep_answer(answer, notices)


def open_reframer(chosen: Settings) -> Reframer:
    """Open the flow."""
    from reframer.engine import Reframer  # takes a second to import

    return Reframer.open(chosen)


def _check_history_is_on() -> None:
    from reframer.cli.history import is_on  # loads the encryption

    if not is_on():
        raise HistoryMissing(
            "The history is off, so nothing can be kept.", "Run: reframer history on"
        )


def _answer_lines(lines: Iterable[bytes], chosen: Settings) -> int:
    """Answer each line as it comes; return the exit code of the first error, or 0."""
    with show.status("Opening the model …"):
        reframer = open_reframer(chosen)
    exit_code = 0
    for line in lines:
        try:
            record = show.as_record(reframer.reframe(decode(line).strip(), chosen.wishes))
        except ReframerError as problem:
            record = {"error": str(problem)}
            exit_code = exit_code or problem.exit_code
        show.to_json(record)
    return exit_code


def _read(words: tuple[str, ...]) -> str:
    """Return the text of the command line or of standard input.

    Raises:
        TextEmpty: There is nothing in it.
        TextTooLong: It is no thought but an archive.
        TextUnreadable: It is not text.
    """
    if words not in ((), ("-",)):
        text = decode(" ".join(words).encode(errors="surrogateescape"))
    else:
        if sys.stdin.isatty():
            click.echo("Write what you are telling yourself, then press Ctrl-D.", err=True)
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise TextTooLong(
                f"The text has more than {_MOST_BYTES:,} bytes.",
                "Give one thought at a time, for example one line each with --jsonl.",
            )
        text = decode(data)
    if not text.strip():
        raise TextEmpty("There is no text to answer.", 'Try: reframer "I ruin everything."')
    return text
