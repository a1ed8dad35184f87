"""Settings come from defaults, file, environment and flags, the later before the earlier."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from reframer import paths, settings
from reframer.errors import CardError, SettingsError
from reframer.knowledge import load_techniques
from reframer.records import Risk
from reframer.safety import signposts
from reframer.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_a_file_there_are_defaults(file: Path) -> None:
    assert settings.load(file=file, environ={}) == Settings()


def test_the_file_is_read(file: Path) -> None:
    file.write_text('model = "smollm2-135m"\nthreads = 3\nmodels_dir = "~/models"\n')
    loaded = settings.load(file=file, environ={})
    assert (loaded.model, loaded.threads) == ("smollm2-135m", 3)
    assert loaded.models_dir == Path.home() / "models"


def test_environment_beats_file_and_flags_beat_both(file: Path) -> None:
    file.write_text("port = 1001\ncontext = 1001\nthreads = 1\n")
    environ = {"REFRAMER_PORT": "1002", "REFRAMER_CONTEXT": "1002"}
    loaded = settings.load({"port": 1003}, file=file, environ=environ)
    assert (loaded.threads, loaded.context, loaded.port) == (1, 1002, 1003)


def test_a_flag_that_was_not_given_changes_nothing(file: Path) -> None:
    environ = {"REFRAMER_MODEL": "own.gguf"}
    assert settings.load({"model": None}, file=file, environ=environ).model == "own.gguf"


def test_an_unknown_key_is_named_with_the_known_ones(file: Path) -> None:
    file.write_text('modell = "x"\n')
    with pytest.raises(SettingsError, match=r"'modell'.*Known settings: .*model"):
        settings.load(file=file, environ={})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THREADS", "-1"),
        ("THREADS", "many"),
        ("CONTEXT", "100"),
        ("BASE_URL", "127.0.0.1:8000"),
        ("BASE_URL", "ftp://127.0.0.1"),
        ("BASE_URL", "http://user:secret@127.0.0.1/v1"),
        ("BASE_URL", "http://127.0.0.1:99999/v1"),
        ("BASE_URL", "http://[::1/v1"),
        ("BASE_URL", "http:///v1"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("COUNTRY", "Germany"),
        ("COUNTRY", "12"),
        ("COUNTRY", "!!"),
        ("COUNTRY", "ÜK"),
        ("TONE", "shrill"),
        ("VOICE", "robot"),
        ("PERSON", "they"),
        ("TEXT_SIZE", "huge"),
    ],
)
def test_an_impossible_value_names_its_setting(file: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.lower()):
        settings.load(file=file, environ={f"REFRAMER_{name}": value})


@pytest.mark.parametrize("written", ["UK", "uk"])
def test_who_writes_uk_gets_the_british_help_lines(file: Path, written: str) -> None:
    country = settings.load({"country": written}, file=file, environ={}).country
    shown = signposts(Risk("crisis"), country)
    assert "Samaritans" in shown
    assert "999" in shown


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        settings.load(file=file, environ={})


def test_the_page_names_every_setting_with_its_default(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "data_dir", lambda: Path.home() / ".local/share/reframer")
    monkeypatch.setattr(paths, "config_dir", lambda: Path.home() / ".config/reframer")
    rows = re.findall(r"^\| `(\w+)` \| .* \| `(.*)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [key for key, _ in rows] == [field.name for field in fields(Settings)]
    file.write_text("\n".join(f"{key} = {default}" for key, default in rows))
    assert settings.load(file=file, environ={}) == Settings()


def test_the_card_on_the_page_can_be_used(tmp_path: Path) -> None:
    card = re.findall(
        r"^```markdown\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "the-long-table.md").write_text(card[0], encoding="utf-8")
    problems: list[CardError] = []
    assert load_techniques(tmp_path, problems.append)[-1].id == "the-long-table"
    assert problems == []


def test_what_is_saved_is_there_the_next_time(file: Path) -> None:
    settings.save({"voice": "teen", "text_size": "large"}, file=file)
    loaded = settings.load(file=file, environ={})
    assert (loaded.voice, loaded.text_size) == ("teen", "large")


def test_saving_leaves_comments_and_other_keys_alone(file: Path) -> None:
    file.write_text('# My own remark.\nthreads = 3  # this machine is slow\nvoice = "child"\n')
    settings.save({"voice": "adult"}, file=file)
    assert file.read_text() == (
        '# My own remark.\nthreads = 3  # this machine is slow\nvoice = "adult"\n'
    )


def test_saving_through_a_link_leaves_the_link(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles" / "reframer.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("threads = 3\n")
    file.symlink_to(elsewhere)
    settings.save({"voice": "teen"}, file=file)
    assert file.is_symlink()
    assert elsewhere.read_text() == 'threads = 3\nvoice = "teen"\n'


def test_an_impossible_value_is_not_saved(file: Path) -> None:
    file.write_text('voice = "child"\n')
    with pytest.raises(SettingsError, match="voice"):
        settings.save({"voice": "robot"}, file=file)
    assert file.read_text() == 'voice = "child"\n'


def test_a_file_that_cannot_be_read_is_not_written_over(file: Path) -> None:
    file.write_text("model = ")
    with pytest.raises(SettingsError):
        settings.save({"voice": "teen"}, file=file)
    assert file.read_text() == "model = "


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.symlink_to(tmp_path / "a disk that is not there")
    file = folder / "settings.toml"
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        settings.save({"voice": "teen"}, file=file)


def test_only_its_owner_may_read_the_settings(file: Path) -> None:
    settings.save({"voice": "teen"}, file=file)
    assert file.stat().st_mode & 0o077 == 0
