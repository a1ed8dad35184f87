"""How many threads this process may usefully run, and what they open but once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


@cache
def usable_cores() -> int:
    """Return the physical cores that this process may use, at least 1.

    Hyper-threads do not help matrix work; CPU affinity and a control group's quota (containers)
    limit what the machine has.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [psutil.cpu_count(logical=False), allowed, _quota()]
    return max(1, min(limit for limit in limits if limit))


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that makes something when first called; other threads wait for it.

    Where making it fails, the next call tries again.
    """
    lock = threading.Lock()
    made: list[T] = []

    def get() -> T:
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return get


def _quota() -> int | None:
    """Return the cores that a version 2 control group grants, or None where nothing is set."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None
