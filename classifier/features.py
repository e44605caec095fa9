"""Features of a reading, by name: what the learned model looks at.

Each feature keeps the tokens that gave it, so that a decision can be traced to words.
Names begin with their family: ``w`` words and ``p`` word beginnings; ``w2``, ``w3``, ``k`` runs and
skips of words; ``u``, ``uu``, ``uk`` word classes, their runs and skips; ``c`` cues, ``s`` cues in their order;
``g`` places (geography); ``x`` context and shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .lexicon import Lexicon
from .places import Gazetteer, distinct_countries, is_shouting
from .reading import ASSERTED, DENIED, DISCUSSED, ENDED, Reading
from .roles import HomeGuess

# Beginnings of this length join the forms of a word without a lemmatiser.
STEM = 6
_SKIP = 3
# A guess of the client's country counts as known from here on.
SURE = 0.62
_PUNCTUATION = frozenset(",;:?!()-/")
_FUNCTION_WORDS = frozenset(
    "in on at from to for by with of as and but or if when since until after before while two three four all "
    "both each every some most no not this that these those my your his her its their ask here there once one".split()
)
NAME = "_name"
_NOT_NAMES = frozenset(
    "i we our the a an it monday tuesday wednesday thursday friday saturday sunday january february march "
    "april may june july august september october november december english mr mrs ms dr hr it ltd inc gmbh "
    "llc upwork fiverr freelancer toptal".split()
)
_MARK = {DENIED: "not", ENDED: "end", DISCUSSED: "maybe"}


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller says beside the text: ISO codes, and whether it is a line of vendor contracts."""

    home: str | None = None
    provider_country: str | None = None
    vendor_contract: bool = False


Feature = tuple[str, tuple[int, ...]]  # name, token positions that gave it


def features_of(
    reading: Reading, context: Context, normal: Normal, lexicon: Lexicon | None = None
) -> Iterator[Feature]:
    """All features of a reading in a context, with repeats."""
    view = normal.view
    yield from _word_features(normal.words, normal.where, normal.marks)
    yield from _compounds(reading)
    if lexicon is not None:
        yield from _class_features(normal.words, normal.where, lexicon)
    yield from _cue_features(reading, view)
    yield from _place_features(reading, context, view)
    yield from _context_features(reading, context)


class PlaceView:
    """How each place of a reading stands to the client: given, guessed, or by order of mention."""

    def __init__(self, reading: Reading, context: Context, gazetteer: Gazetteer, guess: HomeGuess | None) -> None:
        self.reading = reading
        self.codes = distinct_countries(reading.places)
        self.guessed = not context.home and guess is not None and guess.probability >= SURE
        self.home = context.home or (guess.country if guess is not None and self.guessed else None)
        self.relation = {code: gazetteer.relation(self.home, code) if self.home else "" for code in self.codes}
        self.provider = (
            gazetteer.relation(context.home, context.provider_country)
            if context.home and context.provider_country
            else ""
        )
        self.pairs = sorted(
            {gazetteer.relation(a, b) for n, a in enumerate(self.codes[:4]) for b in self.codes[n + 1 : 5]}
        )
        away = guess.away if guess is not None and not context.home else frozenset[str]()
        order = {code: n for n, code in enumerate(self.codes)}
        self.names = []
        for place in reading.places:
            kind = "d" if place.kind == "demonym" else "p"
            if self.home:
                self.names.append(f"{kind}_{self.relation[place.country]}")
            elif place.country in away:
                self.names.append(f"{kind}_away")
            elif len(self.codes) == 1:
                self.names.append(f"{kind}_only")
            else:
                self.names.append(f"{kind}_{min(order[place.country], 2)}")
        # Token position to place, for every token inside a place name.
        self.at: dict[int, int] = {}
        i = 0
        for n, place in enumerate(reading.places):
            while i < len(reading.tokens) and reading.tokens[i].end <= place.start:
                i += 1
            while i < len(reading.tokens) and reading.tokens[i].start < place.end:
                self.at[i] = n
                i += 1


