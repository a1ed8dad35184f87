"""A model server that the user names: it words answers, and its faults lose nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reframer import paths, seal, settings
from reframer.engine import open_speaker
from reframer.errors import ModelError, ModelUnknown, SettingsError
from reframer.journal.run import Answered, Finished, reframe_journal
from reframer.server import model
from reframer.server.address import destination, let_through, promise
from reframer.settings import Settings
from tests.journal.friend import friend
from tests.model_server import LOGPROB, SAYING, Fault, ModelServer, model_server

ROOT = Path(__file__).parent.parent
THOUGHT = "I missed the deadline again, I'm such an idiot."
AWAY = "http://192.0.2.1:8000/v1"  # of the addresses that belong to nobody


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_TRIES", 2)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(settings, "settings_file", lambda: tmp_path / "settings.toml")
    monkeypatch.setattr(seal, "let_through", lambda host, port: None)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def at(server: ModelServer, name: str = "friend") -> Settings:
    return Settings(model=f"openai:{name}", base_url=server.url)


# What it is asked


def test_a_model_at_a_server_words_whole_answers(server: ModelServer) -> None:
    speaker = open_speaker(at(server))
    assert (speaker.name, speaker.says) == ("openai:friend", "answers")
    assert speaker.model.invoke(THOUGHT, seed=3, temperature=0.5).text.strip() == SAYING
    (request,) = server.history
    assert request["messages"] == [{"role": "user", "content": THOUGHT}]
    assert (request["seed"], request["temperature"]) == (3, 0.5)
    assert request["max_tokens"] > 0


def test_reframers_own_model_at_a_server_words_openings_and_says_how_sure_it_is(
    server: ModelServer,
) -> None:
    speaker = open_speaker(at(server, "reframer"))
    assert speaker.says == "openings"
    (message,) = speaker.model.stream(THOUGHT, logprobs=True)
    assert message.text.strip() == SAYING
    assert message.response_metadata["logprobs"] == [LOGPROB] * len(SAYING.split())


def test_a_server_that_does_not_say_how_sure_it_is_cannot_word_openings(
    server: ModelServer,
) -> None:
    server.tells = False
    with pytest.raises(ModelError, match="does not say how likely"):
        model.open_model(at(server, "reframer")).invoke(THOUGHT, logprobs=True)


def test_the_key_comes_from_the_environment_alone(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.open_model(at(server)).invoke(THOUGHT)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    model.open_model(at(server)).invoke(THOUGHT)
    keys = [headers["authorization"] for headers in server.headers]
    assert keys == ["Bearer none", "Bearer a-key"]


def test_only_so_many_requests_are_under_way_at_once(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "_AT_ONCE", 3)
    server.seconds = 0.02
    chat = model.open_model(at(server))
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: chat.invoke(THOUGHT).text.strip(), range(12)))
    assert answers == [SAYING] * 12
    assert server.most_at_once == 3


# What goes wrong


@pytest.mark.parametrize("fault", ["500", "cut", "error"])
def test_a_failure_that_passes_is_not_noticed(server: ModelServer, fault: Fault) -> None:
    server.faults = [fault]
    assert model.open_model(at(server)).invoke(THOUGHT).text.strip() == SAYING
    assert len(server.history) == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("500", "failed (code 500)"),
        ("400", "refused the prompt (code 400)"),
        ("401", "wants another key"),
        ("cut", "broke off"),
        ("error", "failed while it answered"),
        ("html", "cannot be understood"),
        ("hang", "said nothing"),
    ],
)
def test_a_failure_that_stays_is_one_line_without_what_was_written(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, fault: Fault, said: str
) -> None:
    monkeypatch.setattr(model, "_SECONDS_OF_SILENCE", 0.2)
    server.always = fault
    with pytest.raises(ModelError) as caught:
        model.open_model(at(server)).invoke(THOUGHT)
    assert said in str(caught.value)
    assert caught.value.hint
    assert "deadline" not in "".join(traceback.format_exception(caught.value))  # as with --debug


def test_a_model_that_the_server_lacks_is_named(server: ModelServer) -> None:
    with pytest.raises(ModelUnknown, match=r"127\.0\.0\.1:\d+ has no model 'nobody'\. Check"):
        model.open_model(at(server, "nobody")).invoke(THOUGHT)


def test_a_server_that_is_away_is_said_to_be() -> None:
    with model_server() as server:
        pass
    with pytest.raises(ModelError, match="cannot be reached"):
        model.open_model(at(server)).invoke(THOUGHT)


def test_a_server_that_takes_no_connection_is_said_to_be_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model, "_SECONDS_TO_CONNECT", 0.2)
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())  # the one that may wait; all others hear nothing
        chosen = Settings(
            model="openai:friend", base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        )
        with pytest.raises(ModelError, match="cannot be reached"):
            model.open_model(chosen).invoke(THOUGHT)


def test_a_journal_that_loses_the_server_goes_on_later_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "data")
    diary = tmp_path / "diary"
    diary.mkdir()
    for day in range(1, 13):
        (diary / f"2024-01-{day:02}.md").write_text(f"I'm an idiot in {day} ways.")
    with model_server() as server:
        reframer = friend(model.open_model(at(server)))
        made: list[Answered] = []
        with pytest.raises(ModelError, match="failed"):
            for event in reframe_journal(reframer, diary):
                if isinstance(event, Answered):
                    made.append(event)
                    server.always = "500" if len(made) == 3 else server.always
        assert 3 <= len(made) < 12
        asked = len(server.history)
        server.always = None
        *_, end = reframe_journal(reframer, diary)
    assert isinstance(end, Finished)
    assert [reply.answer.words for reply in end.result.replies] == [SAYING] * 12
    again = {str(request["messages"][-1]["content"]) for request in server.history[asked:]}
    assert not any(event.reply.answer.sentence in said for said in again for event in made)


# Where it may be


@pytest.mark.parametrize(
    ("chosen", "away"),
    [
        (Settings(), ""),
        (Settings(model="/models/a:b.gguf"), ""),
        (Settings(model="openai:x"), ""),
        (Settings(model="nonsense:x", base_url=AWAY), ""),
        (Settings(model="ollama:llama3"), ""),
        (Settings(model="openai:x", base_url="http://localhost:8000/v1"), ""),
        (Settings(model="openai:x", base_url="http://[::1]:8000/v1"), ""),
        (Settings(model="openai:x", base_url=AWAY), "192.0.2.1"),
        (Settings(model="ollama:x", base_url="https://Big.example/v1"), "big.example"),
    ],
)
def test_it_is_known_whether_words_go_to_another_machine(chosen: Settings, away: str) -> None:
    assert destination(chosen) == away


def test_who_is_about_to_write_is_told_what_becomes_of_it() -> None:
    assert promise(Settings()) == (
        "Nothing you write leaves this machine, and nothing is kept unless you keep it."
    )
    away = promise(Settings(model="openai:x", base_url=AWAY))
    assert away.startswith("What you write goes to 192.0.2.1;")
    assert "machine" not in away


def test_ollama_is_found_where_it_usually_is() -> None:
    assert model.open_model(Settings(model="ollama:llama3")).server.place == "127.0.0.1:11434"


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object, **__: object) -> None:
        raise ImportError("No module named 'langchain_openai'")

    monkeypatch.setattr("langchain.chat_models.init_chat_model", lacking)
    with pytest.raises(ModelError, match="pip install langchain-openai"):
        model.open_model(Settings(model="ollama:llama3"))


def test_without_an_address_and_of_an_unknown_kind_there_is_no_server() -> None:
    with pytest.raises(SettingsError, match="--base-url"):
        model.open_model(Settings(model="openai:x"))
    with pytest.raises(ModelUnknown, match="openai:NAME"):
        model.open_model(Settings(model="nonsense:x"))


@pytest.mark.parametrize(
    "written", ["", 'base_url = "http://192.0.2.1/v1"', 'base_url = "http://192.0.2.2:8000/v1"']
)
def test_another_machine_is_refused_unless_the_settings_file_names_it(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / "settings.toml").write_text(written)
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        let_through(Settings(model="openai:x", base_url=AWAY))


def test_another_machine_that_the_settings_file_names_is_let_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through: list[tuple[str, int]] = []
    monkeypatch.setattr(seal, "let_through", lambda *way: through.append(way))
    (tmp_path / "settings.toml").write_text(f'base_url = "{AWAY}"')
    let_through(Settings(model="openai:x", base_url=AWAY))
    assert through == [("192.0.2.1", 8000)]


# The whole program, sealed


def reframer(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command, sealed, in a process with a settings file of its own."""
    return subprocess.run(
        [sys.executable, "-m", "reframer", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CONFIG_HOME": str(home)},
        cwd=ROOT,
        timeout=60,
    )


def test_the_program_answers_through_a_server_on_this_machine_and_says_nothing_of_it(
    server: ModelServer, tmp_path: Path
) -> None:
    done = reframer(
        tmp_path, "--json", "--model", "openai:friend", "--base-url", server.url, THOUGHT
    )
    assert done.returncode == 0, done.stderr
    assert server.history
    assert "Your words" not in done.stderr


def test_a_server_that_sends_the_program_elsewhere_is_not_followed_off_this_machine(
    server: ModelServer,
) -> None:
    server.always, server.elsewhere = "redirect", AWAY
    code = f"""
from reframer import seal
seal.close()
from reframer.server import model
from reframer.settings import Settings
chat = model.open_model(Settings(model="openai:friend", base_url={server.url!r}))
try:
    chat.invoke("hello")
except model.ModelError as error:
    print(error)
try:
    chat.client.invoke("hello")
except Exception as error:
    while error.__context__:
        error = error.__context__
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "cannot be reached" in done.stdout
    assert done.stdout.endswith("ConnectionRefused\n")


def test_a_person_in_danger_is_answered_whatever_is_wrong_with_the_server(tmp_path: Path) -> None:
    done = reframer(
        tmp_path, "--model", "openai:x", "--base-url", AWAY, "i am going to kill myself tonight"
    )
    assert done.returncode == 0
    assert done.stdout
    assert "Your words" not in done.stderr


def test_it_is_said_before_anything_else_that_words_go_to_another_machine(tmp_path: Path) -> None:
    folder = tmp_path / "reframer"
    folder.mkdir()
    (folder / "settings.toml").write_text(f'model = "openai:friend"\nbase_url = "{AWAY}"')
    # A text in danger is answered without the model, so nothing is sent here.
    done = reframer(tmp_path, "i am going to kill myself tonight")
    assert done.returncode == 0
    assert done.stderr.startswith("Your words will go to 192.0.2.1.\n")
    told = reframer(tmp_path, "doctor", "privacy").stdout
    assert "Nothing but your words to 192.0.2.1 leaves this machine" in told
    assert "Your words will go to 192.0.2.1:8000, and nowhere else." in told
    assert "not https" in told
