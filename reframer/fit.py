"""Does an answer speak of what the thought speaks of, and of nothing else?

A small model's draft can be well formed and beside the point. What tells the two apart is words:
those that an answer shares with its thought, the rarer the better, and those that neither the
thought nor a friend's usual vocabulary holds. Both are learned from the cards' examples.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reframer.records import Technique
from reframer.sentences import stems

# On held-out examples, nearly all answers to another thought lie below this score, and a quarter of
# the right answers (docs/log.md). What is refused wrongly costs a draft; the other way round
# somebody reads words that miss them.
LEAST = 3.0

_STRANGER = 2.0  # what a word from nowhere costs
_COMMON = 1.0  # inverse document frequency, in nats, from which a shared word counts
# A word that came up by itself in this share of the answers is part of a friend's vocabulary.
_USUAL = 0.0035


@dataclass(frozen=True, slots=True)
class Fit:
    """What answers are measured with.

    Attributes:
        rarity: Inverse document frequency of each stem in the examples, in nats.
        vocabulary: Stems that a friend uses whatever the thought is about.
        rarest: Rarity of a stem that no example holds.
    """

    rarity: dict[str, float]
    vocabulary: frozenset[str]
    rarest: float

    @classmethod
    def learn(cls, techniques: Iterable[Technique]) -> Fit:
        """Learn from the cards; the held-out examples are left out."""
        seen: Counter[str] = Counter()
        brought: Counter[str] = Counter()
        usual: set[str] = set()
        count = 0
        for technique in techniques:
            usual |= {stem for text in technique.words for stem in stems(text)}
            for example in technique.examples:
                if not example.held_out:
                    thought, answer = stems(example.thought), stems(example.answer)
                    seen.update(thought | answer)
                    brought.update(answer - thought)
                    count += 1
        rarity = {stem: math.log(count / (1 + times)) for stem, times in seen.items()}
        usual |= {stem for stem, times in brought.items() if times >= _USUAL * count}
        return cls(rarity, frozenset(usual), math.log(max(count, 1)))

    def score(self, answer: str, thought: str) -> float:
        """Return how well an answer fits a thought; compare it with `LEAST`."""
        said, told = stems(answer), stems(thought)
        shared = sum(max(0.0, self._rarity(stem) - _COMMON) for stem in said & told)
        return shared - _STRANGER * len(said - told - self.vocabulary)

    def _rarity(self, stem: str) -> float:
        return self.rarity.get(stem, self.rarest)
