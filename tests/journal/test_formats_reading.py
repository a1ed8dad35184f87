"""Each format's entries: their days, titles and words, and what in them is not prose."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import date
from pathlib import Path

import pytest

from reframer.journal.formats import FORMATS, find
from reframer.journal.records import Document, Unread
from reframer.sentences import split
from tests.journal.journals import FIXTURES, answer, read, read_one, written

FILES = {
    "obsidian": "obsidian/2024-01-15.md",
    "dated": "dated/diary.md",
    "jrnl": "jrnl/journal.txt",
    "jrnl-json": "jrnl_json/export.json",
    "jrnl-encrypted": "jrnl_encrypted/journal.jrnl",
    "day-one": "day_one/Journal.json",
    "logseq": "logseq/journals/2024_01_15.md",
    "org": "org/20130604",
    "journey": "journey/1580000000000-3fd56ea1.json",
    "day-one-classic": "day_one_classic/entries/9C4F0B1E2A3D4C5B8E7F6A5B4C3D2E1F.doentry",
}
ALL = sorted(path for path in FIXTURES.rglob("*") if path.is_file())


def days(document: Document) -> list[str]:
    return [str(entry.day) for entry in document.entries]


def titles(document: Document) -> list[str]:
    return [entry.title for entry in document.entries]


def heard(document: Document) -> list[list[str]]:
    """Return the words that are heard, line by line."""
    return [
        [" ".join(line.split()) for line in entry.heard.split("\n") if line.strip()]
        for entry in document.entries
    ]


def test_every_format_has_a_fixture() -> None:
    assert FILES.keys() == {each.name for each in FORMATS}


@pytest.mark.parametrize(("name", "file"), FILES.items())
def test_formats_are_told_by_what_a_file_holds(name: str, file: str) -> None:
    found = find(FIXTURES / file)
    assert found.name == name
    assert read_one(FIXTURES / file).format == found.title


@pytest.mark.parametrize("file", FILES.values())
def test_without_answers_every_byte_stays(file: str) -> None:
    path = FIXTURES / file
    assert read_one(path).written((), "replace") == path.read_bytes()


@pytest.mark.parametrize("file", FILES.values())
def test_what_is_heard_is_as_long_as_the_text_and_says_nothing_else(file: str) -> None:
    for entry in read_one(FIXTURES / file).entries:
        pairs = list(zip(entry.text, entry.heard, strict=True))
        assert all(heard == seen or heard.isspace() for seen, heard in pairs)
        assert all(heard == "\n" for seen, heard in pairs if seen == "\n")


@pytest.mark.parametrize("file", FILES.values())
def test_entries_have_ids_of_their_own_that_stay_the_same(file: str) -> None:
    ids = [entry.id for entry in read_one(FIXTURES / file).entries]
    assert ids == [entry.id for entry in read_one(FIXTURES / file).entries]
    assert len(set(ids)) == len(ids)
    assert all(id.startswith(f"{Path(file).name}#") for id in ids)


@pytest.mark.parametrize("name", ["2024-01-15.md", "a.txt", "journals/2024_01_15.md", "a.org"])
@pytest.mark.parametrize("mark", ["- ", "1. ", "- [ ] "])
def test_items_of_a_list_are_heard_one_by_one(mark: str, name: str, tmp_path: Path) -> None:
    items = [f"I always forget what everyone else {verb}" for verb in ("keeps", "knows", "says")]
    document = read_one(written(tmp_path, name, "".join(f"{mark}{item}\n" for item in items)))
    pieces = split(document.entries[0].heard)
    assert [piece.text.strip() for piece in pieces if piece.text.strip()] == items


def test_a_daily_note_is_one_entry_without_its_marks() -> None:
    document = read_one(FIXTURES / FILES["obsidian"])
    assert days(document) == ["2024-01-15"]
    assert titles(document) == ["Monday"]
    assert heard(document) == [
        [
            "Monday",
            "I forgot my sister 's birthday again. I'm such a bad sister.",
            "Evening",
            "She said it was fine. I should have remembered it anyway.",
            "call her",
            "stop being so lazy",
            "I never manage anything on time.",
            "One good thing: soup.",
            "The in my head says I'm useless. See the list and breathe .",
        ]
    ]


def test_a_vault_says_how_it_names_days_and_front_matter_what_day_other_notes_have() -> None:
    found = {
        document.entries[0].id: document.entries[0].day
        for document in read(FIXTURES / "obsidian")
        if not isinstance(document, Unread)
    }
    assert found == {
        "2024-01-15.md#1": date(2024, 1, 15),
        "People/Anna.md#1": date(2023, 11, 2),
        "Tage/2024/03-March/15th Friday.md#1": date(2024, 3, 15),
    }


def test_dates_above_a_day_begin_entries_and_what_stands_above_them_is_kept() -> None:
    document = read_one(FIXTURES / "dated/diary.txt")
    assert days(document) == ["None", "2024-01-15", "2024-01-16", "2024-01-18"]
    assert titles(document) == [
        "Notes from the summer house, before I kept dates.",
        "Monday, 15 January 2024",
        "2024-01-16",
        "January 18th, 2024, 9:30 pm",
    ]
    assert heard(document)[2] == [
        "2024-01-17 was a date I was afraid of. Nothing happened.",
        "I worry about everything, I'm ridiculous.",
    ]


def test_a_day_below_a_mark_that_was_never_closed_is_an_entry(tmp_path: Path) -> None:
    text = "# 2024-01-01\nThe sign said <!-- or so.\n\n# 2024-01-02\nI'm lazy.\n"
    document = read_one(written(tmp_path, "diary.md", text))
    assert days(document) == ["2024-01-01", "2024-01-02"]
    assert heard(document)[1] == ["I'm lazy."]


def test_a_date_in_a_code_fence_is_no_heading() -> None:
    document = read_one(FIXTURES / FILES["dated"])
    assert days(document) == ["None", "2024-01-15", "2024-01-15", "2024-01-16"]
    assert titles(document)[2] == "The call"
    assert heard(document)[1] == ["I missed the bus. Typical me, always late."]


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("# 2024-01-15", "2024-01-15"),
        ("## 2024-01-15 14:50", "2024-01-15"),
        ("2024-01-15", "2024-01-15"),
        ("2024-01-15 Monday", "2024-01-15"),
        ("2024-01-17 (Wed) 9:30", "2024-01-17"),
        ("2024-01-18, Thurs", "2024-01-18"),
        ("2024/1/5", "2024-01-05"),
        ("Monday, 15 January 2024", "2024-01-15"),
        ("monday 15th of january 2024:", "2024-01-15"),
        ("Jan. 15, 2024 at 9:05 a.m.", "2024-01-15"),
        ("Sept 3rd 2023", "2023-09-03"),
        ("15.01.2024", "2024-01-15"),
        ("# 2024-01-15: a long day", "2024-01-15"),
        ("2024-01-15 was a long day", None),
        ("2024-02-30", None),
        ("2024", None),
        ("May 2024", None),
        ("1. 2024 was long", None),
        ("Call 020 7946 0018", None),
    ],
)
def test_dates_are_read_as_people_write_them(line: str, day: str | None, tmp_path: Path) -> None:
    document = read_one(written(tmp_path, "diary.txt", f"{line}\nTired.\n"))
    assert days(document) == [str(day)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("diary.md", "# 2024-01-15 Sunk so low that I want to die."),
        ("diary.md", "# 2024-01-15 (Wedding of Tom)"),
        ("diary.txt", "2024-01-15 Wedding"),
        ("diary.org", "* 2024-01-15 Sunk so low that I want to die."),
        ("diary.org", "* [I want to die tonight]"),
        ("diary.org", "* <so tired>"),
    ],
)
def test_no_word_of_a_heading_is_taken_for_a_day_or_a_time(
    name: str, text: str, tmp_path: Path
) -> None:
    document = read_one(written(tmp_path, name, f"{text}\nSlept.\n"))
    said = re.sub(r"^[#* ]*(2024-01-15 )?", "", text)
    assert [entry.text.splitlines()[0].endswith(said) for entry in document.entries] == [True]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2024-01-15.txt", "2024-01-15"),
        ("2024_01_15 evening.txt", "2024-01-15"),
        ("20240115.txt", "2024-01-15"),
        ("2024/01/15.txt", "2024-01-15"),
        ("notes.txt", "None"),
        ("2024-01-15/notes.txt", "None"),
        ("202401151830.txt", "None"),
        ("2024-13-45.txt", "None"),
        ("日記 2024-01-15.txt", "2024-01-15"),
    ],
)
def test_the_day_may_be_in_the_name_of_a_file(name: str, day: str, tmp_path: Path) -> None:
    assert days(read_one(written(tmp_path, name, "Tired.\n"))) == [day]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.md",
            "I'm lazy.\n```\nnever closed\nTired.",
            ["I'm lazy.", "```", "never closed", "Tired."],
        ),
        ("a.md", "The sign said <!-- or so.\nTired.", ["The sign said <!-- or so.", "Tired."]),
        ("a.md", "Said <!-- twice.\nTired. <!-- draft -->", ["Said <!-- twice.", "Tired."]),
        ("a.org", "#+begin_quote\nnever closed\nTired.", ["never closed", "Tired."]),
        (
            "a.org",
            "#+begin_quote\nI'm lazy.\n#+BEGIN_QUOTE\nFriend: No.\n#+END_quote\nTired.",
            ["I'm lazy.", "Tired."],
        ),
        ("a.md", "~~~\ncode\n~~~\nTired.", ["Tired."]),
        ("a.txt", "~~~~~\nI'm lazy.\n~~~~~\nTired.", ["~~~~~", "I'm lazy.", "~~~~~", "Tired."]),
        ("a.md", "100%% lazy.\nTired.", ["100%% lazy.", "Tired."]),
        ("a.md", "---\nI'm lazy.\n---\nTired.", ["I'm lazy.", "Tired."]),
        ("a.txt", "---\nme: lazy\n---\nTired.", ["me: lazy", "Tired."]),
        ("a.md", "---\nme: lazy\n---\nTired.", ["Tired."]),
        ("a.md", "---\nme: lazy\nTired.", ["me: lazy", "Tired."]),
        (
            "a.md",
            "---\nMonday: I'm lazy.\nI shouted.\n---\nTired.",
            ["Monday: I'm lazy.", "I shouted.", "Tired."],
        ),
        (
            "a.md",
            "---\r\n# mine\r\ntags:\r\n- lazy\r\n-\r\n\r\n"
            'date created: 2024-01-15 10:00\r\n"a:b": |\r\n  lazy\r\n---\r\nTired.',
            ["Tired."],
        ),
        ("a.md", "I don`t care, I can`t.", ["I don`t care, I can`t."]),
        ("a.md", "Title\n=====\n> [!friend] A friend\n> Rest.\n", ["Title"]),
        ("a.md", "Write to https://example.org/lazy?x=1 now", ["Write to now"]),
        ("a.md", "#1 worry: c# and #fear/of", ["#1 worry: c# and"]),
        ("a.md", "<!-- draft\n--> Tired.", ["Tired."]),
    ],
)
def test_what_is_not_prose_is_not_heard_and_all_else_is(
    name: str, text: str, expected: list[str], tmp_path: Path
) -> None:
    (found,) = heard(read_one(written(tmp_path, name, text)))
    assert [line for line in found if line.strip()] == expected


@pytest.mark.parametrize("file", [FILES["jrnl"], FILES["jrnl-encrypted"]])
def test_jrnls_entries_begin_with_a_date_and_nothing_above_the_first_is_lost(file: str) -> None:
    document = read_one(FIXTURES / file)
    assert days(document) == ["None", "2020-06-28", "2020-06-29", "2020-06-30"]
    assert titles(document)[1:] == [
        "Late for Ben's recital.",
        "I can't even make toast.",
        "Quiet evening.",
    ]
    assert heard(document)[0] == [
        "Kept with jrnl since the move; older pages are in the blue book."
    ]
    assert heard(document)[1] == [
        "Late for Ben's recital.",
        "I missed his piece and I'm a rotten father.",
        "He shrugged. [sic] That made it worse.",
    ]


def test_jrnls_own_time_format_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "config/jrnl/jrnl.yaml", "timeformat: '%d/%m/%y %R'\njournals: {}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    document = read_one(written(tmp_path, "journal.txt", "[03/04/21 09:30] Late.\n"))
    assert (document.format, days(document)) == ("jrnl", ["2021-04-03"])


def test_a_folder_of_jrnl_is_read_day_by_day() -> None:
    (document,) = read(FIXTURES / "jrnl/folder")
    assert not isinstance(document, Unread)
    assert [entry.id for entry in document.entries] == ["2024/01/15.txt#1", "2024/01/15.txt#2"]


def test_jrnls_json_has_the_title_before_the_body() -> None:
    document = read_one(FIXTURES / FILES["jrnl-json"])
    assert days(document) == ["2020-06-28", "2020-06-29"]
    assert heard(document)[0] == [
        "I missed his piece again.",
        "I'm a rotten father, café or not 😔. He just shrugged.",
        "We ate ice cream.",
    ]


def test_day_ones_text_is_unescaped_and_its_days_are_those_of_the_writers_place() -> None:
    document = read_one(FIXTURES / FILES["day-one"])
    assert days(document) == ["2021-03-04", "2021-03-04"]
    assert heard(document)[0] == [
        "All packed ..",
        "Forgot the tickets. I'm such a fool!",
        "Mara laughed — it was fine.",
    ]


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({"creationDate": "2021-03-03T18:48:50Z", "timeZone": "Australia/Sydney"}, "2021-03-04"),
        ({"creationDate": "2021-03-04T05:48:50+11:00"}, "2021-03-03"),
        ({"creationDate": "2021-03-03T18:48:50.123Z", "timeZone": "Nowhere/Else"}, "2021-03-03"),
        ({"creationDate": "0001-01-01T00:00:00Z", "timeZone": "America/Lima"}, "0001-01-01"),
        ({"creationDate": "yesterday"}, "None"),
        ({}, "None"),
    ],
)
def test_day_ones_moments_are_those_of_the_world_and_the_writers_zone(
    fields: dict[str, str], day: str, tmp_path: Path
) -> None:
    content = {"metadata": {}, "entries": [{"text": "![](x)\nI'm lazy.", **fields}]}
    document = read_one(written(tmp_path, "Journal.json", json.dumps(content)))
    assert days(document) == [day]
    assert titles(document) == ["I'm lazy."]
    data = document.written([answer(document, "I'm lazy.", "Tired.")], "below")
    _, friend = json.loads(data)["entries"]
    assert ("creationDate" in friend) == (day != "None")


def test_day_ones_zip_is_read_as_the_journals_in_it(tmp_path: Path) -> None:
    plain = read_one(FIXTURES / FILES["day-one"])
    path = zipped(tmp_path / "export.zip", FIXTURES / "day_one")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(FIXTURES / FILES["day-one"], "Work.json")
    document = read_one(path)
    assert document.format == "Day One"
    assert [entry.id for entry in document.entries] == [f"export.zip#{n}" for n in (1, 2, 3, 4)]
    texts = [entry.text for entry in plain.entries]
    assert [entry.text for entry in document.entries] == texts + texts


def test_logseqs_properties_references_and_states_are_not_prose() -> None:
    document = read_one(FIXTURES / FILES["logseq"])
    assert days(document) == ["2024-01-15"]
    assert heard(document) == [
        [
            "Woke late. I wasted the whole morning.",
            "ring Dr. Shah",
            "soup for Tom",
            "I burnt it, of course I did.",
            "He ate it.",
        ]
    ]


def test_logseqs_earlier_versions_are_passed_over_and_its_pages_are_read() -> None:
    names = [document.path.name for document in read(FIXTURES / "logseq")]
    assert names == ["2024_01_15.md", "Plants.md"]


def test_org_entries_know_their_day_and_what_is_encrypted_is_passed_over() -> None:
    document = read_one(FIXTURES / FILES["org"])
    assert days(document) == ["2013-06-04", "2013-06-04"]
    assert titles(document) == ["10:28 Forgot the meeting, I'm so stupid", "21:10 Better"]
    assert heard(document) == [
        [
            "Forgot the meeting, I'm so stupid",
            "Everyone waited for me. I let the whole team down.",
            "say sorry to Ines",
            "I always do this.",
        ],
        ["Better", "It was ."],
    ]
    assert days(read_one(FIXTURES / "org/2024.org")) == ["2024-01-15", "2024-01-16"]


def test_journeys_html_is_read_as_words(tmp_path: Path) -> None:
    document = read_one(zipped(tmp_path / "journey.zip", FIXTURES / "journey"))
    assert days(document) == ["2019-10-02", "2020-01-26"]
    assert heard(document)[1] == [
        "Dropped the cake in front of everyone. I'm so clumsy.",
        "Tea & tears.",
    ]


def test_spaces_between_journeys_tags_are_kept(tmp_path: Path) -> None:
    html = "<p>I'm <b>so</b> <i>lazy</i>.</p>\n<ul><li>one</li> <li>two</li></ul><style>x</style>"
    content = {"text": html, "date_journal": 0, "timezone": "Nowhere/Else"}
    document = read_one(written(tmp_path, "1.json", json.dumps(content)))
    assert heard(document) == [["I'm so lazy.", "one", "two"]]
    assert days(document) == ["1970-01-01"]


def test_day_one_classic_is_read() -> None:
    document = read_one(FIXTURES / FILES["day-one-classic"])
    assert days(document) == ["2014-10-24"]
    assert heard(document)[0][-1] == (
        "I mixed the clay wrong & felt like a fraud. I'm so useless with my hands."
    )


def zipped(target: Path, folder: Path) -> Path:
    """Make a zip as an app exports it, with a picture."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        photo = zipfile.ZipInfo("photos/0cc175b9c0f1b6a831c399e269772661.jpeg")
        archive.writestr(photo, b"\xff\xd8\xff\xe0JFIF")  # as it is, not packed
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return target
