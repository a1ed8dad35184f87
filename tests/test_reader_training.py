"""Training of the reader: the network in torch is the one in numpy, and it learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from click.testing import CliRunner  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from models.training.reader import Recipe, calibrate, main, read_teacher, train  # noqa: E402
from models.training.reading_network import Network  # noqa: E402
from reframer import catalog, paths  # noqa: E402
from reframer.embedding import LocalEmbeddings  # noqa: E402
from reframer.reader import Reader  # noqa: E402

HEADS = {"voice": 3, "kind": 13, "harsh": 1, "level": 3, "technique": 2, "turn": 2}
TEXTS = {
    "I'm such an idiot.": ("ear", {"voice": [1, 1], "kind": [0, 0.5], "harsh": [1.0, 0.3]}),
    "The bus was late.": ("ear", {"voice": [0, 1], "level": [0, 0.3]}),
    "Soup again for lunch.": ("diary", {"voice": [0, 0.5], "level": [0, 0.5]}),
    "I want to die.": ("safety", {"level": [2, 1]}),
    "I would never do that.": ("safety", {"level": [0, 1]}),
    "nobody likes me": ("technique", {"technique": [1, 1]}),
    "shorter please": ("turn", {"turn": [0, 1]}),
}
TEACHER = Path(__file__).parent.parent / "models" / "training" / "teacher.npz"

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def base(models_dir: Path) -> Path:
    return catalog.locate(catalog.default("embedding"), models_dir)[0]


def rows(embeddings: LocalEmbeddings, part: str) -> list[dict[str, Any]]:
    return [
        {
            "tokens": embeddings.encoder.tokens(text),
            "part": part,
            "of": of,
            "answers": answers,
            "teacher": -1,
        }
        for text, (of, answers) in TEXTS.items()
    ]


def test_the_network_reads_as_the_program_does(base: Path, reader: Reader) -> None:
    file = paths.asset("models", "reader", "reader.safetensors")
    tuned = load_file(file)
    heads = {name: len(tuned[f"head.{name}.bias"]) for name in HEADS}
    network = Network(load_file(base), heads, dropout=0.1).eval()
    network.load_state_dict(tuned)
    with torch.no_grad():
        said = network([reader.embeddings.encoder.tokens(text) for text in TEXTS])
    read = reader.read(list(TEXTS))
    assert np.allclose(said["voice"].softmax(1).numpy(), read.voices, atol=2e-3)
    assert np.allclose(said["level"].softmax(1).numpy(), read.levels, atol=2e-3)


def test_it_learns_what_it_is_told(base: Path, embeddings: LocalEmbeddings) -> None:
    torch.manual_seed(0)
    network = Network(load_file(base), HEADS, dropout=0.0)
    lessons = rows(embeddings, "train")
    train(network, lessons * 4, read_teacher(TEACHER), Recipe(epochs=6, batch=7), seed=1)
    network.eval()
    with torch.no_grad():
        said = network([lesson["tokens"] for lesson in lessons])
    for at, lesson in enumerate(lessons):
        for head, (wanted, _) in lesson["answers"].items():
            if head != "harsh":
                assert int(said[head][at].argmax()) == wanted
    thresholds = calibrate(network, lessons)
    assert 0 < thresholds["crisis"] < 1
    assert thresholds["f1"] == 1


def test_the_command_writes_a_reader_that_the_program_opens(
    base: Path, embeddings: LocalEmbeddings, tmp_path: Path
) -> None:
    facts = {
        "base": catalog.default("embedding").files[0].sha256,
        "techniques": ["a", "b"],
        "turns": ["wish:shorter", "thought"],
        "kinds": ["kind"] * 13,
        "lessons": [*rows(embeddings, "train"), *rows(embeddings, "validation")],
    }
    (tmp_path / "lessons.json").write_text(json.dumps(facts))
    out = tmp_path / "reader.safetensors"
    given = [str(base), "--work", str(tmp_path), "--out", str(out), "--copies=2", "--epochs=1"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.output
    with safe_open(out, framework="numpy") as file:
        assert json.loads(file.metadata()["recipe"])["copies"] == 2
    read = Reader.open(embeddings, out).read(list(TEXTS))
    assert np.allclose(read.voices.sum(1), 1, atol=1e-4)
