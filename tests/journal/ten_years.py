"""A made journal of ten years in seven formats, with self-critical sentences planted in it.

3,650 entries, about 1.35 million words: plain sentences of everyday life, put together by chance,
and in every third entry one that was labelled self-critical and kept out of the ear's training.

    python -m tests.journal.ten_years write DIR     write the journal into a folder
    python -m tests.journal.ten_years measure       scan and splice it, and hear a part of it

Nobody lived this journal. Its plain sentences are plainer than real ones, so the false alarms in
them say little about a real diary; speed, memory and the planted sentences are what it is for.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import click
import psutil

from models.training.critic_data import labelled, part
from reframer.engine import Reframer
from reframer.journal.checkpoint import Unkept
from reframer.journal.choices import Choices
from reframer.journal.formats import open_journal
from reframer.journal.records import Answer, Document, Entry, Unread, Way
from reframer.journal.scan import Found, Scan, Scanned
from reframer.records import Risk
from reframer.sentences import split
from reframer.settings import load
from tests.journal.friend import SAYINGS, Ear, Watch, friend
from tests.journal.journals import ask

ENTRIES = 3650
FIRST = date(2015, 1, 1)
_SENTENCES = range(18, 32)  # in an entry
_PLANTED_EVERY = 3  # entries
_HEARD_EVERY = 50  # entries

_WHO = (
    "Anna Ben Carla Dev Ella Farid Greta Hugo Ines Jonas Kim Lena Mum Dad Nadia Omar Priya Rosa "
    "Sam Tess Uli Vera Wendy Yusuf Zoe"
).split()
_WHERE = (
    "the market,the river,the library,the station,the garden,the bakery,the old bridge,the pool,"
    "the allotment,the town hall,the museum,the harbour,the school gate,the launderette,the park"
).split(",")
_WHAT = (
    "soup,a map,the new lamp,two bicycles,the washing,a long letter,the piano,some bread,the radio,"
    "a bag of apples,the spare key,a blue coat,the choir,the timetable,a chess game,the old photos"
).split(",")
_WHEN = (
    "before breakfast,after work,around noon,late in the evening,on the way home,in a shower,"
    "while it was still dark,as the shops were closing,in the afternoon,after the news"
).split(",")
_HOW = (
    "quietly,slowly,with a laugh,in the rain,by candle light,for an hour,with the window open"
).split(",")
_PATTERNS = (
    "Went to {where} with {who} {when}, and we talked about {what} most of the way.",
    "{who} brought {what} over {when}.",
    "Read a little {when}, then sorted {what} {how}.",
    "The sky over {where} was grey, and {when} {who} hung up {what}.",
    "{who} rang {when} to ask about {what}, and whether {other} would come along on Sunday.",
    "Worked until four, which left {who} and me time for {what} {when}.",
    "There was a queue at {where} {when}, and {who} stood at the end of it with {what}.",
    "Cooked with {who} {how}; {other} laid the table and put on some music.",
    "Tomorrow {who} will take {what} to {where}.",
    "It rained {when} and the path by {where} was under water, says {who}.",
    "A letter came for {who}, who opened it {how} {when}.",
    "{who} and {other} are back from {where}, where it was full {when}.",
    "The cat slept on {what} {when} and {who} let her.",
    "We had tea at {where} {when} and {who} told us about {what}.",
    "Mended {what} {how}, it took the whole evening but it holds.",
    "Found {what} behind the sofa, where {who} must have left it in {month}.",
    "The bus was late, so we walked past {where} and saw {other} waving.",
    "{who} says that {where} will be closed for repairs until {month}.",
    "Slept well, woke {when} and saw {who} out there with {what}.",
    "Paid the bill for {what} and took the rest to {where}.",
)  # fmt: skip
_MONTHS = [f"{date(2024, month, 1):%B}" for month in range(1, 13)]


@dataclass(frozen=True, slots=True)
class Day:
    """One entry: its day, its paragraphs of sentences, and the planted one, if any."""

    day: date
    paragraphs: tuple[tuple[str, ...], ...]
    planted: str = ""

    @property
    def text(self) -> str:
        """The entry as it is written."""
        return "\n\n".join(" ".join(sentences) for sentences in self.paragraphs)


def days() -> Iterator[Day]:
    """Yield the entries, always the same."""
    dice = random.Random(2026)
    planted = planted_sentences()
    for number in range(ENTRIES):
        sentences = [_sentence(dice) for _ in range(dice.choice(_SENTENCES))]
        sentence = planted[number // _PLANTED_EVERY % len(planted)]
        if number % _PLANTED_EVERY == 0:
            sentences.insert(dice.randrange(1, len(sentences)), sentence)
        cuts = sorted({0, *(dice.randrange(1, len(sentences)) for _ in range(3)), len(sentences)})
        yield Day(
            FIRST + timedelta(number),
            tuple(tuple(sentences[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)),
            "" if number % _PLANTED_EVERY else sentence,
        )


def planted_sentences() -> list[str]:
    """Return the labelled sentences that the ear was not trained on, each one sentence long."""
    texts = (row.text for row in labelled() if row.label == "critical" and part(row.text) == "test")
    whole = (text if text[-1] in ".!?" else f"{text}." for text in texts)
    return [text for text in whole if text[0].isupper() and len(split(f"{text} So.")) == 2]


def _sentence(dice: random.Random) -> str:
    who, other = dice.sample(_WHO, 2)
    said = dice.choice(_PATTERNS).format(
        who=who,
        other=other,
        where=dice.choice(_WHERE),
        what=dice.choice(_WHAT),
        when=dice.choice(_WHEN),
        how=dice.choice(_HOW),
        month=dice.choice(_MONTHS),
    )
    return said


# The formats


def write(folder: Path, entries: Iterable[Day]) -> None:
    """Write entries into a folder, each year in another format."""
    writers = (_obsidian, _dated, _jrnl, _jrnl_json, _day_one, _logseq, _org)
    for year, of_year in groupby(entries, lambda one: one.day.year):
        place = folder / str(year)
        place.mkdir(parents=True)
        writers[year % len(writers)](place, list(of_year))


def _obsidian(folder: Path, entries: Sequence[Day]) -> None:
    folder.joinpath(".obsidian").mkdir()
    for one in entries:
        text = f"---\ntags: [daily]\n---\n# {one.day:%A}\n\n{one.text}\n"
        folder.joinpath(f"{one.day}.md").write_text(text, encoding="utf-8")


def _dated(folder: Path, entries: Sequence[Day]) -> None:
    text = "\n\n".join(f"## {one.day}\n\n{one.text}" for one in entries)
    folder.joinpath("diary.md").write_bytes(text.replace("\n", "\r\n").encode())


def _jrnl(folder: Path, entries: Sequence[Day]) -> None:
    text = "\n\n".join(f"[{one.day} 09:00:00 PM] {one.text}" for one in entries)
    folder.joinpath("journal.txt").write_text(f"{text}\n", encoding="utf-8")


def _jrnl_json(folder: Path, entries: Sequence[Day]) -> None:
    records = [
        {"title": f"{one.day:%A}.", "body": one.text, "date": str(one.day), "time": "21:00",
         "tags": [], "starred": False}
        for one in entries
    ]  # fmt: skip
    text = json.dumps({"tags": {}, "entries": records}, indent=2)
    folder.joinpath("export.json").write_text(text, encoding="utf-8")


def _day_one(folder: Path, entries: Sequence[Day]) -> None:
    records = [
        {"uuid": f"{one.day.toordinal():032X}", "creationDate": f"{one.day}T11:48:50Z",
         "timeZone": "Europe/London", "text": re.sub(r"([.!()-])", r"\\\1", one.text)}
        for one in entries
    ]  # fmt: skip
    text = json.dumps({"metadata": {"version": "1.0"}, "entries": records}, indent=2)
    folder.joinpath("Journal.json").write_text(text, encoding="utf-8")


def _logseq(folder: Path, entries: Sequence[Day]) -> None:
    folder.joinpath("journals").mkdir()
    for one in entries:
        text = "".join(f"- {paragraph}\n" for paragraph in one.text.split("\n\n"))
        folder.joinpath("journals", f"{one.day:%Y_%m_%d}.md").write_text(text, encoding="utf-8")


def _org(folder: Path, entries: Sequence[Day]) -> None:
    text = "\n".join(f"* {one.day} {one.day:%A}\n{one.text}\n" for one in entries)
    folder.joinpath("journal.org").write_text(text, encoding="utf-8")


# Measuring


@dataclass(frozen=True, slots=True)
class Part:
    """A file of which some entries are read."""

    path: Path
    format: str
    entries: Sequence[Entry]
    unread: Sequence[Unread]

    def written(self, answers: Sequence[Answer], way: Way) -> bytes:
        raise NotImplementedError


class PlantedEar(Ear):
    """Hears the planted sentences and no others."""

    def __init__(self) -> None:
        super().__init__()
        self._planted = set(planted_sentences())

    def hears(self, said: str) -> bool:
        return said in self._planted


class Calm(Watch):
    """Finds no danger: the planted sentences may hold any word."""

    def assess(self, text: str) -> Risk:
        return Risk()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a scan took: sentences, seconds, and memory in MB at a tenth, a half, and the end.

    The seconds of the processor count what this process did, on whatever else the machine is at.
    """

    sentences: int
    seconds: float
    of_processor: float
    memory: tuple[float, float, float]


