"""Settings: defaults < file < environment < flags; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from reframer import paths
from reframer.errors import SettingsError
from reframer.records import PERSONS, TONES, VOICES, Person, Tone, Voice, Wishes

TextSize = Literal["normal", "large", "larger"]
TEXT_SIZES: tuple[TextSize, ...] = TextSize.__args__  # type: ignore[attr-defined]

_PREFIX = "REFRAMER_"
_TWO_LETTERS = re.compile("[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may choose. Every field is a key of the file and a variable ``REFRAMER_<KEY>``.

    Attributes:
        model: Id of a model in the catalogue, the path of a GGUF file, or ``openai:NAME`` or
            ``ollama:NAME`` for a model at a server; empty for the default.
        base_url: Beginning of the server's addresses, like ``http://127.0.0.1:8000/v1``.
        models_dir: Folder of the model files.
        cards_dir: Folder of the user's own technique cards.
        country: Two-letter country code for helplines (ISO 3166-1, and UK for GB); empty to go by
            the locale.
        tone: How the friend speaks as a matter of course.
        voice: Whom the words are for.
        person: ``you`` for a friend's words, ``i`` for words to say to oneself.
        text_size: Size of the letters on the page.
        threads: Threads for the model; 0 to use the physical cores this process may use.
        context: Context of the model in tokens.
        port: Port of the chat page on 127.0.0.1.
    """

    model: str = ""
    base_url: str = ""
    models_dir: Path = dataclasses.field(default_factory=lambda: paths.data_dir() / "models")
    cards_dir: Path = dataclasses.field(default_factory=lambda: paths.config_dir() / "cards")
    country: str = ""
    tone: Tone = "gentle"
    voice: Voice = "adult"
    person: Person = "you"
    text_size: TextSize = "normal"
    threads: int = 0
    context: int = 2048
    port: int = 7865

    @property
    def wishes(self) -> Wishes:
        """How the person would like to be spoken to as a matter of course."""
        return Wishes(self.tone, self.voice, self.person)

    @property
    def served(self) -> bool:
        """Whether the model is at a server."""
        kind, colon, _ = self.model.partition(":")
        return bool(colon) and "/" not in kind

    def __post_init__(self) -> None:
        _check(
            not self.base_url or _is_address(self.base_url),
            "base_url",
            "an address like http://127.0.0.1:8000/v1",
        )
        _check(0 <= self.threads <= 1024, "threads", "a number from 0 to 1024")
        _check(512 <= self.context <= 131072, "context", "a number from 512 to 131072")
        _check(1 <= self.port <= 65535, "port", "a number from 1 to 65535")
        _check(
            self.country == "" or bool(_TWO_LETTERS.fullmatch(self.country)),
            "country",
            "a two-letter code like GB",
        )
        _check_choice("tone", self.tone, TONES)
        _check_choice("voice", self.voice, VOICES)
        _check_choice("person", self.person, PERSONS)
        _check_choice("text_size", self.text_size, TEXT_SIZES)
        if self.country.upper() == "UK":  # what people write; the help lines go by ISO 3166-1
            object.__setattr__(self, "country", "GB")


def settings_file() -> Path:
    """Return the path of the settings file, whether or not it exists."""
    return paths.config_dir() / "settings.toml"


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings.

    Args:
        flags: Values from the command line; None values count as not given.
        file: The settings file; by default the user's. It need not exist.
        environ: Environment; by default that of this process.

    Raises:
        SettingsError: A key is unknown, a value is impossible, or the file is not TOML.
    """
    file = settings_file() if file is None else file
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = _read_file(file)
    known = {field.name for field in dataclasses.fields(Settings)}
    given |= {
        key.removeprefix(_PREFIX).lower(): value
        for key, value in environ.items()
        if key.startswith(_PREFIX)
    }
    given |= {key: value for key, value in (flags or {}).items() if value is not None}
    for key in given:
        if key not in known:
            raise SettingsError(
                f"There is no setting named {key!r} (looked in {file} and at {_PREFIX}...).",
                f"Known settings: {', '.join(sorted(known))}.",
            )
    return Settings(**{key: _convert(key, value) for key, value in given.items()})


def save(changes: Mapping[str, str | int], *, file: Path | None = None) -> None:
    """Remember some settings in the file; its other keys and its comments stay as they are.

    Args:
        changes: New values by the names of the settings.
        file: The settings file; by default the user's. It need not exist.

    Raises:
        SettingsError: A value is impossible, the file is not TOML, or it cannot be written.
    """
    import tomlkit  # only a change needs it

    file = settings_file() if file is None else file
    load(changes, file=file, environ={})
    document = tomlkit.parse(file.read_text(encoding="utf-8") if file.exists() else "")
    document.update(changes)
    # A symbolic link, as people who keep their settings elsewhere have it, stays one.
    place = file.resolve() if file.is_symlink() else file
    try:
        with paths.atomic_write(place) as target:
            target.write(tomlkit.dumps(document).encode())
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be written: {error}.", "") from error


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error}.", "") from error


def _convert(key: str, value: Any) -> Any:
    """Turn a text from the file or the environment into the field's type."""
    if key in ("threads", "context", "port"):
        _check(not isinstance(value, bool) and str(value).isdecimal(), key, "a whole number")
        return int(value)
    _check(isinstance(value, str | Path), key, "a text in quotes")
    return Path(value).expanduser() if key in ("models_dir", "cards_dir") else value


def _is_address(url: str) -> bool:
    """Return whether a URL is that of a server: a scheme, a host, perhaps a port and a path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = port != 0 and not (parts.query or parts.fragment or "@" in parts.netloc)
    return url.isascii() and parts.scheme in ("http", "https") and bool(parts.hostname) and bare


def _check_choice(key: str, value: str, known: tuple[str, ...]) -> None:
    _check(value in known, key, f"one of {', '.join(known)}")


def _check(holds: bool, key: str, wanted: str) -> None:
    if not holds:
        raise SettingsError(f"The setting {key!r} must be {wanted}.", "")
