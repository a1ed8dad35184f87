"""A sealed process reaches nothing but this machine. Each test seals a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_BEGIN = """
import os, socket, sys
from reframer import seal
from reframer.errors import ConnectionRefused
seal.close()
"""


def sealed(code: str, **environ: str) -> str:
    """Run code in a sealed process and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + code],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        cwd=Path(__file__).parent.parent,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.getaddrinfo('example.org', 443)",
        "socket.gethostbyname('example.org')",
        "socket.gethostbyname_ex('example.org')",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.gethostbyname(bytearray(b'example.org'))",
        "socket.socket().connect((bytearray(b'192.0.2.1'), 443))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (bytearray(b'192.0.2.1'), 53))",
        "socket.create_connection(('192.0.2.1', 443), timeout=1)",
        "socket.socket().connect(('192.0.2.1', 443))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
        "socket.socket().bind(('0.0.0.0', 0))",
        "socket.socket().bind(('', 0))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
        "__import__('urllib.request').request.urlopen('http://example.org')",
        "__import__('http.client').client.HTTPConnection('192.0.2.1').request('GET', '/')",
    ],
)
def test_whatever_would_leave_this_machine_is_refused(attempt: str) -> None:
    code = f"""
try:
    {attempt}
except OSError as error:
    refused = isinstance(getattr(error, "reason", error), ConnectionRefused)
    print("refused" if refused else error)
"""
    assert sealed(code) == "refused"


def test_a_library_that_retries_over_http_is_refused_too() -> None:
    code = """
import httpx
try:
    httpx.get("https://example.org")
except httpx.ConnectError as error:
    print("refused" if "another machine" in str(error) else error)
"""
    assert sealed(code) == "refused"


def test_an_event_loop_is_refused_too() -> None:
    code = """
import asyncio
async def reach():
    await asyncio.open_connection("192.0.2.1", 443)
try:
    asyncio.run(reach())
except ConnectionRefused:
    print("refused")
"""
    assert sealed(code) == "refused"


def test_this_machine_itself_can_be_reached() -> None:
    code = """
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    socket.create_connection(("localhost", server.getsockname()[1])).close()
    print("reached")
"""
    assert sealed(code) == "reached"


def test_the_refusal_names_who_tried_and_not_where_to() -> None:
    code = """
try:
    socket.getaddrinfo("secret.example.org", 443)
except ConnectionRefused as refusal:
    print(refusal)
"""
    said = sealed(code)
    assert "__main__" in said
    assert "secret" not in said


def test_variables_that_report_or_fetch_are_gone() -> None:
    hostile = {
        "LANGSMITH_TRACING_V2": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_ENDPOINT": "https://example.org",
        "LANGSMITH_API_KEY": "key",
        "GRADIO_SHARE": "True",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "CHROMA_SERVER_HOST": "example.org",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://example.org",
        "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": "https://example.org",
        "OPENAI_LOG": "debug",
        "OPENAI_PROXY": "http://proxy.example.org:3128",
        "HTTPS_PROXY": "http://proxy.example.org:3128",
        "https_proxy": "http://proxy.example.org:3128",
    }
    code = f"""
for name in {sorted(hostile)!r}:
    print(name, os.environ.get(name))
"""
    left = dict(line.split(" ", 1) for line in sealed(code, **hostile).splitlines())
    switches = {name: value for name, value in left.items() if value != "None"}
    assert switches == {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SHARE": "False",
        "HF_HUB_OFFLINE": "1",
        "LANGCHAIN_TRACING_V2": "false",
        "LANGSMITH_TRACING_V2": "false",
    }


@pytest.mark.parametrize("module", ["onnxruntime", "uvloop"])
def test_libraries_that_go_around_the_seal_cannot_be_imported(module: str) -> None:
    code = f"""
try:
    import {module}
except ImportError:
    print("no import")
"""
    assert sealed(code) == "no import"


