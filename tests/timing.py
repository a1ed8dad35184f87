"""How long something takes, in tests that say how that grows."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable


def seconds_for(work: Callable[[], object]) -> float:
    """Return the processor's time for some work, in seconds.

    The garbage collector stands still meanwhile: its time grows with all that the process holds.
    """
    return timeit.timeit(work, timer=time.process_time, number=1)
