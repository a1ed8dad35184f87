"""What came of three months of an invented diary, for looking at its report.

``python -m tests.journal.diary FILE`` writes the report into a file.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

from reframer.journal.records import (
    Answer,
    Fit,
    Held,
    Insight,
    JournalResult,
    Month,
    Phrase,
    Reply,
    Unread,
)
from reframer.journal.report import report_html
from reframer.knowledge import load_techniques
from reframer.records import Kind, Risk
from reframer.safety import signposts

FOLDER = Path("/home/ines/diary")
ENTRIES = {1: (22, 14), 2: (19, 9), 3: (24, 17)}  # in a month: all, and those without the critic
KIND_TALK = {1: 2, 2: 4, 3: 9}

# Day, what was written, its kind, the technique, and a friend's words; "" for the card's own.
PAIRS: tuple[tuple[tuple[int, int], str, Kind, str, str], ...] = (
    (
        (1, 2),
        "New year, same lazy me.",
        "label",
        "behaviour-not-identity",
        "A new year comes with a whole heap of plans, and it hurts to feel behind them already."
        " Lazy is a word for a whole person, and all there has been so far is two days.",
    ),
    (
        (1, 5),
        "I shouted at Tom about his shoes and he went quiet. What kind of mother does that.",
        "guilt",
        "guilt-to-repair",
        "Tom going quiet has stayed with you. The shouting was real, and so is the way back from"
        " it: sorry is a word he can hear from you at bedtime.",
    ),
    (
        (1, 5),
        "I should be able to get one child out of the door without losing it.",
        "should",
        "from-should-to-prefer",
        "You would have liked a calm morning with both shoes on. That's a good wish, and it can go"
        " unmet on a Monday without turning into a charge against you.",
    ),
    (
        (1, 9),
        "Everyone at the library knew what the new system was doing except stupid old me.",
        "comparison",
        "whole-picture",
        "Sitting there lost while heads around you nod is a lonely feeling. You saw their nods and"
        " felt your own muddle from the inside, and those two were never a fair match.",
    ),
    (
        (1, 9),
        "What is wrong with me?",
        "worthlessness",
        "common-humanity",
        "That question came after an hour of feeling lost, and it's a sore one to ask. A new system"
        " makes a good many people feel slow. Being one of them needs no fault in you.",
    ),
    (
        (1, 13),
        "Skipped running again, I have no discipline whatsoever.",
        "all-or-nothing",
        "continuum",
        "Another evening without the run, and it stings because you had wanted it. Between never"
        " missing once and no discipline whatsoever there is a long line, and most of life happens"
        " somewhere along it.",
    ),
    (
        (1, 16),
        "I forgot to drive Mum to her appointment, I am the most selfish daughter there is.",
        "guilt",
        "behaviour-not-identity",
        "Mum's appointment slipped, and that must sit heavily. It was a real miss, and she can hear"
        " that from you. One forgotten drive can't speak for a whole daughter.",
    ),
    (
        (1, 20),
        "Looked in the changing room mirror and thought, what a state.",
        "body",
        "body-functionality",
        "A changing room is a hard place to meet yourself, and that thought went in like a pin. The"
        " body in the mirror had carried you there, and it got called a state for it.",
    ),
    (
        (1, 23),
        "They were only being nice about my talk, they could tell I was making it up as I went.",
        "mind-reading",
        "mind-reading-check",
        "When you've felt unsure up there, even a kind word can sound like pity. What you know is"
        " that they said something nice. What they could tell is still a guess.",
    ),
    (
        (1, 27),
        "I can't do anything right.",
        "all-or-nothing",
        "continuum",
        "It has been a day of small things going sideways, and that wears a person thin. Anything"
        " reaches from tying a lace to raising a child. One bad tray of dinner sits near one end of"
        " it.",
    ),
    (
        (1, 27),
        "Nothing I cook ever turns out, even Tom left his plate.",
        "all-or-nothing",
        "evidence-check",
        "A full plate coming back is a small sting after standing at the stove. It tells you about"
        " one dinner and one boy's evening. Ever is a big word to hang on it.",
    ),
    (
        (1, 30),
        "I cried in the staff toilet over a broken printer, how pathetic is that.",
        "feelings-judged",
        "permission-for-feelings",
        "Crying at work is a lonely thing, with one ear on the door. The printer may have been the"
        " last drop, or it may have been the printer. Tears needn't show how big their reason was.",
    ),
    (
        (2, 3),
        "Other people manage a job and a child and a clean kitchen.",
        "comparison",
        "common-humanity",
        "A job and a child are two full days folded into one. You're in a large crowd of people who"
        " look at their kitchens at night and think the others know how. It's an old and crowded"
        " place to be.",
    ),
    (
        (2, 6),
        "I never rang Carla back and now it's too late, I've ruined that friendship.",
        "catastrophe",
        "decatastrophizing",
        "A call not made grows heavier by the day. So far that is what has happened: a call not"
        " made. A late one is still a call, and nobody has said it's too late but the worry.",
    ),
    (
        (2, 10),
        "A B in the course when I could have had an A. Not good enough, as always.",
        "perfectionism",
        "good-enough",
        "Hoping for an A and opening a B is a real disappointment. It's one mark on one course."
        " What you're worth wasn't handed in with it.",
    ),
    (
        (2, 12),
        "I don't deserve the afternoon off, I've barely done anything this week.",
        "undeserving",
        "double-standard",
        "Rest feels like something you have to pay for first. You'd never keep a friend's afternoon"
        " from her until she had shown you her list, and the same rule may count for you.",
    ),
    (
        (2, 12),
        "What is wrong with me?",
        "worthlessness",
        "naming-feelings",
        "Could it be that you're worn out, and perhaps a little ashamed of being worn out? That"
        " would be two feelings and no fault. They're easier to hold when they have their names.",
    ),
    (
        (2, 17),
        "I should be over Dad by now, it's two years.",
        "should",
        "grief-at-its-own-pace",
        "Two years is a number on a calendar, and missing your dad doesn't go by it. It can come"
        " back on a plain Tuesday. There is nothing here that you're late for.",
    ),
    (
        (2, 19),
        "Read the email I sent my boss again and I sound like a complete fool.",
        "label",
        "spotlight-effect",
        "Reading your own email back, every clumsy word glows. For the person who got it, it was"
        " most likely one of the day's many, read for what it said.",
    ),
    (
        (2, 21),
        "I let Tom watch three films because I couldn't face playing. Useless.",
        "label",
        "both-and",
        "Three films, because there was nothing left in you to play with. You were worn out, and he"
        " would have liked you on the floor with him. Both can be true, with no verdict on top.",
    ),
    (
        (2, 24),
        "Mum fell and I wasn't there, this is on me.",
        "guilt",
        "responsibility-pie",
        "Hearing that she fell must have gone right through you. You weren't there, and that is one"
        " true thing among several. A fall has many causes, and most of them were in nobody's"
        " hands.",
    ),
    ((2, 27), "Everyone can see I'm faking it at work.", "mind-reading", "defusion", ""),
    (
        (3, 3),
        "I snapped at Ben on the phone and hung up. I always push people away.",
        "all-or-nothing",
        "behaviour-not-identity",
        "Hanging up on Ben has left a sore silence. That was one call that ended badly, and you can"
        " ring him and say so. Always is much longer than one call.",
    ),
    (
        (3, 3),
        "What is wrong with me?",
        "worthlessness",
        "listening-to-the-critic",
        "That's a sharp question, and under it there may be a fear of losing Ben. The fear can be"
        " heard. It doesn't need something wrong in you to be there.",
    ),
    (
        (3, 6),
        "My stomach in that photo, I wanted to crawl under the table.",
        "body",
        "kind-talk-to-the-body",
        "One photo, and you wanted to vanish. It's a horrid feeling. Your stomach was there doing"
        " what stomachs do, and it can't answer back, so I'd speak of it softly.",
    ),
    (
        (3, 10),
        "I'm ashamed that I still need the hall light on to sleep.",
        "shame",
        "tricky-brain",
        "Wanting a light in the hall is an old alarm keeping watch in the dark. Nobody picks"
        " theirs, and you're far from the only one with a lamp on. It may stay on.",
    ),
    (
        (3, 13),
        "My voice adds nothing to the choir, they'd sound the same without me.",
        "worthlessness",
        "positive-data-log",
        "That's a lonely thought to have in the middle of a song. From inside a choir your own"
        " voice is hard to hear. You were there and you sang, and that goes on the list at its true"
        " size.",
    ),
    (
        (3, 20),
        "I can't do anything right.",
        "all-or-nothing",
        "not-yet",
        "It feels total tonight, with the smell of burning still in the curtains. What stands there"
        " is a cake that hasn't turned out so far. The rest of what you do isn't in that tin.",
    ),
    (
        (3, 20),
        "I burned Mum's birthday cake, of all cakes.",
        "guilt",
        "temporal-distance",
        "A black cake on her birthday is a bitter smell and a sore heart, and tonight it fills the"
        " kitchen. A year from now it will be one cake among many.",
    ),
    (
        (3, 27),
        "It took me three months to book the dentist, like a child.",
        "label",
        "kindness-as-motive",
        "Three months is a long time to carry a phone call around. You've made it now. The scolding"
        " can end where the waiting did.",
    ),
)


@cache
def diary() -> JournalResult:
    """Return what came of the diary."""
    replies = tuple(_replies())
    fits = Counter((reply.answer.technique, reply.technique) for reply in replies)
    said = Counter(reply.answer.sentence for reply in replies)
    return JournalResult(
        title="diary",
        path=FOLDER,
        formats=("Markdown daily notes",),
        entries=66,
        first=date(2026, 1, 1),
        last=date(2026, 3, 30),
        replies=replies,
        held=(
            Held(
                entry="2026-02-14.md#1",
                day=date(2026, 2, 14),
                title="",
                level="concern",
                words=signposts(Risk("concern", ("passive",)), "GB"),
            ),
        ),
        insight=Insight(
            months=tuple(_month(number, replies) for number in ENTRIES),
            phrases=tuple(Phrase(text, count) for text, count in said.most_common() if count > 1),
            techniques=tuple(Fit(*fit, count) for fit, count in fits.most_common()),
        ),
        unread=(Unread(FOLDER / "old" / "scan.md", "The bytes are not text in UTF-8."),),
        model="qwen2.5-1.5b",
        asked="qwen2.5-1.5b",
        made=date(2026, 4, 1),
    )


def _replies() -> list[Reply]:
    cards = {card.id: card for card in load_techniques()}
    return [
        Reply(
            Answer(
                entry=f"2026-{month:02}-{day:02}.md#1",
                start=0,
                end=len(sentence),
                sentence=sentence,
                kind=kind,
                strength=0.8,
                words=words or cards[technique].words[0],
                origin="model" if words else "card",
                technique=technique,
            ),
            day=date(2026, month, day),
            title="",
            technique=cards[technique].title,
        )
        for (month, day), sentence, kind, technique, words in PAIRS
    ]


def _month(number: int, replies: tuple[Reply, ...]) -> Month:
    kinds = Counter(
        reply.answer.kind
        for reply in replies
        if reply.answer.kind and reply.day and reply.day.month == number
    )
    entries, quiet = ENTRIES[number]
    return Month(date(2026, number, 1), entries, quiet, kinds, KIND_TALK[number])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(report_html(diary()), encoding="utf-8")
