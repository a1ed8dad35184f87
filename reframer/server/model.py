"""A model at a server as a LangChain chat model."""

from __future__ import annotations

import os
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from pydantic import ConfigDict, PrivateAttr

from reframer.errors import ModelError, ModelUnknown
from reframer.server.address import Server, let_through
from reframer.settings import Settings

_KEY = "OPENAI_API_KEY"
_NO_KEY = "none"  # the client wants one; most servers of one's own do not
_AT_ONCE = 16  # requests under way; the others wait here, where no clock runs for them
_SECONDS_TO_CONNECT = 5.0
_SECONDS_OF_SILENCE = 120.0  # a busy server may be slow; one that says nothing for so long hangs
_TRIES = 3  # after a second, then two, each and a random part
_LONGEST_ANSWER = 128  # tokens; fifty words have about 75
# Under this name a server offers the default model with reframer's adapter (docs/server.md).
OWN_MODEL = "reframer"


class _Passing(ModelError):
    """The server failed in a way that may pass."""


class ServedModel(BaseChatModel):
    """A chat model at a server.

    It asks a few things at once, tries again where that may help, and says in one line what went
    wrong. What a server says of an error may repeat the prompt, so it is never passed on.

    Attributes:
        client: LangChain's client of the server.
        server: Where it is.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: BaseChatModel
    server: Server
    _places: BoundedSemaphore = PrivateAttr(default_factory=lambda: BoundedSemaphore(_AT_ONCE))

    @property
    def _llm_type(self) -> str:
        return "served"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        asking = RunnableLambda(partial(self._ask, stop=stop, **kwargs)).with_retry(
            retry_if_exception_type=(_Passing,), stop_after_attempt=_TRIES
        )
        with self._places:
            message = asking.invoke(messages)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _ask(self, messages: list[BaseMessage], **options: Any) -> AIMessage:
        try:
            message = self.client.invoke(messages, **options)
        except Exception as error:  # whatever a foreign program makes its client raise
            raise _told(error, self.server) from None
        if "finish_reason" not in message.response_metadata:
            raise _broke_off(self.server)
        if options.get("logprobs"):
            message.response_metadata["logprobs"] = self._logprobs(message)
        return message

    def _logprobs(self, message: AIMessage) -> list[float]:
        """Return the log-probability of each token of an answer, as a local model tells them."""
        told = message.response_metadata.get("logprobs") or {}
        if logprobs := [float(token["logprob"]) for token in told.get("content") or ()]:
            return logprobs
        raise ModelError(
            f"The model server at {self.server.place} does not say how likely its words are.",
            "Use one that tells logprobs, such as vLLM or llama.cpp's server.",
        )


def open_model(chosen: Settings) -> ServedModel:
    """Return the model that the settings name; the server is not asked for anything yet.

    Raises:
        ModelError: There is no such kind of server, or the library for it is not installed.
        SettingsError: It is not said where the server is, or it is another machine that the
            settings file does not name.
    """
    let_through(chosen)
    from langchain.chat_models import init_chat_model

    server = Server.named_by(chosen)
    try:
        client = init_chat_model(
            server.model,
            model_provider="openai",
            base_url=server.url,
            api_key=os.environ.get(_KEY, _NO_KEY),
            timeout=(_SECONDS_TO_CONNECT, _SECONDS_OF_SILENCE),
            max_retries=0,
            streaming=True,
            use_responses_api=False,
            extra_body={"max_tokens": _LONGEST_ANSWER},  # the name that all servers know
        )
    except ImportError:
        raise ModelError(
            f"The model {chosen.model} needs a library that is not installed.",
            "Run: pip install langchain-openai",
        ) from None
    return ServedModel(client=client, server=server)


def _told(error: Exception, server: Server) -> ModelError:
    """Return what went wrong, without anything that the server said."""
    import openai

    at = f"The model server at {server.place}"
    match error:
        case openai.APITimeoutError() if _never_connected(error):
            return _broke_off(server)
        case openai.APITimeoutError():
            return ModelError(
                f"{at} said nothing for {_SECONDS_OF_SILENCE:.0f} seconds.",
                "See whether it hangs or has too much to do, then try again.",
            )
        case openai.APIConnectionError():
            return _broke_off(server)
        case openai.InternalServerError() | openai.RateLimitError():
            return _Passing(f"{at} failed (code {error.status_code}).", "Its own log says why.")
        case openai.NotFoundError():
            return ModelUnknown(
                f"{at} has no model {server.model!r}.",
                "Check the name, and base_url, which for most servers ends in /v1.",
            )
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ModelError(f"{at} wants another key.", f"Put it into the variable {_KEY}.")
        case openai.APIStatusError(status_code=code):
            return ModelError(
                f"{at} refused the prompt (code {code}).",
                "Its own log says why; its context may be too small.",
            )
        case openai.APIError():  # told within the stream, where there is no code any more
            return _Passing(f"{at} failed while it answered.", "Its own log says why.")
    return ModelError(f"{at} answered in a way that cannot be understood.", "Check base_url.")


def _never_connected(error: BaseException | None) -> bool:
    """Whether what failed was to reach the server; the client tells it like a long silence."""
    # By its name, for which library the client speaks HTTP with is the client's own affair.
    while error is not None and type(error).__name__ != "ConnectTimeout":
        error = error.__cause__ or error.__context__
    return error is not None


def _broke_off(server: Server) -> _Passing:
    return _Passing(
        f"The model server at {server.place} cannot be reached, or broke off.",
        "See whether it runs, and whether base_url is right, then try again.",
    )
