"""What the command line promises: where words go, what an error says, and which code it ends with.

``python -m tests.test_cli`` writes docs/commands.md anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest

from reframer import catalog, errors, paths, settings
from reframer.catalog import Model, ModelFile
from reframer.cli import cli, run, show
from reframer.errors import CardError, ModelMissing, PullError, ReframerError, TextTooLong
from reframer.pull import Watcher
from reframer.records import Level, Reframe, Risk, Source, Technique, Wishes
from reframer.safety import Safety, signposts
from reframer.settings import Settings
from reframer.threads import usable_cores

COMMANDS_PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
THOUGHT = "I ruin everything."
TECHNIQUE = Technique(
    id="common-humanity",
    title="Common humanity",
    move="Says that others stumble too.",
    why="It ends the feeling of being the only one.",
    when=("label",),
    not_when="",
    source=Source("Somebody", 2003, "A title", "A journal", "10.1000/x"),
    evidence="",
    reviewed="2025-01-01",
    about="",
    step="Name one friend who stumbled.",
)
ANSWER = Reframe(
    source=THOUGHT,
    text="You didn’t ruin it.",
    origin="model",
    kinds=("label",),
    techniques=(TECHNIQUE,),
    model="toy",
    seconds=1.5,
)


@dataclass
class FakeReframer:
    """Says what it was told to.

    Attributes:
        answers: What it will answer, first in, first out; an exception is raised instead.
        history: The texts it was given, in order.
        wishes: How they wished to be answered, in order.
        opened_with: The settings it was opened with.
    """

    answers: list[Reframe | BaseException] = field(default_factory=lambda: [ANSWER])
    history: list[str] = field(default_factory=list)
    wishes: list[Wishes] = field(default_factory=list)
    opened_with: Settings | None = None

    def open(self, chosen: Settings) -> FakeReframer:
        self.opened_with = chosen
        return self

    def reframe(self, text: str, wishes: Wishes) -> Reframe:
        self.history.append(text)
        self.wishes.append(wishes)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "settings_file", lambda: tmp_path / "settings.toml")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeReframer:
    friend = FakeReframer()
    monkeypatch.setattr(room("reframe"), "open_reframer", friend.open)
    return friend


def room(name: str) -> ModuleType:
    """Return the module of a command, whose name the command itself may have taken."""
    return import_module(f"reframer.cli.{name}")


def give(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def spawn(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    command = [sys.executable, "-c", "from reframer.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


# Answering


@pytest.mark.parametrize(
    "arguments",
    [
        [THOUGHT],
        ["reframe", THOUGHT],
        ["I", "ruin", "everything."],
        ["--", THOUGHT],
        ["-"],
        ["reframe"],
        [],
    ],
)
def test_a_text_is_answered_however_it_comes(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    give(monkeypatch, THOUGHT.encode())
    assert run(arguments) == 0
    assert fake.history == [THOUGHT]


def test_the_answer_is_on_stdout_and_its_ground_on_stderr(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([THOUGHT]) == 0
    out, err = capsys.readouterr()
    assert out == f"{ANSWER.text}\n"
    for part in (TECHNIQUE.title, TECHNIQUE.why, "Somebody (2003)", TECHNIQUE.step):
        assert part in err


def test_wishes_reach_the_friend(fake: FakeReframer) -> None:
    assert run(["--tone", "shorter", "--voice", "teen", "--person", "i", THOUGHT]) == 0
    assert fake.wishes == [Wishes("shorter", "teen", "i")]


def test_it_explains_itself_when_asked(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [replace(ANSWER, rejected={"verdict": 2})]
    assert run(["--explain", THOUGHT]) == 0
    err = capsys.readouterr().err
    assert "hard names for yourself" in err
    assert "verdict (2)" in err
    assert TECHNIQUE.move in err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ANSWER, True),
        (replace(ANSWER, origin="card", model="", rejected={"verdict": 6}), True),
        (replace(ANSWER, origin="card", model=""), False),
        (Reframe(THOUGHT, "Please call somebody.", "safety", Risk("crisis")), False),
    ],
)
def test_it_explains_drafts_only_where_there_were_some(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str], answer: Reframe, said: bool
) -> None:
    fake.answers = [answer]
    assert run(["--explain", THOUGHT]) == 0
    assert ("Drafts refused for" in capsys.readouterr().err) is said


def test_json_holds_the_whole_answer(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--json", THOUGHT]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "source": THOUGHT,
        "text": ANSWER.text,
        "origin": "model",
        "kinds": ["label"],
        "techniques": [
            {
                "id": "common-humanity",
                "title": "Common humanity",
                "source": str(TECHNIQUE.source),
            }
        ],
        "risk": {"level": "none", "signals": []},
        "model": "toy",
        "seconds": 1.5,
    }
    assert "’" in out
    assert err == ""


def test_words_of_safety_stand_alone_and_are_no_failure(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [Reframe(THOUGHT, "Please call somebody.", "safety", Risk("crisis", ("plan",)))]
    assert run([THOUGHT]) == 0
    assert capsys.readouterr() == ("Please call somebody.\n", "")


def test_on_a_terminal_no_word_of_an_answer_is_broken(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Please call somebody.\n\n- A line: call 116 123 (24 hours), https://example.org"
    fake.answers = [Reframe(THOUGHT, text, "safety", Risk("crisis", ("plan",)))]
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run([THOUGHT]) == 0
    assert capsys.readouterr().out == text.replace(" https", "\n  https") + "\n"


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("card", "Written by hand on the card, not by the model."),
        ("card", "plain rules took it from your words"),
        (
            "untouched",
            "No harsh word against yourself was heard in it, so it comes back as it was.",
        ),
        ("untouched", "This ear overlooks some"),
    ],
)
def test_it_is_said_when_the_model_did_not_speak(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str], origin: Any, said: str
) -> None:
    fake.answers = [replace(ANSWER, origin=origin)]
    assert run([THOUGHT]) == 0
    assert said in " ".join(capsys.readouterr().err.split())


def test_flags_choose_the_model_and_the_country(fake: FakeReframer) -> None:
    run(["--model", "own.gguf", "--country", "NZ", THOUGHT])
    assert fake.opened_with is not None
    assert (fake.opened_with.model, fake.opened_with.country) == ("own.gguf", "NZ")


# Answering line by line


def test_every_line_gets_its_object_and_the_first_error_its_code(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [ANSWER, TextTooLong("Too long.", "Shorten it."), PullError("x"), ANSWER]
    give(monkeypatch, b"one\ntwo\n\xff\xfe\nthree\r\nfour")
    assert run(["--jsonl"]) == 2
    first, second, third, fourth, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["text"] == last["text"] == ANSWER.text
    assert second == {"error": "Too long. Shorten it."}
    assert "UTF-8" in third["error"]
    assert fourth == {"error": "x"}
    assert fake.history == ["one", "two", "three", "four"]


def test_an_answer_is_out_before_the_next_line_is_read(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [ANSWER, ANSWER]
    seen: list[int] = []

    def lines() -> Iterator[bytes]:
        for line in (b"one\n", b"two\n"):
            yield line
            seen.append(len(capsys.readouterr().out.splitlines()))

    class Stdin:
        buffer: Iterable[bytes] = lines()

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert run(["--jsonl", "-"]) == 0
    assert seen == [1, 1]


def test_lines_and_a_text_together_are_refused(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--jsonl", THOUGHT]) == 2
    assert fake.opened_with is None


# Bad input


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_no_text_is_said_before_anything_is_opened(
    fake: FakeReframer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
) -> None:
    give(monkeypatch, data)
    assert run([]) == 2
    assert "no text" in capsys.readouterr().err
    assert fake.opened_with is None


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01\x00", b"a\x00b", b"caf\xe9", THOUGHT.encode("utf-16")]
)
def test_what_is_not_text_is_refused(
    fake: FakeReframer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
) -> None:
    give(monkeypatch, data)
    assert run([]) == 2
    assert "UTF-8" in capsys.readouterr().err
    assert fake.opened_with is None


def test_an_argument_that_is_not_text_is_refused(fake: FakeReframer) -> None:
    assert run([os.fsdecode(b"caf\xe9")]) == 2
    assert fake.opened_with is None


@pytest.mark.parametrize(
    ("level", "terminal", "said"),
    [("concern", True, 1), ("concern", False, 0), ("crisis", True, 0)],
)
def test_after_words_of_concern_a_terminal_says_how_to_go_on(
    fake: FakeReframer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    level: Level,
    terminal: bool,
    said: int,
) -> None:
    fake.answers = [Reframe(THOUGHT, "Please call somebody.", "safety", Risk(level))]
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert run([THOUGHT]) == 0
    out, err = capsys.readouterr()
    assert out == "Please call somebody.\n"
    assert err.count("reframer chat") == said


def test_a_long_text_reaches_safety_before_it_is_refused(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [TextTooLong("The text has 100,000 characters.", "Give one thought.")]
    give(monkeypatch, b"x" * 100_000)
    assert run([]) == 2
    assert len(fake.history[0]) == 100_000
    assert capsys.readouterr().err == (
        "reframer: The text has 100,000 characters. Give one thought.\n"
    )


def test_an_endless_text_ends(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, b"x" * 3_000_000)
    assert run([]) == 2
    assert "bytes" in capsys.readouterr().err


# Errors


def every_error() -> list[type[ReframerError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, ReframerError)]


@pytest.mark.parametrize("kind", every_error())
def test_an_error_is_one_line_and_its_code(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str], kind: type[ReframerError]
) -> None:
    problem = (
        CardError(Path("a.md"), 3, "it has no title")
        if kind is CardError
        else kind("It broke.", "Mend it.")
    )
    fake.answers = [problem]
    assert run([THOUGHT]) == kind.exit_code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"reframer: {problem}\n")
    assert THOUGHT not in err


def test_every_exit_code_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    help_text = capsys.readouterr().out
    for code in {kind.exit_code for kind in every_error()} | {0, 130, 141}:
        assert f"\n    {code} " in help_text


def test_a_fault_of_the_program_tells_nothing_of_the_text(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers = [ValueError(THOUGHT)]
    assert run([THOUGHT]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "ValueError" in err
    assert "--debug" in err
    assert THOUGHT not in err


@pytest.mark.parametrize("arguments", [["--debug", THOUGHT], [THOUGHT, "--debug"]])
def test_debug_shows_where_an_error_comes_from(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    fake.answers = [ModelMissing("It is not here.", "Fetch it.")]
    assert run(arguments) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in reframe\n" in err
    assert "ModelMissing\n" in err
    assert err.endswith("reframer: It is not here. Fetch it.\n")


def test_debug_tells_nothing_of_the_text_along_the_whole_chain(
    fake: FakeReframer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Reframe:
        try:
            raise KeyError(THOUGHT)
        except KeyError as first:
            raise ValueError(THOUGHT) from first

    monkeypatch.setattr(fake, "reframe", fail)
    assert run(["--debug", THOUGHT]) == 1
    err = capsys.readouterr().err
    assert err.index("KeyError\n") < err.index("ValueError\n")
    assert THOUGHT not in err


def test_behind_two_dashes_everything_is_text(fake: FakeReframer) -> None:
    assert run(["--", "--debug"]) == 0
    assert fake.history == ["--debug"]


def test_ctrl_c_ends_quietly(fake: FakeReframer, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answers = [KeyboardInterrupt()]
    assert run([THOUGHT]) == 130
    assert capsys.readouterr().err.strip() == "reframer: Stopped."


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["models", "nonsense"], ["reframe", "--country"]]
)
def test_wrong_use_says_where_help_is(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--help" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["notice", "I hate myself"], "'[FILE]': No such file or directory."),
        (["assess", "I can't do it: I hate myself"], "'[FILE]': No such file or directory."),
        (["journal", "I hate myself"], "'PATH': Does not exist."),
        (["techniques", "I hate myself"], "There is no such command."),
        (["models", "list", "I hate myself"], "fewer words"),
        (["--I-hate-myself"], "There is no such option. Behind -- everything is text."),
        (["--tones=I hate myself"], "There is no such option. Did you mean --tone"),
        (["--tone", "I hate myself"], "'--tone': It is one of gentle, plain, practical, shorter."),
        (["completion", "I hate myself"], "It is one of bash, zsh, fish."),
        (["serve", "--port", "I hate myself"], "'--port': It is a whole number."),
        (["techniques", "search", "x", "-k", "I hate"], "'-k': It is a number from 1 to 50."),
        (["journal", ".", "--limit", "I hate"], "'--limit': It is a number from 1 on."),
        (["journal", ".", "--min-strength", "hate"], "It is a number from 0 to 1."),
        (["journal", ".", "--since", "I hate"], "'--since': It is a day like 2024-01-31."),
        (["journal", ".", "--kinds", "I hate"], "'--kinds': They are label, should,"),
        (["journal", "read"], "Missing argument 'PATH'"),
        (["techniques", "show", "I hate myself"], "There is no technique of that name."),
        (["--country", "I hate myself", "x"], "a two-letter code like GB"),
        (["--base-url", "I hate myself", "x"], "an address like"),
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_wrong_use_is_said_without_the_words_that_were_given(
    capsys: pytest.CaptureFixture[str], debug: list[str], arguments: list[str], said: str
) -> None:
    assert run([*debug, *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "hate" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["journal", "undo", "I hate myself"], 1, "There is no backup of that journal."),
        (["models", "path", "I hate myself"], 3, "There is no model of that name."),
        (["models", "rm", "I hate myself"], 3, "There is no model of that name."),
        (["history", "export", "I hate myself"], 7, "Nothing is kept."),
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_what_is_not_there_is_said_without_the_name_that_was_given(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    debug: list[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path)
    assert run([*debug, *arguments]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "hate" not in err


def test_an_impossible_setting_is_wrong_use(
    fake: FakeReframer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--country", "Germany", THOUGHT]) == 2
    assert "country" in capsys.readouterr().err


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 2
    assert capsys.readouterr().err.startswith("Usage: reframer models")


def test_a_reader_that_went_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "from reframer.cli import main; main()", "--help"]
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_process_is_sealed_and_ends_with_the_code() -> None:
    done = spawn("models", "path", "nonsense")
    assert (done.returncode, done.stdout) == (3, "")
    code = "from reframer import cli, seal; cli.run = lambda _: 40 + seal.is_closed(); cli.main()"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 41


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("reframer ")


# Models


CONTENT = b"a model"


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of two toys, and the folder of their files."""

    def toy(name: str, role: catalog.Role) -> Model:
        file = ModelFile(f"{name}.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), ())
        return Model(name, f"The {name}", role, "MIT", 1, {}, (file,), default=True)

    folder = tmp_path / "models"
    folder.mkdir()
    known = (toy("talker", "chat"), toy("reader", "embedding"))
    monkeypatch.setattr(catalog, "models", lambda: known)
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(folder))
    return folder


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, toys: Path) -> list[str]:
    """Stands in for the network: the ids that were fetched, in order."""
    history: list[str] = []

    def fetch(model: Model, folder: Path, watcher: Watcher) -> bool:
        if catalog.is_here(model, folder):
            return False
        (file,) = model.files
        watcher.begin(file, 0)
        watcher.note("one source failed; trying another")
        (folder / file.name).write_bytes(CONTENT)
        watcher.advance(len(CONTENT))
        history.append(model.id)
        return True

    monkeypatch.setattr(room("models"), "fetch", fetch)
    return history


