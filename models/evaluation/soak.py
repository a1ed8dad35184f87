"""Does the engine hold for half an hour of everything at once? ``make soak``.

Talkers on threads of their own ask the default model all the time: short prompts and long ones,
some that are too long, in the foreground and behind, some of whom leave in the middle of an answer.
What has to hold: every answer comes and ends, no error but that of too long a prompt, and the
memory of the process stays within 50 MB of what it was once all had spoken.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter

import click
import psutil

from models.evaluation.voice import thoughts
from reframer import catalog, prompts, seal, settings
from reframer.errors import TextTooLong
from reframer.llama.chat import ChatLlama

_TALKERS = 24  # more than there are slots, so that some always wait
_WARM_SHARE = 0.2  # of the time; then everything that grows at first has grown
_MOST_GROWTH = 50e6  # bytes
_LONGEST_WAIT = 300.0  # seconds for one answer, with two dozen talkers on two cores
_TOKENS = 40
_LEAVES, _LONG, _TOO_LONG, _BEHIND = 0.2, 0.1, 0.02, 0.5  # shares of what is asked


class Soak:
    """Talkers and what they saw.

    Args:
        chat: The model.

    Attributes:
        seen: How many answers ended, were left, were refused as too long, or failed.
        slowest: Seconds of the answer that took longest.
        problems: What should not have been.
    """

    def __init__(self, chat: ChatLlama) -> None:
        self._chat = chat
        self._thoughts = [asked.thought for asked in thoughts()]
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.slowest = 0.0
        self.problems: list[str] = []

    def run(self, seconds: float) -> None:
        """Let all talk for so long, with a line a minute on how it goes."""
        talkers = [threading.Thread(target=self._talk, args=(seed,)) for seed in range(_TALKERS)]
        for talker in talkers:
            talker.start()
        began, warm = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(60.0, seconds / 10))
            held = psutil.Process().memory_info().rss
            if not warm and passed >= _WARM_SHARE * seconds:
                warm = held
            sys.stdout.write(f"{passed / 60:5.1f} min  {held / 1e6:,.0f} MB  {dict(self.seen)}\n")
            sys.stdout.flush()
        self._over.set()
        for talker in talkers:
            talker.join(_LONGEST_WAIT)
        if any(talker.is_alive() for talker in talkers):
            self.problems.append("an answer never ended")
        growth = psutil.Process().memory_info().rss - warm
        if growth > _MOST_GROWTH:
            self.problems.append(f"the memory grew by {growth / 1e6:.0f} MB")

    def _talk(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - chooses what is asked
        while not self._over.is_set():
            began = time.monotonic()
            try:
                how = self._ask(rng)
            except TextTooLong:
                how = "too long"
            except Exception as error:  # whatever it is, it is what is looked for
                how = "failed"
                self.problems.append(f"{type(error).__name__}: {error}")
            with self._lock:
                self.seen[how] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _ask(self, rng: random.Random) -> str:
        thought = rng.choice(self._thoughts)
        if rng.random() < _LONG:
            thought = " ".join(rng.choices(self._thoughts, k=8))
        if rng.random() < _TOO_LONG:
            thought *= 200
        words = self._chat.stream(
            prompts.opening(thought),
            seed=rng.randrange(1000),
            max_tokens=_TOKENS,
            background=rng.random() < _BEHIND,
        )
        leaves_after = rng.randrange(10) if rng.random() < _LEAVES else None
        for number, _ in enumerate(words):
            if number == leaves_after:
                words.close()  # type: ignore[attr-defined]
                return "left"
        return "ended"


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
def main(minutes: float) -> None:
    """Let the engine work for so long, and say what should not have been."""
    seal.close()
    chat = ChatLlama.from_catalog(catalog.default("chat"), settings.load().models_dir)
    soak = Soak(chat)
    soak.run(minutes * 60)
    sys.stdout.write(f"{dict(soak.seen)}, the slowest after {soak.slowest:.0f} s\n")
    for problem in soak.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    sys.exit(bool(soak.problems))


if __name__ == "__main__":
    main()
