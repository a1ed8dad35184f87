"""The page answers only the person who opened it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from reframer.ui import guard
from reframer.ui.guard import Guard

TOKEN = "secret"
COOKIE = "reframer-7865"
CLIENT = ("127.0.0.1", 50000)
HERE = "http://127.0.0.1:7865"


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [Route("/{path:path}", _echo, methods=["GET", "POST"])]
    guarded = Guard(Starlette(routes=routes), port=7865, token=TOKEN)
    with TestClient(guarded, base_url=HERE, follow_redirects=False, client=CLIENT) as client:
        yield client


def _enter(client: TestClient) -> None:
    client.get("/", params={"k": TOKEN})


def test_the_link_opens_the_page_and_its_secret_leaves_the_address(client: TestClient) -> None:
    answer = client.get("/", params={"k": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/").status_code == 200


def test_without_the_secret_nothing_is_shown(client: TestClient) -> None:
    for path in ("/", "/?k=wrong", "/config", "/gradio_api/queue/data"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"x-forwarded-for": "127.0.0.1"},
        {"x-forwarded-host": "evil.example"},
        {"forwarded": "for=127.0.0.1"},
    ],
)
def test_other_hosts_and_sites_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    _enter(client)
    assert client.get("/", headers=headers).status_code == 403
    assert client.post("/gradio_api/queue/join", json={}, headers=headers).status_code == 403


def test_a_second_host_is_refused(client: TestClient) -> None:
    _enter(client)
    hosts = [("host", "127.0.0.1:7865"), ("host", "evil.example")]
    assert client.get("/", headers=hosts).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=https://example.org/x.png",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/file=../../etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/stream/x/y/z",
        "/gradio_api/component_server",
        "/gradio_api/deep_link",
        "/gradio_api/dev/reload",
        "/gradio_api/heartbeat/../file=/etc/passwd",
        "/redoc",
        "/gradio_api/upload",
        "/gradio_api/proxy=https://example.org",
        "/docs",
        "/openapi.json",
        "/assets/../../etc/passwd",
        "/assets/%2e%2e/secret",
        "/monitoring",
    ],
)
def test_only_the_pages_own_paths_exist(client: TestClient, path: str) -> None:
    _enter(client)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "call",
    [
        {"json": {"data": ["hello"]}},
        {"data": '{"data": ["hello"]}', "headers": {"content-type": "text/plain"}},
        {"files": {"files": ("a.txt", b"hello")}},
        {"data": {"data": "hello"}},
        {"content": (piece for piece in [b"hello"])},
    ],
    ids=["json", "json as text", "multipart", "form", "chunked"],
)
def test_another_site_can_send_nothing_in_any_shape(
    client: TestClient, call: dict[str, Any]
) -> None:
    _enter(client)
    headers = {"origin": "http://evil.example", **call.pop("headers", {})}
    for path in ("/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/upload"):
        assert client.post(path, headers=headers, **call).status_code == 403


def test_a_second_client_without_the_secret_can_do_nothing(client: TestClient) -> None:
    _enter(client)
    with TestClient(client.app, base_url=HERE, follow_redirects=False, client=CLIENT) as stranger:
        assert stranger.post("/gradio_api/queue/join", json={}).status_code == 401
        assert stranger.get("/gradio_api/queue/data?session_hash=x").status_code == 401
        assert stranger.get("/", cookies={COOKIE: "guess"}).status_code == 401
        assert stranger.get(f"/config?k={TOKEN}").status_code == 401


@pytest.mark.parametrize(
    "cookie",
    [COOKIE, f"{COOKIE}=", f"{COOKIE}=secreT", f"reframer-1={TOKEN}", "=;=", f"{COOKIE}=é"],
)
def test_no_other_cookie_opens_the_page(client: TestClient, cookie: str) -> None:
    assert client.get("/", headers=[(b"cookie", cookie.encode())]).status_code == 401


@pytest.mark.parametrize(("uid", "status"), [(os.getuid(), 200), (0, 200), (4711, 403)])
def test_the_connection_of_another_user_is_refused_whatever_it_carries(
    client: TestClient, uid: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enter(client)
    table = tmp_path / "tcp6"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        f"   0: 0100007F:{50000:04X} 0100007F:{7865:04X} 01 00000000:00000000 00:00000000 00000000"
        f"  {uid}        0 12345 1 0000000000000000 20 4 30 10 -1\n"
    )
    monkeypatch.setattr(guard, "_CONNECTIONS", (tmp_path / "missing", table))
    assert client.get("/").status_code == status


def test_cookies_of_other_programs_on_this_machine_do_no_harm(client: TestClient) -> None:
    cookies = f'other={{"a": "b"}}; reframer-1=x; {COOKIE}={TOKEN}'
    assert client.get("/", headers={"cookie": cookies}).status_code == 200


def test_a_body_beyond_the_limit_is_refused_even_in_chunks(client: TestClient) -> None:
    _enter(client)
    large = b"x" * 1_000_001
    assert client.post("/gradio_api/queue/join", content=large).status_code == 413
    with pytest.raises(Exception):  # noqa: B017 - the connection breaks off
        client.post(
            "/gradio_api/queue/join",
            content=(large[i : i + 9999] for i in range(0, len(large), 9999)),
        )


def test_the_browser_is_told_to_keep_and_fetch_nothing(client: TestClient) -> None:
    _enter(client)
    headers = client.get("/").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


def test_unknown_types_of_connection_get_no_answer(client: TestClient) -> None:
    _enter(client)
    with pytest.raises(Exception), client.websocket_connect("/"):  # noqa: B017
        pass