def scanned(reframer: Reframer, documents: Iterable[Document | Unread]) -> tuple[Scan, Measured]:
    """Scan documents, and measure."""
    read = [one for one in documents if not isinstance(one, Unread)]
    entries = [entry for one in read for entry in one.entries]
    sentences = sum(1 for e in entries for piece in split(e.heard) if piece.text.strip())
    scan = Scan(reframer, read, Choices(), Unkept())
    memory: list[float] = []
    process = psutil.Process()
    started, cpu = time.perf_counter(), time.process_time()
    for event in scan.run():
        if isinstance(event, Scanned):
            share = event.entries / len(entries)
            memory += [process.memory_info().rss / 1e6] * (
                sum(share >= mark for mark in (0.1, 0.5, 1)) - len(memory)
            )
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return scan, Measured(sentences, seconds, cpu, (memory[0], memory[1], memory[2]))


def thinned(documents: Iterable[Document | Unread], every: int) -> Iterator[Part]:
    """Yield the files with each so-manieth entry of the journal, so that all years are in it."""
    number = itertools.count()
    for one in documents:
        assert not isinstance(one, Unread), one.reason
        entries = [entry for entry in one.entries if next(number) % every == 0]
        yield Part(one.path, one.format, entries, ())


def spliced(documents: Iterable[Document | Unread], found: Sequence[Found]) -> int:
    """Put an answer below every sentence found, and return how many files were written."""
    by_entry: defaultdict[str, list[Answer]] = defaultdict(list)
    for one in found:
        entry, at, words = one.entry.id, one.notice, SAYINGS[0]
        by_entry[entry].append(
            Answer(entry, at.start, at.end, one.sentence, at.kind, at.strength, words, "card")
        )
    files = 0
    for document in documents:
        assert not isinstance(document, Unread), document.reason
        answers = [answer for entry in document.entries for answer in by_entry[entry.id]]
        assert document.written(answers, "below").count(b"You carry a lot") == len(answers)
        assert document.written((), "below") == document.path.read_bytes()
        files += bool(answers)
    return files


