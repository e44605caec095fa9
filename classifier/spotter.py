"""Spotting: how much each word, in its surroundings, speaks for each fact.

A linear scorer looks at a window around every word. It is trained on the evidence quotes of the
scenarios, so it knows which words decide; the strongest word for a fact then speaks for the text,
however much else the text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .features import STEM, Context, Normal
from .lexicon import Lexicon
from .reading import Reading

_WINDOW = 6
# Weight of what was spotted beside the other blocks of features.
WEIGHT = 0.5
_PAD = "<p>"


def window_features(normal: Normal, reading: Reading, lexicon: Lexicon, context: Context) -> Iterator[list[str]]:
    """For each normalised word the names of the features of its window."""
    words, marks = normal.words, normal.marks
    cues = cues_by_word(reading, normal.where)
    n = len(words)
    coarse = [lexicon.word_class(w, 0) for w in words]
    fine = [lexicon.word_class(w, 1) for w in words]
    stems = [w[:STEM] if w.isalpha() else w for w in words]
    given = [name for name, on in (("vc", context.vendor_contract), ("home", context.home is not None)) if on]

    def at(row: Sequence[str], i: int) -> str:
        return row[i] if 0 <= i < n else _PAD

    for i in range(n):
        b1, a1 = at(stems, i - 1), at(stems, i + 1)
        c0, f0 = coarse[i], fine[i]
        found = [
            f"0:{words[i]}",
            f"s0:{stems[i]}",
            f"-1:{b1}",
            f"+1:{a1}",
            f"-2:{at(stems, i - 2)}",
            f"+2:{at(stems, i + 2)}",
            f"-10:{b1} {stems[i]}",
            f"0+1:{stems[i]} {a1}",
            f"-1+1:{b1} {a1}",
            f"c0:{c0}",
            f"f0:{f0}",
            f"c-1:{at(coarse, i - 1)}",
            f"c+1:{at(coarse, i + 1)}",
            f"c-2:{at(coarse, i - 2)}",
            f"c+2:{at(coarse, i + 2)}",
            f"f-10:{at(fine, i - 1)} {f0}",
            f"f0+1:{f0} {at(fine, i + 1)}",
            f"c-101:{at(coarse, i - 1)} {c0} {at(coarse, i + 1)}",
        ]
        if marks[i]:
            found += [f"m:{marks[i]}", f"mc:{marks[i]} {c0}"]
        found += [f"q:{kind}" for kind in cues[i]]
        before = {fine[j] for j in range(max(0, i - _WINDOW), i)}
        after = {fine[j] for j in range(i + 1, min(n, i + 1 + _WINDOW))}
        found += [f"nb:{name}" for name in sorted(before)]
        found += [f"na:{name}" for name in sorted(after)]
        found += [f"g:{name}" for name in given]
        yield found


def cues_by_word(reading: Reading, where: Sequence[tuple[int, ...]]) -> list[list[str]]:
    """The kinds of cue that cover each normalised word."""
    by_token: dict[int, list[str]] = {}
    for cue in reading.cues:
        for token in range(cue.first, cue.last + 1):
            by_token.setdefault(token, []).append(cue.kind)
    return [sorted({k for t in tokens for k in by_token.get(t, ())}) for tokens in where]


class Spotter:
    """Scores words for facts. Immutable.

    Attributes:
        facts: ids, in the order of the columns.
        weights: int8 array (features, facts), in steps of ``scale`` (facts,).
        mean: float32 array (2 * facts,), the mean summary of the training texts.
    """

    def __init__(
        self,
        names: Sequence[str],
        weights: NDArray[np.int8],
        scale: NDArray[np.float32],
        intercept: NDArray[np.float32],
        mean: NDArray[np.float32],
        facts: Sequence[str],
    ) -> None:
        self.names = tuple(names)
        self.facts = tuple(facts)
        self._column = {name: i for i, name in enumerate(self.names)}
        self.weights = weights
        self.scale = scale
        self.intercept = intercept
        self.mean = mean

    def scores(self, windows: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Log-odds for each word and fact, float32 array (words, facts)."""
        get = self._column.get
        found = [[c for name in window if (c := get(name)) is not None] for window in windows]
        flat = [c for row in found for c in row]
        if not flat:
            return np.tile(self.intercept, (len(found), 1))
        ends = np.cumsum([len(row) for row in found])
        running = np.vstack(
            [np.zeros((1, len(self.facts)), np.float32), np.cumsum(self.weights[flat], axis=0, dtype=np.float32)]
        )
        starts = np.concatenate([[0], ends[:-1]])
        return np.asarray((running[ends] - running[starts]) * self.scale + self.intercept, dtype=np.float32)

    def spotted(self, scores: NDArray[np.float32], normal: Normal) -> NDArray[np.float32]:
        """What the words say together, centred and weighted, float32 array (2 * facts,)."""
        return np.asarray(WEIGHT * (summary(scores, normal) - self.mean), dtype=np.float32)


def summary(scores: NDArray[np.float32], normal: Normal) -> NDArray[np.float32]:
    """For each fact the probability at its strongest word, and how many words speak for it.

    The second is the logarithm of one plus the sum of probabilities. Words under denial and the like
    are left out. Gives a float32 array (2 * facts,).
    """
    live = [i for i, (mark, where) in enumerate(zip(normal.marks, normal.where, strict=True)) if where and not mark]
    if not live:
        return np.zeros(2 * scores.shape[1], dtype=np.float32)
    p = probabilities(scores[live])
    return np.concatenate([p.max(axis=0), np.log1p(p.sum(axis=0))]).astype(np.float32)


def probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities from log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30))), dtype=np.float32)
