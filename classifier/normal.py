"""Texts as the model sees them: places, names and numbers made alike, words as symbols.

Texts are taken together: their words stand in one array, with padding between texts wide enough that no window
reaches from one into the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cues import DENIED, DISCUSSED, ENDED, STATUSES
from .forms import CAPITAL, CAPITALS
from .keys import UNKNOWN, Ints
from .places import Gazetteer, distinct_countries
from .reading import Reading
from .roles import HomeGuess
from .words import (
    END,
    FINE,
    FUNCTION,
    JOINS,
    KNOWN,
    LONG,
    NAME,
    NOT_NAME,
    PAD,
    READ_AS,
    ROW,
    SPECIAL,
    START,
    TRAITS,
    VECTOR,
    Words,
)

# How far a word looks to either side, at most; the padding between texts.
REACH = 6
# A guess of the client's country counts as known from here on.
SURE = 0.62
_MARK_OF_STATUS = np.array([{DENIED: 1, ENDED: 2, DISCUSSED: 3}.get(status, 0) for status in STATUSES])
# More symbols of a word in a text: the mark of its status, and the finer class where there is a word at all.
MARK, NEAR_BY = 5, 6


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller says beside the text: ISO codes, and whether it is a line of vendor contracts."""

    home: str | None = None
    provider_country: str | None = None
    vendor_contract: bool = False


class PlaceView:
    """How each place of a reading stands to the client: given, guessed, or by order of mention.

    Attributes:
        names: how the model sees each place.
        at: token position to place, for every token inside a place name.
    """

    def __init__(
        self,
        reading: Reading,
        context: Context,
        gazetteer: Gazetteer,
        guess: HomeGuess | None,
        spans: Sequence[tuple[int, int]],
    ) -> None:
        relation = gazetteer.relation
        self.codes = distinct_countries(reading.places)
        self.guessed = not context.home and guess is not None and guess.probability >= SURE
        self.home = context.home or (guess.country if guess is not None and self.guessed else None)
        self.relation = {code: relation(self.home, code) if self.home else "" for code in self.codes}
        self.provider = (
            relation(context.home, context.provider_country) if context.home and context.provider_country else ""
        )
        self.pairs = sorted({relation(a, b) for n, a in enumerate(self.codes[:4]) for b in self.codes[n + 1 : 5]})
        away = guess.away if guess is not None and not context.home else frozenset[str]()
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
                self.names.append(f"{kind}_{min(self.codes.index(place.country), 2)}")
        self.at = {token: n for n, (first, last) in enumerate(spans) for token in range(first, last + 1)}


@dataclass(frozen=True, slots=True)
class Normal:
    """Texts as the model sees them. ``W`` counts all their words with the marks at sentence ends and the padding.

    Attributes:
        symbols: int64 array (7, W): ``WORD``, ``STEM``, ``COARSE``, ``FINE``, ``LONG``, ``MARK``, ``NEAR_BY``.
        vector: int32 array (W,), rows of the lexicon, -1 for words that it lacks.
        mark: int64 array (W,), the status of each word's clause, positions in ``MARKS``.
        real: bool array (W,), false for marks and padding.
        text: int32 array (W,), the text of each word, -1 for padding.
        first, last: int32 arrays (W,), the tokens of each word, counted in its text.
        begin, end: int64 arrays (texts,), where each text's words stand.
        tokens: int64 array (texts + 1,), where each text's tokens stand in the arrays of tokens.
        token_rows: int32 array (tokens of all texts, 8), rows of the table of words.
        word_of_token: int32 array (tokens of all texts,); 0, which is padding, for a token without a word.
        views: the places of each text.
    """

    symbols: Ints
    vector: NDArray[np.int32]
    mark: Ints
    real: NDArray[np.bool_]
    text: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    begin: Ints
    end: Ints
    tokens: Ints
    token_rows: NDArray[np.int32]
    word_of_token: NDArray[np.int32]
    views: Sequence[PlaceView]


