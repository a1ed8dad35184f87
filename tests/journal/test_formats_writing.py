"""A friend's words go in where each format has room for them, and nothing else changes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from reframer.errors import UsageError
from reframer.journal.formats.jrnl import Jrnl
from reframer.journal.records import WAYS, Answer, Document, Way
from tests.journal.journals import FIXTURES, answer, ask, read, read_one, written
from tests.journal.test_formats_reading import FILES, zipped

GOLDEN = Path(__file__).parent / "golden"
SAID = {
    "obsidian": {
        "I'm such a bad sister.": "You forgot a date, and you still wanted it to be a good day.",
        "I should have remembered it anyway.": "One evening slipped; she knows you.",
        "stop being so lazy": "Tired is not lazy.",
        "I never manage anything on time.": "The soup was on time.",
        "The `print()` in my head says I'm useless.": "That voice is only loud.",
    },
    "dated": {
        "Typical me, always late.": "One bus.",
        "Everyone must think I'm stupid.": "They heard a voice that shook, and waited.",
        "I should know how to talk by now.": "You talked, and it took two minutes.",
    },
    "jrnl": {
        "I missed his piece and I'm a rotten father.": "You wanted to be there, and it shows.",
        "[sic] That made it worse.": "A shrug can mean many things.",
        "I can't even make toast.": "Two slices, at seven in the morning.",
    },
    "jrnl-json": {
        "I missed his piece again.": "You did, and it hurts because he matters.",
        "I'm a rotten father, café or not 😔.": 'Not "rotten": late.',
        "I can't even make toast.": "Two slices, at seven in the morning.",
    },
    "day-one": {
        "I'm such a fool!": "Tickets are paper/plastic; you are more.",
        "I hate how I look in photos.": "The sea had a good day with you.",
    },
    "logseq": {
        "I wasted the whole morning.": "A grey morning asks for sleep.",
        "I burnt it, of course I did.": "He ate it.",
    },
    "org": {
        "Forgot the meeting, I'm so stupid": "One meeting, one morning.",
        "I let the whole team down.": "They waited; that was kind of them.",
        "I always do this.": "Today you did, and today you say sorry.",
    },
}


def answers(document: Document, said: dict[str, str]) -> list[Answer]:
    return [answer(document, sentence, words) for sentence, words in said.items()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SAID)
def test_each_way_of_writing_looks_as_it_should(name: str, way: Way) -> None:
    path = FIXTURES / FILES[name]
    document = read_one(path)
    data = document.written(answers(document, SAID[name]), way)
    assert data == (GOLDEN / f"{name}.{way}{path.suffix}").read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SAID)
def test_the_order_of_answers_does_not_matter(name: str, way: Way) -> None:
    document = read_one(FIXTURES / FILES[name])
    ordered = answers(document, SAID[name])
    assert document.written(ordered, way) == document.written(ordered[::-1], way)


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("way", ["callout", "below"])
def test_a_friends_words_are_not_heard_as_the_writers_own(
    name: str, way: Way, tmp_path: Path
) -> None:
    original = FIXTURES / FILES[name]
    document = read_one(original)
    data = document.written(answers(document, SAID[name]), way)
    again = read_one(written(tmp_path, FILES[name], data))
    assert words_heard(again) == words_heard(document)


@pytest.mark.parametrize("name", [*SAID, "jrnl-encrypted"])
@pytest.mark.parametrize("way", ["callout", "below"])
def test_the_same_words_are_not_put_in_again_by_a_later_run(
    name: str, way: Way, tmp_path: Path
) -> None:
    said = SAID[name.removesuffix("-encrypted")]
    first, *others = said
    runs = [(FIXTURES / FILES[name]).read_bytes()]
    for sentences in ([first], [first, *others], [first, *others]):
        document = read_one(written(tmp_path, FILES[name], runs[-1]))
        runs.append(document.written(answers(document, {s: said[s] for s in sentences}), way))
    assert runs[-1] == runs[-2]
    again = read_one(written(tmp_path, FILES[name], runs[-1]))
    once = read_one(FIXTURES / FILES[name])
    whole = read_one(written(tmp_path, FILES[name], once.written(answers(once, said), way)))
    assert sorted(words_of(again)) == sorted(words_of(whole))


def words_of(document: Document) -> list[str]:
    text = " ".join(entry.text for entry in document.entries)
    return [word for word in text.split() if word not in (">", "[!friend]", "A", "friend")]


def words_heard(document: Document) -> str:
    return " ".join(" ".join(entry.heard for entry in document.entries).split())


def test_day_one_gets_an_entry_that_follows_and_keeps_all_others_as_they_were() -> None:
    document = read_one(FIXTURES / FILES["day-one"])
    before = json.loads((FIXTURES / FILES["day-one"]).read_bytes())
    data = document.written(answers(document, SAID["day-one"]), "below")
    after = json.loads(data)
    first, friend, second, another, third = after["entries"]
    assert {**after, "entries": [first, second, third]} == before
    assert friend["creationDate"] == "2021-03-03T18:48:51Z"
    assert friend["timeZone"] == "Australia/Sydney"
    assert len({friend["uuid"], another["uuid"], first["uuid"]}) == 3
    assert data == document.written(answers(document, SAID["day-one"]), "replace")


def test_day_ones_zip_keeps_its_pictures(tmp_path: Path) -> None:
    path = zipped(tmp_path / "export.zip", FIXTURES / "day_one")
    document = read_one(path)
    assert document.written((), "below") == path.read_bytes()
    data = document.written(answers(document, SAID["day-one"]), "below")
    new = written(tmp_path, "new.zip", data)
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(new) as after:
        assert after.testzip() is None
        assert after.namelist() == before.namelist()
        photo, journal = after.namelist()
        assert after.read(photo) == before.read(photo)
        assert after.read(journal) == (GOLDEN / "day-one.below.json").read_bytes()


def test_only_the_answered_journal_in_a_zip_changes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "export.zip", FIXTURES / "day_one")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(FIXTURES / FILES["day-one"], "Work.json")
    document = read_one(path)
    last = document.entries[-1]
    an_answer = Answer(last.id, 0, len(last.text), last.text, "body", 0.8, "Rest.", "model")
    new = written(tmp_path, "new.zip", document.written([an_answer], "below"))
    with zipfile.ZipFile(new) as after:
        assert after.read("Journal.json") == (FIXTURES / FILES["day-one"]).read_bytes()
        assert len(json.loads(after.read("Work.json"))["entries"]) == 4


def test_a_minified_day_one_export_stays_minified(tmp_path: Path) -> None:
    plain = json.loads((FIXTURES / FILES["day-one"]).read_bytes())
    packed = json.dumps(plain, separators=(",", ":"))
    document = read_one(written(tmp_path, "Journal.json", packed))
    data = document.written(answers(document, SAID["day-one"]), "below")
    assert data == json.dumps(json.loads(data), separators=(",", ":")).encode()


def test_an_encrypted_journal_is_written_encrypted_with_the_same_password(tmp_path: Path) -> None:
    document = read_one(FIXTURES / FILES["jrnl-encrypted"])
    data = document.written(answers(document, SAID["jrnl"]), "below")
    assert data.startswith((FIXTURES / FILES["jrnl-encrypted"]).read_bytes()[:50])
    assert b"toast" not in data
    again = read_one(written(tmp_path, "journal.jrnl", data))
    expected = Jrnl().parse(
        (GOLDEN / "jrnl.below.txt").read_bytes(), again.path, "journal.jrnl", ask
    )
    assert again.entries == expected.entries


@pytest.mark.parametrize("name", ["journey", "day-one-classic"])
def test_formats_that_can_only_be_read_say_so(name: str) -> None:
    document = read_one(FIXTURES / FILES[name])
    entry = document.entries[0]
    an_answer = Answer(entry.id, 0, 3, entry.text[:3], None, 0.5, "Words.", "model")
    with pytest.raises(UsageError, match="can only be read"):
        document.written([an_answer], "below")


@pytest.mark.parametrize("way", WAYS)
def test_a_friends_line_in_jrnl_never_begins_an_entry(way: Way, tmp_path: Path) -> None:
    text = "[2024-01-15 10:00] Tired.\nI'm lazy.\n"
    document = read_one(written(tmp_path, "journal.txt", text))
    data = document.written([answer(document, "I'm lazy.", "[2024-01-16 09:00] No.")], way)
    assert len(read_one(written(tmp_path, "again.txt", data)).entries) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_files_own_line_ending_is_used(newline: str, tmp_path: Path) -> None:
    text = "2024-01-15\nI'm lazy.\n\nRain.".replace("\n", newline)
    document = read_one(written(tmp_path, "diary.txt", text))
    data = document.written([answer(document, "I'm lazy.", "Tired\nis not lazy.")], "below")
    expected = "2024-01-15\nI'm lazy.\nFriend: Tired is not lazy.\n\nRain."
    assert data.decode() == expected.replace("\n", newline)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_files_encoding_is_kept(encoding: str, tmp_path: Path) -> None:
    text = "Über den Tag: I’m lazy.\n"
    document = read_one(written(tmp_path, "diary.txt", text.encode(encoding)))
    assert document.entries[0].text == text
    data = document.written([answer(document, "I’m lazy.", "You’re tired.")], "replace")
    assert data == "Über den Tag: You’re tired.\n".encode(encoding)


def test_words_that_an_old_encoding_has_no_signs_for_do_not_stop_the_writing(
    tmp_path: Path,
) -> None:
    document = read_one(written(tmp_path, "diary.txt", "Café. I’m lazy.".encode("cp1252")))
    data = document.written([answer(document, "I’m lazy.", "Rest, 友.")], "replace")
    assert data == "Café. Rest, ?.".encode("cp1252")


def test_bytes_that_stand_for_nothing_stay_where_they_are(tmp_path: Path) -> None:
    before = "Müde \N{SNOWMAN} ".encode() + b"\xff\xc3 I'm lazy.\n"
    document = read_one(written(tmp_path, "diary.txt", before))
    assert document.entries[0].text == "Müde \N{SNOWMAN} \ufffd\ufffd I'm lazy.\n"
    data = document.written([answer(document, "I'm lazy.", "Rest.")], "below")
    assert data == before.removesuffix(b"\n") + b"\nFriend: Rest.\n"


def test_a_callout_above_a_quote_stays_apart_from_it(tmp_path: Path) -> None:
    text = "I'm lazy.\n> Rest, said Mum.\n"
    document = read_one(written(tmp_path, "2024-01-15.md", text))
    data = document.written([answer(document, "I'm lazy.", "Tired.")], "callout")
    assert data.decode() == ("I'm lazy.\n\n> [!friend] A friend\n> Tired.\n\n> Rest, said Mum.\n")


def test_two_replies_to_a_paragraph_share_a_callout(tmp_path: Path) -> None:
    document = read_one(written(tmp_path, "2024-01-15.md", "I'm lazy. I'm dull."))
    both = answers(document, {"I'm lazy.": "Tired.", "I'm dull.": "Quiet."})
    assert document.written(both, "callout").decode() == (
        "I'm lazy. I'm dull.\n\n> [!friend] A friend\n> Tired.\n>\n> Quiet."
    )


def test_a_vault_is_written_file_by_file() -> None:
    said = {"I'm a terrible host, I served her pears.": "She came for you."}
    anna = next(each for each in read(FIXTURES / "obsidian") if each.path.name == "Anna.md")
    assert not hasattr(anna, "reason")
    assert (
        anna.written(answers(anna, said), "below")
        .decode()
        .endswith("pears.\n\nFriend: She came for you.\n")
    )
