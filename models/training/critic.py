"""Train the ear of `reframer.critic` on the labelled sentences; like the voice, this needs torch.

    python -m models.training.critic --diary DIARY.csv

Two layers of the embedder get low-rank changes (Hu et al. 2022) and, over their averaged output and
the cues, the heads for class, kind and harshness are learned with them by AdamW. The lower layers
do not change, so what they make of every sentence is computed once. The sentences of an ordinary
diary are further neutral ones.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.critic_data import Labelled, diary_sentences, labelled, part
from reframer import paths, settings
from reframer.critic import (
    CLASSES,
    CUE_SCALE,
    LAYERS,
    TUNED,
    TUNED_LAYERS,
    VECTOR_SCALE,
    cues,
    unquoted,
)
from reframer.embedding import LocalEmbeddings
from reframer.records import KINDS

SEED = 11
RANK = 16
EPOCHS = 5
BATCH = 32
RATE = 1.5e-3
DROPOUT = 0.15
AVERAGING = 0.98  # share of the old in the running mean of the weights, which is what is kept
SMOOTHING = 0.05
DIARY_SHARE = 2  # each epoch sees one in so many of the diary's sentences
DIARY_FALSE_ALARMS = 0.01  # most that the threshold may let through, on validation
WIDTH = 384
HEADS = 12


class Network(nn.Module):
    """The embedder's first layers with low-rank changes, and the ear's heads.

    Args:
        tensors: The embedder's weights by name.
        cue_count: How many cues a row holds.
    """

    def __init__(self, tensors: dict[str, Tensor], cue_count: int) -> None:
        super().__init__()
        self.frozen = tensors
        self.down = nn.ParameterDict()
        self.up = nn.ParameterDict()
        for layer in TUNED_LAYERS:
            for name in TUNED:
                rows, columns = tensors[f"encoder.layer.{layer}.{name}.weight"].shape
                key = f"encoder.layer.{layer}.{name}".replace(".", "/")
                self.down[key] = nn.Parameter(torch.randn(RANK, columns) / math.sqrt(columns))
                self.up[key] = nn.Parameter(torch.zeros(rows, RANK))
        self.classes = nn.Linear(WIDTH + cue_count, len(CLASSES))
        self.kinds = nn.Linear(WIDTH + cue_count, len(KINDS))
        self.harsh = nn.Linear(WIDTH + cue_count, 1)
        for head in (self.classes, self.kinds, self.harsh):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, hidden: Tensor, mask: Tensor, cue_rows: Tensor) -> tuple[Tensor, ...]:
        """Return logits of class, kind and harshness from what the frozen layers made."""
        for layer in range(TUNED_LAYERS[0], LAYERS):
            hidden = self.layer(hidden, mask, f"encoder.layer.{layer}")
        vectors = functional.normalize((hidden * mask[:, :, None]).sum(1)) * VECTOR_SCALE
        rows = functional.dropout(
            torch.cat([vectors, cue_rows * CUE_SCALE], 1), DROPOUT, self.training
        )
        return self.classes(rows), self.kinds(rows), self.harsh(rows)[:, 0]

    def below(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the token vectors after the frozen layers."""
        words = self.frozen["embeddings.word_embeddings.weight"][tokens]
        places = self.frozen["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        types = self.frozen["embeddings.token_type_embeddings.weight"][0]
        hidden = self._norm(words + places + types, "embeddings.LayerNorm")
        for layer in range(TUNED_LAYERS[0]):
            hidden = self.layer(hidden, mask, f"encoder.layer.{layer}")
        return hidden

    def layer(self, hidden: Tensor, mask: Tensor, name: str) -> Tensor:
        """Run one layer of the encoder."""
        rows, length, _ = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{name}.attention.self.{role}")
            .view(rows, length, HEADS, -1)
            .transpose(1, 2)
            for role in ("query", "key", "value")
        )
        context = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None, :].bool()
        )
        merged = context.transpose(1, 2).reshape(rows, length, WIDTH)
        hidden = self._norm(
            hidden + self._linear(merged, f"{name}.attention.output.dense"),
            f"{name}.attention.output.LayerNorm",
        )
        inner = functional.gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._norm(
            hidden + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def numbers(self) -> dict[str, np.ndarray]:
        """Return the learned weights under the names that the ear reads."""
        found: dict[str, Tensor] = {}
        for key in self.down:
            name = f"{key.replace('/', '.')}.weight"
            found[f"{name}.down"], found[f"{name}.up"] = self.down[key], self.up[key]
        for name, head in (("class", self.classes), ("kind", self.kinds), ("harsh", self.harsh)):
            found[f"{name}_weight"], found[f"{name}_bias"] = head.weight.T, head.bias
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}

    def _linear(self, inputs: Tensor, name: str) -> Tensor:
        outputs = functional.linear(
            inputs, self.frozen[f"{name}.weight"], self.frozen[f"{name}.bias"]
        )
        key = name.replace(".", "/")
        if key in self.down:
            inputs = functional.dropout(inputs, DROPOUT, self.training)
            outputs = outputs + inputs @ self.down[key].T @ self.up[key].T
        return outputs

    def _norm(self, inputs: Tensor, name: str) -> Tensor:
        weight, bias = self.frozen[f"{name}.weight"], self.frozen[f"{name}.bias"]
        return functional.layer_norm(inputs, (WIDTH,), weight, bias, 1e-12)


