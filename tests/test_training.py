"""The training of the voice, on a network of a few thousand weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
gguf = pytest.importorskip("gguf", reason="the extra `train` is not installed")

from click.testing import CliRunner  # noqa: E402

from models.training import adapter, lora, voice  # noqa: E402
from models.training.lessons import Draft, drafts, lessons  # noqa: E402
from models.training.loop import Recipe, losses, train  # noqa: E402
from models.training.network import Network, Shape, read_network  # noqa: E402
from models.training.pairs import Lessons, Pair, batches  # noqa: E402
from reframer import prompts  # noqa: E402
from reframer.errors import ModelError, UsageError  # noqa: E402
from reframer.knowledge import example_id  # noqa: E402
from reframer.llama.gguf import read_header  # noqa: E402
from reframer.llama.sampling import Sampling  # noqa: E402
from reframer.llama.weights import Weights  # noqa: E402
from reframer.records import Example  # noqa: E402

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
_RECIPE = Recipe(epochs=2, rank=4, rate=1e-2, batch=4)
torch.set_num_threads(1)


EXAMPLES = [
    Example(
        example_id(f"I burnt dish {n}"),
        "not-yet",
        f"I burnt dish {n}",
        f"Dish {n} got too hot. It was a dish.",
        f"Dish {n} got too hot.",
    )
    for n in range(30)
]
DRAFTS = [
    Draft("I burnt dish 1", "The dish is burnt.", good=True),
    Draft("I burnt dish 1", "The cat is burnt.", good=False),
]


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
def taught(base: Path) -> Lessons:
    return lessons(EXAMPLES, DRAFTS, Weights.open(base, threads=1), _END, "00")


@pytest.fixture(scope="module")
def pairs(taught: Lessons) -> list[Pair]:
    openings = [pair for pair in taught.pairs if "burnt" not in said(pair)[1]]
    return [*dict.fromkeys(openings), *taught.held_out][:30]


def said(pair: Pair) -> tuple[str, str]:
    """Return a prompt and its answer."""
    parts = pair.tokens[: pair.prompt], pair.tokens[pair.prompt :]
    prompt, answer = ("".join(_TOKENS[token] for token in part) for part in parts)
    return prompt.replace("Ġ", " ").replace("Ċ", "\n"), answer.replace("Ġ", " ")


def adapted(base: Path, recipe: Recipe = _RECIPE) -> Network:
    network = read_network(base, torch.float32)
    torch.manual_seed(recipe.seed)
    lora.attach(network, recipe.rank, recipe.alpha, recipe.dropout)
    return network


def quiet(_line: str) -> None:
    pass


def test_held_out_examples_are_never_trained_on(taught: Lessons) -> None:
    learned = {said(pair)[0] for pair in taught.pairs}
    kept = {said(pair)[0] for pair in taught.held_out}
    assert kept
    assert not learned & kept


def test_a_pair_is_asked_as_the_program_asks_and_ends(taught: Lessons) -> None:
    asked = prompts.opening("I burnt dish 0")
    prompt, answer = said(taught.pairs[0])
    assert prompt.endswith("<|im_start|>assistant\n")
    assert all(str(message.content) in prompt for message in asked)
    assert answer == "Dish 0 got too hot.<|im_end|>"


def test_drafts_teach_to_judge_and_good_ones_to_speak(taught: Lessons) -> None:
    answers = [said(pair) for pair in taught.pairs]
    judged = {answer for prompt, answer in answers if "yes or no" in prompt}
    spoken = {answer for prompt, answer in answers if "yes or no" not in prompt}
    assert judged == {"yes<|im_end|>", "no<|im_end|>"}
    assert "The dish is burnt.<|im_end|>" in spoken
    assert "The cat is burnt.<|im_end|>" not in spoken


def test_the_marked_drafts_can_be_read_and_none_is_there_twice() -> None:
    marked = drafts()
    assert len({(one.thought, one.opening) for one in marked}) == len(marked) > 5_000
    assert 0.2 < sum(one.good for one in marked) / len(marked) < 0.6


def test_lessons_are_read_as_they_were_written(taught: Lessons, tmp_path: Path) -> None:
    taught.save(tmp_path / "lessons.json")
    read = Lessons.load(tmp_path / "lessons.json")
    assert (list(read.pairs), list(read.held_out)) == (taught.pairs, taught.held_out)
    assert (read.base, read.data) == (taught.base, taught.data)


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
    alone = [losses(network, [one]).item() for one in (short, long)]
    logits = network.output(network(torch.tensor([short.tokens])))[0]
    by_hand = torch.nn.functional.cross_entropy(logits[2:5], torch.tensor([8, 9, _END]))
    assert alone[0] == pytest.approx(by_hand.item(), abs=1e-5)
    assert losses(network, [short, long]).tolist() == pytest.approx(alone, abs=1e-5)


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
    kept = losses(network.eval(), pairs[24:]).mean().item()
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


def test_the_commands_write_an_adapter_and_say_how_it_was_made(
    base: Path, taught: Lessons, tmp_path: Path
) -> None:
    out = tmp_path / "made" / "voice.gguf"
    result = run(base, taught, tmp_path, out)
    assert result.exit_code == 0, result.output
    facts = json.loads(out.with_suffix(".json").read_text())
    header = read_header(out)
    assert header.values["adapter.type"] == "lora"
    assert header.values["reframer.base.sha256"] == facts["base"]["sha256"]
    assert facts["adapter"]["licence"] == "Apache-2.0"
    assert facts["data"]["pairs"] == len(taught.pairs)
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_an_adapter_that_llama_cpp_does_not_speak_with_is_not_written(
    base: Path, taught: Lessons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_agreement", lambda *_: 0.5)
    out = tmp_path / "voice.gguf"
    result = run(base, taught, tmp_path, out)
    assert result.exit_code == 1
    assert not out.exists()


def test_another_architecture_is_refused(small_model_path: Path) -> None:
    with pytest.raises(ModelError, match="qwen2"):
        read_network(small_model_path)


def run(base: Path, taught: Lessons, folder: Path, out: Path) -> Any:
    work = folder / "work"
    work.mkdir()
    taught.save(work / "lessons.json")
    trained = [str(base), "--work", str(work), "--epochs", "0.5", "--rank", "2"]
    assert CliRunner().invoke(voice.main, trained).exit_code == 0
    return CliRunner().invoke(adapter.main, [str(base), "--work", str(work), "--out", str(out)])


def greedy(network: Network, prompt: list[int]) -> str:
    tokens = list(prompt)
    for _ in range(12):
        tokens.append(int(network.output(network(torch.tensor([tokens]))[0, -1]).argmax()))
    return "".join(_TOKENS[token] for token in tokens[len(prompt) :])


def spoken(weights: Weights, prompt: list[int]) -> str:
    text = b"".join(weights.speak(prompt, Sampling(temperature=0, max_tokens=12))).decode()
    return text.replace(" ", "Ġ").replace("\n", "Ċ")
