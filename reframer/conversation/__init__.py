"""One turn of a conversation, of whatever kind; the page and the terminal hold theirs through it.

    text ── safety reads the whole of it
         ── rules that fit the whole of a short text: a wish, small talk, another language
         ── the ear, and for short texts what the reader finds them like: any kind
         ──> Turn

records   what these rooms hand each other
labelled  the turns that were labelled by hand
rules     knows the turns that are no thoughts by their wording
likeness  which kind of turn a text is most like
library   finds by meaning: the card that answers a question, the kind of turn a text is like
hearing   which kind of turn a text is
wishes    what a wish about an answer changes
written   words written by hand
memory    what was said so far, and must not be said again
flow      Conversation: each turn is heard, met as what it is, and remembered

Only a thought is worded by the model. Everything else is answered with words written by hand or by
a card. No words come twice in one conversation, as long as others are left; those of safety do,
because they must.
"""

from reframer.conversation.flow import Conversation
from reframer.conversation.labelled import Labelled, labelled
from reframer.conversation.library import Library
from reframer.conversation.records import Card, Reading, Turn, TurnKind, Wish

__all__ = [
    "Card",
    "Conversation",
    "Labelled",
    "Library",
    "Reading",
    "Turn",
    "TurnKind",
    "Wish",
    "labelled",
]
