"""What a GGUF file says about itself, read without loading it.

The layout is that of the format's specification, versions 2 and 3: magic bytes, version, counts,
metadata, one description for each tensor, then the tensors' data.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reframer.errors import ModelDamaged, ModelError, ModelMissing

Value = str | int | float | bool

_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_FORMATS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_ALIGNMENT = 32
_KEY_VALUE_BYTES = 2  # 16-bit floats


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies in a file.

    Attributes:
        name: Its name.
        shape: Its lengths, the outermost dimension first.
        kind: Number of its type: 0 for 32-bit floats, 1 for 16-bit floats, others are packed.
        begin: Position of its first byte behind that of the first tensor.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    begin: int


@dataclass(frozen=True, slots=True)
class Header:
    """The description at the beginning of a GGUF file.

    Attributes:
        values: The metadata, without what is a list (vocabularies).
        tensors: The tensors.
        begin: Position of the first tensor's first byte.
        bytes: Size of the file.
    """

    values: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    begin: int
    bytes: int

    @property
    def architecture(self) -> str:
        """Name of the kind of network; metadata about its shape begin with it."""
        return str(self.values.get("general.architecture", ""))

    @property
    def chat_template(self) -> str:
        """The Jinja template that turns messages into a prompt; empty where there is none."""
        return str(self.values.get("tokenizer.chat_template", ""))

    @property
    def context(self) -> int:
        """Longest context that the model was made for, in tokens; 0 where it is not said."""
        return self._shape("context_length")

    def memory(self, context: int) -> int:
        """Return the bytes that the model needs while it speaks.

        That is the file, which is mapped into memory, and the keys and values that attention keeps
        for every token of the context: 2 * layers * heads * width of a head * 2 bytes.

        Args:
            context: Length of the context in tokens.
        """
        heads = self._shape("attention.head_count", 1)
        width = self._shape(
            "attention.key_length", self._shape("embedding_length") // max(heads, 1)
        )
        kept = self._shape("block_count") * self._shape("attention.head_count_kv", heads) * width
        return self.bytes + 2 * kept * _KEY_VALUE_BYTES * context

    def _shape(self, key: str, default: int = 0) -> int:
        length = self.values.get(f"{self.architecture}.{key}")
        return length if isinstance(length, int) and length >= 0 else default


def read_header(path: Path) -> Header:
    """Read what a GGUF file says about itself.

    Args:
        path: The file.

    Raises:
        ModelMissing: There is no such file.
        ModelDamaged: It is not a GGUF file, or its end is missing.
        ModelError: It cannot be read.
    """
    try:
        if not path.is_file():
            raise ModelMissing(f"There is no model file {path}.", "Check the path.")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(data, path)
    except (struct.error, ValueError, OverflowError) as error:
        raise _damaged(path, "it is cut off or garbled") from error
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read: {error.strerror}.") from error


def _parse(data: mmap.mmap, path: Path) -> Header:
    reader = _Reader(data)
    if data[:4] != b"GGUF":
        raise _damaged(path, "it is not a GGUF file")
    reader.skip(4)
    if (version := reader.number("I")) not in _VERSIONS:
        raise _damaged(path, f"its format has version {version}, not 2 or 3")
    count, entries = int(reader.number("Q")), int(reader.number("Q"))
    values: dict[str, Value] = {}
    for _ in range(entries):
        key, kind = reader.text(), int(reader.number("I"))
        if kind == _ARRAY:
            reader.skip_array()
        else:
            values[key] = reader.value(kind)
    tensors = tuple(reader.tensor() for _ in range(count))
    alignment = int(values.get("general.alignment", _ALIGNMENT)) or _ALIGNMENT
    begin = -(-reader.position // alignment) * alignment
    if tensors and begin + max(tensor.begin for tensor in tensors) >= len(data):
        raise _damaged(path, "its end is missing")
    return Header(values, tensors, begin, len(data))


def _damaged(path: Path, reason: str) -> ModelDamaged:
    return ModelDamaged(
        f"The model file {path} cannot be used: {reason}.", "Fetch it again, or choose another."
    )


class _Reader:
    """Reads one value after the other from bytes; raises `struct.error` behind their end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.position = 0

    def number(self, form: str) -> int | float | bool:
        (value,) = struct.unpack_from(f"<{form}", self._data, self.position)
        self.position += struct.calcsize(f"<{form}")
        number: int | float | bool = value
        return number

    def text(self) -> str:
        length = int(self.number("Q"))
        begin = self.position
        self.skip(length)
        return self._data[begin : self.position].decode()

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.text()
        return self.number(self._format(kind))

    def skip(self, count: int) -> None:
        self.position += count
        if self.position > len(self._data):
            raise struct.error("behind the end")

    def skip_array(self) -> None:
        kind, count = int(self.number("I")), int(self.number("Q"))
        if kind != _STRING:
            self.skip(struct.calcsize(f"<{self._format(kind)}") * count)
            return
        # Vocabularies have some 300,000 entries: the one place here where speed shows.
        length_at, data, position = struct.Struct("<Q").unpack_from, self._data, self.position
        for _ in range(count):
            position += 8 + length_at(data, position)[0]
        self.position = position

    def tensor(self) -> Tensor:
        name = self.text()
        lengths = [int(self.number("Q")) for _ in range(int(self.number("I")))]
        kind = int(self.number("I"))
        return Tensor(name, tuple(reversed(lengths)), kind, int(self.number("Q")))

    @staticmethod
    def _format(kind: int) -> str:
        if kind not in _FORMATS:
            raise struct.error("an unknown kind of value")
        return _FORMATS[kind]