@dataclass(frozen=True, slots=True)
class Normal:
    """A text as the model sees it: places, names and numbers made alike.

    Attributes:
        words: normalised words, with marks at the ends of sentences.
        where: the token positions behind each word; none for a mark.
        marks: the status of each word, empty when it is plainly asserted.
    """

    words: list[str]
    where: list[tuple[int, ...]]
    marks: list[str]
    view: PlaceView


def normalise(
    reading: Reading,
    context: Context,
    gazetteer: Gazetteer,
    lexicon: Lexicon | None = None,
    guess: HomeGuess | None = None,
) -> Normal:
    """Make places, names and numbers of a reading alike."""
    view = PlaceView(reading, context, gazetteer, guess)
    words, marks = ["<s>"], [""]
    named = _names(reading, view, lexicon)
    where: list[tuple[int, ...]] = [()]
    tokens = reading.tokens
    i, sentence = 0, 0
    while i < len(tokens):
        token = tokens[i]
        if token.sentence != sentence:
            words.append("<s>")
            where.append(())
            marks.append("")
            sentence = token.sentence
        last = i
        if i in view.at:
            word = view.names[view.at[i]]
            while view.at.get(last + 1) == view.at[i]:
                last += 1
        elif i in named:
            word = NAME
            while last + 1 in named and tokens[last + 1].sentence == sentence:
                last += 1
        else:
            word = token.lower
            if any(c.isdigit() for c in word):
                word = "#"
            elif not word[0].isalnum() and word not in _PUNCTUATION:
                word = ""
        if word.strip():
            words.append(word)
            where.append(tuple(range(i, last + 1)))
            marks.append(_MARK.get(reading.status[i], ""))
        i = last + 1
    words.append("</s>")
    where.append(())
    marks.append("")
    return Normal(words, where, marks, view)


def _names(reading: Reading, view: PlaceView, lexicon: Lexicon | None) -> frozenset[int]:
    """Tokens that are part of a proper name: capitalised within a sentence, or an unknown word at its start."""
    text, tokens = reading.text, reading.tokens
    if lexicon is None or is_shouting(text):
        return frozenset()
    found: set[int] = set()
    sentence = -1
    for i, token in enumerate(tokens):
        first, sentence = token.sentence != sentence, token.sentence
        if i in view.at or not text[token.start].isupper() or token.end - token.start < 2:
            continue
        known = token.lower in lexicon
        if token.lower in _NOT_NAMES or (known and text[token.start : token.end].isupper()):
            continue
        if not first or not known or _starts_name(reading, i):
            found.add(i)
    # "Holt & Datter", "Bank of Ruritania": what joins two names belongs to the name.
    for i in tuple(found):
        if i + 2 in found and tokens[i + 1].lower in ("&", "-", "of", "and", "'s", "\u2019s", "."):
            found.add(i + 1)
    return frozenset(found)


def _starts_name(reading: Reading, i: int) -> bool:
    """Whether a word at the start of a sentence goes on as a name: "Halloran Byte"."""
    following = reading.tokens[i + 1] if i + 1 < len(reading.tokens) else None
    return (
        following is not None
        and reading.text[following.start].isupper()
        and following.lower not in _NOT_NAMES
        and reading.tokens[i].lower not in _FUNCTION_WORDS
    )


def _word_features(words: list[str], where: list[tuple[int, ...]], marks: list[str]) -> Iterator[Feature]:
    stems = [w[:STEM] if w.isalpha() else w for w in words]
    n = len(words)
    for i in range(n):
        word = words[i]
        if where[i]:
            yield f"w:{word}", where[i]
            if len(word) > STEM:
                yield f"p:{stems[i]}", where[i]
            if marks[i]:
                yield f"w:{marks[i]}:{stems[i]}", where[i]
        if i + 1 < n:
            yield f"w2:{word} {words[i + 1]}", where[i] + where[i + 1]
        if i + 2 < n:
            yield f"w3:{word} {words[i + 1]} {words[i + 2]}", where[i] + where[i + 1] + where[i + 2]
        if where[i]:
            for j in range(i + 2, min(i + 2 + _SKIP, n)):
                if where[j]:
                    yield f"k:{stems[i]} {stems[j]}", where[i] + where[j]


