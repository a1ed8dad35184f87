"""ChatLlama keeps LangChain's contract, shown by LangChain's own suites and a few words more."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from reframer import catalog
from reframer.errors import ModelMissing, TextTooLong, UsageError
from reframer.llama.chat import ChatLlama
from reframer.llama.context import Context
from reframer.llama.scheduler import Choice
from tests.conftest import open_chat
from tests.test_weights import begun


class _Contract:
    """What both suites are told about the model."""

    @property
    def chat_model_class(self) -> type[ChatLlama]:
        return ChatLlama

    @property
    def chat_model_params(self) -> dict[str, Any]:
        small = open_chat("smollm2-135m")
        return {"weights": small.weights, "model": small.model, "seed": 1}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 32, "stop": [], "timeout": 60, "max_retries": 2}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

    @property
    def supports_model_override(self) -> bool:
        return False


class TestUnitContract(_Contract, ChatModelUnitTests):
    pass


@pytest.mark.filterwarnings("ignore:The test .* is marked with:pytest.PytestWarning")
@pytest.mark.asyncio
class TestIntegrationContract(_Contract, ChatModelIntegrationTests):
    @property
    def supported_usage_metadata_details(self) -> dict[str, list[str]]:  # type: ignore[override]
        return {"invoke": ["cache_read_input"], "stream": ["cache_read_input"]}

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        chat = ChatLlama(**self.chat_model_params)
        prompt = "You are a very good friend. " * 20
        chat.invoke(prompt)
        answer = _gather(chat, prompt) if stream else chat.invoke(prompt)
        assert answer.usage_metadata
        assert answer.usage_metadata["input_token_details"]["cache_read"] > 0
        return answer


def _gather(chat: ChatLlama, prompt: str, **options: Any) -> Any:
    chunks = iter(chat.stream(prompt, **options))
    whole = next(chunks)
    for chunk in chunks:
        whole += chunk
    return whole


@pytest.fixture
def chat(small_model: ChatLlama) -> ChatLlama:
    return small_model.model_copy(update={"temperature": 0.0, "max_tokens": 24})


class TestAnswers:
    def test_a_stream_joined_is_the_answer(self, chat: ChatLlama) -> None:
        streamed = _gather(chat, "Tell me a story.")
        answer = chat.invoke("Tell me a story.")
        assert streamed.text == answer.text
        assert answer.usage_metadata
        assert streamed.usage_metadata["output_tokens"] == answer.usage_metadata["output_tokens"]

    def test_the_last_chunk_alone_carries_usage_and_reason(self, chat: ChatLlama) -> None:
        *rest, last = chat.stream("Tell me a story.", max_tokens=5)
        assert not any(chunk.usage_metadata for chunk in rest)
        assert last.response_metadata["finish_reason"] == "length"
        assert last.usage_metadata and last.usage_metadata["output_tokens"] == 5

    def test_an_answer_that_the_model_ended_says_so(self, chat: ChatLlama) -> None:
        answer = chat.invoke("Hi", max_tokens=200)
        assert answer.response_metadata["finish_reason"] == "stop"

    def test_usage_counts_prompt_and_answer(self, chat: ChatLlama) -> None:
        usage = chat.invoke("Tell me a story.", max_tokens=7).usage_metadata
        prompt = chat.weights.prompt([{"role": "user", "content": "Tell me a story."}])
        assert usage
        assert usage["input_tokens"] == len(prompt)
        assert usage["output_tokens"] == 7
        assert usage["total_tokens"] == len(prompt) + 7

    def test_stop_words_end_the_stream_and_are_not_shown(self, chat: ChatLlama) -> None:
        whole = chat.invoke("Tell me a story.").text
        stop = whole[len(whole) // 2 :][:6]
        expected = whole[: whole.index(stop)]
        assert _gather(chat, "Tell me a story.", stop=[stop]).text == expected
        assert chat.invoke("Tell me a story.", stop=[stop]).text == expected
        own = chat.model_copy(update={"stop": [stop]})
        answer = own.invoke("Tell me a story.")
        assert answer.text == expected
        assert answer.response_metadata["finish_reason"] == "stop"

    def test_a_call_may_choose_its_own_sampling(self, chat: ChatLlama) -> None:
        daring = {chat.invoke("Tell a story.", temperature=1.5, seed=s).text for s in range(3)}
        assert len(daring) > 1
        short = chat.bind(max_tokens=2).invoke("Tell a story.").usage_metadata
        assert short and short["output_tokens"] == 2

    def test_an_answer_tells_how_likely_its_tokens_were_if_asked(self, chat: ChatLlama) -> None:
        asked = "Is the sky blue? Say yes or no."
        first = chat.invoke(asked, temperature=0, max_tokens=1, logprobs=True)
        (logprob,) = first.response_metadata["logprobs"]
        drawn: dict[str, Any] = {"temperature": 1, "top_k": 0, "top_p": 1, "max_tokens": 1}
        draws = [chat.invoke(asked, seed=seed, **drawn).text for seed in range(150)]
        share = draws.count(first.text) / len(draws)
        assert math.exp(logprob) == pytest.approx(share, abs=0.13)  # three standard errors
        assert "logprobs" not in chat.invoke(asked, max_tokens=1).response_metadata

    def test_an_unknown_option_is_an_error(self, chat: ChatLlama) -> None:
        with pytest.raises(UsageError, match="temprature"):
            chat.invoke("Hello", temprature=1)

    def test_impossible_fields_are_an_error(self, chat: ChatLlama) -> None:
        with pytest.raises(UsageError, match="temperature"):
            ChatLlama(weights=chat.weights, model="m", temperature=-1)

    def test_a_closed_stream_leaves_the_model_free(self, chat: ChatLlama) -> None:
        stream = chat.stream("Tell me a very long story.", max_tokens=1500)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert chat.invoke("Hi", max_tokens=3).text

    def test_handlers_hear_every_piece(self, chat: ChatLlama) -> None:
        class Ear(BaseCallbackHandler):
            heard = ""

            def on_llm_new_token(self, token: str | list[Any], **_: Any) -> None:
                self.heard += str(token)

        ear = Ear()
        answer = chat.invoke("Tell me a story.", config={"callbacks": [ear]})
        assert ear.heard == answer.text

    def test_a_batch_answers_in_order(self, chat: ChatLlama) -> None:
        thoughts = ["Say red.", "Tell a joke.", "Name a city."]
        alone = [chat.invoke(thought).text for thought in thoughts]
        together = [answer.text for answer in chat.batch(list(thoughts))]
        assert [begun(answer) for answer in together] == [begun(answer) for answer in alone]

    def test_many_async_streams_at_once_all_end(self, chat: ChatLlama) -> None:
        async def one() -> str:
            return "".join([chunk.text async for chunk in chat.astream("Hi", max_tokens=4)])

        async def many() -> list[str]:
            return await asyncio.gather(*(one() for _ in range(40)))

        answers = asyncio.run(asyncio.wait_for(many(), 300))
        assert len(set(answers)) == 1

    def test_emoji_that_take_several_tokens_come_whole(
        self, chat: ChatLlama, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "Well done 🦊👩‍🚀!"
        tokens = chat.weights.tokens(text)
        assert len(tokens) > len(text.split()) + 4

        spoken = iter([*tokens, llama_cpp.llama_vocab_eos(chat.weights._vocabulary)])
        monkeypatch.setattr(
            Context,
            "compute",
            lambda _, pieces: [Choice(next(spoken)) for p in pieces if p.sampler],
        )
        chunks = [chunk.text for chunk in chat.stream("Hi")]
        assert "".join(chunks) == text
        assert not any("\ufffd" in chunk for chunk in chunks)


class TestMessages:
    def test_text_blocks_are_read_as_text(self, chat: ChatLlama) -> None:
        blocks = HumanMessage([{"type": "text", "text": "Tell me "}, "a story."])
        assert chat.invoke([blocks]).text == chat.invoke("Tell me a story.").text

    def test_every_role_has_its_place(self, chat: ChatLlama) -> None:
        history = [
            SystemMessage("Be kind."),
            HumanMessage("Hi"),
            AIMessage("Hello"),
            ChatMessage(role="user", content="How are you?"),
        ]
        expected = chat.weights.prompt(
            [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": "How are you?"},
            ]
        )
        usage = chat.invoke(history, max_tokens=1).usage_metadata
        assert usage and usage["input_tokens"] == len(expected)

    @pytest.mark.parametrize(
        "message",
        [
            HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}]),
            ToolMessage("4", tool_call_id="1"),
        ],
    )
    def test_what_is_not_text_is_refused(self, chat: ChatLlama, message: Any) -> None:
        with pytest.raises(UsageError):
            chat.invoke([message])

    def test_a_text_of_a_hundred_thousand_characters_is_refused_with_its_length(
        self, chat: ChatLlama
    ) -> None:
        with pytest.raises(TextTooLong, match="tokens") as caught:
            chat.invoke("secret " * 14_300)
        assert "secret" not in str(caught.value)


class TestOpening:
    def test_a_catalogue_model_takes_the_publishers_sampling(self, small_model: ChatLlama) -> None:
        own = catalog.find("smollm2-135m").sampling
        assert {key: getattr(small_model, key) for key in own} == dict(own)
        assert small_model.model == "smollm2-135m"

    def test_a_model_that_was_not_pulled_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ModelMissing, match="smollm2-135m"):
            ChatLlama.from_catalog(catalog.find("smollm2-135m"), tmp_path)

    def test_a_models_name_is_known_but_not_where_it_lies(
        self, chat: ChatLlama, small_model_path: Path
    ) -> None:
        known = f"{chat._identifying_params} {chat!r} {chat.invoke('Hi', max_tokens=1)!r}"
        assert chat.model in known
        assert str(small_model_path.parent) not in known

    def test_tokens_are_counted_in_the_models_own_vocabulary(self, chat: ChatLlama) -> None:
        assert chat.get_num_tokens("Hello world") == len(chat.weights.tokens("Hello world")) == 2


@pytest.mark.model
def test_the_default_model_answers_in_words(default_model: ChatLlama) -> None:
    answer = default_model.invoke("What is the capital of France? One word.", temperature=0)
    assert "Paris" in answer.text


@pytest.mark.model
def test_the_default_model_says_the_same_with_the_same_seed(default_model: ChatLlama) -> None:
    prompt = "Say something kind to a friend who missed a deadline. " * 8
    first = default_model.invoke(prompt, seed=3, max_tokens=24).text
    again = default_model.invoke(prompt, seed=3, max_tokens=24)
    assert again.text == first
    assert again.usage_metadata
    assert again.usage_metadata["input_token_details"]["cache_read"] >= 64
