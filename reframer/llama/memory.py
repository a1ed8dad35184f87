"""How much memory this process may still take."""

from __future__ import annotations

from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes that can be had without pushing anything else out of memory.

    That is what the machine has available, or less where a control group (containers) says so.

    Args:
        cgroup: Folder of the control group.
    """
    available = int(psutil.virtual_memory().available)
    granted = _granted(cgroup, "memory.max", "memory.current")
    if granted is None:  # the older layout
        granted = _granted(cgroup / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
    return available if granted is None else max(0, min(available, granted))


def _granted(folder: Path, limit: str, usage: str) -> int | None:
    """Return what is left of a control group's limit, or None where nothing is set.

    Pages of files that were read count as used there, but are given back on demand.
    """
    try:
        left = int((folder / limit).read_text()) - int((folder / usage).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = {name: int(value) for name, value in map(str.split, lines)}
    except (OSError, ValueError):
        return None
    return left + stat.get("inactive_file", 0) + stat.get("active_file", 0)
