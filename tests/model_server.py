"""A model server that speaks OpenAI's protocol on loopback, says one thing, and fails as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from reframer.server.model import OWN_MODEL

Fault = Literal["500", "401", "400", "hang", "cut", "error", "html", "redirect"]
MODEL = "friend"
LOGPROB = -0.125
SAYING = "You carry a lot, and today it grew heavier than one pair of hands."


class ModelServer:
    """What the server was asked, and how it is to fail.

    Args:
        port: Where it listens.

    Attributes:
        url: Its address.
        faults: How it fails the next requests, first in, first out; then it answers.
        always: How it fails every request.
        history: The body of each request.
        headers: The headers of each request.
        most_at_once: Most requests that were under way together.
        models: Names of its models.
        tells: Whether it says how likely its words are, where it is asked.
        elsewhere: Where it redirects to.
        seconds: How long an answer takes.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.history: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.models = {MODEL, OWN_MODEL}
        self.tells = True
        self.elsewhere = ""
        self.seconds = 0.0
        self.closing = threading.Event()
        self._under_way = 0
        self._lock = threading.Lock()

    def answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer one request, or fail."""
        with self._lock:
            self.history.append(body)
            self.headers.append(dict(handler.headers))
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            fault = self.always or (self.faults.pop(0) if self.faults else None)
        self.closing.wait(self.seconds)
        if fault:
            self._fail(handler, fault, body)
        elif body["model"] not in self.models:
            _send(handler, 404, {"error": {"message": f"no such model; you wrote {body}"}})
        else:
            self._say(handler, LOGPROB if self.tells and body.get("logprobs") else None)
        with self._lock:
            self._under_way -= 1

    def _say(self, handler: BaseHTTPRequestHandler, logprob: float | None) -> None:
        _begin(handler)
        for word in SAYING.split(" "):
            _piece(handler, f"{word} ", logprob=logprob)
        _piece(handler, "", finish="stop")
        handler.wfile.write(b"data: [DONE]\n\n")

    def _fail(self, handler: BaseHTTPRequestHandler, fault: Fault, body: dict[str, Any]) -> None:
        if fault == "hang":
            _begin(handler)
            _piece(handler, "You ")
            self.closing.wait(20)
        elif fault == "cut":
            _begin(handler)
            _piece(handler, "You ")
        elif fault == "error":
            _begin(handler)
            _piece(handler, "You ")
            told = json.dumps({"error": {"message": f"trouble with {body}"}})
            handler.wfile.write(f"data: {told}\n\n".encode())
        elif fault == "redirect":
            handler.send_response(307)
            handler.send_header("Location", self.elsewhere)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif fault == "html":
            _send(handler, 200, "<html>It works!</html>")
        else:
            _send(handler, int(fault), {"error": {"message": f"trouble with {body}"}})


@contextmanager
def model_server(port: int = 0) -> Iterator[ModelServer]:
    """Run a model server while the body runs.

    Args:
        port: Where it listens; 0 for a free port.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.answer(self, body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as http:
        state = ModelServer(http.server_address[1])
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.closing.set()
            http.shutdown()
            thread.join()


def _begin(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()


def _piece(
    handler: BaseHTTPRequestHandler,
    text: str,
    finish: str | None = None,
    logprob: float | None = None,
) -> None:
    choice: dict[str, Any] = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    if logprob is not None:
        choice["logprobs"] = {"content": [{"token": text, "logprob": logprob, "top_logprobs": []}]}
    chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
    handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())


def _send(handler: BaseHTTPRequestHandler, code: int, body: object) -> None:
    page = isinstance(body, str)
    data = str(body).encode() if page else json.dumps(body).encode()
    handler.send_response(code)
    handler.send_header("Content-Type", "text/html" if page else "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