def _compounds(reading: Reading) -> Iterator[Feature]:
    """Words joined by a hyphen, as one: "in-house", "on-site", "home-based"."""
    tokens = reading.tokens
    for i in range(1, len(tokens) - 1):
        if tokens[i].lower == "-" and tokens[i - 1].end == tokens[i].start and tokens[i].end == tokens[i + 1].start:
            before, after = tokens[i - 1].lower, tokens[i + 1].lower
            if before.isalpha() and after.isalpha():
                yield f"w:{before}-{after}", (i - 1, i, i + 1)


def _class_features(words: list[str], where: list[tuple[int, ...]], lexicon: Lexicon) -> Iterator[Feature]:
    for level in range(lexicon.levels):
        classes = [lexicon.word_class(w, level) for w in words]
        for i, name in enumerate(classes):
            if where[i]:
                yield f"u:{level}:{name}", where[i]
            if i + 1 < len(classes):
                yield f"uu:{level}:{name} {classes[i + 1]}", where[i] + where[i + 1]
            if level == 0 and where[i]:
                for j in range(i + 2, min(i + 2 + _SKIP, len(classes))):
                    if where[j]:
                        yield f"uk:{name} {classes[j]}", where[i] + where[j]


def _cue_features(reading: Reading, view: PlaceView) -> Iterator[Feature]:
    row: list[tuple[int, str, tuple[int, ...]]] = []
    for cue in reading.cues:
        span = tuple(range(cue.first, cue.last + 1))
        name = cue.kind
        yield f"c:{name}", span
        if cue.status != ASSERTED:
            yield f"c:{name}:{cue.status}", span
            name = f"{cue.status}:{name}"
        row.append((cue.first, name, span))
    for position, n in view.at.items():
        if view.at.get(position - 1) != n:
            row.append((position, view.names[n], (position,)))
    row.sort()
    for i, (first, name, span) in enumerate(row):
        # Pairs in order within a sentence, a few steps apart.
        for other_first, other, other_span in row[i + 1 : i + 7]:
            if reading.tokens[first].sentence != reading.tokens[other_first].sentence:
                break
            if first != other_first:
                yield f"s:{name}>{other}", span + other_span


def _place_features(reading: Reading, context: Context, view: PlaceView) -> Iterator[Feature]:
    codes = view.codes
    tokens = tuple(sorted(view.at))
    yield f"g:countries:{min(len(codes), 3)}", ()
    if view.home:
        source = "guess" if view.guessed else "home"
        for relation in sorted(set(view.relation.values())):
            yield f"g:{source}:{relation}", tokens
        if codes and view.home not in codes:
            yield "g:only-elsewhere", tokens
        if codes == [view.home]:
            yield f"g:{source}:only-same", tokens
    for relation in view.pairs:
        yield f"g:pair:{relation}", tokens
    named = {p.name for p in reading.places if p.kind != "demonym"}
    if len(codes) == 1 and len(named) > 1:
        yield "g:one-country-several-places", tokens
    if context.provider_country:
        yield "g:provider", ()
        if context.home:
            yield f"g:provider:{view.provider}", ()


def _context_features(reading: Reading, context: Context) -> Iterator[Feature]:
    yield "x:bias", ()
    if context.vendor_contract:
        yield "x:vendor-contract", ()
    if context.home:
        yield "x:home", ()
    length = len(reading.tokens)
    yield f"x:length:{next(n for n, most in enumerate((6, 12, 25, 45, 80, 1 << 60)) if length <= most)}", ()
    yield f"x:sentences:{min(len(reading.sentences), 4)}", ()
    if is_shouting(reading.text):
        yield "x:capitals", ()
