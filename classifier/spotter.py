"""Spotting: how much each word, in its surroundings, speaks for each fact.

A linear scorer looks at a window around every word. It is trained on the evidence quotes of the
scenarios, so it knows which words decide; the strongest word for a fact then speaks for the text,
however much else the text says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .keys import Columns, Families, Ints, Slots, Symbols, family_of, symbols_of
from .normal import MARK, NEAR_BY, REACH, Context, Normal, cue_pairs
from .reading import Reading
from .words import COARSE, FINE, STEM, WORD

Floats = NDArray[np.float32]

# Weight of what was spotted beside the other blocks of features.
WEIGHT = 0.5
# Features of a word's window: what they are made of, and how far off it stands. First those of one symbol,
_ONE: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("0:{}", ((WORD, 0),)),
    ("s0:{}", ((STEM, 0),)),
    ("-1:{}", ((STEM, -1),)),
    ("+1:{}", ((STEM, 1),)),
    ("-2:{}", ((STEM, -2),)),
    ("+2:{}", ((STEM, 2),)),
    ("c0:{}", ((COARSE, 0),)),
    ("f0:{}", ((FINE, 0),)),
    ("c-1:{}", ((COARSE, -1),)),
    ("c+1:{}", ((COARSE, 1),)),
    ("c-2:{}", ((COARSE, -2),)),
    ("c+2:{}", ((COARSE, 2),)),
    ("m:{}", ((MARK, 0),)),
)
# then those of several.
_MORE: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("-10:{} {}", ((STEM, -1), (STEM, 0))),
    ("0+1:{} {}", ((STEM, 0), (STEM, 1))),
    ("-1+1:{} {}", ((STEM, -1), (STEM, 1))),
    ("f-10:{} {}", ((FINE, -1), (FINE, 0))),
    ("f0+1:{} {}", ((FINE, 0), (FINE, 1))),
    ("c-101:{} {} {}", ((COARSE, -1), (COARSE, 0), (COARSE, 1))),
    ("mc:{} {}", ((MARK, 0), (COARSE, 0))),
)
# Classes that stand somewhere before or after, cues that cover the word, and what the caller gave.
_REST = ("nb:{}", "na:{}", "q:{}", "g:{}")
WINDOWS = Families([*(template for template, _ in _ONE + _MORE), *_REST])
_ONE_SLOTS, _MORE_SLOTS = Slots(WINDOWS, _ONE), Slots(WINDOWS, _MORE)
_STEPS = np.arange(1, REACH + 1)
# So many words at a time: what is summed up stays in the processor's cache.
_TOGETHER = 256


def windows(
    readings: Sequence[Reading], contexts: Sequence[Context], normal: Normal, symbols: Symbols, at: Ints
) -> tuple[Ints, Ints, Ints]:
    """The features of the windows around words.

    Args:
        readings: of the texts.
        contexts: of the texts.
        normal: the texts.
        symbols: numbers of names.
        at: positions of the words in ``normal``.

    Returns:
        Families (slots,) and symbols (slots, words) of the features of one symbol, 0 where there is none; and keys of
        the others (slots, words), which lack a symbol where there is none.
    """
    rows = np.concatenate([normal.symbols, np.zeros((1, len(normal.text)), dtype=np.int64)])
    found = [_ONE_SLOTS.symbols(rows, at, 0)]
    for steps in (-_STEPS, _STEPS):
        near = normal.symbols[NEAR_BY].take(at + steps[:, None])
        for step in range(1, REACH):
            near[step, (near[:step] == near[step]).any(axis=0)] = 0  # each class once
        found.append(near)
    found.append(_cues(readings, normal, symbols).take(at, axis=1))
    given = [[symbols.id("vc") * c.vendor_contract, symbols.id("home") * (c.home is not None)] for c in contexts]
    found.append(np.array(given).T.take(normal.text.take(at), axis=1))
    families = np.repeat([WINDOWS[template] for template in _REST], [len(part) for part in found[1:]])
    return np.concatenate([_ONE_SLOTS.families, families]), np.concatenate(found), _MORE_SLOTS.keys(rows, at)


def _cues(readings: Sequence[Reading], normal: Normal, symbols: Symbols) -> Ints:
    """The kinds of cue that cover each word of ``normal``, array (most kinds of one word, words)."""
    word, kind = cue_pairs(readings, normal, symbols.id)
    nth = np.arange(len(word)) - np.searchsorted(word, word)
    found = np.zeros((int(nth.max(initial=-1)) + 1, len(normal.text)), dtype=np.int64)
    found[nth, word] = kind
    return found


class Spotter:
    """Scores words for facts. Immutable.

    Attributes:
        columns: of the features of windows.
        scale: float32 array (facts,), the step of each fact's weights.
        mean: float32 array (2 * facts,), the mean summary of the training texts.
        facts: ids, in the order of the columns.
    """

    def __init__(
        self,
        columns: Columns,
        weights: NDArray[np.int8],
        scale: Floats,
        intercept: Floats,
        mean: Floats,
        facts: Sequence[str],
        symbols: Symbols,
    ) -> None:
        self.columns = columns
        self.scale = scale
        self.intercept = intercept
        self.mean = mean
        self.facts = tuple(facts)
        self._symbols = symbols
        # The last row is for what has no column.
        self._weights = np.concatenate([weights, np.zeros((1, len(self.facts)), dtype=np.int8)])
        # Columns of the features of one symbol: found by family and symbol, without a search. The last symbol is
        # for words outside the table.
        self._width = len(symbols.names) + 1
        keys = columns.keys
        first, second, _ = symbols_of(keys)
        one = np.flatnonzero(second == 0)
        self._one = np.full(len(WINDOWS.templates) * self._width, len(columns), dtype=np.int32)
        self._one[family_of(keys[one]) * self._width + first[one]] = one

    @property
    def weights(self) -> NDArray[np.int8]:
        """int8 array (features, facts), in steps of ``scale`` (facts,)."""
        return self._weights[:-1]

    def scores(self, readings: Sequence[Reading], contexts: Sequence[Context], normal: Normal, at: Ints) -> Floats:
        """Log-odds of each fact for the words at positions ``at`` of ``normal``, float32 array (words, facts)."""
        families, symbols, keys = windows(readings, contexts, normal, self._symbols, at)
        one = self._one.take(families[:, None] * self._width + np.minimum(symbols, self._width - 1))
        columns = np.concatenate([one, self.columns.find(keys)])
        total = np.empty((len(at), len(self.facts)), dtype=np.int16)
        for a in range(0, len(at), _TOGETHER):
            some = self._weights.take(columns[:, a : a + _TOGETHER], axis=0, mode="wrap")
            np.add.reduce(some, axis=0, dtype=np.int16, out=total[a : a + _TOGETHER])
        return np.asarray(total * self.scale + self.intercept, dtype=np.float32)

    def spotted(self, summaries: Floats) -> Floats:
        """Summaries of texts, centred and weighted, float32 array (texts, 2 * facts)."""
        return np.asarray(WEIGHT * (summaries - self.mean), dtype=np.float32)


def summaries(p: Floats, normal: Normal, at: Ints) -> Floats:
    """For each text and fact the probability at its strongest word, and how many words speak for it.

    The second is the logarithm of one plus the sum of probabilities. Words under denial and the like
    are left out.

    Args:
        p: float32 array (words, facts).
        at: positions of the words in ``normal``.

    Returns:
        float32 array (texts, 2 * facts).
    """
    live = normal.real[at] & (normal.symbols[MARK, at] == 0)
    p, text = p[live], normal.text[at[live]]
    facts = p.shape[1]
    found = np.zeros((len(normal.begin), 2 * facts), dtype=np.float32)
    if len(text):
        first = np.flatnonzero(np.diff(text, prepend=-1))
        found[text[first], :facts] = np.maximum.reduceat(p, first, axis=0)
        found[text[first], facts:] = np.log1p(np.add.reduceat(p, first, axis=0))
    return found


def probabilities(scores: Floats) -> Floats:
    """Probabilities from log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)
