"""The flow, from a text to a friend's answer. Everything in front of the user calls this."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, BaseMessageChunk
from langchain_core.runnables import Runnable, RunnableLambda

from reframer import catalog, prompts, seal
from reframer.critic import Critic
from reframer.errors import ModelError, TextEmpty, TextTooLong
from reframer.fit import LEAST as LEAST_FIT
from reframer.fit import Fit
from reframer.knowledge import load_techniques
from reframer.mirror import opening
from reframer.probe import Probe, Probed
from reframer.reader import Reader
from reframer.records import Kind, Match, Notice, Reframe, Risk, Thought, Wishes
from reframer.retrieval import TechniqueRetriever
from reframer.review import review, review_opening
from reframer.safety import Safety, also_unsafe, signposts, unsure
from reframer.settings import Settings
from reframer.threads import once
from reframer.trust import LEAST as LEAST_TRUST
from reframer.trust import SURER, trust
from reframer.wording import card_words, shaped, wants_opening

LONGEST_TEXT = 4000
_WHOLE_THOUGHT = 700
_DRAFTS = 6  # computed together, which takes hardly longer than two after each other
_DRAFTS_BEHIND = 4
_THOUGHTS_AT_ONCE = 5
_EXAMPLES_SHOWN = 3
_A_WORD = 0.5  # what a word costs a draft: of two that fit alike, the shorter one
# Who writes to this program alone wants an answer, so the ear may be more eager than in a journal.
EAGER = 0.08
# Warm enough that drafts differ; a small model loses its sense when it is warmer (docs/log.md).
_TEMPERATURE = 0.5
_LONGEST_PROBED = 700  # characters; the model would read longer texts for seconds
# How sure the model must be that a text is a thought, or none, to decide against the ear.
_SURELY, _HARDLY = 0.6, 0.15
_SPACE = re.compile(r"\s+")
_NO_WISHES = Wishes()
Stopped = Callable[[], bool]
Says = Literal["openings", "answers"]
_BEHIND = {"background": True}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who words the answers.

    Attributes:
        model: Any LangChain chat model.
        name: Its id, shown with each answer.
        says: What it is asked for. The small default model, with its adapter, words ``openings``,
            behind which a card's own words stand, here or at a server; any other words whole
            ``answers``.
        behind: Options of a call that gives way to those without.
        probe: Tells what the model makes of a text; only the default model has one.
    """

    model: BaseChatModel
    name: str
    says: Says
    behind: Mapping[str, Any] = field(default_factory=dict)
    probe: Probe | None = None


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the flow needs once safety has read: an ear, a memory, a measure, and a speaker.

    Attributes:
        critic: The ear.
        retriever: The memory.
        open_fit: Opens what tells a whole answer that is beside the point; called once, when one
            is drafted.
        open_speaker: Opens the model; called once, when something is to be answered.
    """

    critic: Critic
    retriever: TechniqueRetriever
    open_fit: Callable[[], Fit]
    open_speaker: Callable[[], Speaker]


@dataclass(frozen=True, slots=True)
class _Choice:
    """The draft that was chosen, empty if none may be shown, and why others were refused."""

    text: str
    rejected: Mapping[str, int]


class Reframer:
    """Answers self-critical texts the way a best friend would.

    A text takes these steps:

    1. assess: safety reads the whole raw text first; where it finds danger, written words answer.
    2. notice: the ear finds the self-critical sentences and their kinds, and where the model is
       sure of what the text is, it has the last word; what attacks nobody comes back untouched.
    3. retrieve: the technique whose words are the most apt, with examples.
    4. compose: the prompt.
    5. speak: the local model drafts several openings, or whole answers, at once.
    6. review: of the drafts that break no rule, the best is given: the opening that the model
       doubts least, with the card's own words behind it, or the whole answer that fits best; if
       there is none, the card's own words alone.

    Safety is there at once and works without any model, so that a person in danger is met rightly
    even when nothing else can be opened.

    Args:
        safety: Reads first.
        open_rooms: Opens the rest; called once, when a text needs it.
        country: Country for the help lines; empty to go by the locale.
    """

    def __init__(self, safety: Safety, open_rooms: Callable[[], Rooms], country: str = "") -> None:
        self._safety = safety
        self._country = country
        self._open_rooms = once(open_rooms)
        self._open_fit = once(lambda: self._rooms.open_fit())
        self._open_speaker = once(lambda: self._rooms.open_speaker())
        self._drafters = ThreadPoolExecutor(
            _DRAFTS + _DRAFTS_BEHIND * _THOUGHTS_AT_ONCE, thread_name_prefix="draft"
        )

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the flow as the settings say; the models are opened when a text needs them."""
        seal.switch_off_reporting()
        safety = Safety.open(settings.models_dir)
        return cls(safety, lambda: _open_rooms(settings), settings.country)

    def prepare(self) -> None:
        """Open now what a text will need.

        Raises:
            ModelError: The model or the embedder is missing, damaged or too large.
            KnowledgeError: The cards or the index cannot be used.
        """
        _ = self._speaker

    @property
    def _rooms(self) -> Rooms:
        return self._open_rooms()

    @property
    def _fit(self) -> Fit:
        return self._open_fit()

    @property
    def _speaker(self) -> Speaker:
        return self._open_speaker()

    def reframe(
        self,
        text: str,
        wishes: Wishes = _NO_WISHES,
        *,
        went_on: bool = False,
        stopped: Stopped = lambda: False,
    ) -> Reframe:
        """Answer one text.

        Args:
            text: What somebody says to themselves.
            wishes: How they would like to be spoken to.
            went_on: They read safety's words and said that it was not meant so. Words of concern
                are then not repeated; those of crisis are.
            stopped: Whether nobody waits for the answer any more. Asked at every word of the
                model, which then falls silent; the card's own words come at once.

        Raises:
            TextEmpty: There is nothing in it.
            TextTooLong: It is longer than `LONGEST_TEXT` characters (after safety read it whole).
            ModelError: The model or the embedder is missing, damaged or too large, or failed.
            KnowledgeError: The cards or the index cannot be used.
        """
        started = time.monotonic()
        return _finish(self._reframe(text, wishes, went_on, stopped), started)

    def reframe_many(self, texts: Iterable[str], wishes: Wishes = _NO_WISHES) -> Iterator[Reframe]:
        """Answer texts one after the other, each as soon as it is ready."""
        for text in texts:
            yield self.reframe(text, wishes)

    def assess(self, text: str) -> Risk:
        """Return what safety reads in a text, without the model."""
        return self._safety.assess(text)

    def probe(self, text: str) -> Probed | None:
        """Return what the model makes of a text, which takes some tenths of a second.

        None where it cannot be asked: the default model alone has probes, and it may be missing, or
        the text too much for it. Then the small reader is alone.
        """
        try:
            probe = self._speaker.probe
            return probe.read(text) if probe else None
        except (ModelError, TextTooLong):
            return None

    def look_closer(self, text: str, risk: Risk) -> tuple[Risk, Probed | None]:
        """Return what danger a text shows on a closer look, and what the model makes of it.

        The model is asked where it may change something and has not too much to read.

        Args:
            text: The text.
            risk: What safety read in it.
        """
        if not unsure(risk) or not 0 < len(text.strip()) <= _LONGEST_PROBED:
            return risk, None
        probed = self.probe(text)
        return (self._safety.assess(text, probed.levels) if probed else risk), probed

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

        They give way to texts that are answered with `reframe` meanwhile.

        Args:
            thoughts: The thoughts.
            wishes: How the person would like to be spoken to.

        Yields:
            The thought's number and its answer, in the order in which answers are ready.
        """
        left = threading.Event()  # by who asked for the answers

        def answer(number: int, thought: Thought) -> tuple[int, Reframe]:
            started = time.monotonic()
            words = self._answer(thought, wishes, behind=True, stopped=left.is_set)
            return number, _finish(words, started)

        with ThreadPoolExecutor(_THOUGHTS_AT_ONCE, thread_name_prefix="thought") as pool:
            work = [pool.submit(answer, number, one) for number, one in enumerate(thoughts)]
            try:
                yield from (done.result() for done in as_completed(work))
            finally:
                left.set()
                pool.shutdown(cancel_futures=True)

    def fingerprint(self) -> str:
        """Return a hash of what an answer depends on beside the thought and the wishes.

        That is the model with its prompt and the cards. An answer kept under it can be given again.

        Raises:
            ModelError: The model or the embedder is missing, damaged or too large.
            KnowledgeError: The cards or the index cannot be used.
        """
        cards = self._rooms.retriever.index.techniques
        made_from = repr((self._speaker.name, self._speaker.says, cards))
        return hashlib.sha256(made_from.encode()).hexdigest()

    def asked(self, wishes: Wishes) -> str:
        """Return the id of the model that is asked for words; empty where all are written by hand.

        It was given a thought also where none of its drafts could be shown in the end.

        Args:
            wishes: How the person would like to be spoken to.

        Raises:
            ModelError: The model is missing, damaged or too large.
        """
        return self._speaker.name if self._asks(wishes) else ""

    def as_runnable(self) -> Runnable[str, Reframe]:
        """Return the whole flow as a LangChain runnable from text to `Reframe`.

        It takes what `reframe` takes: ``friend.as_runnable().invoke(text, went_on=True)``.
        """
        return RunnableLambda(self.reframe, name="reframer")

    def _reframe(self, text: str, wishes: Wishes, went_on: bool, stopped: Stopped) -> Reframe:
        if not text.strip():
            raise TextEmpty("There is no text to answer.", 'Try: reframer "I ruin everything."')
        risk, probed = self.look_closer(text, self.assess(text))
        if risk.level == "crisis" or (risk.level == "concern" and not went_on):
            return Reframe(text, signposts(risk, self._country, wishes.voice), "safety", risk)
        if len(text) > LONGEST_TEXT:
            raise TextTooLong(
                f"The text has {len(text):,} characters; one thought has at most {LONGEST_TEXT:,}.",
                "Give one thought at a time, for example one line each with --jsonl.",
            )
        critical = [n for n in self._rooms.critic.notice(text, threshold=EAGER) if n.self_critical]
        if not _asks_for_an_answer(critical, probed):
            return Reframe(text, text, "untouched", risk)
        thought = Thought(_thought(text, critical), kinds_of(critical))
        answer = self._answer(thought, wishes, stopped=stopped)
        return replace(answer, source=text, risk=risk)

    def _answer(
        self,
        thought: Thought,
        wishes: Wishes,
        *,
        behind: bool = False,
        stopped: Stopped = lambda: False,
    ) -> Reframe:
        match = self._rooms.retriever.best(thought.text, thought.kinds, wishes.other_than)
        by_hand = self._by_hand(match, wishes)
        said = once(lambda: self._said_back(thought, wishes))
        choice = _Choice("", {}) if by_hand else self._speak(thought, match, said, behind, stopped)
        words = self._words(choice.text, said, thought, match, wishes)
        return Reframe(
            source=thought.text,
            text=shaped(words, match.technique, wishes),
            origin="model" if choice.text else "card",
            kinds=thought.kinds,
            techniques=(match.technique,),
            model=self._speaker.name if choice.text else "",
            rejected=choice.rejected,
        )

    def _by_hand(self, match: Match, wishes: Wishes) -> bool:
        """Whether all words are written by hand, and the model is not asked.

        So it is for children, where no opening is wanted of a model that words openings, and where
        an example says the same as an adult's thought: its answer answers the thought, too.
        """
        return not self._asks(wishes) or (wishes.voice == "adult" and match.twin)

    def _asks(self, wishes: Wishes) -> bool:
        """Whether such wishes leave anything for the model to word."""
        no_opening = self._speaker.says == "openings" and not wants_opening(wishes)
        return wishes.voice != "child" and not no_opening

    def _said_back(self, thought: Thought, wishes: Wishes) -> str:
        """Return what rules say back of a thought, if an opening is wanted."""
        return opening(thought, self._sounds_harsh, wishes.voice) if wants_opening(wishes) else ""

    def _sounds_harsh(self, words: str) -> bool:
        return any(notice.self_critical for notice in self._rooms.critic.notice(words))

    def _speak(
        self,
        thought: Thought,
        match: Match,
        said: Callable[[], str],
        behind: bool,
        stopped: Stopped,
    ) -> _Choice:
        """Let the model draft several times at once, and choose the best that may be shown."""
        if self._speaker.says == "openings":
            return self._open(thought.story, said, behind, stopped)
        examples = match.examples[_EXAMPLES_SHOWN - 1 :: -1]  # the nearest last
        messages = prompts.answer(thought.story, match.technique, examples)
        drafts = self._draft(messages, behind, stopped, temperature=_TEMPERATURE)
        marks = {
            draft: self._fit.score(draft, thought.story) - _A_WORD * len(draft.split())
            for draft in drafts
        }
        return _best(marks, lambda draft: self._broken(draft, thought.story, match))

    def _open(
        self, thought: str, said: Callable[[], str], behind: bool, stopped: Stopped
    ) -> _Choice:
        """Choose an opening: of the drafts that break no rule, the one that can be trusted most.

        Where rules have ``said`` something, a draft that is less sure gives way to it.
        """
        messages = prompts.opening(thought)
        options = {"temperature": _TEMPERATURE, "logprobs": True}
        drafts = self._draft(messages, behind, stopped, **options)
        marks = {draft: trust(draft, logprobs) for draft, logprobs in drafts.items()}

        def doubtful(mark: float) -> bool:
            return mark < LEAST_TRUST or (mark < SURER and bool(said()))

        def broken(draft: str) -> tuple[str, ...]:
            rules = [problem.rule for problem in review_opening(draft, thought)]
            rules += ["unsafe"] if also_unsafe(draft) else []
            return tuple(rules) or (("doubtful",) if doubtful(marks[draft]) else ())

        return _best(marks, broken)

    def _draft(
        self, messages: list[BaseMessage], behind: bool, stopped: Stopped, **options: Any
    ) -> dict[str, Sequence[float]]:
        """Return drafts, each once, with their tokens' log-probabilities if they are asked for."""
        speaker = self._speaker
        options |= speaker.behind if behind else {}
        left = threading.Event()  # by who waited, with an error of a draft or an interrupt

        def draft(seed: int) -> tuple[str, Sequence[float]]:
            chunks = speaker.model.stream(messages, seed=seed, **options)
            return _drained(chunks, lambda: left.is_set() or stopped())

        try:
            drafts = dict(self._drafters.map(draft, range(_DRAFTS_BEHIND if behind else _DRAFTS)))
        finally:
            left.set()
        return {text: logprobs for text, logprobs in drafts.items() if text}

    def _broken(self, draft: str, thought: str, match: Match) -> tuple[str, ...]:
        """Return the names of the rules that a whole answer breaks."""
        problems = review(draft, thought, match.technique.examples)
        return (
            *(problem.rule for problem in problems),
            *(("beside the point",) if self._fit.score(draft, thought) < LEAST_FIT else ()),
            *(("unsafe",) if also_unsafe(draft) else ()),
        )

    def _words(
        self, draft: str, said: Callable[[], str], thought: Thought, match: Match, wishes: Wishes
    ) -> str:
        """Return the whole answer: the model's, or the card's own words behind an opening."""
        if draft and self._speaker.says == "answers":
            return draft
        if wishes.voice == "adult" and match.twin:
            return match.examples[0].answer
        return card_words(match, thought.text, draft or said(), wishes)


