"""Features of texts: what the learned model looks at.

Names begin with their family: ``w`` words and ``p`` word beginnings; ``w2``, ``w3``, ``k`` runs and skips of words;
``u``, ``uu``, ``uk`` word classes, their runs and skips; ``c`` cues, ``s`` cues in their order; ``g`` places
(geography); ``x`` context and shape. The many that words give are made for all words at once; the few others by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .cues import ASSERTED
from .keys import Families, Ints, Slots, Symbols, pack
from .normal import MARK, REACH, Context, Normal, PlaceView
from .reading import Reading
from .words import COARSE, FINE, LONG, STEM, WORD

_SKIPS = (2, 3, 4)
_REAL_STEM, _REAL_COARSE, _REAL_FINE, _REAL_WORD = range(7, 11)
# For each word the features that begin with it: what they are made of, and how far off it stands.
_WORDS: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("w:{}", ((_REAL_WORD, 0),)),
    ("p:{}", ((LONG, 0),)),
    ("w:{}:{}", ((MARK, 0), (_REAL_STEM, 0))),
    ("w2:{} {}", ((WORD, 0), (WORD, 1))),
    ("w3:{} {} {}", ((WORD, 0), (WORD, 1), (WORD, 2))),
    *(("k:{} {}", ((_REAL_STEM, 0), (_REAL_STEM, skip))) for skip in _SKIPS),
    ("u:0:{}", ((_REAL_COARSE, 0),)),
    ("u:1:{}", ((_REAL_FINE, 0),)),
    ("uu:0:{} {}", ((COARSE, 0), (COARSE, 1))),
    ("uu:1:{} {}", ((FINE, 0), (FINE, 1))),
    *(("uk:{} {}", ((_REAL_COARSE, 0), (_REAL_COARSE, skip))) for skip in _SKIPS),
)
FAMILIES = Families([template for template, _ in _WORDS] + ["c:{}", "s:{}>{}", "g:{}", "x:{}"])
_SLOTS = Slots(FAMILIES, _WORDS)
N_SLOTS = len(_WORDS)


@dataclass(frozen=True, slots=True)
class Features:
    """Features of texts, with repeats; those of no word have the key 0 or lack a symbol.

    Attributes:
        keys: int64 array: first one of each slot for each word from ``normal``'s first after the padding, then the few
            others.
        text: int32 array, the text of each.
        lengths: int64 array (texts,), how many tokens each text has.
    """

    keys: Ints
    text: NDArray[np.int32]
    lengths: Ints


def features_of(readings: Sequence[Reading], contexts: Sequence[Context], normal: Normal, symbols: Symbols) -> Features:
    """All features of readings in their contexts."""
    inside = normal.text >= 0
    rows = np.zeros((_REAL_WORD + 2, len(normal.text)), dtype=np.int64)
    rows[:7] = normal.symbols * inside
    rows[7:-1] = rows[[STEM, COARSE, FINE, WORD]] * normal.real
    rows[LONG] *= normal.real
    word = np.arange(REACH, len(normal.text) - REACH)
    grid = _SLOTS.keys(rows, word).T
    keys: list[int] = []
    texts: list[int] = []
    for text, (reading, context, view) in enumerate(zip(readings, contexts, normal.views, strict=True)):
        before = len(keys)
        keys += [_key(name, symbols) for name in _few(reading, context, view)]
        texts += [text] * (len(keys) - before)
    text_of = np.concatenate([np.repeat(normal.text[word], N_SLOTS), np.array(texts, dtype=np.int32)])
    return Features(np.concatenate([grid.ravel(), np.array(keys, dtype=np.int64)]), text_of, np.diff(normal.tokens))


Name = tuple[str, ...]  # a template, and what stands in it


@lru_cache(maxsize=1 << 13)
def _key(name: Name, symbols: Symbols) -> int:
    template, *parts = name
    key: int = pack(FAMILIES[template], *map(symbols.id, parts))
    return key


def _few(reading: Reading, context: Context, view: PlaceView) -> Iterator[Name]:
    yield from _compounds(reading)
    yield from _cue_features(reading, view)
    yield from _place_features(reading, context, view)
    yield from _context_features(reading, context)


def _compounds(reading: Reading) -> Iterator[Name]:
    """Words joined by a hyphen, as one: "in-house", "on-site", "home-based"."""
    if "-" in reading.text:
        lower, start, end = reading.lower, reading.start, reading.end
        for i in range(1, len(lower) - 1):
            if lower[i] == "-" and end[i - 1] == start[i] and end[i] == start[i + 1]:
                before, after = lower[i - 1], lower[i + 1]
                if before.isalpha() and after.isalpha():
                    yield "w:{}", f"{before}-{after}"


def _cue_features(reading: Reading, view: PlaceView) -> Iterator[Name]:
    row: list[tuple[int, str]] = []
    for cue in reading.cues:
        name = cue.kind
        yield "c:{}", name
        if cue.status != ASSERTED:
            yield "c:{}", f"{name}:{cue.status}"
            name = f"{cue.status}:{name}"
        row.append((cue.first, name))
    row += [(position, view.names[n]) for position, n in view.at.items() if view.at.get(position - 1) != n]
    if len(row) < 2:
        return
    row.sort()
    sentence = reading.sentence.tolist()
    for i, (first, name) in enumerate(row):
        # Pairs in order within a sentence, a few steps apart.
        for other_first, other in row[i + 1 : i + 7]:
            if sentence[first] != sentence[other_first]:
                break
            if first != other_first:
                yield "s:{}>{}", name, other


def _place_features(reading: Reading, context: Context, view: PlaceView) -> Iterator[Name]:
    codes = view.codes
    yield "g:{}", f"countries:{min(len(codes), 3)}"
    if view.home:
        source = "guess" if view.guessed else "home"
        for relation in sorted(set(view.relation.values())):
            yield "g:{}", f"{source}:{relation}"
        if codes and view.home not in codes:
            yield "g:{}", "only-elsewhere"
        if codes == [view.home]:
            yield "g:{}", f"{source}:only-same"
    for relation in view.pairs:
        yield "g:{}", f"pair:{relation}"
    if len(codes) == 1 and len({p.name for p in reading.places if p.kind != "demonym"}) > 1:
        yield "g:{}", "one-country-several-places"
    if context.provider_country:
        yield "g:{}", "provider"
        if context.home:
            yield "g:{}", f"provider:{view.provider}"


def _context_features(reading: Reading, context: Context) -> Iterator[Name]:
    yield "x:{}", "bias"
    if context.vendor_contract:
        yield "x:{}", "vendor-contract"
    if context.home:
        yield "x:{}", "home"
    length = len(reading.form)
    yield "x:{}", f"length:{sum(length > most for most in (6, 12, 25, 45, 80))}"
    sentences = int(reading.sentence[-1]) + 1 if reading.text.strip() else 0
    yield "x:{}", f"sentences:{min(sentences, 4)}"
    if reading.shouting:
        yield "x:{}", "capitals"
