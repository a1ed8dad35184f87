"""Which techniques fit a thought, found in a Chroma index of the cards.

The index is a cache: it holds only the public cards, lies in a folder named after what it was made
from, and is made again when cards or embedder change or when it is damaged. What a person wrote
never enters it: a search is made with the vector of a thought, not with its words.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from reframer import paths, seal
from reframer.affinity import Affinity, Called
from reframer.aptness import alternately
from reframer.encoder import Vectors
from reframer.errors import IndexUnusable, ReframerError
from reframer.reader import Reader
from reframer.records import TWIN, Example, Kind, Match, Technique
from reframer.review import invents
from reframer.sentences import stems

if TYPE_CHECKING:
    from langchain_chroma import Chroma

_FORMAT = 1
_KEPT = 3
_PATIENCE = 180.0  # seconds; another process needs about ten to make the index
_BATCH = 1000
_PROBE = "Whatever made this vector is the embedder."
_EXAMPLES, _CARDS = "examples", "cards"

# How much each part counts beside the likeness to what a card's examples have in common, which
# counts 1. Chosen by cross-validation on the examples that are not held out (docs/log.md).
_LEARNED = 0.2  # of a log-probability in nats
_CARD = 0.4
_KIND = 0.07
_SAME = 1.0
# From this likeness on (cosine), an example says nearly what the thought says.
_NEARLY_SAME = 0.7
# What a technique must be better by when it belongs with a trained person.
_RESERVE = 0.04
_NEAREST = 40
_SHOWN = 5


def tell(word: str) -> None:
    """Say on the standard error stream what is being done to the index."""
    sys.stderr.write(f"{word}\n")


class TechniqueRetriever(BaseRetriever):
    """Finds the techniques that fit a thought.

    Attributes:
        index: The index of the cards.
        affinity: What was learned of such thoughts, if anything.
        k: How many techniques `invoke` returns.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: CardIndex
    affinity: Affinity | None = None
    k: int = Field(default=3, ge=1)

    @classmethod
    def open(
        cls,
        techniques: Sequence[Technique],
        embeddings: Embeddings,
        reader: Reader | None = None,
        folder: Path | None = None,
        on_repair: Callable[[str], None] = tell,
    ) -> TechniqueRetriever:
        """Open the index of the techniques, making it first if need be.

        Args:
            techniques: All that may be found.
            embeddings: Makes the vectors.
            reader: Has learned which technique a thought calls for, and goes with the embedder;
                without one, likeness decides.
            folder: Where the index lies; by default the user's cache folder.
            on_repair: Told in a sentence when the index is made, or made again.

        Raises:
            IndexUnusable: It can be neither read nor made.
        """
        folder = paths.cache_dir() if folder is None else folder
        affinity = Affinity(embeddings, reader) if reader else None
        known = affinity.known if affinity else None
        index = CardIndex(techniques, embeddings, folder, on_repair, known)
        return cls(index=index, affinity=affinity)

    def search(self, thought: str, kinds: Sequence[Kind] = (), k: int = 3) -> tuple[Match, ...]:
        """Return the techniques that fit a thought, best first.

        Added up for every technique are: what was learned about such thoughts, how like the thought
        its examples are, how like its card's text is, and whether it is meant for these kinds of
        self-criticism. An example that says nearly the same decides by itself. Techniques that are
        never led stand back unless they are clearly nearest.

        Args:
            thought: What somebody says to themselves.
            kinds: The kinds of self-criticism heard in it, most telling first.
            k: How many to return.

        Raises:
            IndexUnusable: The index broke and cannot be made again.
        """
        called, parts = self._weigh(thought, kinds)
        names = parts.ranking()[:k]
        return tuple(self._match(name, called.vector, parts, thought) for name in names)

    def best(
        self, thought: str, kinds: Sequence[Kind] = (), other_than: Sequence[str] = ()
    ) -> Match:
        """Return the technique with the most apt words for a thought.

        Words that speak of somebody who is not in the thought are left out. Techniques whose best
        words are nearly as apt take turns from thought to thought. Where an example says the same,
        and its answer holds for the thought, its technique is the one; where nothing was learned of
        the words of the one that `search` finds first, as with a card of one's own, that one stays.

        Args:
            thought: What somebody says to themselves.
            kinds: The kinds of self-criticism heard in it, most telling first.
            other_than: Ids of techniques that are not wanted, if there is any other.

        Raises:
            IndexUnusable: The index broke and cannot be made again.
        """
        called, parts = self._weigh(thought, kinds)
        ranking = [name for name in parts.ranking() if name not in other_than] or parts.ranking()
        nearest = max(ranking, key=parts.nearness)
        if parts.nearness(nearest) >= TWIN:  # or it need not be fetched
            match = self._match(nearest, called.vector, parts, thought)
            if match.twin:
                return match
        first = ranking[0]
        apt = self._apt(called, parts, ranking, thought)
        if apt.get(first):
            first = alternately(
                {name: max(apt[name].values()) for name in apt if apt[name]}, thought
            )
        match = self._match(first, called.vector, parts, thought)
        return replace(match, apt=apt.get(first, {}))

    def _apt(
        self, called: Called, parts: _Parts, names: Sequence[str], thought: str
    ) -> Mapping[str, Mapping[str, float]]:
        """Return how apt the techniques' words are, as far as that was learned."""
        if self.affinity is None:
            return {}
        words = {
            name: [one for one in self.index.techniques[name].words if not invents(one, thought)]
            for name in names
        }
        return self.affinity.apt(called, words, parts.total)

    def rank(self, thought: str, kinds: Sequence[Kind] = ()) -> list[str]:
        """Return the ids of all techniques, those that fit a thought best first.

        Args:
            thought: What somebody says to themselves.
            kinds: The kinds of self-criticism heard in it, most telling first.
        """
        return self._weigh(thought, kinds)[1].ranking()

    def scores(self, thought: str, kinds: Sequence[Kind] = ()) -> Mapping[str, float]:
        """Return how well each technique fits a thought, by id; comparable within one call."""
        return self._weigh(thought, kinds)[1].total

    def _weigh(self, thought: str, kinds: Sequence[Kind]) -> tuple[Called, _Parts]:
        """Return what is known of a thought, and what speaks for each technique."""
        if self.affinity:
            called = self.affinity.read(thought)
        else:
            called = Called(self.index.embed(thought), {}, np.empty(0, np.float32))
        return called, _Parts.of(self.index, called.vector, kinds, called.techniques)

    def _match(self, name: str, vector: list[float], parts: _Parts, thought: str) -> Match:
        nearest = self.index.nearest_of(name, vector, _SHOWN)
        example, nearness = nearest[0] if nearest else (None, 0.0)
        return Match(
            technique=self.index.techniques[name],
            examples=tuple(example for example, _ in nearest),
            score=parts.total[name],
            reasons=parts.reasons(name),
            twin=example is not None and nearness >= TWIN and _answers(example, thought),
        )

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - part of the interface
        k: int | None = None,
    ) -> list[Document]:
        return [_document(match) for match in self.search(query, k=k or self.k)]


