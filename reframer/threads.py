"""How many threads this process may usefully run."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil


@cache
def usable_cores() -> int:
    """Return the physical cores that this process may use, at least 1.

    Hyper-threads do not help matrix work; CPU affinity and a control group's quota (containers)
    limit what the machine has.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [psutil.cpu_count(logical=False), allowed, _quota()]
    return max(1, min(limit for limit in limits if limit))


def _quota() -> int | None:
    """Return the cores that a version 2 control group grants, or None where nothing is set."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None