def cue_pairs(readings: Sequence[Reading], normal: Normal, numbers: Callable[[str], int]) -> tuple[Ints, Ints]:
    """The words that cues cover, and the numbers of the kinds of those cues; each pair once, in order."""
    firsts: list[int] = []
    sizes: list[int] = []
    kinds: list[int] = []
    for reading, origin in zip(readings, normal.tokens.tolist(), strict=False):
        for cue in reading.cues:
            firsts.append(origin + cue.first)
            sizes.append(cue.last - cue.first + 1)
            kinds.append(numbers(cue.kind))
    size = np.array(sizes, dtype=np.int64)
    token = np.repeat(np.array(firsts, dtype=np.int64) - np.cumsum(size) + size, size) + np.arange(size.sum())
    word, kind = normal.word_of_token[token].astype(np.int64), np.repeat(np.array(kinds, dtype=np.int64), size)
    # Word 0 is for tokens without a word.
    pairs = np.unique((word * (UNKNOWN + 1) + kind)[word > 0])
    return pairs // (UNKNOWN + 1), pairs % (UNKNOWN + 1)


def normalise(
    readings: Sequence[Reading],
    contexts: Sequence[Context],
    words: Words,
    gazetteer: Gazetteer,
    guesses: Sequence[HomeGuess | None],
) -> Normal:
    """Make places, names and numbers of readings alike; all readings were made together."""
    bounds = np.cumsum([0, *(len(reading.form) for reading in readings)])
    text_of = np.repeat(np.arange(len(readings), dtype=np.int32), np.diff(bounds))
    form = np.concatenate([reading.form for reading in readings])
    sentence = np.concatenate([reading.sentence for reading in readings])
    status = np.concatenate([reading.status for reading in readings])
    forms = readings[0].forms
    table = words.table(forms, form)
    known = table[len(SPECIAL) :].take(form, axis=0)
    opens = np.ones(len(form), dtype=bool)  # the first token of its text
    opens[1:] = text_of[1:] != text_of[:-1]

    place, spans = _place_of_token(readings, bounds)
    views = [
        PlaceView(reading, context, gazetteer, guess, span)
        for reading, context, guess, span in zip(readings, contexts, guesses, spans, strict=True)
    ]
    traits, flags = known[:, TRAITS], forms.numbers[form]
    named = _names(traits, flags, sentence, opens, text_of, place >= 0, np.array([r.shouting for r in readings]))
    row = np.where(named, ROW[NAME], known[:, READ_AS])
    if (place >= 0).any():
        rows = np.array([ROW[name] for view in views for name in view.names])
        row = np.where(place >= 0, rows[place], row)

    # Tokens of one place, or of one name, are one word.
    goes_on = np.zeros(len(form), dtype=bool)
    goes_on[1:] = (place[1:] >= 0) & (place[1:] == place[:-1])
    goes_on[1:] |= named[1:] & named[:-1] & (sentence[1:] == sentence[:-1])
    goes_on &= ~opens
    first = np.flatnonzero(~goes_on)
    last = np.append(first, len(form))[1:] - 1
    word, text = row[first], text_of[first]
    fresh = np.zeros(len(first), dtype=bool)  # a sentence begins
    fresh[1:] = (sentence[first[1:]] != sentence[first[:-1]]) & (text[1:] == text[:-1])
    kept = word > 0

    size = fresh.astype(np.int64) + kept
    after = np.cumsum(size)
    # Each text has a mark at either end and padding behind.
    position = after - size + REACH + 1 + text * (2 + REACH)
    per_text = np.bincount(text, weights=size, minlength=len(readings)).astype(np.int64) + 2
    begin = REACH + np.cumsum(per_text + REACH) - per_text - REACH
    end = begin + per_text
    total = REACH + int((per_text + REACH).sum())
    found = np.full(total, ROW[PAD], dtype=np.int32)
    found[begin] = found[position[fresh]] = ROW[START]
    found[end - 1] = ROW[END]
    at = (position + fresh)[kept]
    found[at] = word[kept]
    real = np.zeros(total, dtype=bool)
    real[at] = True
    firsts, lasts = np.zeros((2, total), dtype=np.int32)
    origin = bounds[text[kept]]
    firsts[at], lasts[at] = first[kept] - origin, last[kept] - origin
    symbols = np.zeros((7, total), dtype=np.int64)
    symbols[: LONG + 1] = table[found, : LONG + 1].T
    mark = np.zeros(total, dtype=np.int64)
    mark[at] = _MARK_OF_STATUS[status[first[kept]]]
    symbols[MARK] = words.marks[mark]
    # Padding and texts take turns.
    turns, lengths = np.full(2 * len(readings) + 1, -1, dtype=np.int32), np.full(2 * len(readings) + 1, REACH)
    turns[1::2], lengths[1::2] = np.arange(len(readings)), per_text
    number = np.repeat(turns, lengths)
    symbols[NEAR_BY] = np.where(number >= 0, symbols[FINE], 0)
    word_of = np.zeros(len(first), dtype=np.int32)
    word_of[kept] = at
    word_of_token = word_of[np.cumsum(~goes_on) - 1]
    return Normal(
        symbols, table[found, VECTOR], mark, real, number, firsts, lasts, begin, end, bounds, known,
        word_of_token, views,
    )  # fmt: skip


