"""``reframer models``: what there is, what is here, and how to get it."""

from __future__ import annotations

from pathlib import Path

import click

from reframer import catalog, settings
from reframer.catalog import Model
from reframer.cli import show
from reframer.errors import ModelDamaged, ModelMissing, ModelUnknown, UsageError
from reframer.pull import pull as fetch

_ID = click.argument("model_id", metavar="[ID]", required=False)


@click.group()
def models() -> None:
    """List, fetch and check the model files.

    Without ID, pull takes the default chat model and the embedder, verify takes all that are here,
    path and export take the default chat model.
    """


@models.command("list")
def list_models() -> None:
    """List the models that reframer knows, and which of them are here."""
    folder = _folder()
    for model in catalog.models():
        here = "here" if catalog.is_here(model, folder) else "-"
        default = "default" if model.default else ""
        click.echo(
            f"{model.id:20} {model.role:10} {default:8} {here:5} {show.size(model.bytes):>9}  "
            f"{model.licence}  {model.title}"
        )


@models.command()
@_ID
def pull(model_id: str | None) -> None:
    """Fetch a model that is not here yet, and check it.

    A pull that was stopped goes on where it was. No other command downloads anything.
    """
    wanted = _wanted(model_id) or (catalog.default("chat"), catalog.default("embedding"))
    try:
        with show.watcher() as watcher:
            fetched = [model.id for model in wanted if fetch(model, _folder(), watcher)]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "What was fetched is kept; the same command goes on from there."
        ) from None
    names = " and ".join(fetched or [model.id for model in wanted])
    click.echo(f"{names}: {'fetched and whole' if fetched else 'already here'}.", err=True)


@models.command()
@_ID
def verify(model_id: str | None) -> None:
    """Hash the files of a model and compare with the catalogue."""
    folder = _folder()
    wanted = _wanted(model_id) or tuple(m for m in catalog.models() if catalog.is_here(m, folder))
    if not wanted:
        raise ModelMissing("No model is on this machine yet.", "Run: reframer models pull")
    problems: list[ModelDamaged] = []
    for model in wanted:
        try:
            with show.status(f"Reading {model.id} …"):
                catalog.verify(model, folder)
            click.echo(f"{model.id}: whole")
        except ModelDamaged as problem:
            problems.append(problem)
            click.echo(f"{model.id}: damaged")
    if problems:
        raise problems[0]


@models.command()
@_ID
def path(model_id: str | None) -> None:
    """Print where the files of a model lie, one a line."""
    (model,) = _wanted(model_id) or (catalog.default("chat"),)
    for file in catalog.locate(model, _folder()):
        click.echo(file)


@models.command()
@click.argument("model_id", metavar="ID")
def rm(model_id: str) -> None:
    """Delete the files of a model, and what a stopped pull left of them."""
    freed = catalog.remove(catalog.find(model_id), _folder())
    click.echo(f"Freed {show.size(freed)}." if freed else "There was nothing to delete.", err=True)


@models.command()
@_ID
@click.option(
    "--adapter",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write the adapter: as GGUF, for llama.cpp, and as PEFT has it, for vLLM.",
)
@click.option(
    "--merged",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the model with the adapter in its weights, as GGUF with 16 bits.",
)
def export(model_id: str | None, folder: Path | None, file: Path | None) -> None:
    """Write what reframer's own training added to a model, for other engines."""
    (model,) = _wanted(model_id) or (catalog.default("chat"),)
    adapter = catalog.locate_adapter(model)
    if model.adapter is None or adapter is None:
        raise ModelUnknown(f"The model {model.id} has no adapter.", "The default model has one.")
    if not (folder or file):
        raise UsageError("It is not said what to write.", "Give --adapter DIR or --merged FILE.")
    if folder:
        from reframer.llama.adapter import write_adapter  # loads numpy

        for written in write_adapter(adapter, model.adapter.base, folder):
            click.echo(written)
    if file:
        from reframer.llama.merge import write_merged  # loads llama.cpp

        (base,) = catalog.locate(model, _folder())
        with show.status(f"Writing {file} …"):
            write_merged(base, adapter, file)
        click.echo(file)


def _folder() -> Path:
    return settings.load().models_dir


def _wanted(model_id: str | None) -> tuple[Model, ...]:
    return (catalog.find(model_id),) if model_id else ()
