"""Count how often what rules say back is right: ``python -m models.training.mirror``.

``said.tsv`` holds sentences that rules made of thoughts which neither the reader nor the voice
learned from, each marked by a reader. The rules were mended by them, so new thoughts fare somewhat
worse.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from reframer import settings
from reframer.critic import Critic
from reframer.mirror import said_back
from reframer.reader import Reader
from reframer.records import Thought

_MARKS = Path(__file__).with_name("said.tsv")
_MEANING = {"2": "what hurts", "1": "beside the point", "0": "must not be said", "": "not marked"}


def read() -> dict[str, dict[str, str]]:
    """Return the marks: by thought, then by what is said."""
    marks: dict[str, dict[str, str]] = {}
    for line in _MARKS.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            mark, said, thought = line.split("\t")
            marks.setdefault(thought, {})[said] = mark
    return marks


@click.command()
def main() -> None:
    """Print how many of the thoughts something is said back of, and its marks."""
    critic = Critic(Reader.from_catalog(settings.load().models_dir))

    def sounds_harsh(words: str) -> bool:
        return any(notice.self_critical for notice in critic.notice(words))

    marks = read()
    counts: Counter[str] = Counter()
    for thought, of_thought in marks.items():
        if said := said_back(Thought(thought), sounds_harsh):
            counts[of_thought.get(said.text, "")] += 1
    click.echo(f"Of {len(marks)} thoughts, something is said back of {counts.total()}:")
    for mark, meaning in _MEANING.items():
        click.echo(f"  {meaning}: {counts[mark]} ({counts[mark] / counts.total():.0%})")


if __name__ == "__main__":
    main()
