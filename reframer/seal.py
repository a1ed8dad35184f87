"""The seal: no byte leaves this machine.

Every entry point imports this module first and calls `close`. From then on

1. variables that would make a library report, trace, share or fetch are gone or switched off,
2. libraries that go around Python's audit hooks or report on import cannot be imported,
3. every attempt of this process to look up a name, connect, send or listen anywhere but on this
   machine itself raises `ConnectionRefused`,
4. a crash leaves no image of the memory, with what was written in it, on the disk.

There are two exceptions: `opened`, which `reframer models pull` enters for the catalogue's hosts,
and `let_through`, for the one model server that the user's own settings file names. Python offers
no way to remove an audit hook, so nothing in the process can undo the seal.
"""

from __future__ import annotations

import ipaddress
import os
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from reframer.errors import ConnectionRefused

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_REMOVED_PREFIXES = (
    *("LANGSMITH_", "LANGCHAIN_", "CHROMA_", "GRADIO_", "OTEL_", "HF_", "ORT_"),
    *("OPENAI_LOG", "OPENAI_PROXY"),  # would print what is written, or send it another way
)
SWITCHES = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
# uvloop opens sockets in C, unseen by audit hooks; onnxruntime reports from C++ on import.
BLOCKED_MODULES = ("uvloop", "onnxruntime")
_SOCKET_EVENTS = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_NAME_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_ADDRESS_EVENTS = frozenset({"socket.getnameinfo"})
_LOCAL_NAMES = frozenset({"", "localhost", "127.0.0.1", "::1"})

_closed = False
_allowed_hosts: frozenset[str] = frozenset()
_server: tuple[str, int] | None = None
_kept_proxies: dict[str, str] = {}


def switch_off_reporting() -> None:
    """Clean the environment of this process, so that libraries neither report nor fetch."""
    for name in list(os.environ):
        if name.upper() in _PROXIES:
            _kept_proxies[name] = os.environ.pop(name)
        elif name.startswith(_REMOVED_PREFIXES):
            del os.environ[name]
    os.environ.update(SWITCHES)


def close() -> None:
    """Seal this process for good. Calling it again does nothing."""
    global _closed
    if _closed:
        return
    _closed = True
    switch_off_reporting()
    for name in BLOCKED_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse)


def is_closed() -> bool:
    """Return whether this process is sealed."""
    return _closed


@contextmanager
def opened(hosts: frozenset[str]) -> Iterator[None]:
    """Let this process reach the given hosts, and the user's proxy, while the body runs.

    Args:
        hosts: Host names that may be looked up and connected to, with their subdomains.
    """
    global _allowed_hosts
    proxies = {_host(url) for name, url in _kept_proxies.items() if name.upper() != "NO_PROXY"}
    os.environ.update(_kept_proxies)
    _allowed_hosts = hosts | (proxies - {""})
    try:
        yield
    finally:
        _allowed_hosts = frozenset()
        for name in _kept_proxies:
            os.environ.pop(name, None)


def _host(url: str) -> str:
    """Return a proxy's host; empty where its address names none, or is malformed."""
    try:
        return urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""


def let_through(host: str, port: int) -> None:
    """Let this process reach one port of one other machine, for good.

    Args:
        host: The machine's name or address. The name may be looked up, and what it stands for be
            connected to; nothing else changes.
        port: The port.

    Raises:
        ConnectionRefused: Another one was let through before; there can be only one.
    """
    global _server
    if _server not in (None, (host, port)):
        raise ConnectionRefused(
            "This process may reach one other machine and was to reach another.", "Start it anew."
        )
    _server = (host, port)


def is_local(host: str) -> bool:
    """Return whether a host's name or address is this machine."""
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: raise `ConnectionRefused` for what would leave this machine."""
    if event in _NAME_EVENTS:
        _check(event, _text(args[0]), args[1] if event == "socket.getaddrinfo" else None)
    elif event in _ADDRESS_EVENTS:
        _check(event, _text(args[0][0]))
    elif event in _SOCKET_EVENTS:
        address = args[1]
        if isinstance(address, tuple):  # an IP address; Unix sockets have a path here
            _check(event, _text(address[0]), *address[1:2])


def _check(event: str, host: str, port: object = None) -> None:
    listens_everywhere = event == "socket.bind" and not host
    if not listens_everywhere and (
        is_local(host) or _is_allowed(event, host) or _is_server(event, host, port)
    ):
        return
    raise ConnectionRefused(
        f"{_caller()} tried to reach another machine ({event.removeprefix('socket.')}); refused.",
        "Nothing was sent.",
    )


def _is_allowed(event: str, host: str) -> bool:
    if not _allowed_hosts:
        return False
    # Names are checked when they are looked up; the addresses they stand for come back from there.
    if event == "socket.connect":
        return True
    return any(host == name or host.endswith(f".{name}") for name in _allowed_hosts)


def _is_server(event: str, host: str, port: object) -> bool:
    if _server is None or port != _server[1]:
        return False
    if event == "socket.getaddrinfo":
        return host == _server[0]
    return event == "socket.connect" and host in _addresses(*_server)


def _addresses(name: str, port: int) -> set[str]:
    """Return the addresses that a name stands for just now."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(address[0]) for *_, address in found}


def _text(host: str | bytes | bytearray | None) -> str:
    """Return a host in any of the forms in which a socket takes it; None is this machine."""
    if isinstance(host, bytes | bytearray):
        return host.decode("ascii", "replace")
    return host or ""


def _caller() -> str:
    """Name the module outside the standard library's networking that asked."""
    frame = sys._getframe(2)
    skipped = ("socket", "asyncio", "ssl", "http", "urllib", "selectors", __name__)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "?"))
        if not module.startswith(skipped):
            return module.split(".")[0]
        frame = frame.f_back  # type: ignore[assignment]
    return "Something"
