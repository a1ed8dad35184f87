"""What a conversation in the terminal promises, by hand and from a pipe, with a fake friend."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reframer import settings
from reframer.cli import run
from reframer.conversation import Turn, Wish
from reframer.errors import ModelMissing
from reframer.records import Reframe, Risk, Source, Technique
from reframer.settings import Settings

ROOT = Path(__file__).parent.parent
TECHNIQUE = Technique(
    id="common-humanity",
    title="Other people know this too",
    move="",
    why="It ends the feeling of being the only one.",
    when=("label",),
    not_when="",
    source=Source("Somebody", 2003, "A title", "A journal"),
    evidence="",
    reviewed="2026-11-24",
    about="",
    step="Name one friend who stumbled.",
)
WORDS = "The page was late and that stings. A late page is a late page, and nothing more than that."
_PATIENCE = 30  # seconds
DANGER = "Please ring someone you trust.\n\n- Samaritans: call 116 123"


@dataclass
class FakeFriend:
    """A flow and a conversation in one: answers every line alike and remembers what it was asked.

    Attributes:
        ready: The model is open; `prepare` waits for it.
        seconds: How long an answer takes.
    """

    ready: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0
    history: list[str] = field(default_factory=list)
    longest: ClassVar[float] = 20.0  # seconds that the model's opening may take
    turns: tuple[Turn, ...] = ()

    def open(self, chosen: Settings) -> tuple[Any, Any]:
        return self, self

    def prepare(self) -> None:
        self.ready.wait(self.longest)

    def assess(self, text: str) -> Risk:
        return Risk("crisis", ("test",)) if "danger" in text else Risk()

    def take(self, text: str) -> Turn:
        self.history.append(text)
        if "missing" in text:
            raise ModelMissing("The model is not here.", "Run: reframer models pull")
        if "danger" in text:
            return self._keep(Turn(text, "safety", DANGER))
        time.sleep(self.seconds)
        answer = Reframe(text, WORDS, "model", techniques=(TECHNIQUE,))
        return self._keep(Turn(text, "thought", WORDS, answer, text))

    def wish(self, wish: Wish) -> Turn:
        self.history.append(f"wish: {wish}")
        return self._keep(Turn(wish, "wish", WORDS))

    def clear(self) -> None:
        self.turns = ()

    def _keep(self, turn: Turn) -> Turn:
        self.turns = (*self.turns, turn)
        return turn


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "settings_file", lambda: tmp_path / "settings.toml")


@pytest.fixture
def friend(monkeypatch: pytest.MonkeyPatch) -> FakeFriend:
    friend = FakeFriend()
    friend.ready.set()
    monkeypatch.setattr(import_module("reframer.cli.chat"), "open_friend", friend.open)
    return friend


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put lines on standard input, as from a pipe."""

    def give(*lines: str | bytes) -> None:
        data = b"".join(
            (line.encode() if isinstance(line, str) else line) + b"\n" for line in lines
        )
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def test_from_a_pipe_every_line_is_a_turn(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("I ruin everything.", "", "hello")
    assert run(["chat"]) == 0
    assert friend.history == ["I ruin everything.", "hello"]
    assert capsys.readouterr().out.count("The page was late and that stings.") == 2


def test_the_words_are_on_stdout_and_all_else_on_stderr(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("I ruin everything.", "/help")
    run(["chat"])
    out, err = capsys.readouterr()
    assert out.split() == WORDS.split()
    assert TECHNIQUE.title in err
    assert "/shorter" in err


def test_wishes_can_be_given_as_commands(friend: FakeFriend, give: Any) -> None:
    give("I ruin everything.", "/again", "/softer", "/shorter", "/practical")
    assert run(["chat"]) == 0
    assert [asked.removeprefix("wish: ") for asked in friend.history[1:]] == [
        "another",
        "softer",
        "shorter",
        "practical",
    ]


def test_why_tells_the_technique_and_its_source_of_the_last_answer(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("/why", "I ruin everything.", "/why")
    run(["chat"])
    err = capsys.readouterr().err
    assert "There is no answer yet." in err
    assert TECHNIQUE.why in err
    assert "Somebody (2003)" in err


def test_practice_is_the_last_answers_small_step_and_else_the_days(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("/practice")
    run(["chat"])
    assert len(capsys.readouterr().out.split()) > 10
    give("I ruin everything.", "/practice")
    run(["chat"])
    assert TECHNIQUE.step in capsys.readouterr().out


def test_help_lines_are_those_of_the_country(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("/help-lines")
    run(["chat", "--country", "GB"])
    out = capsys.readouterr().out
    assert "116 123" in out
    assert "999" in out


def test_clear_forgets_and_quit_ends(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("I ruin everything.", "/clear", "/why", "/quit", "hello")
    assert run(["chat"]) == 0
    assert friend.history == ["I ruin everything."]
    assert "There is no answer yet." in capsys.readouterr().err


def test_what_is_no_command_is_named_so_and_not_answered(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("/sofder")
    run(["chat"])
    assert friend.history == []
    assert "/help" in capsys.readouterr().err


def test_an_error_is_one_line_and_the_conversation_goes_on(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    give("missing", b"\xff\xfe", "hello")
    assert run(["chat"]) == ModelMissing.exit_code
    out, err = capsys.readouterr()
    assert "models pull" in err
    assert "UTF-8" in err
    assert friend.history == ["missing", "hello"]
    assert out.split() == WORDS.split()


def test_words_of_danger_do_not_wait_for_the_model(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    friend.ready.clear()
    give("danger")
    started = time.monotonic()
    run(["chat"])
    assert "116 123" in capsys.readouterr().out
    assert time.monotonic() - started < FakeFriend.longest / 2


def test_in_forty_columns_no_line_is_longer_and_nothing_moves(
    friend: FakeFriend, give: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    give("I ruin everything.", "/help", "/why", "danger")
    run(["chat"])
    out, err = capsys.readouterr()
    assert max(map(len, (out + err).splitlines())) <= 40
    assert "\x1b" not in out + err
    assert "\r" not in out + err


# By hand


def hold_fake() -> None:
    """Hold a conversation with a friend who takes long, in a process of its own."""
    friend = FakeFriend(seconds=float(os.environ["SECONDS_FOR_AN_ANSWER"]))
    if "MODEL_IS_OPEN" in os.environ:
        friend.ready.set()
    pytest.MonkeyPatch().setattr(import_module("reframer.cli.chat"), "open_friend", friend.open)
    sys.exit(run(["chat"]))


@contextmanager
def terminal(seconds: float = 0.0, **environment: str) -> Iterator[Any]:
    """Start a conversation on a terminal; yield something to type and read with."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from tests.test_cli_chat import hold_fake; hold_fake()"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "SECONDS_FOR_AN_ANSWER": str(seconds), "TERM": "dumb", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


class Terminal:
    """A person's side of a terminal."""

    def __init__(self, file: int, process: subprocess.Popen[bytes]) -> None:
        self._file = file
        self.process = process
        self._unread = ""

    def type(self, text: str) -> None:
        os.write(self._file, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def read_to(self, expected: str) -> str:
        """Return what is shown up to some words, waiting for them."""
        while not (found := re.search(re.escape(expected), self._unread)):
            readable, _, _ = select.select([self._file], [], [], _PATIENCE)
            assert readable, f"waited for {expected!r} and saw {self._unread!r}"
            self._unread += os.read(self._file, 4096).decode()
        shown, self._unread = self._unread[: found.end()], self._unread[found.end() :]
        return shown


def test_one_can_write_before_the_model_is_open() -> None:
    with terminal() as person:
        assert "/help" in person.read_to("You: ")
        person.type("I ruin everything.\n")
        person.read_to("still being opened")


def test_ctrl_c_stops_an_answer_and_not_the_program_and_ctrl_d_ends_it() -> None:
    with terminal(seconds=30, MODEL_IS_OPEN="1") as person:
        person.read_to("You: ")
        person.type("I ruin everything.\n")
        time.sleep(0.5)
        person.interrupt()
        person.read_to("Stopped.")
        person.read_to("You: ")
        person.type("danger\n")
        person.read_to("116 123")
        person.read_to("You: ")
        person.type("\x04")
        assert person.process.wait(10) == 0


def test_earlier_lines_can_be_called_back_and_nothing_is_written(tmp_path: Path) -> None:
    with terminal(MODEL_IS_OPEN="1", HOME=str(tmp_path), TERM="xterm") as person:
        person.read_to("You: ")
        person.type("I ruin everything.\n")
        person.read_to("/why")
        person.read_to("You: ")
        person.type("\x1b[A")
        person.read_to("I ruin everything.")
        person.type("\n/quit\n")
        assert person.process.wait(10) == 0
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.model
def test_a_short_real_conversation() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reframer", "chat", "--country", "GB"],
        input="hello\nI snapped at my kids again. I'm a terrible mother.\n"
        "what is the inner critic?\nI want to die.\n",
        capture_output=True,
        text=True,
        timeout=500,
        cwd=ROOT,
        check=True,
    )
    assert "The inner critic, and what it is trying to do" in done.stdout
    assert "/why says more" in done.stderr
    assert "116 123" in done.stdout
