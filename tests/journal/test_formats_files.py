"""A journal is read file by file; what cannot be read is named, and the rest goes on."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import struct
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from reframer.errors import TextUnreadable, UsageError
from reframer.journal import formats
from reframer.journal.formats import find, open_journal
from reframer.journal.records import Document, Unread
from tests.journal.journals import FIXTURES, PASSWORD, answer, ask, read, read_one, written
from tests.journal.test_formats_reading import FILES, zipped


def names(folder: Path) -> list[str]:
    """Return the files that were read, within their folder."""
    return [
        each.path.relative_to(folder).as_posix()
        for each in read(folder)
        if not isinstance(each, Unread)
    ]


def reasons(path: Path, format: str | None = None) -> list[str]:
    return [each.reason for each in read(path, format) if isinstance(each, Unread)]


def test_a_folder_is_read_in_order_and_without_what_is_not_the_journal(tmp_path: Path) -> None:
    for name in (
        *("b.md", "a.txt", "a/2.md", "a/1.md", "c", "D.MD", "日記.md", "дневник.txt", "يوميات.md"),
        *(".hidden.md", ".obsidian/x.md", ".git/x.txt", "photo.jpg", "style.css", "data.json"),
        *("logseq/bak/old.md", "bak/kept.md"),
    ):
        written(tmp_path, name, "Tired.\n")
    assert names(tmp_path) == [
        *("D.MD", "a/1.md", "a/2.md", "a.txt", "b.md", "bak/kept.md", "c"),
        *("дневник.txt", "يوميات.md", "日記.md"),
    ]
    assert reasons(tmp_path) == []


def test_a_name_that_is_not_utf_8_is_no_hindrance(tmp_path: Path) -> None:
    paths = [tmp_path / os.fsdecode(name) for name in (b"caf\xe8.txt", b"caf\xe9.txt")]
    try:
        for path in paths:
            path.write_bytes(b"Tired.\n")
    except OSError:
        pytest.skip("this disk takes no such names")
    documents = [each for each in read(tmp_path) if not isinstance(each, Unread)]
    assert [document.path for document in documents] == paths
    ids = [document.entries[0].id for document in documents]
    assert ids == [r"caf\xe8.txt#1", r"caf\xe9.txt#1"]


@pytest.mark.parametrize(
    ("folder", "given"),
    [
        ("2024/01", "15.txt"),
        ("graph/journals", "2024_01_15.md"),
        ("vault/Notes", "Note.md"),
        ("2024/01", "."),
    ],
)
def test_a_journal_is_read_alike_from_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, given: str
) -> None:
    (tmp_path / "vault" / ".obsidian").mkdir(parents=True)
    written(tmp_path / folder, given if given != "." else "15.txt", "Tired.\n")
    whole = [*read(tmp_path / folder / given)]
    monkeypatch.chdir(tmp_path / folder)
    for one, other in zip(read(Path(given)), whole, strict=True):
        assert not isinstance(one, Unread) and not isinstance(other, Unread)
        assert (one.format, one.entries) == (other.format, other.entries)


def test_what_cannot_be_read_is_named_as_the_journal_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "vault/broken.md", b"\0")
    monkeypatch.chdir(tmp_path)
    asked = [Path("vault"), Path("vault/broken.md")]
    unread = [each for path in asked for each in read(path)]
    assert [each.path for each in unread] == [Path("vault/broken.md")] * 2
    with pytest.raises(UsageError, match=r"There is nothing at vault/none\.md"):
        read(Path("vault/none.md"))


def test_a_folder_may_hold_every_format_at_once() -> None:
    found = {each.format for each in read(FIXTURES) if not isinstance(each, Unread)}
    assert found == {each.title for each in formats.FORMATS}


def test_what_earlier_runs_left_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "day.md", "Tired.\n")
    for name in ("reframes.jsonl", "reframes.md", "report.html", "journal/day.md"):
        written(tmp_path, f"vault-reframed/{name}", "Tired.\n")
    written(tmp_path, "vault-reframed/mine.md", "Tired.\n")
    written(tmp_path, "notes/journal/day.md", "Tired.\n")
    written(tmp_path, "notes/reframes.md", "Tired.\n")
    assert names(tmp_path) == [
        "day.md",
        "notes/journal/day.md",
        "notes/reframes.md",
        "vault-reframed/mine.md",
    ]


def test_no_more_than_one_file_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        written(tmp_path, f"{number}.txt", "Tired.\n")
    opened: list[str] = []

    def opening(path: Path, name: str) -> bytes:
        opened.append(path.name)
        return read_bytes(path, name)

    read_bytes = formats._bytes
    monkeypatch.setattr(formats, "_bytes", opening)
    journal = open_journal(tmp_path, None, ask)
    assert opened == []
    next(journal)
    assert opened == ["0.txt"]


def test_links_within_a_folder_are_read_once_and_none_leads_out(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    written(journal, "a/day.md", "Tired.\n")
    written(tmp_path, "secret/other.md", "Not for this.\n")
    (journal / "loop").symlink_to(journal, target_is_directory=True)
    (journal / "same.md").symlink_to(journal / "a/day.md")
    (journal / "self").symlink_to(journal / "self")
    (journal / "photo.jpg").symlink_to(tmp_path / "secret/photo.jpg")
    (journal / "out").symlink_to(tmp_path / "secret", target_is_directory=True)
    assert names(journal) == ["a/day.md"]
    (unread,) = [each for each in read(journal) if isinstance(each, Unread)]
    assert (unread.path.name, "not followed" in unread.reason) == ("out", True)


def test_a_journal_may_itself_be_given_as_a_link(tmp_path: Path) -> None:
    written(tmp_path, "journal/day.md", "Tired.\n")
    (tmp_path / "link").symlink_to(tmp_path / "journal", target_is_directory=True)
    assert names(tmp_path / "link") == ["day.md"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "is not text"),
        ("cut.txt", "Müde".encode("utf-16")[:-1], "is not text"),
        ("utf-32.txt", "Müde".encode("utf-32"), "is not text"),
        ("Journal.json", b'{"metadata": {}, "entries": [{"text": "Tired', "is not whole JSON"),
        ("Journal.json", b'{"metadata": {}, "entries": {"a": 1}}', "has no list of entries"),
        ("deep.json", b'{"metadata":1,"entries":' + b"[" * 200_000, "nested too deeply"),
        ("journal.jrnl", b"JRNLv3", "is damaged"),
        ("journal.jrnl", b"JRNLv3\x00\x04abcd", "is damaged"),
        ("x.doentry", b"<plist><dict>", "is not a whole entry"),
        ("x.doentry", b"<?xml version='1.0' encoding='no'?><plist/>", "is not a whole entry"),
        ("x.doentry", b"<plist><dict><date>2020</date></dict></plist>", "is not a whole entry"),
        ("x.doentry", b"", "is not a whole entry"),
    ],
)
def test_a_bad_file_is_named_and_the_others_are_read(
    name: str, data: bytes, reason: str, tmp_path: Path
) -> None:
    written(tmp_path, f"a/{name}", data)
    written(tmp_path, "b.txt", "Tired.\n")
    assert names(tmp_path) == ["b.txt"]
    (said,) = reasons(tmp_path)
    assert reason in said
    assert name in said
    assert "\n" not in said
    assert "Tired" not in said


def test_a_bad_entry_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    entries = ["none", {"text": 3}, {"text": "Tired."}, {}]
    path = written(tmp_path, "Journal.json", json.dumps({"metadata": {}, "entries": entries}))
    document, *unread = read(path)
    assert not isinstance(document, Unread)
    assert [entry.text for entry in document.entries] == ["Tired."]
    assert [each.reason.split(" has")[0] for each in unread if isinstance(each, Unread)] == [
        "Entry 1 of Journal.json",
        "Entry 2 of Journal.json",
    ]


def test_a_bad_file_in_journeys_zip_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "journey.zip", FIXTURES / "journey")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("1590000000000-bad.json", "{")
    document, unread = read(path)
    assert not isinstance(document, Unread)
    assert len(document.entries) == 2
    assert isinstance(unread, Unread)
    assert "1590000000000-bad.json" in unread.reason


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    data = zipped(tmp_path / "export.zip", FIXTURES / "day_one").read_bytes()
    assert "cannot be unpacked" in reasons(written(tmp_path, "cut.zip", data[:-30]), "day-one")[0]


def test_a_zip_with_a_damaged_picture_is_read_and_not_written(tmp_path: Path) -> None:
    data = zipped(tmp_path / "export.zip", FIXTURES / "day_one").read_bytes()
    document = read_one(written(tmp_path, "bad.zip", data.replace(b"JFIF", b"JFIX")))
    with pytest.raises(TextUnreadable, match=r"bad\.zip holds a damaged file"):
        document.written([answer(document, "I'm such a fool!", "No.")], "below")


def test_bytes_that_stand_for_nothing_do_not_stop_day_one(tmp_path: Path) -> None:
    data = (FIXTURES / FILES["day-one"]).read_bytes().replace(b"5B1C", b"5B\xffC")
    document = read_one(written(tmp_path, "Journal.json", data))
    after = document.written([answer(document, "I'm such a fool!", "No.")], "below")
    assert b"5B\xffC" in after
    assert b"Friend: No" in after


def test_a_small_zip_that_unpacks_to_very_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reframer.journal.formats.archive._LARGEST", 1000)
    path = zipped(tmp_path / "export.zip", FIXTURES / "day_one")
    assert "holds more than 200 MB" in reasons(path)[0]


def test_a_file_over_200_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "diary.txt", "Tired.\n")
    os.truncate(path, 200 * 1024 * 1024 + 1)  # a hole, which takes no room on the disk
    assert "larger than 200 MB" in reasons(path)[0]


def test_a_folder_or_file_without_permission_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    written(tmp_path, "locked/day.md", "Tired.\n")
    written(tmp_path, "day.md", "Tired.\n").chmod(0)
    (tmp_path / "locked").chmod(0)
    assert len(reasons(tmp_path)) == 2
    (tmp_path / "locked").chmod(0o700)


def test_the_wrong_password_is_said_and_nothing_of_it(tmp_path: Path) -> None:
    (unread,) = open_journal(FIXTURES / FILES["jrnl-encrypted"], None, lambda path: "wrong one")
    assert isinstance(unread, Unread)
    assert "password does not open journal.jrnl" in unread.reason
    assert "wrong one" not in unread.reason


def test_an_older_header_of_jrnl_is_read_too(tmp_path: Path) -> None:
    data = (FIXTURES / FILES["jrnl-encrypted"]).read_bytes()
    (length,) = struct.unpack(">H", data[6:8])
    plain = base64.b64decode(data[8 : 8 + length])
    older = data[:6] + struct.pack(">H", len(plain)) + plain + data[8 + length :]
    assert len(read_one(written(tmp_path, "journal.jrnl", older)).entries) == 4


def test_version_2_of_jrnls_encryption_is_read_and_written_too(tmp_path: Path) -> None:
    salt = b"\xf2\xd5q\x0e\xc1\x8d.\xde\xdc\x8e6t\x89\x04\xce\xf8"
    key = base64.urlsafe_b64encode(
        hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 100_000, 32)
    )
    token = Fernet(key).encrypt(b"[2024-01-15 10:00] I'm lazy.\n")
    document = read_one(written(tmp_path, "journal.txt", token))
    assert document.entries[0].text == "I'm lazy.\n"
    data = document.written([answer(document, "I'm lazy.", "Tired.")], "replace")
    assert Fernet(key).decrypt(data) == b"[2024-01-15 10:00] Tired.\n"


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\xff\xfe", b" \r\n\r\n"])
@pytest.mark.parametrize("name", ["2024-01-15.md", "diary.txt", "x.org"])
def test_an_empty_file_has_no_entries_and_is_no_error(
    name: str, data: bytes, tmp_path: Path
) -> None:
    document = read_one(written(tmp_path, name, data))
    assert document.entries == ()
    assert document.written((), "below") == data


@pytest.mark.parametrize("text", ["I'm lazy.\n", "[2024-01-15 10:00] I'm lazy.\n"])
def test_standard_input_is_read_as_a_file(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    (document,) = read(Path("-"))
    assert not isinstance(document, Unread)
    assert [entry.id for entry in document.entries] == ["stdin#1"]
    assert document.entries[0].text.endswith("I'm lazy.\n")


def test_an_export_comes_on_standard_input_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = zipped(tmp_path / "export.zip", FIXTURES / "day_one").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(export)))
    (document,) = read(Path("-"))
    assert not isinstance(document, Unread)
    assert (document.format, len(document.entries)) == ("Day One", 2)


def test_a_pipe_is_read_from_its_first_byte_to_its_last(tmp_path: Path) -> None:
    export = zipped(tmp_path / "export.zip", FIXTURES / "day_one").read_bytes()
    day = "2024-01-01\nI'm lazy.\n\n"
    for data, entries in ((day.encode(), 1), ((day * 8000).encode(), 8000), (export, 2)):
        pipe = tmp_path / f"pipe-{len(data)}"
        os.mkfifo(pipe)
        writing = threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True)
        writing.start()
        assert len(read_one(pipe).entries) == entries
        writing.join(10)


def test_a_format_may_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "notes.bin", "[2024-01-15 10:00] Tired.\n")
    assert read_one(path, "dated").format == "Text with dates"
    assert read_one(path, "jrnl").format == "jrnl"


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: read(FIXTURES, "word"), "no format 'word'"),
        (lambda: find(FIXTURES / FILES["org"], "word"), "no format 'word'"),
        (lambda: read(FIXTURES / "nothing"), "nothing at"),
    ],
)
def test_what_cannot_be_done_is_said(
    attempt: Callable[[], list[Document | Unread]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        attempt()
