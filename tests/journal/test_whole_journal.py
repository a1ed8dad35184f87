"""A journal of every format, from its file to its report, with the real ear and the real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from reframer.engine import Reframer
from reframer.journal import outputs
from reframer.journal.choices import Choices
from reframer.journal.records import Unread
from reframer.journal.report import report_html
from reframer.journal.run import reframe_journal
from reframer.settings import load
from tests.journal.journals import FIXTURES, ask, read
from tests.journal.test_run import finished

pytestmark = pytest.mark.model

ONLY_READ = ("day_one_classic", "journey")


@pytest.fixture(scope="module")
def friend() -> Reframer:
    return Reframer.open(load())


@pytest.mark.parametrize("journal", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_it_is_read_answered_and_reported(friend: Reframer, journal: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}
    end = finished(reframe_journal(friend, journal, Choices(ask=ask, limit=1)))
    assert end.result.unread == ()
    (reply,) = end.result.replies
    answer = reply.answer
    assert answer.origin in ("model", "card")
    assert len(answer.words.split()) >= 10
    page = report_html(end.result)
    assert page.count("<blockquote") == 1
    written = outputs.write_copies(end, "below", tmp_path)
    assert bool(written.left) == (journal.name in ONLY_READ)
    for copy in written.files:
        said = " ".join(_text(copy).split())
        assert " ".join(answer.sentence.split()) in said
        assert " ".join(answer.words.split()[:5]) in said
    assert before == {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}


def _text(file: Path) -> str:
    """Return all that is written in a file, as its writer sees it."""
    (document,) = read(file)
    assert not isinstance(document, Unread), document.reason
    return "\n".join(entry.text for entry in document.entries)