def measure() -> None:
    """Print what the whole takes without the ear, and a part of it with the real one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, days())
        scan, plain = scanned(
            friend(ear=PlantedEar(), safety=Calm()), open_journal(folder, "", ask)
        )
        _tell("The whole, without ear and safety", scan, plain)
        started = time.perf_counter()
        count = spliced(open_journal(folder, "", ask), scan.found)
        seconds = time.perf_counter() - started
        click.echo(f"  answers put in: {len(scan.found):,}, {count:,} files, {seconds:.1f} s")
        files = list(thinned(open_journal(folder, "", ask), _HEARD_EVERY))
    reframer = Reframer.open(load())
    scan, heard = scanned(reframer, files)
    _tell(f"Each {_HEARD_EVERY}th entry, with ear and safety", scan, heard)
    planted = set(planted_sentences())
    held = {one.entry for one in scan.held}
    read = [entry for file in files for entry in file.entries if entry.id not in held]
    there = [sentence for entry in read for sentence in _planted(entry, planted)]
    right = sum(one.sentence in planted for one in scan.found)
    alarms = len(scan.found) - right
    plain_ones = heard.sentences - len(there)
    alone = sum(notices[0].self_critical for notices in reframer.notice_many(sorted(planted)))
    click.echo(f"  planted {len(there)}, heard {right}: {right / len(there):.1%}")
    click.echo(f"  false alarms: {alarms} of {plain_ones:,} others: {alarms / plain_ones:.2%}")
    click.echo(f"  set aside by safety: {len(scan.held)} entries")
    click.echo(f"All {len(planted)} planted sentences, each alone: heard {alone}")


def _planted(entry: Entry, planted: Set[str]) -> Iterator[str]:
    sentences = (piece.text.strip() for piece in split(entry.heard))
    return (sentence for sentence in sentences if sentence in planted)


def _tell(what: str, scan: Scan, measured: Measured) -> None:
    rate = measured.sentences / measured.seconds * 60
    memory = ", ".join(f"{size:.0f}" for size in measured.memory)
    click.echo(f"{what}: {scan.entries:,} entries, {measured.sentences:,} sentences")
    cpu = measured.of_processor
    click.echo(f"  {measured.seconds:.0f} s, {rate:,.0f} sentences a minute; {cpu:.0f} s of a core")
    click.echo(f"  memory at 10, 50 and 100 %: {memory} MB")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), days())
    else:
        measure()
