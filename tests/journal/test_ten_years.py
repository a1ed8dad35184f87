"""The made journal of ten years: nothing that was planted is lost in any of its formats."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from reframer.journal.formats import open_journal
from tests.journal.friend import friend
from tests.journal.journals import ask
from tests.journal.ten_years import Calm, PlantedEar, days, scanned, spliced, write


def test_every_planted_sentence_is_found_and_gets_its_answer(tmp_path: Path) -> None:
    entries = list(islice(days(), 0, None, 15))
    write(tmp_path, entries)
    scan, measured = scanned(
        friend(ear=PlantedEar(), safety=Calm()), open_journal(tmp_path, "", ask)
    )
    assert scan.unread == []
    assert len(scan.formats) == 7
    assert scan.days == {one.day for one in entries}
    planted = [(one.day, one.planted) for one in entries if one.planted]
    assert sorted((one.entry.day, one.sentence) for one in scan.found) == planted
    assert measured.sentences > 20 * len(entries)
    assert spliced(open_journal(tmp_path, "", ask), scan.found) > 50


def test_it_is_as_long_as_ten_years_of_writing() -> None:
    words = sum(len(one.text.split()) for one in days())
    assert 1_300_000 < words < 1_400_000