def test_the_list_says_what_is_here(toys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toys / "reader.gguf").write_bytes(CONTENT)
    assert run(["models", "list"]) == 0
    talker, reader = capsys.readouterr().out.splitlines()
    assert "here" not in talker
    assert "here" in reader
    assert talker.startswith("talker")


def test_pull_fetches_both_defaults_and_then_returns_at_once(
    fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull"]) == 0
    out, err = capsys.readouterr()
    assert fetched == ["talker", "reader"]
    assert out == ""
    assert "one source failed; trying another" in err
    assert "talker.gguf: 100%" in err
    assert run(["models", "pull"]) == 0
    assert fetched == ["talker", "reader"]
    assert capsys.readouterr().err == "talker and reader: already here.\n"


def test_pull_with_an_id_fetches_that_one(fetched: list[str]) -> None:
    assert run(["models", "pull", "reader"]) == 0
    assert fetched == ["reader"]


def test_pull_stopped_says_that_nothing_is_lost(
    toys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(room("models"), "fetch", stop)
    assert run(["models", "pull"]) == 130
    assert "goes on from there" in capsys.readouterr().err


def test_verify_looks_at_all_and_ends_with_the_damaged_one(
    toys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toys / "talker.gguf").write_bytes(b"another")
    (toys / "reader.gguf").write_bytes(CONTENT)
    assert run(["models", "verify"]) == 3
    out, err = capsys.readouterr()
    assert out.splitlines() == ["talker: damaged", "reader: whole"]
    assert "reframer models rm talker" in err
    assert run(["models", "verify", "reader"]) == 0


def test_verify_without_models_says_what_to_run(
    toys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "verify"]) == 3
    assert "reframer models pull" in capsys.readouterr().err


def test_path_prints_only_whole_files(toys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "path"]) == 3
    (toys / "talker.gguf").write_bytes(CONTENT)
    capsys.readouterr()
    assert run(["models", "path"]) == 0
    assert capsys.readouterr().out == f"{toys / 'talker.gguf'}\n"


