"""``reframer doctor``: is everything in place, and if not, what is to be done?"""

from __future__ import annotations

import dataclasses
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from reframer import catalog, paths, settings
from reframer.catalog import Model
from reframer.cli import show
from reframer.cli.check import Check
from reframer.cli.privacy import privacy
from reframer.errors import CardError, ModelUnknown, ReframerError, UsageError
from reframer.settings import Settings

_OLDEST_PYTHON = (3, 11)
# Heavy libraries are loaded through the room that owns them: that they are installed does not say
# that they load.
_ROOMS = {
    "llama-cpp-python": "reframer.llama.weights",
    "chromadb": "reframer.retrieval",
    "gradio": "reframer.ui.page",
}
_SPARE_BYTES = 500_000_000
_THOUGHT = "I ruin everything."


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print what is found as one JSON object.")
@click.option("--bench", is_flag=True, help="Measure how fast the model is here, and nothing else.")
@click.pass_context
def doctor(context: click.Context, as_json: bool, bench: bool) -> None:
    """Check Python, libraries, models, cards, index, memory and disk, and say what to do.

    Ends with exit code 1 where something has to be done.
    """
    if context.invoked_subcommand is not None:
        return
    if bench:
        _measure(as_json)
        return
    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not as_json:
            check.show()
    healthy = all(check.ok for check in checks)
    if as_json:
        show.to_json({"ok": healthy, "checks": [dataclasses.asdict(check) for check in checks]})
    context.exit(0 if healthy else 1)


doctor.add_command(privacy)


def _measure(as_json: bool) -> None:
    """Print how fast the model that the settings name reads and speaks."""
    from reframer.engine import open_speaker  # loads llama.cpp
    from reframer.llama.chat import ChatLlama
    from reframer.llama.pace import measure

    speaker = open_speaker(settings.load())
    if not isinstance(chat := speaker.model, ChatLlama):
        raise UsageError(
            f"{speaker.name} is served by another program.", "Measure it where it runs."
        )
    with show.status(f"Measuring {speaker.name} …"):
        pace = measure(chat)
    threads, rows = chat.weights.threads, chat.weights.rows
    if as_json:
        facts = {"model": speaker.name, "threads": threads, "rows": rows}
        show.to_json({**facts, "tokens_per_second": dataclasses.asdict(pace)})
        return
    click.echo(f"{speaker.name}, {threads} threads, at most {rows} answers at once.")
    click.echo(f"It reads {pace.reads:.0f} tokens a second.")
    for number, speed in pace.speaks.items():
        click.echo(f"{number:2} at once: it says {speed:.0f} tokens a second.")


def examine() -> Iterator[Check]:
    """Look at one thing after the other; whatever is wrong with one, the others are looked at."""
    yield _check_python()
    for library, room in _ROOMS.items():
        yield _checked(library, partial(_load, library, room))
    try:
        chosen = settings.load()
    except ReframerError as problem:
        yield Check("settings", False, problem.message, problem.hint or "Mend the settings file.")
        chosen = Settings()
    yield _checked("model", partial(_find_model, chosen))
    yield _checked("embedder", partial(_embed, chosen))
    yield _checked("ear and safety", partial(_listen, chosen))
    yield from _check_cards(chosen)
    yield _checked("index", partial(_search, chosen))
    yield _check_memory(chosen)
    yield _check_disk(chosen)


def _checked(name: str, look: Callable[[], str]) -> Check:
    """Look at something; an error that comes of it is what was found."""
    try:
        return Check(name, True, look())
    except ReframerError as problem:
        return Check(name, False, problem.message, problem.hint)
    except Exception as error:
        found = f"It fails with {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Check(name, False, found, "Set it up again: make clean, then make run.")


def _check_python() -> Check:
    ok = sys.version_info >= _OLDEST_PYTHON
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    return Check("python", ok, platform.python_version(), f"Install Python {oldest} or newer.")


def _load(library: str, room: str) -> str:
    import_module(room)
    return version(library)


def _find_model(chosen: Settings) -> str:
    if (model := _catalogued(chosen)) is not None:
        catalog.verify(model, chosen.models_dir)
        return f"{model.id} is here and whole."
    if chosen.served:
        return f"{chosen.model} is served by another program, which was not asked."
    from reframer.llama.gguf import read_header

    header = read_header(Path(chosen.model).expanduser())
    return f"{chosen.model} is whole ({header.architecture})."


def _embed(chosen: Settings) -> str:
    from reframer.embedding import LocalEmbeddings

    catalog.verify(catalog.default("embedding"), chosen.models_dir)
    vector = LocalEmbeddings.from_catalog(chosen.models_dir).embed_query(_THOUGHT)
    return f"It makes vectors of {len(vector)} numbers."


def _listen(chosen: Settings) -> str:
    from reframer.critic import Critic
    from reframer.reader import Reader
    from reframer.safety import Safety

    reader = Reader.from_catalog(chosen.models_dir)
    Critic(reader).notice(_THOUGHT)
    Safety(reader).assess(_THOUGHT)
    return "They read."


def _check_cards(chosen: Settings) -> Iterator[Check]:
    from reframer.knowledge import load_techniques

    problems: list[CardError] = []

    def count() -> str:
        return f"{len(load_techniques(chosen.cards_dir, problems.append))} can be used."

    yield _checked("cards", count)
    for problem in problems:
        yield Check("card", False, problem.message, problem.hint)


def _search(chosen: Settings) -> str:
    from reframer.knowledge import load_techniques
    from reframer.reader import Reader
    from reframer.retrieval import TechniqueRetriever

    techniques = load_techniques(chosen.cards_dir, lambda _: None)
    reader = Reader.from_catalog(chosen.models_dir)
    retriever = TechniqueRetriever.open(
        techniques, reader.embeddings, reader, on_repair=lambda _: None
    )
    retriever.search(_THOUGHT, k=1)
    return f"It finds techniques ({paths.cache_dir()})."


def _check_memory(chosen: Settings) -> Check:
    from reframer.llama.memory import free_memory

    needed = sum(model.ram_bytes for model in _used(chosen))
    free = free_memory()
    return Check(
        "memory",
        free >= needed,
        f"{show.size(free)} are free; {show.size(needed)} are needed.",
        "Close other programs, or choose a smaller model.",
    )


def _check_disk(chosen: Settings) -> Check:
    folder = chosen.models_dir
    while not folder.exists():
        folder = folder.parent
    missing = [m.bytes for m in _used(chosen) if not catalog.is_here(m, chosen.models_dir)]
    needed = sum(missing) + _SPARE_BYTES
    free = shutil.disk_usage(folder).free
    return Check(
        "disk",
        free >= needed,
        f"{show.size(free)} are free in {chosen.models_dir}; {show.size(needed)} are needed.",
        "Free some space, or choose another folder with REFRAMER_MODELS_DIR.",
    )


def _used(chosen: Settings) -> list[Model]:
    """Return the catalogue's models that are used; another check tells of one that it lacks."""
    try:
        chat = _catalogued(chosen)
    except ModelUnknown:
        chat = None
    return [*([chat] if chat else []), catalog.default("embedding")]


def _catalogued(chosen: Settings) -> Model | None:
    """Return the catalogue's model that the settings name, or None for a file or a server.

    Raises:
        ModelUnknown: The catalogue has none of that name.
    """
    if not chosen.model:
        return catalog.default("chat")
    if chosen.served or Path(chosen.model).suffix == ".gguf":
        return None
    return catalog.find(chosen.model)
