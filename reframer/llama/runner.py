"""The worker thread: takes rows from any thread, and steps the scheduler while there are any."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from reframer.errors import ModelError
from reframer.llama.context import Context, Sampler
from reframer.llama.scheduler import Row, Scheduler


class Runner:
    """Computes rows on a thread of its own.

    Args:
        context: The model's memory, which belongs to that thread from now on.
        release: Frees the model and its memory; called when the thread ends.
    """

    def __init__(self, context: Context, release: Callable[[], None]) -> None:
        self._release = release
        self._scheduler: Scheduler[Sampler] = Scheduler(context)
        self._inbox: SimpleQueue[Row[Sampler] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="llama", daemon=True)
        self._thread.start()

    def submit(self, row: Row[Sampler]) -> None:
        """Let a row be computed; its listener hears the answer."""
        self._inbox.put(row)

    def close(self) -> None:
        """End the thread after the step that is being computed, and wait until all is freed.

        Python may collect a model on any thread, on this one too, which cannot wait for itself.
        """
        self._inbox.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while self._take_in():
            try:
                self._scheduler.step()
            except BaseException as error:  # it belongs to those who listen, not to this thread
                failure = ModelError("The model failed while it spoke.", "Try again.")
                failure.__cause__ = error
                self._scheduler.fail(failure)
        self._release()

    def _take_in(self) -> bool:
        """Take what came in, waiting for something where there is nothing to do.

        Returns:
            Whether to go on.
        """
        while True:
            try:
                row = self._inbox.get(block=self._scheduler.idle)
            except Empty:
                return True
            if row is None:
                return False
            self._scheduler.add(row)
