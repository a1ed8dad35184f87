"""``reframer chat``: a conversation in the terminal, one line a turn.

Plain lines only, in the terminal's own colours: nothing moves, so that a screen reader, a pipe and
a narrow window get the same as everybody.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import click

from reframer import settings
from reframer.cli import away, show
from reframer.cli.read import decode
from reframer.errors import ReframerError
from reframer.records import Technique
from reframer.sentences import split
from reframer.server import address

if TYPE_CHECKING:
    from reframer.conversation import Conversation, Turn, Wish
    from reframer.engine import Reframer
    from reframer.knowledge import Background
    from reframer.settings import Settings

Made = TypeVar("Made")

_PROMPT = "You: "
_PAUSE = 0.4  # seconds between two sentences, on a terminal
_WELCOME = "Write what you are telling yourself. /help says what else can be typed."
_QUIET_LINE = (
    "A program on this computer, not a person and not care. {where} "
    "If you are in danger, call your local emergency number or someone you trust."
)
_WISHES: Mapping[str, Wish] = {
    "/again": "another",
    "/softer": "softer",
    "/shorter": "shorter",
    "/practical": "practical",
}
_HELP = {
    "/again": "another way of answering",
    "/softer": "the same, softer",
    "/shorter": "the same, shorter",
    "/practical": "the same, with something to do",
    "/why": "why the answer may help, and where it comes from",
    "/practice": "one small step",
    "/help-lines": "people to turn to",
    "/clear": "forget this conversation",
    "/quit": "end; Ctrl-D does the same",
}


@click.command()
@click.option("--model", help="Id of a model, path of a GGUF file, or openai:NAME at a server.")
@click.option("--base-url", metavar="URL", help="Where that server is.")
@click.option("--country", metavar="CODE", help="Two-letter country code for help lines, like GB.")
@click.pass_context
def chat(context: click.Context, /, **wanted: str | None) -> None:
    """Hold a conversation, one line a turn; /help says what else can be typed.

    Write a harsh thought about yourself, a wish about the last answer (shorter, softer, as I), or a
    question about the inner critic or a technique. Ctrl-C stops an answer, Ctrl-D ends the
    conversation. The lines are kept in memory only. From a pipe, every line is a turn.
    """
    chosen = settings.load(wanted)
    away.tell(chosen)
    context.exit(Chat(chosen, open_friend).run())


def open_friend(chosen: Settings) -> tuple[Reframer, Conversation]:
    """Open the flow, and a conversation that goes through it."""
    from reframer.conversation import Conversation, Library  # takes a second to import
    from reframer.engine import Reframer

    reframer = Reframer.open(chosen)
    return reframer, Conversation(reframer, Library.open(chosen), chosen.wishes)


class Chat:
    """Reads lines, and writes what is said in return.

    The friend is opened in the background, and then its model, so that one can write at once.

    Args:
        chosen: The settings.
        open_friend: Opens the flow and the conversation.
    """

    def __init__(
        self, chosen: Settings, open_friend: Callable[[Settings], tuple[Reframer, Conversation]]
    ) -> None:
        self._chosen = chosen
        self._friend = _in_background(lambda: open_friend(chosen))
        self._model = _in_background(lambda: self._friend.result()[1].prepare())
        self._by_hand = sys.stdin.isatty()
        self._pause = _PAUSE if sys.stdout.isatty() else 0.0
        self._exit_code = 0

    def run(self) -> int:
        """Hold the conversation to its end; return the exit code.

        By hand that is 0, from a pipe that of the first error.
        """
        if self._by_hand:
            _aside(_WELCOME, _QUIET_LINE.format(where=address.promise(self._chosen)))
        lines = _typed() if self._by_hand else _piped()
        for line in lines:
            if line.strip() == b"/quit":
                break
            self._answer(line)
        return 0 if self._by_hand else self._exit_code

    def _answer(self, line: bytes) -> None:
        """Answer one line; whatever goes wrong, the next one can be written."""
        try:
            text = decode(line).strip()
            if text.startswith("/"):
                self._command(text)
            elif text:
                self._show(self._take(text))
        except ReframerError as problem:
            self._exit_code = self._exit_code or problem.exit_code
            _aside(str(problem))
        except KeyboardInterrupt:
            if not self._by_hand:
                raise
            _aside("Stopped.")

    def _command(self, command: str) -> None:
        match command:
            case "/help":
                _aside(*(f"{name}: {meaning}" for name, meaning in _HELP.items()))
            case "/why":
                _aside(*self._why())
            case "/practice":
                _say(self._practice().step)
            case "/help-lines":
                _lines(self._help_lines())
            case "/clear":
                self._conversation().clear()
                _aside("This conversation is forgotten; only your terminal still shows it.")
            case _ if command in _WISHES:
                conversation = self._conversation()
                self._wait()
                self._show(conversation.wish(_WISHES[command]))
            case _:
                _aside("There is no such command. /help lists them.")

    def _take(self, text: str) -> Turn:
        """Take a turn; words of danger are met without waiting for the model."""
        reframer, conversation = self._friend.result()
        if reframer.assess(text).level == "none":
            self._wait()
        return conversation.take(text)

    def _wait(self) -> None:
        if not self._model.done() and self._by_hand:
            _aside("The model is still being opened. The answer comes as soon as it is.")
        wait([self._model])

    def _conversation(self) -> Conversation:
        return self._friend.result()[1]

    def _show(self, turn: Turn) -> None:
        if turn.kind == "safety":
            _lines(turn.words)  # at once
        else:
            _say(turn.words, self._pause)
        if turn.answer and turn.answer.techniques:
            _aside(f"({turn.answer.techniques[0].title}. /why says more.)")
        click.echo()

    def _why(self) -> tuple[str, ...]:
        """Return the ground of the last answer."""
        ground = self._ground()
        if ground is None:
            return ("There is no answer yet.",)
        if isinstance(ground, Technique):
            return (f"{ground.title}. {ground.why}", f"Source: {ground.source}")
        return (ground.title, *(f"Source: {source}" for source in ground.sources))

    def _practice(self) -> Technique:
        """Return the technique of the last answer, or the day's."""
        from reframer.knowledge import load_techniques, todays

        ground = self._ground()
        if isinstance(ground, Technique):
            return ground
        return todays(load_techniques(self._chosen.cards_dir), date.today())

    def _ground(self) -> Technique | Background | None:
        """Return the card behind the last turn that has one."""
        for turn in reversed(self._conversation().turns):
            if turn.answer and turn.answer.techniques:
                return turn.answer.techniques[0]
            if turn.card:
                return turn.card
        return None

    def _help_lines(self) -> str:
        from reframer.safety import all_helplines, country_here

        directory = all_helplines()
        country = (self._chosen.country or country_here()).upper()
        here = [line for line in directory.helplines if line.country in (country, "*")]
        emergency = directory.emergency.get(country, "112 or 911 in many countries")
        return "\n".join((f"In an emergency: {emergency}", *(f"- {line}" for line in here)))


