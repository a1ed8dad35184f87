"""Learn which technique a thought calls for: ``python -m models.training.retrieval``.

Writes the regression of `reframer.affinity`, from the examples that are not held out, and the
vectors of the cards' own texts.
"""

from __future__ import annotations

import click
import numpy as np

from models.training import regression
from reframer import paths, settings
from reframer.affinity import VECTORS, WEIGHTS, features
from reframer.embedding import LocalEmbeddings, unit
from reframer.knowledge import example_id, load_techniques
from reframer.retrieval import card_text

_PENALTY = 2e-3  # chosen by three-fold cross-validation (docs/log.md)


@click.command()
def main() -> None:
    """Write the weights and the vectors."""
    techniques = load_techniques()
    embeddings = LocalEmbeddings.from_catalog(settings.load().models_dir)
    names = [technique.id for technique in techniques]
    examples = [example for card in techniques for example in card.examples if not example.held_out]
    layers = embeddings.layers([example.thought for example in examples])

    inputs = features(layers)
    labels = np.array([names.index(example.technique) for example in examples])
    weight, bias = regression.fit(inputs, labels, _PENALTY, len(names), plain=0)
    file = paths.asset(*WEIGHTS)
    file.parent.mkdir(exist_ok=True)
    np.savez_compressed(file, names=names, weight=weight.astype(np.float16), bias=bias)

    texts = [card_text(technique) for technique in techniques]
    vectors = np.vstack([unit(layers[:, -1]), embeddings.vectors(texts)])
    ids = [example.id for example in examples] + [example_id(text) for text in texts]
    np.savez(paths.asset(*VECTORS), ids=ids, vectors=vectors.astype(np.float16))
    click.echo(f"{len(examples)} examples, {len(names)} techniques")


if __name__ == "__main__":
    main()