class Rows:
    """Sentences made ready: token vectors after the frozen layers, and cues.

    Args:
        network: The network whose frozen layers are used.
        embeddings: The embedder, for its tokens.
        sentences: The sentences.
    """

    def __init__(
        self, network: Network, embeddings: LocalEmbeddings, sentences: Sequence[str]
    ) -> None:
        heard = [unquoted(sentence) for sentence in sentences]
        self.cues = torch.tensor(cues(heard))
        ids = [encoding.ids for encoding in embeddings._tokenizer.encode_batch(heard)]
        self.hidden: list[Tensor] = [torch.empty(0)] * len(ids)
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        with torch.no_grad():
            for batch in _cut(order, 2 * BATCH):
                tokens, mask = _pad([torch.tensor(ids[row]) for row in batch])
                for row, hidden in zip(batch, network.below(tokens, mask), strict=True):
                    self.hidden[row] = hidden[: len(ids[row])].clone()

    def __len__(self) -> int:
        return len(self.hidden)

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the network's input for some rows."""
        hidden, mask = _pad([self.hidden[row] for row in rows])
        return hidden, mask, self.cues[list(rows)]

    def critical(self, network: Network) -> np.ndarray:
        """Return each row's probability of being self-critical."""
        network.eval()
        found = np.zeros(len(self), np.float32)
        order = sorted(range(len(self)), key=lambda row: len(self.hidden[row]))
        with torch.inference_mode():
            for rows in _cut(order, 2 * BATCH):
                found[rows] = network(*self.batch(rows))[0].softmax(1)[:, 1].numpy()
        return found


