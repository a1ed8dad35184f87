"""The training of the voice, on a network of a few thousand weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
gguf = pytest.importorskip("gguf", reason="the extra `train` is not installed")

from click.testing import CliRunner  # noqa: E402

from models.training import loop, lora, voice  # noqa: E402
from models.training.loop import Recipe, train  # noqa: E402
from models.training.network import Network, Shape, read_network  # noqa: E402
from models.training.pairs import Pair, batches, examples, pair  # noqa: E402
from reframer.errors import ModelError, UsageError  # noqa: E402
from reframer.knowledge import read_technique  # noqa: E402
from reframer.llama.gguf import read_header  # noqa: E402
from reframer.llama.sampling import Sampling  # noqa: E402
from reframer.llama.weights import Weights  # noqa: E402

_LETTERS = [*map(chr, range(33, 127)), "Ġ", "Ċ", "th"]
_MARKS = ["<|im_start|>", "<|im_end|>"]
_TOKENS = _LETTERS + _MARKS
_END = len(_TOKENS) - 1
_SHAPE = Shape(
    blocks=2,
    width=64,
    heads=4,
    shared_heads=2,
    hidden=96,
    vocabulary=len(_TOKENS),
    rope_base=1e6,
    epsilon=1e-6,
)
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
_CARD = """---
id: not-yet
title: Not yet
move: Turn cannot into not yet.
why: Skills grow.
when: [label]
not_when: Never.
source: {authors: A. Author, year: 2000, title: Title, venue: Venue}
evidence: Weak.
reviewed: 2026-11-24
---

About it.

## A small step

Take one.