def _answers(example: Example, thought: str) -> bool:
    """Whether an example's answer speaks of nothing that is in its own thought alone."""
    of_its_own = stems(example.answer) & stems(example.thought)
    return of_its_own <= stems(thought) and not invents(example.answer, thought)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What speaks for each technique, by its id."""

    learned: Mapping[str, float]
    examples: Mapping[str, float]
    card: Mapping[str, float]
    kind: Mapping[str, float]
    same: Mapping[str, float]
    total: Mapping[str, float]

    @classmethod
    def of(
        cls,
        index: CardIndex,
        vector: list[float],
        kinds: Sequence[Kind],
        logprobs: Mapping[str, float],
    ) -> _Parts:
        # A card of the user's own, of which nothing was learned, is as near as the second best.
        second = sorted(logprobs.values())[-2] if logprobs else 0.0
        learned = {name: logprobs.get(name, second) for name in index.techniques}
        examples, card = index.likeness(vector)
        same = {name: _SAME * max(0, like - _NEARLY_SAME) for name, like in index.nearest(vector)}
        kind = {name: _prior(technique, kinds) for name, technique in index.techniques.items()}
        total = {
            name: _LEARNED * learned[name]
            + examples[name]
            + _CARD * card[name]
            + _KIND * kind[name]
            + same.get(name, 0.0)
            - (0.0 if technique.led else _RESERVE)
            for name, technique in index.techniques.items()
        }
        return cls(learned, examples, card, kind, same, total)

    def nearness(self, name: str) -> float:
        """Return the cosine of a technique's nearest example, where it is near enough to count."""
        return self.same[name] / _SAME + _NEARLY_SAME if name in self.same else 0.0

    def ranking(self) -> list[str]:
        return sorted(self.total, key=lambda name: -self.total[name])

    def reasons(self, name: str) -> tuple[str, ...]:
        found = {
            "examples": (
                self.same.get(name, 0) > 0
                or _outstanding(self.examples, name)
                or _outstanding(self.learned, name)
            ),
            "kind": self.kind[name] > 0,
            "card": _outstanding(self.card, name),
        }
        return tuple(reason for reason, holds in found.items() if holds)


