"""Which model server the settings name, and whether words may go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from reframer import seal, settings
from reframer.errors import ModelUnknown, ReframerError, SettingsError
from reframer.settings import Settings

_USUAL_URLS = {"openai": "", "ollama": "http://127.0.0.1:11434/v1"}
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model is served.

    Attributes:
        model: Its name there.
        url: Beginning of the server's addresses.
    """

    model: str
    url: str

    @classmethod
    def named_by(cls, chosen: Settings) -> Self:
        """Return the server that the settings name.

        Args:
            chosen: Settings whose model is ``openai:NAME`` or ``ollama:NAME``.

        Raises:
            ModelUnknown: The model is neither.
            SettingsError: It is not said where the server is.
        """
        kind, _, model = chosen.model.partition(":")
        if kind not in _USUAL_URLS:
            raise ModelUnknown(
                "There is no such kind of model server.",
                "Write openai:NAME, for any server that speaks OpenAI's protocol, or ollama:NAME.",
            )
        url = chosen.base_url or _USUAL_URLS[kind]
        if not url:
            raise SettingsError(
                "It is not said where the model is served.",
                "Give its address as base_url or --base-url, like http://127.0.0.1:8000/v1.",
            )
        return cls(model, url)

    @property
    def host(self) -> str:
        """Name or address of the machine."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        parts = urlsplit(self.url)
        return parts.port or _USUAL_PORTS[parts.scheme]

    @property
    def place(self) -> str:
        """Host and port, as people write them."""
        return f"{self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether it is this machine."""
        return seal.is_local(self.host)

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return urlsplit(self.url).scheme == "https"


def destination(chosen: Settings) -> str:
    """Return the other machine that words will go to; empty where they stay on this one."""
    try:
        server = Server.named_by(chosen) if chosen.served else None
    except ReframerError:
        return ""  # there is no such server, so nothing goes to it
    return "" if server is None or server.is_here else server.host


def let_through(chosen: Settings) -> None:
    """Open the seal for the server that the settings name, if it is another machine.

    Raises:
        ModelUnknown: There is no such kind of server.
        SettingsError: It is not said where the server is, or it is another machine that the
            settings file does not name.
        ConnectionRefused: The seal was opened for another server before.
    """
    server = Server.named_by(chosen) if chosen.served else None
    if server is None or server.is_here:
        return
    written = settings.load(environ={}).base_url
    if not written or Server("", written).place != server.place:
        raise SettingsError(
            f"The model server {server.place} is another machine, which would see what you write.",
            f'If you trust it, write into {settings.settings_file()}: base_url = "{server.url}"',
        )
    seal.let_through(server.host, server.port)


def promise(chosen: Settings) -> str:
    """Return the sentence on what becomes of what is written, for whoever is about to write."""
    if host := destination(chosen):
        return f"What you write goes to {host}; nothing of it is kept here unless you keep it."
    return "Nothing you write leaves this machine, and nothing is kept unless you keep it."