def _open_rooms(settings: Settings) -> Rooms:
    reader = Reader.from_catalog(settings.models_dir)
    techniques = load_techniques(settings.cards_dir)
    return Rooms(
        Critic(reader),
        TechniqueRetriever.open(techniques, reader.embeddings, reader),
        lambda: Fit.learn(techniques),
        lambda: open_speaker(settings),
    )


def open_speaker(settings: Settings) -> Speaker:
    """Open the chat model that the settings name.

    ``model`` may be an id of the catalogue, the path of a GGUF file, or ``openai:NAME`` or
    ``ollama:NAME`` for a model at a server.

    Raises:
        ModelError: It is unknown, missing, damaged or too large.
        SettingsError: It is not said where the server is, or may not be reached.
    """
    name = settings.model
    if settings.served:
        from reframer.server.model import OWN_MODEL, open_model  # its library may be missing

        served = open_model(settings)
        own = served.server.model == OWN_MODEL
        return Speaker(served, name, "openings" if own else "answers")
    from reframer.llama.chat import ChatLlama  # llama_cpp is loaded only to speak

    if Path(name).suffix == ".gguf":
        path = Path(name).expanduser()
        return Speaker(
            ChatLlama.from_file(path, context=settings.context, threads=settings.threads),
            path.stem,
            "answers",
            _BEHIND,
        )
    model = catalog.find(name) if name else catalog.default("chat")
    chat = ChatLlama.from_catalog(
        model, settings.models_dir, context=settings.context, threads=settings.threads
    )
    says: Says = "openings" if chat.adapter else "answers"
    probe = Probe.open(model, lambda: chat.reads(prompts.probe))
    return Speaker(chat, model.id, says, _BEHIND, probe)


