"""The flow, from a text to a friend's answer. Everything in front of the user calls this."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda

from reframer import catalog, prompts, seal
from reframer.critic import Critic
from reframer.embedding import LocalEmbeddings
from reframer.errors import ModelError, TextEmpty, TextTooLong
from reframer.knowledge import load_techniques
from reframer.prompts import Style
from reframer.records import Kind, Match, Notice, Reframe, Risk, Thought, Wishes
from reframer.retrieval import TechniqueRetriever
from reframer.review import review
from reframer.safety import Safety, also_unsafe, signposts
from reframer.settings import Settings

LONGEST_TEXT = 4000
_WHOLE_THOUGHT = 700
_DRAFTS = 4
_EXAMPLES_SHOWN = 3
# Who writes to this program alone wants an answer, so the ear may be more eager than in a journal.
_EAGER = 0.08
# A small model keeps its sense better when it is not asked to be surprising (docs/log.md).
_TEMPERATURE = 0.4
_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who words the answers.

    Attributes:
        model: Any LangChain chat model.
        name: Its id, shown with each answer.
        style: The prompt it was made for.
    """

    model: BaseChatModel
    name: str
    style: Style


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the flow needs once safety has read: an ear, a memory, and somebody to speak.

    Attributes:
        critic: The ear.
        retriever: The memory.
        open_speaker: Opens the model; called once, when something is to be answered.
    """

    critic: Critic
    retriever: TechniqueRetriever
    open_speaker: Callable[[], Speaker]


@dataclass(slots=True)
class _Attempt:
    """What became of a thought's drafts."""

    text: str = ""
    rejected: Counter[str] = field(default_factory=Counter)


