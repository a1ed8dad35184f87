"""Where things lie: what ships with the program, and the user's own folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("reframer", appauthor=False)


def asset(*parts: str) -> Path:
    """Return a file or folder that ships with the program.

    In an installed wheel the assets lie inside the package; in a checkout, beside it.
    """
    packaged = Path(__file__).parent / "assets"
    root = packaged if packaged.is_dir() else Path(__file__).parent.parent
    return root.joinpath(*parts)


def package_file(*parts: str) -> Path:
    """Return a file that lies beside the code."""
    return Path(__file__).parent.joinpath(*parts)


def config_dir() -> Path:
    """Return the folder of the settings file."""
    return _DIRS.user_config_path


def data_dir() -> Path:
    """Return the folder of what is worth keeping: models, the history, journals' checkpoints."""
    return _DIRS.user_data_path


def cache_dir() -> Path:
    """Return the folder of what can be made again: the search index."""
    return _DIRS.user_cache_path


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner can enter, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Write a file so that it is there whole or not at all.

    The bytes go to a temporary file beside the target, are forced to disk, and the name is changed
    at the end. The file is readable by its owner only. When the body raises, the old file stays.

    Args:
        path: The file to write.

    Yields:
        The open temporary file.
    """
    private_dir(path.parent)
    # Its name owes nothing to the target's, which may be as long as names can be.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".reframer-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            flush(file)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def flush(file: BinaryIO) -> None:
    """Force what was written to an open file onto the disk."""
    file.flush()
    os.fsync(file.fileno())