def kinds_of(critical: Iterable[Notice]) -> tuple[Kind, ...]:
    """Return the kinds heard in self-critical sentences, strongest first, each once."""
    strongest = sorted(critical, key=lambda notice: -notice.strength)
    return tuple(dict.fromkeys(notice.kind for notice in strongest if notice.kind))


def _asks_for_an_answer(critical: Sequence[Notice], probed: Probed | None) -> bool:
    """Whether somebody is hard on themselves in a text.

    Args:
        critical: What the ear hears, which misses a failing told without a harsh word, and takes
            rough pride and anger at others for an attack.
        probed: What the model makes of the text, if it was asked; where it is sure, it decides.
    """
    if probed is None or _HARDLY <= probed.turns["thought"] < _SURELY:
        return bool(critical)
    return probed.turns["thought"] >= _SURELY


def _thought(text: str, critical: Sequence[Notice]) -> str:
    """Return what is answered: a short text whole, of a long one what leads to the attacks."""
    whole = " ".join(text.split())
    if len(whole) <= _WHOLE_THOUGHT:
        return whole
    strongest = max(critical, key=lambda notice: notice.strength)
    start = text.rfind("\n\n", 0, strongest.start) + 1
    cut = strongest.end - _WHOLE_THOUGHT
    if cut > start:  # at the beginning of a word, or "did not" could become "not"
        space = _SPACE.search(text, cut - 1, strongest.end)
        start = space.end() if space else cut
    return " ".join(text[start : strongest.end].split())


def _best(marks: Mapping[str, float], broken: Callable[[str], Sequence[str]]) -> _Choice:
    """Return the draft with the best mark among those that break no rule."""
    rejected: Counter[str] = Counter()
    fitting: dict[str, float] = {}
    for draft, mark in marks.items():
        if rules := broken(draft):
            rejected.update(rules)
        else:
            fitting[draft] = mark
    return _Choice(max(fitting, key=fitting.__getitem__, default=""), dict(rejected))


def _drained(chunks: Iterator[BaseMessageChunk], unwanted: Stopped) -> tuple[str, Sequence[float]]:
    """Return a draft on one line, and its tokens' log-probabilities if they are told.

    Where it is unwanted before its end, nothing is returned, and the model is stopped.
    """
    words: list[str] = []
    told: dict[str, Any] = {}
    with closing(cast("Generator[BaseMessageChunk]", chunks)):
        while not unwanted():
            if (chunk := next(chunks, None)) is None:
                return " ".join("".join(words).split()), told.get("logprobs", ())
            words.append(chunk.text)
            told |= chunk.response_metadata
    return "", ()


def _finish(answer: Reframe, started: float) -> Reframe:
    return replace(answer, seconds=round(time.monotonic() - started, 3))