def _in_background(make: Callable[[], Made]) -> Future[Made]:
    """Begin to make something on a thread that does not keep the program from ending."""
    future: Future[Made] = Future()

    def run() -> None:
        try:
            future.set_result(make())
        except BaseException as problem:  # it belongs to whoever asks for the result
            future.set_exception(problem)

    threading.Thread(target=run, name="open-friend", daemon=True).start()
    return future


def _typed() -> Iterator[bytes]:
    """Yield what is typed until Ctrl-D. Lines can be called back, from memory only."""
    with suppress(ImportError):
        import readline  # noqa: F401 - its presence is enough
    while True:
        try:
            line = input(_PROMPT)
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            _aside("Ctrl-D or /quit ends the conversation.")
            continue
        yield line.encode(errors="surrogateescape")


def _piped() -> Iterator[bytes]:
    yield from sys.stdin.buffer


def _say(words: str, pause: float = 0.0) -> None:
    """Print words a sentence at a time, each on a line of its own."""
    for number, sentence in enumerate(split(words)):
        if number:
            time.sleep(pause)
        _lines(sentence.text.strip())


def _lines(text: str, *, err: bool = False) -> None:
    """Print lines that fit the window."""
    click.echo(show.filled(text), err=err)


def _aside(*paragraphs: str) -> None:
    """Print what is no answer."""
    for paragraph in paragraphs:
        _lines(paragraph, err=True)