def _prior(technique: Technique, kinds: Sequence[Kind]) -> float:
    """Return how far a technique is meant for the kinds, from 0 to 1."""
    return max(
        (
            1 / (1 + heard) / (1 + technique.when.index(kind))
            for heard, kind in enumerate(kinds)
            if kind in technique.when
        ),
        default=0.0,
    )


def _outstanding(likeness: Mapping[str, float], name: str) -> bool:
    """Return whether a technique is among the nearest quarter."""
    return sum(like > likeness[name] for like in likeness.values()) < max(1, len(likeness) / 4)


def _document(match: Match) -> Document:
    technique = match.technique
    return Document(
        id=technique.id,
        page_content=f"{technique.title}\n\n{technique.about}",
        metadata={
            "id": technique.id,
            "title": technique.title,
            "score": match.score,
            "reasons": list(match.reasons),
            "examples": [example.id for example in match.examples],
        },
    )


class CardIndex:
    """Vectors of the cards and of their examples (without the held-out ones), kept on disk.

    Args:
        techniques: What is indexed.
        embeddings: Makes the vectors.
        folder: Where the index lies.
        on_repair: Told in a sentence when the index is made, or made again.
        known: Returns the vector of a text where it was computed before.

    Raises:
        IndexUnusable: The index can be neither read nor made.
    """

    def __init__(
        self,
        techniques: Sequence[Technique],
        embeddings: Embeddings,
        folder: Path,
        on_repair: Callable[[str], None] = tell,
        known: Callable[[str], Vectors | None] | None = None,
    ) -> None:
        self._known = known or (lambda _: None)
        self.techniques = {technique.id: technique for technique in techniques}
        self._examples = {
            f"{technique.id}/{example.id}": example
            for technique in techniques
            for example in technique.examples
            if not example.held_out
        }
        self._embeddings = embeddings
        self._folder = folder / "index"
        self._tell = on_repair
        self._key = self._make_key()
        self._stores = self._open()

    def embed(self, thought: str) -> list[float]:
        """Return the vector of a thought."""
        return self._embeddings.embed_query(thought)

    def likeness(self, vector: list[float]) -> tuple[dict[str, float], dict[str, float]]:
        """Return how like a vector each technique is: by its examples together, by its text."""
        examples: dict[str, float] = {}
        card: dict[str, float] = {}
        for document, like in self._query(_CARDS, vector, 2 * len(self.techniques)):
            part = examples if document.metadata["part"] == "centre" else card
            part[document.metadata["technique"]] = like
        return examples, card

    def nearest(self, vector: list[float]) -> Iterator[tuple[str, float]]:
        """Yield the techniques of the nearest examples with their likeness, nearest last."""
        for document, like in reversed(self._query(_EXAMPLES, vector, _NEAREST)):
            yield document.metadata["technique"], like

    def nearest_of(
        self, technique: str, vector: list[float], count: int
    ) -> list[tuple[Example, float]]:
        """Return a technique's examples nearest to a vector with their cosine, nearest first."""
        found = self._query(_EXAMPLES, vector, count, {"technique": technique})
        return [(self._examples[str(document.id)], like) for document, like in found]

    def _query(
        self, store: str, vector: list[float], count: int, only: dict[str, str] | None = None
    ) -> list[tuple[Document, float]]:
        """Return the nearest documents with their cosine; make the index again if it broke."""
        try:
            return _nearest(self._stores[store], vector, count, only)
        except Exception:  # whatever Chroma raises, the cache can be made again
            self._stores = self._open()
            return _nearest(self._stores[store], vector, count, only)

    def _make_key(self) -> str:
        """Name what the index is made from: the cards' words, and the embedder by what it does."""
        probe = np.round(self._embeddings.embed_query(_PROBE), 2) + 0.0
        words = [
            [card_text(technique) for technique in self.techniques.values()],
            {name: example.thought for name, example in self._examples.items()},
        ]
        made_from = json.dumps([_FORMAT, words, probe.tolist()])
        return hashlib.sha256(made_from.encode()).hexdigest()[:16]

    def _open(self) -> dict[str, Chroma]:
        """Open the index, one process at a time; make it where there is none that works."""
        with self._alone():
            for folder in self._folder.glob(f"{self._key}-*"):
                try:
                    stores = self._connect(folder)
                    folder.touch()
                    return stores
                except IndexUnusable:
                    raise
                except Exception:  # damaged in whatever way: it is only a cache
                    self._tell("The search index was damaged; it is made again.")
                    shutil.rmtree(folder, ignore_errors=True)
            self._tell("Making the search index; this happens once and takes a few seconds.")
            return self._build()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            paths.private_dir(self._folder)
            with FileLock(self._folder / ".lock", timeout=_PATIENCE):
                yield
        except Timeout:
            raise IndexUnusable(
                "Another process has been making the search index for minutes.",
                "End it, then try again.",
            ) from None
        except OSError as error:
            raise IndexUnusable(
                f"The search index cannot be kept in {self._folder} ({error.strerror}).",
                "Make the folder writable, or set XDG_CACHE_HOME to another one.",
            ) from error

    def _build(self) -> dict[str, Chroma]:
        """Make the index beside its place, then move it there whole."""
        self._sweep()
        scratch = Path(tempfile.mkdtemp(dir=self._folder, prefix=f".{self._key}-"))
        try:
            with closing(_client(scratch)) as client:
                self._fill(client)
            folder = self._folder / scratch.name.removeprefix(".")
            scratch.rename(folder)
            return self._connect(folder)
        except (ReframerError, OSError):
            raise
        except Exception as error:  # Chroma has no class of its own for its errors
            raise IndexUnusable(
                "The search index cannot be made.", "See whether the disk is full, then try again."
            ) from error

    def _fill(self, client: Any) -> None:
        names = list(self._examples)
        thoughts = [example.thought for example in self._examples.values()]
        vectors = self._vectors(thoughts)
        owners = [example.technique for example in self._examples.values()]
        _add(client, _EXAMPLES, names, vectors, thoughts, [{"technique": name} for name in owners])

        cards = list(self.techniques)
        texts = [card_text(technique) for technique in self.techniques.values()]
        written = self._vectors(texts)
        centres = written.copy()
        for row, name in enumerate(cards):
            own = [number for number, owner in enumerate(owners) if owner == name]
            if own:
                centres[row] = vectors[own].mean(0)
        for part, rows in (("card", written), ("centre", centres)):
            metadata = [{"technique": name, "part": part} for name in cards]
            _add(client, _CARDS, [f"{name}/{part}" for name in cards], rows, texts, metadata)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, of which only those not known are computed."""
        found = {text: self._known(text) for text in texts}
        missing = [text for text, vector in found.items() if vector is None]
        computed = zip(missing, self._embeddings.embed_documents(missing), strict=True)
        found |= {text: np.asarray(vector, np.float32) for text, vector in computed}
        return np.array([found[text] for text in texts], np.float32)

    def _connect(self, folder: Path) -> dict[str, Chroma]:
        """Open an index and make sure that it is whole and answers."""
        from langchain_chroma import Chroma

        client = _client(folder)
        try:
            stores = {}
            sizes = {_EXAMPLES: len(self._examples), _CARDS: 2 * len(self.techniques)}
            for name, size in sizes.items():
                found = client.get_collection(name, embedding_function=None).count()
                if found != size:
                    raise ValueError(f"{found} {name} instead of {size}")
                stores[name] = Chroma(name, client=client)
                if size:
                    _nearest(stores[name], self.embed(_PROBE), 1)
            return stores
        except BaseException:
            client.close()
            raise

    def _sweep(self) -> None:
        """Delete what broken builds left, and all but the latest indexes of other cards."""
        for leftover in self._folder.glob(".*-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        kept = sorted(self._folder.glob("*-*"), key=lambda folder: -folder.stat().st_mtime)
        for old in kept[_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def card_text(technique: Technique) -> str:
    """Return what of a card is indexed."""
    return f"{technique.title}. {technique.move} {technique.why} {technique.about}"


def _client(folder: Path) -> Any:
    """Open Chroma in a folder, in this process, whatever the environment would have it do."""
    seal.switch_off_reporting()
    try:
        import chromadb
        from chromadb.config import Settings
    except ValueError as error:  # it reads .env in the current folder on import
        raise IndexUnusable(
            "The search library cannot start: it stumbles over the file .env in this folder.",
            "Run the program in another folder.",
        ) from error
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
        anonymized_telemetry=False,
        is_persistent=True,
        persist_directory=str(folder),
        allow_reset=False,
    )
    return chromadb.Client(settings)


def _add(
    client: Any,
    name: str,
    ids: list[str],
    vectors: Any,
    texts: list[str],
    metadata: list[dict[str, str]],
) -> None:
    collection = client.get_or_create_collection(
        name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    for start in range(0, len(ids), _BATCH):
        part = slice(start, start + _BATCH)
        collection.add(ids[part], vectors[part], metadata[part], texts[part])


def _nearest(
    store: Chroma, vector: list[float], count: int, only: dict[str, str] | None = None
) -> list[tuple[Document, float]]:
    found = store.similarity_search_by_vector_with_relevance_scores(vector, k=count, filter=only)
    return [(document, 1 - distance) for document, distance in found]
