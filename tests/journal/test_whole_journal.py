"""A journal of every format, from its file to its report, with the real ear and the real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from reframer.engine import Reframer
from reframer.journal import outputs
from reframer.journal.choices import Choices
from reframer.journal.report import report_html
from reframer.journal.run import reframe_journal
from reframer.settings import load
from tests.journal.journals import FIXTURES, ask
from tests.journal.test_run import finished

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def friend() -> Reframer:
    return Reframer.open(load())


@pytest.mark.parametrize("journal", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_it_is_read_answered_and_reported(friend: Reframer, journal: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}
    end = finished(reframe_journal(friend, journal, Choices(ask=ask, limit=2)))
    assert end.result.entries
    assert end.result.unread == ()
    outputs.write_copies(end, "below", tmp_path)
    page = report_html(end.result)
    for reply in end.result.replies:
        assert reply.answer.origin in ("model", "card")
        assert len(reply.answer.words.split()) >= 10
    assert page.count("<blockquote") >= len(end.result.replies)
    assert before == {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}