def _place_of_token(readings: Sequence[Reading], bounds: Ints) -> tuple[NDArray[np.int32], list[list[tuple[int, int]]]]:
    """For each token the number of its place among all texts' places, or -1; and each place's tokens in its text."""
    found = np.full(int(bounds[-1]), -1, dtype=np.int32)
    spans: list[list[tuple[int, int]]] = []
    n = 0
    for reading, origin in zip(readings, bounds.tolist(), strict=False):
        row: list[tuple[int, int]] = []
        if reading.places:
            first = np.searchsorted(reading.end, [p.start for p in reading.places], "right").tolist()
            after = np.searchsorted(reading.start, [p.end for p in reading.places]).tolist()
            free = 0  # a token that two places share belongs to the first
            for a, b in zip(first, after, strict=True):
                a = max(a, free)
                free = max(b, free)
                found[origin + a : origin + b] = n
                row.append((a, b - 1))
                n += 1
        spans.append(row)
    return found, spans


def _names(
    traits: NDArray[np.int32],
    numbers: NDArray[np.int32],
    sentence: NDArray[np.int32],
    opens: NDArray[np.bool_],
    text: NDArray[np.int32],
    placed: NDArray[np.bool_],
    shouting: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Tokens that are part of a proper name: capitalised within a sentence, or an unknown word at its start."""
    length, flags = numbers[:, 0], numbers[:, 1]
    capital = (flags & CAPITAL) != 0
    may = capital & ~placed & (length > 1) & ((traits & NOT_NAME) == 0) & ~shouting[text]
    may &= ((traits & KNOWN) == 0) | ((flags & CAPITALS) == 0)
    # At the start of a sentence a known word is a name only if the name goes on: "Halloran Byte".
    within = np.zeros(len(flags), dtype=bool)
    within[1:] = (sentence[1:] == sentence[:-1]) & ~opens[1:]
    goes_on = np.zeros(len(flags), dtype=bool)
    goes_on[:-1] = capital[1:] & ((traits[1:] & NOT_NAME) == 0) & ~opens[1:]
    goes_on &= (traits & FUNCTION) == 0
    found = may & (within | ((traits & KNOWN) == 0) | goes_on)
    between = np.zeros(len(flags), dtype=bool)
    between[1:-1] = found[:-2] & found[2:] & ((traits[1:-1] & JOINS) != 0) & ~opens[1:-1] & ~opens[2:]
    return np.asarray((found | between) & ~placed)
