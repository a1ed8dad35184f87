"""Whatever stands in a journal, only the chosen spans change, and no byte is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reframer.errors import TextUnreadable
from reframer.journal.formats import FORMATS, json_text, markdown
from reframer.journal.formats.dated import Dated
from reframer.journal.formats.documents import TextDocument, TextFormat
from reframer.journal.formats.jrnl import Jrnl
from reframer.journal.formats.jrnl_json import JrnlJson
from reframer.journal.formats.logseq import Logseq
from reframer.journal.formats.obsidian import Obsidian
from reframer.journal.formats.org import Org
from reframer.journal.formats.text import blanked, decode, even
from reframer.journal.records import WAYS, Answer, Document, Entry, Way
from reframer.sentences import split
from tests.journal.journals import ask
from tests.timing import seconds_for

PIECES = st.sampled_from(
    [
        *"I'm lazy. tired 友 é 😔 - * > # ## [ ] [[ ]] ![[ `` ` ``` ~~~ %% <!-- --> <b>".split(),
        *"^x #t @b".split(),
        *("--- 1. :END: :PROPERTIES: #+begin_quote #+end_quote * ** ]( a:: ((x)) =x= * ~").split(),
        *("[2024-01-15 10:00] ", "2024-01-15", "# 2024-01-16 ", "Friend: ", "\ufeff", "\x85", "\\"),
        *(
            " ",
            "  ",
            "\t",
            "\n",
            "\n\n",
            "\n",
            "\n- ",
            "\n# ",
            "\n> ",
            "\n* ",
            "\n```\n",
            "\n---\n",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
FILES: tuple[tuple[TextFormat, str], ...] = (
    (Obsidian(), "2024-01-15.md"),
    (Dated(), "diary.md"),
    (Dated(), "diary.txt"),
    (Jrnl(), "journal.txt"),
    (Logseq(), "2024_01_15.md"),
    (Org(), "2024.org"),
)
WORDS = "\N{SNOWMAN}"
FILE = st.sampled_from(FILES)


def parsed(file: tuple[TextFormat, str], data: bytes) -> TextDocument:
    form, name = file
    return form.parse(data, Path(name), name, ask)


def bytes_of(text: str, newline: str, encoding: str) -> bytes:
    return text.replace("\n", newline).encode(encoding, "replace")


def answers(document: Document, words: str = WORDS) -> list[Answer]:
    """Return an answer to each sentence that is heard."""
    found = []
    for entry in document.entries:
        for piece in split(entry.heard):
            sentence = piece.text.strip()
            if sentence:
                start = piece.start + piece.text.index(sentence)
                found.append(_answer(entry, start, start + len(sentence), words))
    return found


def _answer(entry: Entry, start: int, end: int, words: str) -> Answer:
    return Answer(entry.id, start, end, entry.text[start:end], None, 0.5, words, "model")


@settings(deadline=None)
@given(FILE, st.binary(max_size=200))
def test_any_bytes_are_given_back_or_refused(file: tuple[TextFormat, str], data: bytes) -> None:
    try:
        document = parsed(file, data)
    except TextUnreadable as error:
        assert file[1] in str(error)
    else:
        assert document.written((), "below") == data


@settings(deadline=None)
@given(FILE, TEXTS, NEWLINES, ENCODINGS)
def test_any_text_is_given_back_and_heard_in_its_place(
    file: tuple[TextFormat, str], text: str, newline: str, encoding: str
) -> None:
    data = bytes_of(text, newline, encoding)
    document = parsed(file, data)
    assert document.written((), "replace") == data
    for entry in document.entries:
        shown = even(entry.text)
        assert len(entry.heard) == len(entry.text)
        assert all(
            heard == seen or heard.isspace() for seen, heard in zip(shown, entry.heard, strict=True)
        )
        assert entry.heard.count("\n") == shown.count("\n")


@settings(deadline=None)
@given(FILE, TEXTS, NEWLINES, ENCODINGS, st.sampled_from(["callout", "below"]), st.integers())
def test_taking_out_what_was_put_in_gives_the_original_bytes(
    file: tuple[TextFormat, str], text: str, newline: str, encoding: str, way: Way, choice: int
) -> None:
    data = bytes_of(text, newline, encoding)
    document = parsed(file, data)
    possible = answers(document, "Rest now.")
    if not possible:
        return
    after = document.written([possible[choice % len(possible)]], way)
    more = len(after) - len(data)
    same = next(
        (i for i, pair in enumerate(zip(data, after, strict=False)) if len({*pair}) > 1), len(data)
    )
    assert after[:same] + after[same + more :] == data
    assert "Rest now." in decode(after, "").text


@settings(deadline=None)
@given(FILE, TEXTS, NEWLINES, ENCODINGS)
def test_replacing_changes_the_sentences_and_nothing_between_them(
    file: tuple[TextFormat, str], text: str, newline: str, encoding: str
) -> None:
    document = parsed(file, bytes_of(text, newline, encoding))
    after = decode(document.written(answers(document, "~"), "replace"), "").text
    kept = []
    reached = 0
    for each in answers(document):
        start = document.parts[each.entry].start
        kept.append(document.source.text[reached : start + each.start])
        reached = start + each.end
    assert after == "~".join([*kept, document.source.text[reached:]])


@settings(deadline=None)
@given(TEXTS, NEWLINES, st.sampled_from(["callout", "below"]))
def test_every_answer_goes_in_once(text: str, newline: str, way: Way) -> None:
    for file in FILES:
        document = parsed(file, bytes_of(text, newline, "utf-8"))
        possible = answers(document)
        assert document.written(possible, way).decode().count(WORDS) == len(possible)


@settings(deadline=None)
@given(TEXTS, st.lists(TEXTS, max_size=3), NEWLINES, st.sampled_from(WAYS))
def test_nothing_above_jrnls_first_entry_is_lost_and_no_entry_is_added(
    above: str, bodies: list[str], newline: str, way: Way
) -> None:
    above = above.replace("[", "(").replace("\ufeff", "")
    entries = "".join(f"\n[2024-01-15 10:00:00 PM] {body}" for body in bodies)
    document = parsed((Jrnl(), "journal.txt"), bytes_of(above + entries, newline, "utf-8"))
    data = document.written(answers(document, "[2024-01-15 10:00] No."), way)
    assert len(parsed((Jrnl(), "journal.txt"), data).entries) == len(document.entries)
    if above.strip():
        assert document.entries[0].text.strip() == above.replace("\n", newline).strip()


@settings(deadline=None)
@given(st.text(), st.text(), st.booleans(), st.sampled_from([None, 2]), st.sampled_from(WAYS))
def test_in_jrnls_json_only_the_two_strings_change(
    title: str, body: str, plain: bool, indent: int | None, way: Way
) -> None:
    content = {"tags": {}, "entries": [{"title": title, "body": body, "more": {"a": [1, "\\"]}}]}
    text = json.dumps(content, ensure_ascii=plain, indent=indent)
    data = text.encode("utf-8", "surrogatepass")
    document = JrnlJson().parse(data, Path("j.json"), "j.json", ask)
    assert document.written((), way) == data
    after = json.loads(document.written(answers(document, 'A "word".'), way))
    entry = after["entries"][0]
    assert {**after, "entries": [{**entry, "title": title, "body": body}]} == {
        **content,
        "entries": [{**entry, "title": title, "body": body}],
    }
    assert f"{entry['title']}\n{entry['body']}".count('A "word".') == len(answers(document))


@given(st.text(), st.booleans())
def test_a_strings_characters_are_found_in_its_json(text: str, plain: bool) -> None:
    quoted = json.dumps({"k": text}, ensure_ascii=plain)
    (_, value) = next(json_text.members(quoted, 0))
    positions = json_text.Positions(quoted, value)
    for offset in range(len(text)):
        piece = quoted[positions[offset] : positions[offset + 1]]
        assert json.loads(f'"{piece}"') == text[offset]


@settings(deadline=None)
@given(TEXTS)
def test_blanking_twice_is_the_same_as_once(text: str) -> None:
    once = blanked(markdown.FENCES, text)
    assert blanked(markdown.FENCES, once) == once


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            " ",
            "\n",
            "\r\n",
            "- ",
            "- x\n",
            "> ",
            "[",
            "[[",
            "![",
            "](",
            "`",
            "``",
            "%%",
            "<!--",
        ),
        *(
            "<a",
            "#1",
            "#a",
            "# ",
            "~~~\n",
            "```\n",
            "---\n",
            "[2024-01-15 ",
            "2024-01-15\n",
            ":A:\n",
        ),
        *(
            ":a",
            "(",
            "\\",
            "I'm lazy. ",
            "Friend: ",
            "\t",
            "{{",
            "a:: ",
            "=a",
            "* ",
            "* a\n",
            "^a ",
        ),
    ],
)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(size: int, file: tuple[TextFormat, str]) -> float:
        data = (unit * (size // len(unit))).encode()

        def read_and_write() -> None:
            document = parsed(file, data)
            if document.entries:
                document.written([_answer(document.entries[0], 0, 1, WORDS)], "callout")

        return seconds_for(read_and_write)

    for file in FILES:
        assert seconds(30_000, file) < 40 * max(seconds(3_000, file), 0.005), file[0].name


def test_many_answers_in_one_endless_line_take_no_longer_each(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        document = parsed((Obsidian(), "2024-01-15.md"), b"I'm lazy. " * count)
        entry = document.entries[0]
        every = [_answer(entry, start, start + 9, WORDS) for start in range(0, 10 * count, 10)]
        return seconds_for(lambda: [document.written(every, way) for way in WAYS])

    assert seconds(20_000) < 40 * max(seconds(2_000), 0.005)


def test_there_is_a_test_for_each_text_format() -> None:
    tested = {form.name for form, _ in FILES}
    assert tested == {each.name for each in FORMATS if isinstance(each, TextFormat)}
    assert re.fullmatch(r"\W", WORDS)