## Examples
"""
_RECIPE = Recipe(epochs=2, rank=4, rate=1e-2, batch=4)
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    pairs = [f"> I burnt dish {n}\n\nDish {n} got too hot." for n in range(30)]
    (folder / "not-yet.md").write_text("\n\n".join([_CARD, *pairs, ""]))
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file as llama.cpp reads it, with random weights and the letters as tokens."""
    file = tmp_path_factory.mktemp("base") / "tiny.gguf"
    torch.manual_seed(5)
    weights = Network(_SHAPE).state_dict()
    weights["output.weight"][-len(_MARKS) - 1 :] = 0  # it only says letters
    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_block_count(_SHAPE.blocks)
    writer.add_context_length(2048)
    writer.add_embedding_length(_SHAPE.width)
    writer.add_feed_forward_length(_SHAPE.hidden)
    writer.add_head_count(_SHAPE.heads)
    writer.add_head_count_kv(_SHAPE.shared_heads)
    writer.add_rope_freq_base(_SHAPE.rope_base)
    writer.add_layer_norm_rms_eps(_SHAPE.epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(_TOKENS)
    writer.add_token_types([1] * len(_LETTERS) + [3] * len(_MARKS))
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(_END)
    writer.add_add_bos_token(False)
    writer.add_chat_template(_TEMPLATE)
    for name, value in weights.items():
        writer.add_tensor(name, value.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.fixture(scope="module")
def pairs(base: Path, cards: Path) -> list[Pair]:
    weights = Weights.open(base, threads=1)
    technique = read_technique(cards / "not-yet.md")
    return [pair(technique, example, weights, _END) for example in technique.examples]


def adapted(base: Path, recipe: Recipe = _RECIPE) -> Network:
    network = read_network(base, torch.float32)
    torch.manual_seed(recipe.seed)
    lora.attach(network, recipe.rank, recipe.alpha, recipe.dropout)
    return network


def quiet(_line: str) -> None:
    pass


def test_held_out_examples_are_never_trained_on(cards: Path) -> None:
    technique = read_technique(cards / "not-yet.md")
    learned = {example.id for _, example in examples([technique], held_out=False)}
    kept = {example.id for _, example in examples([technique], held_out=True)}
    assert kept
    assert not learned & kept
    assert learned | kept == {example.id for example in technique.examples}


def test_a_pair_is_asked_as_the_program_asks_and_ends(base: Path, cards: Path) -> None:
    weights = Weights.open(base, threads=1)
    technique = read_technique(cards / "not-yet.md")
    made = pair(technique, technique.examples[0], weights, _END)
    text = "".join(_TOKENS[token] for token in made.tokens).replace("Ġ", " ").replace("Ċ", "\n")
    prompt = "".join(_TOKENS[token] for token in made.tokens[: made.prompt])
    assert prompt.endswith("<|im_start|>assistantĊ")
    assert technique.move in text
    assert text.endswith("<|im_start|>assistant\nDish 0 got too hot.<|im_end|>")


def test_an_epoch_has_every_pair_once_and_little_filling() -> None:
    pairs = [Pair(tuple(range(20 + 7 * n % 90)), 10) for n in range(203)]
    cut = list(batches(pairs, 8, seed=3))
    assert sorted(map(len, pairs)) == sorted(len(pair) for batch in cut for pair in batch)
    filled = sum(len(batch) * max(map(len, batch)) for batch in cut)
    assert filled < 1.1 * sum(map(len, pairs))
    assert cut == list(batches(pairs, 8, seed=3))
    assert cut != list(batches(pairs, 8, seed=4))


def test_only_the_answer_counts_and_filling_changes_nothing(base: Path) -> None:
    network = adapted(base).eval()
    short, long = Pair((5, 6, 7, 8, 9, _END), 3), Pair(tuple(range(20)), 17)
    alone = [loop.loss(network, [one]).item() for one in (short, long)]
    logits = network.output(network(torch.tensor([short.tokens])))[0]
    by_hand = torch.nn.functional.cross_entropy(logits[2:5], torch.tensor([8, 9, _END]))
    assert alone[0] == pytest.approx(by_hand.item(), abs=1e-5)
    together = loop.loss(network, [short, long]).item()
    assert together == pytest.approx(sum(alone) / 2, abs=1e-5)


def test_a_fresh_adapter_changes_nothing(base: Path) -> None:
    tokens = torch.arange(12)[None]
    assert torch.equal(adapted(base).train()(tokens), read_network(base, torch.float32)(tokens))


def test_it_learns_and_keeps_the_adapter_with_the_lowest_held_out_loss(
    base: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    network = adapted(base)
    history, values = train(network, pairs[:24], pairs[24:], _RECIPE, tmp_path, quiet)
    assert len(history.training) == 12
    assert sorted(history.held_out) == [0, 3, 6, 9, 12]
    assert history.held_out[history.best] < 0.8 * history.held_out[0]
    lora.set_factors(network, values)
    kept = loop.loss(network.eval(), pairs[24:]).item()
    assert kept == pytest.approx(min(history.held_out.values()), abs=1e-4)


def test_a_training_broken_off_goes_on_exactly(
    base: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    whole, values = train(adapted(base), pairs[:24], pairs[24:], _RECIPE, tmp_path / "a", quiet)

    def stop(line: str) -> None:
        if line.startswith("step 10/12"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(adapted(base), pairs[:24], pairs[24:], _RECIPE, tmp_path / "b", stop)
    again, same = train(adapted(base), pairs[:24], pairs[24:], _RECIPE, tmp_path / "b", quiet)
    assert again.training == whole.training
    assert again.held_out == whole.held_out
    assert all(torch.equal(values[name], same[name]) for name in values)


def test_a_work_folder_of_another_training_is_refused(
    base: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    short = Recipe(epochs=0.5, rank=4, batch=4)
    train(adapted(base), pairs[:8], pairs[8:], short, tmp_path, quiet)
    with pytest.raises(UsageError, match="other cards or settings"):
        train(adapted(base), pairs[:12], pairs[12:], short, tmp_path, quiet)


def test_llama_cpp_says_what_the_network_says_with_and_without_the_adapter(
    base: Path, tmp_path: Path
) -> None:
    network = adapted(base).eval()
    for number, matrix in enumerate(lora.factors(network).values()):
        torch.manual_seed(number)
        matrix.data = torch.randn(matrix.shape).mul(0.2).half().float()
    file = tmp_path / "adapter.gguf"
    lora.write_adapter(file, lora.factors(network), _RECIPE.alpha, {"general.license": "x"})
    assert read_header(file).values["general.license"] == "x"
    prompt = list(range(10, 40))
    plain = greedy(read_network(base, torch.float32), prompt)
    with_adapter = greedy(network, prompt)
    assert plain != with_adapter
    assert spoken(Weights.open(base, threads=1), prompt) == plain
    assert spoken(Weights.open(base, threads=1, adapter=file), prompt) == with_adapter


def test_the_command_writes_an_adapter_and_says_how_it_was_made(
    base: Path, cards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made" / "voice.gguf"
    result = run(base, cards, tmp_path, out)
    assert result.exit_code == 0, result.output
    facts = json.loads(out.with_suffix(".json").read_text())
    header = read_header(out)
    assert header.values["adapter.type"] == "lora"
    assert header.values["reframer.base.sha256"] == facts["base"]["sha256"]
    assert facts["adapter"]["licence"] == "Apache-2.0"
    assert facts["data"]["pairs"] + facts["data"]["held_out"] == 30
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_an_adapter_that_llama_cpp_does_not_speak_with_is_not_written(
    base: Path, cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "_agreement", lambda *_: 0.5)
    out = tmp_path / "voice.gguf"
    result = run(base, cards, tmp_path, out)
    assert result.exit_code == 1
    assert not out.exists()


def test_another_architecture_is_refused(small_model_path: Path) -> None:
    with pytest.raises(ModelError, match="qwen2"):
        read_network(small_model_path)


def run(base: Path, cards: Path, folder: Path, out: Path) -> Any:
    options = {"--gguf": base, "--cards": cards, "--work": folder / "work", "--out": out}
    given = [str(word) for option in options.items() for word in option]
    return CliRunner().invoke(voice.main, [*given, "--epochs", "0.5", "--rank", "2"])


def greedy(network: Network, prompt: list[int]) -> str:
    tokens = list(prompt)
    for _ in range(12):
        tokens.append(int(network.output(network(torch.tensor([tokens]))[0, -1]).argmax()))
    return "".join(_TOKENS[token] for token in tokens[len(prompt) :])


def spoken(weights: Weights, prompt: list[int]) -> str:
    text = b"".join(weights.speak(prompt, Sampling(temperature=0, max_tokens=12))).decode()
    return text.replace(" ", "Ġ").replace("\n", "Ċ")
