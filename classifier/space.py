"""The feature space: from named features to columns and weights of columns.

Features fall into blocks. Each block is weighted by rarity, scaled to unit length and then by the
block's own weight, so that a handful of cues is not drowned by hundreds of word runs; the whole
grows slowly with the length of the text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .features import Feature
from .lexicon import Lexicon
from .reading import Reading

# Families in each block, and the block's weight.
BLOCKS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("words", ("w", "p"), 1.0),
    ("runs", ("w2", "w3", "k"), 1.0),
    ("classes", ("u",), 1.0),
    ("class-runs", ("uu", "uk"), 1.0),
    ("cues", ("c",), 1.0),
    ("orders", ("s",), 1.0),
    ("places", ("g",), 1.0),
    ("shape", ("x",), 1.0),
)
VECTOR_WEIGHT = 1.5
# Rarity of a word that training never saw: about that of one seen once in a few thousand texts.
_UNSEEN_RARITY = 8.0
_BLOCK_OF = {family: n for n, (_, families, _) in enumerate(BLOCKS) for family in families}


def block_of(name: str) -> int:
    """The block of a feature, by its family."""
    return _BLOCK_OF[name[: name.index(":")]]


def _length_factor(tokens: int) -> float:
    """How much a text's features weigh by its length: a few words say less, many say more."""
    return float(min(2.2, max(0.6, (max(tokens, 4) / 30.0) ** 0.25)))


@dataclass(frozen=True, slots=True)
class Row:
    """One text in the feature space.

    Attributes:
        columns: int array, ascending.
        values: float32 array, one a column.
        positions: for each column the token positions behind it.
        vector: float32 array, what does not come by name: the pooled word vector and what was spotted.
    """

    columns: NDArray[np.int64]
    values: NDArray[np.float32]
    positions: Sequence[Sequence[tuple[int, ...]]]
    vector: NDArray[np.float32]


class FeatureSpace:
    """Columns for the names seen in training; everything else is ignored."""

    def __init__(self, names: Sequence[str], rarity: NDArray[np.float32]) -> None:
        self.names = tuple(names)
        self.rarity = rarity
        self._rarity: list[float] = [float(r) for r in rarity]
        self._column = {name: i for i, name in enumerate(self.names)}
        self._block = [block_of(name) for name in self.names]

    def __len__(self) -> int:
        return len(self.names)

    def row(
        self,
        features: Iterable[Feature],
        reading: Reading,
        lexicon: Lexicon,
        spotted: NDArray[np.float32] | None = None,
    ) -> Row:
        """Project a reading's features into the space; ``spotted`` is the spotter's word on the text."""
        found: dict[int, list[tuple[int, ...]]] = {}
        get = self._column.get
        for name, where in features:
            column = get(name)
            if column is not None:
                if column in found:
                    found[column].append(where)
                else:
                    found[column] = [where]
        columns = sorted(found)
        squares = [0.0] * len(BLOCKS)
        raw = []
        for column in columns:
            n = len(found[column])
            value = self._rarity[column] * (1.0 + math.log(n) if n > 1 else 1.0)
            raw.append(value)
            squares[self._block[column]] += value * value
        length = _length_factor(len(reading.tokens))
        scale = [
            length * weight / math.sqrt(square) if square else 0.0
            for (_, _, weight), square in zip(BLOCKS, squares, strict=True)
        ]
        values = [v * scale[self._block[c]] for v, c in zip(raw, columns, strict=True)]
        pooled = self.pooled(reading, lexicon)
        return Row(
            np.array(columns, dtype=np.int64),
            np.array(values, dtype=np.float32),
            [found[c] for c in columns],
            pooled if spotted is None else np.concatenate([pooled, spotted]),
        )

    def pooled(self, reading: Reading, lexicon: Lexicon) -> NDArray[np.float32]:
        """The text's word vectors, averaged by rarity, at length ``VECTOR_WEIGHT``."""
        words = [t.lower for t in reading.tokens if t.lower in lexicon]
        total = np.zeros(lexicon.vectors.shape[1], dtype=np.float32)
        if words:
            weights = np.array([self._word_rarity(w) for w in words], dtype=np.float32)
            total = weights @ lexicon.vectors[lexicon.rows(words)]
            length = float(np.linalg.norm(total))
            if length > 0:
                total *= VECTOR_WEIGHT / length
        return total

    def _word_rarity(self, word: str) -> float:
        column = self._column.get(f"w:{word}")
        return self._rarity[column] if column is not None else _UNSEEN_RARITY
