"""Write the vectors of the cards' own texts: ``python -m models.training.retrieval``."""

from __future__ import annotations

import click
import numpy as np

from reframer import paths, settings
from reframer.affinity import VECTORS
from reframer.embedding import LocalEmbeddings
from reframer.knowledge import example_id, load_techniques
from reframer.retrieval import card_text


@click.command()
def main() -> None:
    """Write the vectors; the held-out examples have none."""
    techniques = load_techniques()
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    examples = [example for card in techniques for example in card.examples if not example.held_out]
    texts = [example.thought for example in examples] + [card_text(card) for card in techniques]
    ids = [example_id(text) for text in texts]
    vectors = embeddings.vectors(texts).astype(np.float16)
    np.savez(paths.asset(*VECTORS), ids=ids, vectors=vectors)
    click.echo(f"{len(examples)} examples, {len(techniques)} techniques")


if __name__ == "__main__":
    main()