def train(diary: Path, folder: Path, out: Path) -> None:
    """Train, keep the epoch that is best on validation, and write its weights.

    Args:
        diary: CSV file of ordinary diary entries.
        folder: Folder of the model files.
        out: File of the weights.
    """
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    embeddings = LocalEmbeddings.from_catalog(folder)
    tensors = {name: torch.tensor(tensor) for name, tensor in embeddings._tensors.items()}
    rows = [row for row in labelled() if part(row.text) == "train"]
    checked = [row for row in labelled() if part(row.text) == "validation"]
    everyday = diary_sentences(diary)
    network = Network(tensors, cues(["x"]).shape[1])
    neutral = [text for text in everyday if part(text) == "train"]
    ready = Rows(network, embeddings, [row.text for row in rows] + neutral)
    check = Rows(network, embeddings, [row.text for row in checked])
    calm = Rows(network, embeddings, [text for text in everyday if part(text) == "validation"])
    truth = np.array([row.label == "critical" for row in checked])
    targets = _targets(rows, len(neutral))

    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    steps = EPOCHS * math.ceil((len(rows) + len(neutral) // DIARY_SHARE) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps + EPOCHS, pct_start=0.1, anneal_strategy="linear"
    )
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
    best = 0.0
    for epoch in range(EPOCHS):
        network.train()
        sample = chance.permutation(len(neutral))[: len(neutral) // DIARY_SHARE] + len(rows)
        for batch in _batches(ready, [*range(len(rows)), *sample.tolist()], chance):
            loss = _loss(network(*ready.batch(batch)), [target[batch] for target in targets])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
        kept: Network = mean.module
        threshold, score = choose_threshold(check.critical(kept), truth, calm.critical(kept))
        print(f"epoch {epoch + 1}: F1 {score:.3f} at {threshold:.2f}", flush=True)  # noqa: T201
        if score > best:
            best = score
            with paths.atomic_write(out) as file:
                np.savez_compressed(
                    file,
                    threshold=np.float32(threshold),
                    **kept.numbers(),  # type: ignore[arg-type]
                )


def choose_threshold(
    probabilities: np.ndarray, truth: np.ndarray, everyday: np.ndarray
) -> tuple[float, float]:
    """Return the threshold with the best F1 among those quiet enough on the diary, and that F1.

    Args:
        probabilities: Of being self-critical, for the labelled sentences.
        truth: Whether they are.
        everyday: The same probabilities for sentences of an ordinary diary.
    """
    quiet = [
        threshold
        for threshold in np.arange(0.2, 0.95, 0.01)
        if (everyday >= threshold).mean() <= DIARY_FALSE_ALARMS
    ] or [0.95]
    return max(((float(t), f1(probabilities >= t, truth)) for t in quiet), key=lambda pair: pair[1])


def f1(heard: np.ndarray, truth: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall."""
    return float(2 * (heard & truth).sum() / max(1, heard.sum() + truth.sum()))


def _loss(outputs: tuple[Tensor, ...], targets: list[Tensor]) -> Tensor:
    classes, kinds, harsh = outputs
    label, kind, strength = targets
    loss = functional.cross_entropy(classes, label, label_smoothing=SMOOTHING)
    critical = kind >= 0
    if critical.any():
        loss = loss + 0.3 * functional.cross_entropy(kinds[critical], kind[critical])
        loss = loss + 0.3 * functional.mse_loss(harsh[critical].sigmoid(), strength[critical])
    return loss


def _targets(rows: Sequence[Labelled], neutral: int) -> tuple[Tensor, Tensor, Tensor]:
    numbers: list[int] = [CLASSES.index(row.label) for row in rows]
    kinds: list[int] = [
        KINDS.index(row.group) if row.label == "critical" else -1  # type: ignore[arg-type]
        for row in rows
    ]
    strengths = [(row.strength - 1) / 2 for row in rows]
    return (
        torch.tensor(numbers + [0] * neutral),
        torch.tensor(kinds + [-1] * neutral),
        torch.tensor(strengths + [0.0] * neutral),
    )


def _batches(ready: Rows, rows: list[int], chance: np.random.Generator) -> list[list[int]]:
    """Return shuffled batches of rows of similar length."""
    order = [rows[place] for place in chance.permutation(len(rows))]
    batches = [
        batch
        for chunk in _cut(order, 8 * BATCH)
        for batch in _cut(sorted(chunk, key=lambda row: len(ready.hidden[row])), BATCH)
    ]
    return [batches[place] for place in chance.permutation(len(batches))]


def _cut(rows: Sequence[int], size: int) -> list[list[int]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def _pad(items: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    padded: Any = nn.utils.rnn.pad_sequence(list(items), batch_first=True)
    lengths = torch.tensor([len(item) for item in items])
    return padded, (torch.arange(padded.shape[1])[None] < lengths[:, None]).float()


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description="Train the ear.")
    parser.add_argument("--diary", type=Path, required=True, help="CSV of diary entries")
    parser.add_argument("--models", type=Path, default=settings.load().models_dir)
    parser.add_argument(
        "--out", type=Path, default=paths.asset("knowledge", "critic", "weights.npz")
    )
    options = parser.parse_args()
    train(options.diary, options.models, options.out)


if __name__ == "__main__":
    main()
