"""How the next token is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from reframer.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: How daring: 0 always takes the likeliest token, 1 follows the model's odds.
        top_p: Only the likeliest tokens that together have this probability; 1 takes all.
        top_k: Only so many of the likeliest tokens; 0 takes all.
        min_p: Only tokens at least this many times as likely as the likeliest; 0 takes all.
        repeat_penalty: Divides the odds of the last 64 tokens said; 1 does nothing.
        max_tokens: The speech ends after so many tokens.
        seed: With the same seed, the same prompt gets the same answer, on the same machine and
            number of threads; None chooses anew each time.
        logprobs: Whether the answer also tells the log-probability of each of its tokens, in nats,
            as the model gives it before anything above.
    """

    temperature: float = 0.7
    top_p: float = 0.9
    top_k: int = 40
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    max_tokens: int = 256
    seed: int | None = None
    logprobs: bool = False

    def __post_init__(self) -> None:
        _check(0 <= self.temperature <= 5, "temperature", "a number from 0 to 5")
        _check(0 < self.top_p <= 1, "top_p", "above 0 and at most 1")
        _check(self.top_k >= 0, "top_k", "a whole number, at least 0")
        _check(0 <= self.min_p < 1, "min_p", "at least 0 and below 1")
        _check(0 < self.repeat_penalty <= 5, "repeat_penalty", "above 0 and at most 5")
        _check(self.max_tokens >= 1, "max_tokens", "a whole number, at least 1")
        _check(self.seed is None or 0 <= self.seed < 2**32 - 1, "seed", "from 0 to 4294967294")


def _check(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise UsageError(f"The model's {name} must be {wanted}.")