class Reframer:
    """Answers self-critical texts the way a best friend would.

    A text takes these steps:

    1. assess: safety reads the whole raw text first; where it finds danger, written words answer.
    2. notice: the ear finds the self-critical sentences and their kinds; without any, the text
       comes back untouched.
    3. retrieve: the techniques and examples that fit.
    4. compose: the prompt.
    5. speak: the local model drafts an answer.
    6. review: a draft that breaks a rule is tried again; if none may be shown, the card's own words
       are given, and the answer says so.

    Safety is there at once and works without any model, so that a person in danger is met rightly
    even when nothing else can be opened.

    Args:
        safety: Reads first.
        open_rooms: Opens the rest; called once, when a text needs it.
        country: Country for the help lines; empty to go by the locale.
    """

    def __init__(self, safety: Safety, open_rooms: Callable[[], Rooms], country: str = "") -> None:
        self._safety = safety
        self._open_rooms = open_rooms
        self._country = country

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the flow as the settings say; the models are opened when a text needs them."""
        seal.switch_off_reporting()
        try:
            safety = Safety(LocalEmbeddings.from_catalog(settings.models_dir))
        except ModelError:
            safety = Safety()
        return cls(safety, lambda: _open_rooms(settings), settings.country)

    def prepare(self) -> None:
        """Open now what a text will need.

        Raises:
            ModelError: The model or the embedder is missing, damaged or too large.
            KnowledgeError: The cards or the index cannot be used.
        """
        _ = self._speaker

    @cached_property
    def _rooms(self) -> Rooms:
        return self._open_rooms()

    @cached_property
    def _speaker(self) -> Speaker:
        return self._rooms.open_speaker()

    def reframe(self, text: str, wishes: Wishes = _NO_WISHES, *, went_on: bool = False) -> Reframe:
        """Answer one text.

        Args:
            text: What somebody says to themselves.
            wishes: How they would like to be spoken to.
            went_on: They read safety's words and said that it was not meant so. Words of concern
                are then not repeated; those of crisis are.

        Raises:
            TextEmpty: There is nothing in it.
            TextTooLong: It is longer than `LONGEST_TEXT` characters (after safety read it whole).
            ModelError: The model or the embedder is missing, damaged or too large, or failed.
            KnowledgeError: The cards or the index cannot be used.
        """
        started = time.monotonic()
        return _finish(self._reframe(text, wishes, went_on), started)

    def reframe_many(self, texts: Iterable[str], wishes: Wishes = _NO_WISHES) -> Iterator[Reframe]:
        """Answer texts one after the other, each as soon as it is ready."""
        for text in texts:
            yield self.reframe(text, wishes)

    def assess(self, text: str) -> Risk:
        """Return what safety reads in a text."""
        return self._safety.assess(text)

    def notice_many(
        self, texts: Sequence[str], threshold: float | None = None
    ) -> tuple[tuple[Notice, ...], ...]:
        """Return what the ear hears in each sentence of each text.

        Args:
            texts: Any texts.
            threshold: Probability from which a sentence counts as self-critical; by default as
                strict as a journal needs.

        Raises:
            ModelError: The embedder is missing or damaged.
            KnowledgeError: The cards or the index cannot be used.
        """
        return self._rooms.critic.notice_many(texts, threshold)

    def answer_as_completed(
        self, thoughts: Sequence[Thought], wishes: Wishes = _NO_WISHES
    ) -> Iterator[tuple[int, Reframe]]:
        """Answer thoughts that safety has read and the ear has heard, several at a time.

        Yields:
            The thought's number and its answer, in the order in which answers are ready.
        """
        for number, thought in enumerate(thoughts):
            started = time.monotonic()
            yield number, _finish(self._answer(thought, wishes), started)

    def fingerprint(self) -> str:
        """Return a hash of what an answer depends on beside the thought and the wishes.

        That is the model with its prompt and the cards. An answer kept under it can be given again.

        Raises:
            ModelError: The model or the embedder is missing, damaged or too large.
            KnowledgeError: The cards or the index cannot be used.
        """
        cards = self._rooms.retriever.index.techniques
        made_from = repr((self._speaker.name, self._speaker.style, cards))
        return hashlib.sha256(made_from.encode()).hexdigest()

    def as_runnable(self) -> Runnable[str, Reframe]:
        """Return the whole flow as a LangChain runnable from text to `Reframe`."""
        return RunnableLambda(self.reframe, name="reframer")

    def _reframe(self, text: str, wishes: Wishes, went_on: bool) -> Reframe:
        if not text.strip():
            raise TextEmpty("There is no text to answer.", 'Try: reframer "I ruin everything."')
        risk = self._safety.assess(text)
        if risk.level == "crisis" or (risk.level == "concern" and not went_on):
            return Reframe(text, signposts(risk, self._country, wishes.voice), "safety", risk)
        if len(text) > LONGEST_TEXT:
            raise TextTooLong(
                f"The text has {len(text):,} characters; one thought has at most {LONGEST_TEXT:,}.",
                "Give one thought at a time, for example one line each with --jsonl.",
            )
        critical = [n for n in self._rooms.critic.notice(text, threshold=_EAGER) if n.self_critical]
        if not critical:
            return Reframe(text, text, "untouched", risk)
        thought = Thought(_thought(text, critical), _kinds(critical))
        return replace(self._answer(thought, wishes), source=text, risk=risk)

    def _answer(self, thought: Thought, wishes: Wishes) -> Reframe:
        match = self._retrieve(thought, wishes)
        attempt = self._draft(thought.text, match)
        return Reframe(
            source=thought.text,
            text=attempt.text or _card_words(match, thought.text),
            origin="model" if attempt.text else "card",
            kinds=thought.kinds,
            techniques=(match.technique,),
            model=self._speaker.name if attempt.text else "",
            rejected=dict(attempt.rejected),
        )

    def _retrieve(self, thought: Thought, wishes: Wishes) -> Match:
        """Return the technique that fits best and was not used yet."""
        used = set(wishes.other_than)
        matches = self._rooms.retriever.search(thought.text, thought.kinds, k=1 + len(used))
        return next((match for match in matches if match.technique.id not in used), matches[0])

    def _draft(self, thought: str, match: Match) -> _Attempt:
        """Ask the model until a draft passes the review, a fixed number of times."""
        examples = match.examples[_EXAMPLES_SHOWN - 1 :: -1]  # the nearest last
        messages = prompts.compose(thought, match.technique, examples, style=self._speaker.style)
        attempt = _Attempt()
        for number in range(_DRAFTS):
            draft = self._say(messages, seed=number)
            broken = [problem.rule for problem in review(draft, thought, match.technique.examples)]
            if also_unsafe(draft):
                broken.append("unsafe")
            if not broken:
                attempt.text = draft
                return attempt
            attempt.rejected.update(broken)
        return attempt

    def _say(self, messages: Sequence[BaseMessage], seed: int) -> str:
        answer = self._speaker.model.invoke(list(messages), seed=seed, temperature=_TEMPERATURE)
        return " ".join(str(answer.text).split())


def _open_rooms(settings: Settings) -> Rooms:
    embeddings = LocalEmbeddings.from_catalog(settings.models_dir)
    techniques = load_techniques(settings.cards_dir)
    return Rooms(
        Critic(embeddings),
        TechniqueRetriever.open(techniques, embeddings),
        lambda: open_speaker(settings),
    )


def open_speaker(settings: Settings) -> Speaker:
    """Open the chat model that the settings name.

    ``model`` may be an id of the catalogue, the path of a GGUF file, or ``provider:name`` for a
    model server that LangChain knows (its package has to be installed).

    Raises:
        ModelError: It is unknown, missing, damaged or too large.
    """
    from reframer.llama.chat import ChatLlama  # llama_cpp is loaded only to speak

    name = settings.model
    if Path(name).suffix == ".gguf":
        path = Path(name).expanduser()
        return Speaker(
            ChatLlama.from_file(path, context=settings.context, threads=settings.threads),
            path.stem,
            "plain",
        )
    if ":" in name:
        return Speaker(_served_model(name), name, "plain")
    model = catalog.find(name) if name else catalog.default("chat")
    chat = ChatLlama.from_catalog(
        model, settings.models_dir, context=settings.context, threads=settings.threads
    )
    return Speaker(chat, model.id, "adapter" if chat.adapter else "plain")


def _served_model(name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(name)
    except (ImportError, ValueError) as error:
        raise ModelError(
            f"The model {name!r} cannot be used: {str(error).splitlines()[0]}", ""
        ) from error


def _kinds(critical: Sequence[Notice]) -> tuple[Kind, ...]:
    """Return the kinds heard, strongest first, each once."""
    strongest = sorted(critical, key=lambda notice: -notice.strength)
    return tuple(dict.fromkeys(notice.kind for notice in strongest if notice.kind))


def _thought(text: str, critical: Sequence[Notice]) -> str:
    """Return what is answered: a short text whole, of a long one what leads to the attacks."""
    whole = " ".join(text.split())
    if len(whole) <= _WHOLE_THOUGHT:
        return whole
    strongest = max(critical, key=lambda notice: notice.strength)
    start = text.rfind("\n\n", 0, strongest.start) + 1
    start = max(start, strongest.end - _WHOLE_THOUGHT)
    return " ".join(text[start : strongest.end].split())


def _card_words(match: Match, thought: str) -> str:
    """Choose among the card's own words by the thought, so that two thoughts seldom share them."""
    technique = match.technique
    words = technique.words or (technique.why,)  # a user's own card may have none
    return words[sum(thought.encode()) % len(words)]


def _finish(answer: Reframe, started: float) -> Reframe:
    return replace(answer, seconds=round(time.monotonic() - started, 3))
