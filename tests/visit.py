"""Visits every front of the program with one marked thought, as a user does, and tells what it saw.

``python -m tests.visit GROUND MODELS_DIR MODEL MARK FRONT...`` writes one JSON object. It is a
process tree of its own, so that a test can watch all of it from outside (tests/test_proof.py).
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).parent.parent
THOUGHT = "I'm such an idiot, I ruined the {} again."
OWN = "own"
LINGER = 20.0  # seconds that the page stays open; telemetry likes to wait before it reports
_PATIENCE = 300.0  # seconds

# 192.0.2.0/24 belongs to nobody: whoever listens to these variables is seen to knock there.
HOSTILE = {
    "ALL_PROXY": "http://192.0.2.1:3128",
    "ANONYMIZED_TELEMETRY": "True",
    "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
    "CHROMA_OTEL_COLLECTION_ENDPOINT": "http://192.0.2.1:4317",
    "CHROMA_SERVER_HOST": "192.0.2.1",
    "CHROMA_SERVER_HTTP_PORT": "8000",
    "DO_NOT_TRACK": "0",
    "GRADIO_ANALYTICS_ENABLED": "True",
    "GRADIO_DEBUG": "1",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_SHARE": "True",
    "HF_ENDPOINT": "http://192.0.2.1",
    "HF_HUB_OFFLINE": "0",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "LANGCHAIN_API_KEY": "key",
    "LANGCHAIN_ENDPOINT": "http://192.0.2.1",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "key",
    "LANGSMITH_ENDPOINT": "http://192.0.2.1",
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_TRACING_V2": "true",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4317",
    "OTEL_TRACES_EXPORTER": "otlp",
    "http_proxy": "http://192.0.2.1:3128",
}


class Ground(NamedTuple):
    """Where a visit takes place: everything that the program may write lies below ``folder``.

    What is the user's own to keep, a journal and its report, lies in ``own`` there.
    """

    folder: Path
    models_dir: Path
    model: str

    @property
    def own(self) -> Path:
        """Folder of what the user writes and asks for; it may hold a thought."""
        return self.folder / OWN

    def prepare(self) -> None:
        """Make the folders, and a hostile ``.env`` where the program is called."""
        for name in ("home", "tmp", "work", OWN):
            (self.folder / name).mkdir(exist_ok=True)
        lines = [f"{name}={value}" for name, value in HOSTILE.items()]
        (self.folder / "work" / ".env").write_text("\n".join(lines))

    def environment(self) -> dict[str, str]:
        """Return a hostile environment with a fresh home."""
        home = self.folder / "home"
        return {
            **HOSTILE,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "REFRAMER_MODEL": self.model,
            "REFRAMER_MODELS_DIR": str(self.models_dir),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
        }


class Seen(NamedTuple):
    """What can be seen of a front from outside.

    Attributes:
        answer: What it gave in return.
        beside: What it wrote to standard error.
        titles: Its name and command line in the list of processes, beyond what it was called with.
    """

    answer: str
    beside: str
    titles: list[str]


Front = Callable[[Ground, str], Seen]


def command(*words: str, stdin: str = "", code: int = 0) -> Front:
    """Return a front of the command line; ``{}`` stands for the marked thought.

    Args:
        words: What follows the program's name.
        stdin: What is on standard input.
        code: The exit code it has to end with.
    """
    return _process("-m", "reframer", *words, stdin=stdin, code=code)


def _process(*words: str, stdin: str = "", code: int = 0) -> Front:
    def visit(ground: Ground, thought: str) -> Seen:
        called = [sys.executable, *(word.replace("{}", thought) for word in words)]
        with _started(called, ground) as (process, titles):
            out, err = process.communicate(stdin.replace("{}", thought), timeout=_PATIENCE)
        assert process.returncode == code, f"{words} ended with {process.returncode}: {err}"
        return Seen(out, err, sorted(titles - set(called)))

    return visit


def journal(ground: Ground, thought: str) -> Seen:
    """Answer a journal and put the answers into a copy of it, in the user's own folder."""
    diary, out = ground.own / "diary.md", ground.own / "answers"
    days = (thought, "We had soup.", _DANGER.format(thought))
    diary.write_text("".join(f"2026-11-2{at}\n\n{said}\n\n" for at, said in enumerate(days)))
    words = [str(diary), "--out", str(out), "--write", "callout", "--json", "--debug"]
    return command("journal", *words)(ground, thought)


