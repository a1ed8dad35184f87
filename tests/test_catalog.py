"""The catalogue knows its files, and no file that differs is ever handed out."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from reframer import catalog
from reframer.catalog import Model, ModelFile, UrlSource, WheelSource
from reframer.errors import ModelDamaged, ModelError, ModelMissing, ModelUnknown
from reframer.llama.gguf import read_header

CONTENT = b"not a model, but its bytes are known" * 100


def make_model(*names: str) -> Model:
    files = tuple(
        ModelFile(name, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), ()) for name in names
    )
    return Model("toy", "A toy", "chat", "Apache-2.0", 1, {}, files)


def place(folder: Path, name: str, content: bytes = CONTENT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were hashed, in order."""
    history: list[Path] = []
    real = catalog.hash_file

    def record(path: Path, *arguments: object) -> str:
        history.append(path)
        return real(path)

    monkeypatch.setattr(catalog, "hash_file", record)
    return history


def test_every_entry_can_be_fetched_and_checked() -> None:
    for model in catalog.models():
        assert model.files, model.id
        assert model.licence == "Apache-2.0"
        assert model.ram_bytes > 0
        for file in model.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.bytes > 0
            assert file.sources
            assert not Path(file.name).is_absolute()
            assert ".." not in Path(file.name).parts


def test_ids_and_file_names_are_unique() -> None:
    ids = [model.id for model in catalog.models()]
    names = [file.name for model in catalog.models() for file in model.files]
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)


def test_urls_are_encrypted_and_wheels_pinned() -> None:
    sources = [s for m in catalog.models() for f in m.files for s in f.sources]
    assert all(s.url.startswith("https://") for s in sources if isinstance(s, UrlSource))
    assert all(s.version and s.parts >= 1 for s in sources if isinstance(s, WheelSource))


@pytest.mark.parametrize("role", ["chat", "embedding"])
def test_each_role_has_one_default_with_a_second_source(role: catalog.Role) -> None:
    defaults = [m for m in catalog.models() if m.role == role and m.default]
    assert defaults == [catalog.default(role)]
    assert all(len(file.sources) >= 2 for file in defaults[0].files)


def test_an_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(ModelUnknown, match="smollm2-135m"):
        catalog.find("gpt-99")


def test_a_whole_file_is_located_and_hashed_only_once(tmp_path: Path, hashed: list[Path]) -> None:
    model, path = make_model("toy.gguf"), place(tmp_path, "toy.gguf")
    assert catalog.locate(model, tmp_path) == (path,)
    assert catalog.locate(model, tmp_path) == (path,)
    assert hashed == [path]


def test_a_missing_file_says_what_to_run(tmp_path: Path) -> None:
    model = make_model("toy.gguf", "toy.json")
    place(tmp_path, "toy.gguf")
    assert not catalog.is_here(model, tmp_path)
    with pytest.raises(ModelMissing, match="Run: reframer models pull toy"):
        catalog.locate(model, tmp_path)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT[::-1]])
def test_a_file_that_differs_is_refused(tmp_path: Path, content: bytes) -> None:
    model = make_model("toy.gguf")
    place(tmp_path, "toy.gguf", content)
    for _ in range(2):
        with pytest.raises(ModelDamaged, match="reframer models rm toy"):
            catalog.locate(model, tmp_path)


def test_a_file_exchanged_after_its_check_is_noticed(tmp_path: Path) -> None:
    model, path = make_model("toy.gguf"), place(tmp_path, "toy.gguf")
    catalog.locate(model, tmp_path)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelDamaged):
        catalog.locate(model, tmp_path)


def test_a_folder_that_cannot_be_written_serves_models_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    model, path = make_model("toy.gguf"), place(tmp_path, "toy.gguf")
    monkeypatch.setattr("reframer.paths.tempfile.mkstemp", refuse)
    assert catalog.locate(model, tmp_path) == (path,)


@pytest.mark.parametrize("way", ["is_file", "open"])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    model, path = make_model("toy.gguf"), place(tmp_path, "toy.gguf")
    catalog.locate(model, tmp_path)
    monkeypatch.setattr(Path, way, refuse)
    for look in (catalog.locate, catalog.verify):
        with pytest.raises(ModelError, match=r"cannot be read: Permission denied\.") as caught:
            look(model, tmp_path)
        assert str(path) in caught.value.message
        assert caught.value.hint


def test_verify_tells_how_far_it_is(tmp_path: Path) -> None:
    place(tmp_path, "toy.gguf")
    counts: list[int] = []
    catalog.verify(make_model("toy.gguf"), tmp_path, counts.append)
    assert sum(counts) == len(CONTENT)


def test_remove_deletes_the_model_and_what_a_stopped_pull_left(tmp_path: Path) -> None:
    model, other = make_model("sub/toy.gguf"), place(tmp_path, "other.gguf")
    place(tmp_path, "sub/toy.gguf")
    catalog.locate(model, tmp_path)
    place(tmp_path, "sub/toy.gguf.part", b"12345")
    place(tmp_path, "sub/toy.gguf.part.json", b"{}")
    assert catalog.remove(model, tmp_path) > len(CONTENT)
    assert list((tmp_path / "sub").iterdir()) == []
    assert other.exists()
    assert catalog.remove(model, tmp_path) == 0


def test_an_adapter_goes_only_onto_the_file_that_it_was_trained_on() -> None:
    for model in catalog.models():
        path = catalog.locate_adapter(model)
        if path is not None:
            base = read_header(path).values["reframer.base.sha256"]
            assert [file.sha256 for file in model.files] == [base]


def test_an_adapter_that_was_changed_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = catalog.Adapter("none.gguf", "0" * 64)
    changed = dataclasses.replace(catalog.default("chat"), adapter=adapter)
    with pytest.raises(ModelDamaged, match="Install"):
        catalog.locate_adapter(changed)
