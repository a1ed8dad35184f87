"""Keeps the page to the person who opened it.

A server on 127.0.0.1 can be reached by every program and every user of the machine, and, through
the browser, by any web page that is open. This middleware lets a request through only when

1. it names this page's own address (no other host name that resolves here),
2. it comes from the page itself or from the address bar, not from another site or through a proxy,
3. it asks for a path that the page needs,
4. the connection is not another user's,
5. it carries the cookie that the secret link of this launch set,
6. it is not larger than a text can be,

and marks every response so that the browser stores nothing and loads nothing from elsewhere.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import socket
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LARGEST_BODY = 1_000_000
_FIRST_SITES = ("same-origin", "none", None)
_CONNECTIONS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_PATHS = ("/", "/config", "/theme.css", "/manifest.json", "/favicon.ico")
_PUBLIC = ("/assets/", "/static/", "/svelte/")  # what comes with Gradio, the same for everyone
_FOLDERS = (*_PUBLIC, "/gradio_api/heartbeat/")
_CALLS = tuple(
    f"/gradio_api/{name}"
    for name in (
        "info",
        "startup-events",
        "app_id",
        "run/predict",
        "queue/join",
        "queue/data",
        "cancel",
        "reset",
    )
)
# Gradio asks its own server this once, without a cookie, while it starts.
_OPEN = ("/gradio_api/startup-events",)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses whatever is not the page's own.

    Args:
        app: The page.
        port: The port it listens on.
        token: The secret of this launch, from `new_token`.
    """

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self._app = app
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._port = port
        self._token = token
        self._cookie = f"reframer-{port}"  # a browser sends a cookie to all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to the page."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _capped(receive), _marked(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that may not pass, None for one that may."""
        headers = Headers(scope=scope)
        path = scope["path"]
        named = headers.getlist("host")  # more than one is a trick
        if named not in [[host] for host in self._hosts] or not self._from_here(headers):
            return _text(403, "This page answers only to itself.")
        if int(headers.get("content-length", "0") or 0) > _LARGEST_BODY:
            return _text(413, "That is longer than a text can be.")
        if not (path in _PATHS + _CALLS or path.startswith(_FOLDERS)) or ".." in path:
            return _text(404, "There is nothing here.")
        if not path.startswith(_PUBLIC) and _is_anothers(scope["client"], self._port):
            return _text(403, "This page answers only to the user who opened it.")
        if path in _OPEN or self._knows_token(headers.get("cookie", "")):
            return None
        return self._admit(scope)

    def _from_here(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        known = {f"http://{host}" for host in self._hosts}
        direct = not any(name.startswith(("x-forwarded", "forwarded")) for name in headers)
        from_page = headers.get("sec-fetch-site") in _FIRST_SITES
        return direct and from_page and (origin is None or origin in known)

    def _knows_token(self, cookie: str) -> bool:
        return self._same(cookie_parser(cookie).get(self._cookie, ""))

    def _admit(self, scope: Scope) -> Response:
        """Exchange the secret of the link for the cookie."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("k", [""])[0]
        if scope["path"] != "/" or not self._same(given):
            return _text(401, "Please open the address that reframer shows in the terminal.")
        response = RedirectResponse("/", status_code=303, headers=_HEADERS)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return response

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def new_token() -> str:
    """Return a secret for one launch."""
    return secrets.token_urlsafe(24)


def _is_anothers(client: tuple[str, int], server: int) -> bool:
    """Whether Linux knows the other end of a connection to be another user's, not root's.

    The secret can be read in the command line of the browser that is opened with the link, and
    the cookie goes to whatever else the browser opens on this host.

    Args:
        client: The other end's address and port.
        server: This page's port.
    """
    address, port = socket.inet_aton(client[0])[::-1].hex().upper(), client[1]
    row = re.compile(rf"{address}:{port:04X} \w+:{server:04X} (?:\S+ +){{4}}(\d+)")
    for table in _CONNECTIONS:  # reading one takes milliseconds; the first nearly always has it
        found = row.findall(table.read_text()) if table.exists() else ()
        if found:
            return not {int(uid) for uid in found} <= {0, os.getuid()}
    return False


def _text(status: int, words: str) -> Response:
    return PlainTextResponse(words, status, headers=_HEADERS)


def _capped(receive: Receive) -> Receive:
    """Cut off a body that grows beyond the limit, also one that does not say its length."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > _LARGEST_BODY else message

    return limited


def _marked(send: Send) -> Send:
    """Add the protecting headers to every response."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return marked
