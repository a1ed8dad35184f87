"""The ear: finds the sentences in which the inner critic speaks, and says of what kind it is.

Each sentence becomes one row of numbers: what the embedder's layers two to six make of it, and cues
of who speaks of whom, and how (a frozen table of patterns). The stock vector of a whole sentence is
made to say what it is about, and hardly tells "I'm useless" from "the printer is useless"; the
layers below it still know who does what (Jawahar et al. 2019). Over the rows stand two softmax
regressions, for critical, kind and neutral and for the thirteen kinds, and a linear one for how
harsh it is. Their weights are plain numbers in ``knowledge/critic/weights.npz``, made by
``python -m models.training.critic``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reframer import paths
from reframer.embedding import Layered, LocalEmbeddings, Vectors
from reframer.errors import KnowledgeError
from reframer.records import KINDS, Notice
from reframer.sentences import split

CLASSES = ("neutral", "critical", "kind")
FIRST_LAYER = 1  # counted from 0; the first says little more than which words there are

_NEUTRAL = CLASSES.index("neutral")
_CRITICAL = CLASSES.index("critical")
_KIND_TALK = CLASSES.index("kind")

_INSULT = (
    r"(?:idiots?|idiotic|morons?|stupid|dumb|dumbest|thick|dim|dimwit|daft|dunce|fools?|foolish|clown"
    r"|loser|failures?|failing|failed|pathetic|useless|worthless|hopeless|lazy|slob|slug|waster|ugly"
    r"|fat|disgusting|gross|hideous|revolting|repulsive|weak|feeble|coward|cowardly|wimp|wuss|selfish"
    r"|greedy|monster|terrible|horrible|awful|rubbish|crap|shit|trash|garbage|rotten|burden|nuisance"
    r"|fraud|fake|phon(?:e)?y|hypocrite|liar|freak|weirdo|weird|mess|disgrace|disgraceful"
    r"|embarrass\w+|ridiculous|waste|nobody|lump|cow|pig|whale|muppet|mug|prick|numpty|plonker|brat"
    r"|baby|childish|needy|clingy|boring|dull|bitter|nasty|vile|evil|disaster|joke|doormat|quitter"
    r"|amateur|hack|incompetent|inadequate|inferior|second[- ]rate|unlovable|unforgivable|broken"
    r"|spineless|ungrateful|spoil(?:ed|t)|sloppy|careless|clumsy|oaf|mediocre|worst|bad|dirty|filth"
    r"|witch|beast|wreck|dead weight|no good|good for nothing|not good enough|screw[- ]?up"
    r"|fuck[- ]?up)"
)
_PERSON = (
    r"(?:he|she|they|mum|mom|dad|mother|father|brother|sister|son|daughter|husband|wife|ex|boss"
    r"|manager|teacher|coach|friend|mate|flatmate|neighbour|neighbor|uncle|aunt|auntie|aunty|nan|gran"
    r"|grandma|grandad|grandpa|cousin|landlord|colleague|doctor|nurse|instructor|man|woman|boy|girl"
    r"|lad|kid|patient|supervisor|twin|twins|stepson|stepdaughter|people)"
)
_SAYS = (
    r"(?:said|says|say|saying|told|tells|wrote|writes|called|calls|calling|shouted|shouts|yelled"
    r"|screamed|goes|texts|texted|whispered|announced|reckons|reckoned|thinks|thought|feels|felt"
    r"|believes|believed|is convinced|'s convinced|blames|hates|keeps|kept|asked|asks|used to)"
)
_FEELING = (
    r"(?:cry|crying|cried|tears|sad|upset|angry|anger|jealous|jealousy|envy|lonely|homesick|scared"
    r"|afraid|anxious|nervous|tired|hurt|grief|griev\w+|panick?\w*|sulk\w*|sensitive|moping|weepy"
    r"|fear|resent\w*|relieved|low|miss(?:ing)?|blubb?\w*|snivel\w*|fuss|dramatic|overreact\w*)"
)
_I = r"(?:i|i'm|im|i am|i was|i've|i'll|i'd|me|myself|my|mine)"

CUES: tuple[tuple[str, str], ...] = (
    ("first person begins", r"^\W*(?:i|i'm|im|i've|ive|i'll|i'd|my|me)\b"),
    ("first person", rf"\b{_I}\b"),
    ("i am", r"\b(?:i'm|im|i am|i was|i've been|makes me|made me)\b"),
    ("myself", r"\b(?:myself|yours truly|muggins)\b"),
    ("you begins", r"^\W*(?:you|you're|youre|you've|your)\b"),
    ("you", r"\b(?:you|you're|youre|you've|your|yourself)\b"),
    ("nobody named", rf"^(?!.*\b(?:{_I}|you|your|{_PERSON}|we|it|it's|his|her|their)\b)"),
    (
        "third person begins",
        rf"^\W*(?:my |our |the |poor |that |her |his |their )*{_PERSON}(?:'s)?\b",
    ),
    ("thing begins", r"^\W*(?:the|this|that|these|those|our|their|his|her|it|it's)\b"),
    ("third person", rf"\b{_PERSON}\b"),
    ("we", r"\b(?:we|us|our|we're|we'd)\b"),
    ("says", rf"\b{_SAYS}\b"),
    ("third person says", rf"\b{_PERSON}\b.{{0,25}}\b{_SAYS}\b"),
    ("third person and self", r"\b(?:himself|herself|themselves)\b"),
    (
        "third person is insult",
        rf"\b(?:{_PERSON}|it|this|that|\w+)(?:'s| is| was| are| were)"
        rf" (?:so |such |a |an |the |completely |absolutely |just |always )*{_INSULT}\b",
    ),
    (
        "third person thinks they",
        r"\b(?:he|she|they|\w+) (?:thinks|feels|believes|calls|says|hates|"
        r"blames|is convinced|reckons)\b.{0,20}\b(?:he|she|they|him|her|himself|herself|it)\b",
    ),
    (
        "thinks of me",
        r"\b(?:think|thinks|thought|thinking|reckon|decided|decide|can tell|could tell|see"
        r"|sees|knows?|convinced)\b.{0,25}\b(?:i'm|im|i am|i was|me|i)\b",
    ),
    ("insult", rf"\b{_INSULT}\b"),
    (
        "insult begins",
        rf"^(?:\W|ugh|god|oh|such|so|what|an?|total|absolute|complete|bloody|honestly)*"
        rf"{_INSULT}\b",
    ),
    ("insult near i", rf"\b{_I}\b[^,;.]{{0,30}}\b{_INSULT}\b"),
    (
        "i am insult",
        r"\b(?:i'm|im|i am|i was|i feel|feel|felt|i look|i've been|me)(?: like)?"
        rf"(?: \w+){{0,3}} {_INSULT}\b",
    ),
    ("insult i am", rf"\b{_INSULT}\b.{{0,25}}\b(?:i am|i'm|i was|me|of me|myself)\b"),
    ("you insult", rf"\byou(?:'re|r| are)?(?: \w+){{0,2}} {_INSULT}\b"),
    ("like a insult", rf"\b(?:like|such|what|some) an?(?: \w+){{0,2}} {_INSULT}\b"),
    ("insult alone", rf"^(?:\W*\w+){{0,2}}\W*{_INSULT}\W*(?:\w+\W*){{0,2}}$"),
    ("insult repeated", rf"\b({_INSULT})\b.*\b\1\b"),
    ("swearing", r"\b(?:fuck\w*|shit\w*|bloody|bastard|ffs|damn|god|hell|crap)\b"),
    (
        "contempt",
        r"\b(?:hate|hated|despise|loathe|disgust\w*|sick of|ashamed of|can't stand|can't bear|"
        r"furious with|contempt for|repelled by)\b.{0,15}\b(?:myself|me|my|who i)\b",
    ),
    (
        "what is wrong",
        r"\b(?:wrong|the matter|my problem|missing) (?:with|in) me\b|why am i\b|"
        r"why (?:can't|cant|do|did|don't|couldn't) i\b|my excuse\b|how (?:could|can|dare|hard) ",
    ),
    (
        "some i am",
        r"\bsome \w+ i am\b|call (?:yourself|myself)|what (?:kind|sort) of|only i could|"
        r"trust me to|typical|well done me|no wonder|that's me\b|thats me\b|yours truly|muggins|"
        r"because that's what i am|full stop|simple as|as usual|as always|as per",
    ),
    (
        "should",
        r"\b(?:should|shouldn't|ought|oughtn't|supposed to|must|mustn't|shouldve|shoulda)\b",
    ),
    ("i should", r"\b(?:i|you) (?:\w+ )?(?:should|shouldn't|ought|must)\b"),
    ("should have", r"\b(?:should(?:n't)?(?:'ve| have| of)|shouldve|ought to have|never have)\b"),
    (
        "should be",
        r"\b(?:should|ought to|shouldn't|supposed to)(?: \w+)? (?:be|know|cope|need|have)\b",
    ),
    (
        "by now",
        r"\b(?:by now|by this point|at my age|my age|a grown|grown (?:man|woman)|get a grip|"
        r"normal (?:person|people)|still (?:not|can't|on|haven't|need)|any decent|a (?:good"
        r"|proper|real|"
        r"decent|better) \w+ would)\b",
    ),
    (
        "others manage",
        r"\b(?:everyone|everybody|other|others|anyone|all the|all of them|the rest|"
        r"normal people|even (?:my|the))\b",
    ),
    (
        "than me",
        r"\b(?:than (?:me|i|mine)|next to|compared|beside|half the|behind everyone|whereas|"
        r"ahead of me|(?:and|while|then) (?:here|there)(?:'s| i)|and (?:i'm|me|mine)\b)",
    ),
    (
        "absolute",
        r"\b(?:never|always|every single|every|nothing|anything|everything|ever|none|not one|"
        r"not once|completely|total|totally|whole|entire|all i)\b",
    ),
    (
        "never right",
        r"\b(?:never|not once|can't|nothing|anything|everything).{0,25}\b(?:right|properly|"
        r"finish\w*|good|touch|do|start)\b",
    ),
    (
        "ruined",
        r"\b(?:ruin\w*|wreck\w*|destroy\w*|blew|blown|spoil\w*|messed up|mess up|screwed|poison\w*"
        r"|finished|over|forever|for good|gone|thrown away|wasted|no coming back|downhill"
        r"|for life)\b",
    ),
    (
        "will never",
        r"\b(?:i'll|i will|they'll|she'll|he'll|nobody will|no one will|going to)\b.{0,25}\b"
        r"(?:never|end up|always|forever|alone|hate|leave)\b|\bnever (?:be|get|going)\b",
    ),
    (
        "mind reading",
        r"\b(?:they|everyone|everybody|she|he|nobody|people|the \w+)(?: \w+){0,2} "
        r"(?:must|obviously|clearly|probably|secretly|think|thinks|thinking|hate|hates|pity"
        r"|laugh\w*)\b|"
        r"\bi (?:bet|know they|just know)\b|\bbet (?:they|the|she|he)\b|sorry for me|sick of me"
        r"|bored of me",
    ),
    (
        "my fault",
        r"\b(?:my (?:own )?(?:\w+ )?(?:fault|doing)|because of (?:me|how i)|down to me|on me|"
        r"to blame|i (?:did|caused|killed|ruined|drove|let)|you did this|blame myself"
        r"|forgive myself|"
        r"the reason|serves me right|thanks to me|on my head|if i(?:'d| had| hadn't))\b",
    ),
    (
        "shame",
        r"\b(?:ashamed|shame|mortified|humiliat\w*|embarrass\w*|cring\w*|ground to swallow|"
        r"can't look|look anyone in|hide|hiding|hid|dignity|nobody must|if (?:they|people"
        r"|anybody) knew)\b",
    ),
    (
        "worth",
        r"\b(?:worth|burden|nuisance|dead weight|use am i|no use|matter|no good to|point of me|"
        r"nothing to offer|am i for|bring nothing|add nothing|spare part|need me|want me"
        r"|waste of)\b",
    ),
    (
        "body",
        r"\b(?:face|belly|thighs?|mirror|nose|stomach|skin|legs?|arms|body|chins?|teeth|hair|hips|"
        r"reflection|photos?|weigh\w*|wobbl\w*|bald|look like)\b",
    ),
    (
        "perfect",
        r"\b(?:good enough|perfect\w*|second|mistakes?|flawless|standard|wrong notes?|typo|"
        r"percent|per cent|unforgivable|inexcusable|no excuse|not acceptable|better than this"
        r"|only)\b",
    ),
    ("feeling", rf"\b{_FEELING}\b"),
    (
        "feeling judged",
        rf"\b(?:{_INSULT}|no right|what right|how dare|ridiculous|silly|soft|over|get a"
        rf" grip|stop|no business)\b.{{0,30}}\b{_FEELING}\b|\b{_FEELING}\b.{{0,40}}\b{_INSULT}\b",
    ),
    (
        "deserve",
        r"\b(?:deserv\w+|earn(?:ed|t)?|entitled|right to|who am i|likes of me|like me|for people"
        r" who|too good for|merit|allowed)\b",
    ),
    (
        "not deserve",
        r"\b(?:don't|dont|didn't|not|never|nothing|haven't|hardly|least|how little|no)\b"
        r".{0,25}\b(?:deserv\w+|earn(?:ed|t)?|entitled|worth\w*)\b",
    ),
    (
        "repair",
        r"\b(?:apolog\w*|sorry|own(?:ed)? up|put (?:it|that) right|come clean|make it (?:right"
        r"|up)|"
        r"regret|owe[ds]?|unfair|wrong of me|told (?:him|her|them) so|said so|going to (?:say"
        r"|tell|ring)|"
        r"paid|new one|confess\w*|promis\w*|my bad|tomorrow|mine to)\b",
    ),
    (
        "negation",
        r"\b(?:not|no|never|without|nor|neither)\b|n't\b|\b(?:dont|isnt|doesnt|wasnt|didnt|cant)\b",
    ),
    (
        "not insult",
        rf"\b(?:not|n't|no|dont|isnt|never|nobody|no longer|neither)(?: \w+){{0,4}} {_INSULT}\b",
    ),
    (
        "does not make",
        r"\b(?:doesn't|does not|didn't|hasn't|isn't|not) (?:make|mean|say|made|true)\b",
    ),
    (
        "no longer",
        r"\b(?:no longer|any ?more|stopped|these days|used to|refuse to|done (?:being|with)|"
        r"wouldn't (?:say|call)|for once|it isn't that|it's not that)\b",
    ),
    (
        "answered",
        r"\b(?:then (?:i )?(?:remembered|thought|told|noticed|decided|laughed|said)|reminded "
        r"myself|instead|crossed|answered|told it|said back|so no|though|until i|realised"
        r"|realized|"
        r"but (?:i|it|they|the|this|that|everyone|we)|caught myself|voice|my (?:head|brain|critic"
        r"|inner))\b",
    ),
    (
        "irony",
        r"\b(?:lol|lmao|haha\w*|ha|call me|of the (?:year|century)|olympic\w*|nobel|michelin|nasa|"
        r"parade|queue|crown|world tour|at your service|committee|legend|promotion|medal|expert"
        r"|empire|"
        r"fashion|resignation|you're welcome|basically|apparently|incoming|goals|living the"
        r"|engaged)\b"
        "|[😂🤣😹😄😅🙈]",
    ),
    (
        "medium",
        r"\b(?:listen\w*|watch\w*|read(?:ing)?|playlist|songs?|films?|books?|novel|chapter|band|"
        r"karaoke|choir|play(?:ed|ing)?|singing|sang|character|documentary|heroine|story|saw"
        r"|tickets|chords|"
        r"sermon|episode|series|album|finished|scene)\b",
    ),
    (
        "kind",
        r"\b(?:proud|well done|good (?:for|on) me|that's enough|is enough|i'm enough|plenty"
        r"|gentle|"
        r"kind to|easy on|brave|courage|guts|i did it|did my best|my best|fond of|trust myself"
        r"|clever me|"
        r"doing (?:ok|okay|well|fine)|i like|pleased|chuffed|credit|permission|forgive myself"
        r"|honour|grace|"
        r"respect|thank you|glad|good at|decent|capable|strong|beautiful|worth|makes sense"
        r"|it's (?:ok|okay|"
        r"fine|human|natural)|allowed|deserve|learning|lovable|star|survived|managed|handled"
        r"|coping)\b",
    ),
    (
        "kind and me",
        r"\b(?:proud of (?:me|myself|how i|that)|i'm (?:proud|allowed|enough|glad|a good|worth|"
        r"learning|good)|i (?:deserve|forgive|trust|like|honour|handled|managed|kept)|well done"
        r"|good (?:for|on)"
        r" me|you did|you're (?:allowed|doing)|myself)\b",
    ),
    (
        "thanks",
        r"\b(?:grateful|thankful|lovely|happy|nice|enjoy\w*|love|loved|fun|laugh\w*|great"
        r"|wonderful)\b",
    ),
    (
        "plan",
        r"\b(?:tomorrow|tonight|today|at (?:six|noon|four|\d+)|by (?:six|friday|monday)|next week|"
        r"need to|book\w*|appointment|call|ring|buy|home by|on (?:mon|tues|wednes|thurs|fri|satur"
        r"|sun)day)\b",
    ),
    ("question", r"\?"),
    ("exclamation", r"!"),
    ("quote", r"“…”"),
    ("very short", r"^\W*(?:\w+\W+){0,3}\w*\W*$"),
    ("short", r"^\W*(?:\w+\W+){0,8}\w*\W*$"),
    ("long", r"^(?:\W*+\w){25}"),  # 25 letters; its name says more than it does
)
_CUES = tuple(re.compile(pattern) for _, pattern in CUES)

_QUOTED = re.compile(
    r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|„[^“”\n]{1,400}[“”]|«[^»\n]{1,400}»|「[^」\n]{1,400}」"
    r"|(?<![\w'’])['‘](?=\w)(?:[^'‘’\n]|(?<=\w)['’](?=\w)){3,400}+['’](?!\w)"
)
_OWN_VOICE = re.compile(
    r"\bi(?:'ve|'d|'m)? (?:just |keep |kept |still |was |only |always )*(?:thought|think|thinking"
    r"|muttered|said to myself)\b|\b(?:to |told |tell |call |called |hear |heard )myself\b"
    r"|\bmy (?:own |inner )?(?:head|brain|mind|critic)\b|\ball i (?:could|can) think\b"
    r"|\bi was like\b"
)
_BESIDE_QUOTE = 60
_HIDDEN = "“…”"
_REACH = 1500  # characters of a sentence that are heard; the embedder reads no more either
_A_LETTER = re.compile(r"[^\W\d_]")


class Critic:
    """Hears the inner critic in texts.

    Args:
        embeddings: The sentence embedder, on whose layers the ear is built.
        weights: The ear's weights; by default those that ship with the program.

    Attributes:
        threshold: Probability from which a sentence counts as self-critical.

    Raises:
        KnowledgeError: The weights cannot be read.
    """

    def __init__(self, embeddings: LocalEmbeddings, weights: Path | None = None) -> None:
        numbers = _load(weights or paths.asset("knowledge", "critic", "weights.npz"))
        self._embeddings = embeddings
        self._weights = numbers
        self.threshold = float(numbers["threshold"])

    def notice(self, text: str, threshold: float | None = None) -> tuple[Notice, ...]:
        """Hear every sentence of a text.

        Args:
            text: Any text.
            threshold: Probability from which a sentence counts as self-critical; lower is more
                eager. By default the one chosen in training.

        Returns:
            One notice for each sentence, in order; white space alone is no sentence.
        """
        return self.notice_many([text], threshold)[0]

    def notice_many(
        self, texts: Sequence[str], threshold: float | None = None
    ) -> tuple[tuple[Notice, ...], ...]:
        """Hear every sentence of several texts together, which is faster than one by one.

        Args:
            texts: Any texts.
            threshold: As for ``notice``.

        Returns:
            The notices of each text, in order.
        """
        limit = self.threshold if threshold is None else threshold
        spans = [_spans(text) for text in texts]
        heard = [
            _hide(text, start, end, quotes)[:_REACH]
            for text, of_text in zip(texts, spans, strict=True)
            for quotes in [_quotes(text)]
            for start, end in of_text
        ]
        classes, kinds, harshness = self.probabilities(heard)
        rows = iter(zip(classes, kinds, harshness, strict=True))
        return tuple(
            tuple(
                _notice(text, span, limit, *row) for span, row in zip(of_text, rows, strict=False)
            )
            for text, of_text in zip(texts, spans, strict=True)
        )

    def probabilities(self, sentences: Sequence[str]) -> tuple[Vectors, Vectors, Vectors]:
        """Return what the regressions say of single sentences.

        Args:
            sentences: Sentences as ``unquoted`` gives them.

        Returns:
            Probabilities of ``CLASSES``, of ``KINDS``, and harshness from 0 to 1, a row each.
        """
        rows = features(self._embeddings, sentences)
        weights = self._weights
        classes = softmax(rows @ weights["class_weight"] + weights["class_bias"])
        wordless = [row for row, text in enumerate(sentences) if not _A_LETTER.search(text)]
        classes[wordless] = np.eye(len(CLASSES), dtype=np.float32)[_NEUTRAL]
        kinds = softmax(rows @ weights["kind_weight"] + weights["kind_bias"])
        harsh = np.clip(rows @ weights["harsh_weight"] + weights["harsh_bias"], 0, 1)
        return classes, kinds, harsh[:, 0]


def features(embeddings: Layered, sentences: Sequence[str]) -> Vectors:
    """Return the rows that the regressions read."""
    layers = embeddings.layers(sentences)[:, FIRST_LAYER:].swapaxes(0, 1)
    return np.hstack([*layers, cues(sentences)])


def cues(sentences: Sequence[str]) -> Vectors:
    """Return for each sentence which patterns of ``CUES`` it holds, as zeros and ones."""
    found = np.zeros((len(sentences), len(_CUES)), np.float32)
    for row, sentence in enumerate(sentences):
        lowered = sentence.lower().replace("’", "'")
        found[row] = [pattern.search(lowered) is not None for pattern in _CUES]
    return found


def unquoted(source: str) -> str:
    """Return a text with what others say in it hidden.

    Quoted words stay where the whole line is a quote, and where the writer quotes the voice in
    their own head: that one is listened for.
    """
    return _hide(source, 0, len(source), _quotes(source))


def _quotes(source: str) -> list[tuple[int, int]]:
    """Return where others are quoted."""
    return [quote.span() for quote in _QUOTED.finditer(source) if not _is_own_voice(source, quote)]


def _hide(source: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> str:
    """Return ``source[start:end]`` with the quotes hidden, which may reach beyond it."""
    pieces = []
    for opening, closing in quotes[bisect_right(quotes, start, key=lambda quote: quote[1]) :]:
        if opening >= end:
            break
        pieces += [source[start : max(start, opening)], _HIDDEN]
        start = min(end, closing)
    return "".join([*pieces, source[start:end]])


def _is_own_voice(source: str, quote: re.Match[str]) -> bool:
    before = source[max(0, quote.start() - _BESIDE_QUOTE) : quote.start()].rpartition("\n")[2]
    after = source[quote.end() : quote.end() + _BESIDE_QUOTE].partition("\n")[0]
    beside = f"{before} | {after}".lower().replace("’", "'")
    return not (before.strip() or after.strip()) or bool(_OWN_VOICE.search(beside))


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where the sentences begin and end without their surrounding white space."""
    return [
        (piece.end - len(piece.text.lstrip()), piece.start + len(piece.text.rstrip()))
        for piece in split(text)
        if piece.text.strip()
    ]


def _notice(
    text: str,
    span: tuple[int, int],
    limit: float,
    classes: Vectors,
    kinds: Vectors,
    harshness: np.float32,
) -> Notice:
    start, end = span
    probability = float(classes[_CRITICAL])
    critical = probability >= limit
    return Notice(
        text=text[start:end],
        start=start,
        end=end,
        self_critical=critical,
        kind=KINDS[int(kinds.argmax())] if critical else None,
        strength=probability * (1 + float(harshness)) / 2 if critical else 0.0,
        kind_talk=not critical and int(classes.argmax()) == _KIND_TALK,
    )


def softmax(logits: Vectors) -> Vectors:
    """Return the shares that logits stand for, row by row."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: Vectors = powers / powers.sum(1, keepdims=True)
    return shares


def _load(file: Path) -> dict[str, Vectors]:
    try:
        with np.load(file, allow_pickle=False) as numbers:
            return {name: numbers[name].astype(np.float32) for name in numbers.files}
    except (OSError, ValueError, KeyError) as problem:
        raise KnowledgeError(
            f"The ear's weights cannot be read: {file}.", "Install the program again."
        ) from problem