def test_rm_deletes_and_says_so(toys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toys / "talker.gguf").write_bytes(CONTENT)
    assert run(["models", "rm", "talker"]) == 0
    assert not (toys / "talker.gguf").exists()
    assert run(["models", "rm", "talker"]) == 0
    assert "nothing to delete" in capsys.readouterr().err
    assert run(["models", "rm", "nonsense"]) == 3


def test_a_pull_without_a_terminal_tells_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("reframer.cli.show.time.monotonic", lambda: now[0])
    lines = show.Lines()
    lines.begin(ModelFile("toy.gguf", 1_000_000_000, "", ()), 200_000_000)
    for seconds in (1, 19, 1):
        now[0] += seconds
        lines.advance(100_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "toy.gguf: 1.0 GB, 200.0 MB of it here already",
        "toy.gguf: 40%, 10.0 MB/s, 60 s left",
    ]


def test_assess_prints_json_in_utf_8_whatever_the_terminal_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lines.txt").write_text("Ein müder Tag.\n", encoding="utf-8")
    monkeypatch.setattr(room("assess"), "open_safety", lambda _: Safety())
    taken = io.BytesIO()
    terminal = io.TextIOWrapper(taken, encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(["assess", "--json", str(tmp_path / "lines.txt")]) == 0
    assert json.loads(taken.getvalue())["text"] == "Ein müder Tag."


def test_assess_shows_the_words_for_the_voice_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_VOICE", "child")
    give(monkeypatch, b"I want to die.\n")
    assert run(["assess", "--json", "--country", "GB"]) == 0
    shown = json.loads(capsys.readouterr().out)["shown"]
    assert shown == signposts(Risk("crisis", ("wish",)), "GB", "child")


def test_notice_meets_danger_beside_what_it_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_COUNTRY", "GB")
    give(monkeypatch, b"I want to kill myself tonight.")
    assert run(["notice", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["start"] for line in out.splitlines()] == [0]
    assert "116 123" in err


# Doctor


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the heavy libraries alone."""
    monkeypatch.setattr(room("doctor"), "_ROOMS", {})


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


@pytest.mark.model
def test_doctor_finds_a_machine_that_is_set_up_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    for name in ("python", "llama-cpp-python", "gradio", "model", "embedder", "index", "disk"):
        assert f"ok  {name} " in out


def test_doctor_measures_how_fast_a_model_is_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODEL", "smollm2-135m")
    assert run(["doctor", "--bench", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["threads"]) == ("smollm2-135m", usable_cores())
    assert told["tokens_per_second"]["reads"] > 0
    assert set(told["tokens_per_second"]["speaks"]) == {"1", "4", "16"}
    assert run(["doctor", "--bench"]) == 0
    assert "It reads" in capsys.readouterr().out


def test_doctor_does_not_measure_a_model_at_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODEL", "openai:friend")
    monkeypatch.setenv("REFRAMER_BASE_URL", "http://127.0.0.1:9/v1")
    assert run(["doctor", "--bench"]) == 2
    assert "Measure it where it runs" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_doctor_says_what_to_run_for_missing_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(tmp_path / "none"))
    assert run(["doctor", "--json"]) == 1
    found = checks(capsys)
    for name in ("model", "embedder", "index"):
        assert not found[name]["ok"]
        assert "reframer models pull" in found[name]["advice"]
    assert found["python"]["ok"]
    assert found["cards"]["ok"]


@pytest.mark.usefixtures("quick")
def test_doctor_names_malformed_cards_and_bad_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(tmp_path / "none"))
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "broken.md").write_text("no front matter")
    (tmp_path / "settings.toml").write_text(f"cards_dir = '{tmp_path / 'cards'}'\n")
    assert run(["doctor", "--json"]) == 1
    assert "broken.md" in checks(capsys)["card"]["found"]
    (tmp_path / "settings.toml").write_text("colour = 'blue'\n")
    assert run(["doctor"]) == 1
    assert "'colour'" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_doctor_compares_what_is_free_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setattr("reframer.llama.memory.free_memory", lambda: 1_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000))
    assert run(["doctor", "--json"]) == 1
    found = checks(capsys)
    assert not found["memory"]["ok"]
    assert not found["disk"]["ok"]


@pytest.mark.usefixtures("quick")
def test_doctor_goes_on_after_a_model_that_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("REFRAMER_MODEL", "nope")
    assert run(["doctor", "--json"]) == 1
    found = checks(capsys)
    assert not found["model"]["ok"]
    assert {"memory", "disk"} <= found.keys()


@pytest.mark.usefixtures("quick")
def test_doctor_goes_on_after_a_library_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFRAMER_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(room("doctor"), "_ROOMS", {"gradio": "reframer.nonsense"})
    assert run(["doctor", "--json"]) == 1
    found = checks(capsys)
    assert "ModuleNotFoundError" in found["gradio"]["found"]
    assert "disk" in found


# The page, completion, the documentation


def test_serve_opens_the_page_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[tuple[int, bool]] = []
    page, house = ModuleType("reframer.ui.page"), ModuleType("reframer.ui.house")
    page.launch = lambda opened, browser: launched.append((opened.port, browser))  # type: ignore[attr-defined]
    house.House = SimpleNamespace(open=lambda chosen: chosen)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "reframer.ui.page", page)
    monkeypatch.setitem(sys.modules, "reframer.ui.house", house)
    assert run(["serve"]) == 0
    assert run(["serve", "--port", "9000", "--no-browser"]) == 0
    assert launched == [(7865, True), (9000, False)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_REFRAMER_COMPLETE" in capsys.readouterr().out


def test_the_shell_is_told_commands_and_options() -> None:
    def ask(words: str, position: str) -> str:
        asked = {"COMP_WORDS": words, "COMP_CWORD": position, "_REFRAMER_COMPLETE": "bash_complete"}
        return spawn(env={**os.environ, **asked}).stdout

    assert ask("reframer mo", "1") == "plain,models\n"
    assert ask("reframer models pu", "2") == "plain,pull\n"
    assert "--jsonl" in ask("reframer reframe --js", "2")


def every_command(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """Return a section for a command and for each command below it."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=80, **command.context_settings
    )
    yield f"## {context.command_path}"
    yield f"```text\n{context.get_help().rstrip()}\n```"
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            yield from every_command(child, child_name, context)


def commands_page() -> str:
    """Return docs/commands.md: the help of every command."""
    intro = ("# Commands", "The help of every command, as the program prints it.")
    return "\n\n".join([*intro, *every_command(cli, "reframer", None)]) + "\n"


def test_the_page_of_commands_is_what_the_program_prints() -> None:
    assert COMMANDS_PAGE.read_text() == commands_page(), "Run: python -m tests.test_cli"


if __name__ == "__main__":
    COMMANDS_PAGE.write_text(commands_page())