def page(ground: Ground, thought: str) -> Seen:
    """Open the page, send a thought through it, and stay a while."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-m", "reframer", "serve", "--debug", "--no-browser", "--port", str(port)]
    called = [sys.executable, *words]
    with _started(called, ground) as (process, titles):
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next((line.strip() for line in lines if "http://" in line), "")
        assert address, process.communicate()[1]
        browser = Browser(address)
        browser.send("thought", thought)
        time.sleep(LINGER)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=_PATIENCE)
    return Seen(browser.shown(), err, sorted(titles - set(called)))


_PYTHON = """
import sys
from reframer import Reframer, load_settings
print(Reframer.open(load_settings()).reframe(sys.stdin.read()).text)
"""

_PASSPHRASE = "three quiet words"
_DANGER = "I want to kill myself. {}"  # written words answer it, without the model

# One line for each way in.
FRONTS: Mapping[str, Front] = {
    "argument": command("--debug", "--json", "{}"),
    "lines": command("--jsonl", "--debug", stdin=f"{_DANGER}\n" + "{} " * 300, code=2),
    "not text": command("--debug", stdin="{}\0", code=2),
    "notice": command("notice", "--debug", "--json", stdin="{}"),
    "assess": command("assess", "--debug", "--json", stdin="{}"),
    "journal": journal,  # before the history is on, which would ask for its passphrase
    "history on": command("history", "on", stdin=f"{_PASSPHRASE}\n{_PASSPHRASE}\n"),
    "kept": command("--debug", "--keep", _DANGER, stdin=_PASSPHRASE),
    "history": command("history", "--debug", "search", "{}", stdin=_PASSPHRASE),
    "doctor privacy": command("doctor", "privacy"),
    "chat": command("chat", "--debug", stdin="{}\n"),
    "python": _process("-c", _PYTHON, stdin="{}"),
    "page": page,
}


class Browser:
    """Uses the page by the calls that its own script makes in a browser.

    Args:
        address: The address with the secret of this launch.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._http = httpx.Client(
            base_url=f"{parts.scheme}://{parts.netloc}",
            follow_redirects=True,
            timeout=_PATIENCE,
            trust_env=False,
        )
        self._http.get(address).raise_for_status()
        config = self._http.get("/config").raise_for_status().json()
        self._steps: list[dict[str, Any]] = config["dependencies"]
        self._ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
        self._values = {part["id"]: part["props"].get("value") for part in config["components"]}
        self._session = secrets.token_hex(5)
        self._fire("load")

    def send(self, box: str, text: str) -> None:
        """Type a text into a box and press Enter; wait for all that follows from it."""
        self._values[self._ids[box]] = text
        self._fire("submit", self._ids[box])

    def shown(self) -> str:
        """Return what all parts of the page show, as JSON."""
        return json.dumps(self._values, ensure_ascii=False)

    def _fire(self, event: str, part: int | None = None) -> None:
        """Take the steps that an event leads to, of one part or of any."""
        steps = [
            step
            for step in self._steps
            if any(on == event and part in (None, source) for source, on in step["targets"])
        ]
        for step in steps:  # grows while it is walked
            self._take(step)
            steps += [then for then in self._steps if then["trigger_after"] == step["id"]]

    def _take(self, step: dict[str, Any]) -> None:
        call = {
            "data": [self._values[part] for part in step["inputs"]],
            "fn_index": step["id"],
            "session_hash": self._session,
            "trigger_id": None,
        }
        self._http.post("/gradio_api/queue/join", json=call).raise_for_status()
        for part, value in zip(step["outputs"], self._outcome(), strict=True):
            changed = isinstance(value, dict) and value.get("__type__") == "update"
            self._values[part] = value.get("value", self._values[part]) if changed else value

    def _outcome(self) -> list[Any]:
        where = "/gradio_api/queue/data"
        with self._http.stream("GET", where, params={"session_hash": self._session}) as stream:
            messages = (json.loads(line[5:]) for line in stream.iter_lines() if line[:5] == "data:")
            done = next(message for message in messages if message["msg"] == "process_completed")
        assert done["success"], done
        return list(done["output"]["data"])


@contextmanager
def _started(called: list[str], ground: Ground) -> Iterator[tuple[subprocess.Popen[str], set[str]]]:
    """Start a process, and gather under what names it and its threads are listed."""
    titles: set[str] = set()
    with subprocess.Popen(
        called,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ground.environment(),
        start_new_session=True,  # without a terminal, passphrases are read from standard input
        cwd=ground.folder / "work",
    ) as process:

        def watch() -> None:
            while process.poll() is None:
                titles.update(_listed(process.pid))
                time.sleep(0.2)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield process, titles
        finally:
            process.kill()
            watcher.join()


def _listed(pid: int) -> Iterator[str]:
    """Return the words that a list of processes shows of one; none where there is no /proc."""
    folder = Path("/proc") / str(pid)
    for file in (folder / "cmdline", *folder.glob("task/*/comm")):
        with suppress(OSError):  # it ended meanwhile
            yield from file.read_text(errors="replace").strip("\0\n").split("\0")


def main(folder: str, models_dir: str, model: str, mark: str, *fronts: str) -> None:
    """Visit fronts, one after the other, and write what was seen of each."""
    ground = Ground(Path(folder), Path(models_dir), model)
    ground.prepare()
    thought = THOUGHT.format(mark)
    json.dump({name: FRONTS[name](ground, thought) for name in fronts}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