def test_a_pull_may_look_up_its_hosts_and_nothing_else_and_only_then() -> None:
    code = """
def look_up(name):
    try:
        socket.getaddrinfo(name, 443)
    except ConnectionRefused:
        return "refused"
    except OSError:
        pass
    return "tried"

with seal.opened(frozenset({"host.invalid"})):
    print(look_up("host.invalid"), look_up("cdn.host.invalid"), look_up("evilhost.invalid"))
print(look_up("host.invalid"))
"""
    assert sealed(code).split() == ["tried", "tried", "refused", "refused"]


def test_a_pull_may_use_the_users_proxy_and_it_is_put_away_afterwards() -> None:
    code = """
with seal.opened(frozenset()):
    print(os.environ.get("HTTPS_PROXY"))
    try:
        socket.getaddrinfo("proxy.invalid", 3128)
    except ConnectionRefused:
        print("refused")
    except OSError:
        print("tried")
print(os.environ.get("HTTPS_PROXY"))
"""
    said = sealed(code, HTTPS_PROXY="http://proxy.invalid:3128").split()
    assert said == ["http://proxy.invalid:3128", "tried", "None"]


@pytest.mark.parametrize("proxy", ["http://[proxy:3128", "http://:3128", ""])
def test_a_malformed_proxy_lets_nothing_else_through(proxy: str) -> None:
    code = """
with seal.opened(frozenset({"host.invalid"})):
    for name in ("host.invalid", "elsewhere.invalid."):
        try:
            socket.getaddrinfo(name, 443)
        except ConnectionRefused:
            print("refused")
        except OSError:
            print("tried")
"""
    assert sealed(code, HTTPS_PROXY=proxy).split() == ["tried", "refused"]


_TRY = """
def attempt(reach):
    try:
        reach()
    except ConnectionRefused:
        return "refused"
    except OSError:
        pass
    return "tried"

def connect(host, port):
    with socket.socket() as probe:
        probe.settimeout(0.1)
        probe.connect((host, port))
"""


def test_of_a_server_that_is_let_through_one_port_of_one_machine_can_be_reached() -> None:
    code = f"""{_TRY}
seal.let_through("192.0.2.1", 8000)
seal.let_through("192.0.2.1", 8000)
print(attempt(lambda: connect("192.0.2.1", 8000)))
print(attempt(lambda: connect("192.0.2.1", 8001)))
print(attempt(lambda: connect("192.0.2.2", 8000)))
print(attempt(lambda: socket.socket().bind(("192.0.2.1", 8000))))
print(attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 8000))))
print(attempt(lambda: socket.gethostbyname("192.0.2.1")))
print(attempt(lambda: seal.let_through("192.0.2.2", 8000)))
print(attempt(lambda: connect("192.0.2.2", 8000)))
"""
    assert sealed(code).split() == ["tried", *["refused"] * 7]


def test_of_a_server_that_is_let_through_by_name_only_what_the_name_stands_for_is_reached() -> None:
    code = f"""{_TRY}
seal.let_through("server.invalid", 8000)
print(attempt(lambda: socket.getaddrinfo("server.invalid", 8000)))
print(attempt(lambda: socket.getaddrinfo("server.invalid", 443)))
print(attempt(lambda: socket.getaddrinfo("www.server.invalid", 8000)))
print(attempt(lambda: connect("192.0.2.1", 8000)))
socket.getaddrinfo = lambda *_, **__: [(2, 1, 6, "", ("192.0.2.1", 8000))]
print(attempt(lambda: connect("192.0.2.1", 8000)))
print(attempt(lambda: connect("192.0.2.2", 8000)))
"""
    assert sealed(code).split() == ["tried", *["refused"] * 3, "tried", "refused"]


def test_a_crash_leaves_no_image_of_the_memory() -> None:
    code = """
import resource
print(*resource.getrlimit(resource.RLIMIT_CORE))
"""
    assert sealed(code) == "0 0"


def test_closing_twice_is_the_same_as_once() -> None:
    assert sealed("seal.close(); print(seal.is_closed())") == "True"
