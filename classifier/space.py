"""The feature space: from features to columns and weights of columns.

Features fall into blocks. Each block is weighted by rarity, scaled to unit length and then by the
block's own weight, so that a handful of cues is not drowned by hundreds of word runs; the whole
grows slowly with the length of the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .features import FAMILIES, Features
from .keys import Columns, Ints, Symbols, family_of, pack
from .lexicon import Lexicon
from .normal import Normal
from .words import VECTOR, WORD

Floats = NDArray[np.float32]

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
_WEIGHTS = np.array([weight for _, _, weight in BLOCKS])
_BLOCK_OF = {family: n for n, (_, families, _) in enumerate(BLOCKS) for family in families}
_BLOCK_OF_FAMILY = np.array([0, *(_BLOCK_OF[template.split(":")[0]] for template in FAMILIES.templates[1:])])


def blocks_of(keys: Ints) -> Ints:
    """The block of each feature, by its family."""
    return np.asarray(_BLOCK_OF_FAMILY[family_of(keys)])


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts in the feature space, one after the other.

    Attributes:
        bounds: int64 array (texts + 1,), where each text's columns stand.
        columns: int64 array, ascending within a text.
        values: float32 array.
        vectors: float32 array (texts, dimensions), what does not come by name: the pooled word vector and what
            was spotted.
    """

    bounds: Ints
    columns: Ints
    values: Floats
    vectors: Floats


class FeatureSpace:
    """Columns for the features seen in training; everything else is ignored."""

    def __init__(self, columns: Columns, rarity: Floats, symbols: Symbols) -> None:
        self.columns = columns
        self.rarity = rarity.astype(np.float64)
        self.symbols = symbols
        keys = columns.keys
        self._block = blocks_of(keys).astype(np.int8)
        # By symbol; the last stands for words outside the table.
        self._word_rarity = np.full(len(symbols.names) + 1, _UNSEEN_RARITY, dtype=np.float32)
        words = family_of(keys) == FAMILIES["w:{}"]
        self._word_rarity[keys[words] - pack(FAMILIES["w:{}"]) >> 38] = rarity[words]

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [FAMILIES.name(key, self.symbols) for key in self.columns.keys.tolist()]

    def rows(self, features: Features, vectors: Floats) -> Rows:
        """Project texts into the space; ``vectors`` are what does not come by name."""
        found = self.columns.find(features.keys)
        hits = np.flatnonzero(found >= 0)
        texts = len(features.lengths)
        text, column = features.text[hits], found[hits]
        # Sorting by 16 bits at a time is several times faster than by whole numbers.
        parts = (column.astype(np.uint16), (column >> 16).astype(np.uint16), text.astype(np.min_scalar_type(texts)))
        order = np.lexsort(parts)
        text, column = text[order], column[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (text[1:] != text[:-1]) | (column[1:] != column[:-1])
        first = np.flatnonzero(new)
        counts = np.diff(first, append=len(order))
        text_of, columns = text[first].astype(np.int64), column[first].astype(np.int64)
        values = self.rarity[columns] * (1.0 + np.log(counts))
        bin_ = text_of * len(BLOCKS) + self._block[columns]
        squares = np.bincount(bin_, weights=values * values, minlength=texts * len(BLOCKS))
        # A few words say less, many say more.
        length = np.clip((np.maximum(features.lengths, 4) / 30.0) ** 0.25, 0.6, 2.2)
        with np.errstate(divide="ignore"):
            scale = np.outer(length, _WEIGHTS).ravel() / np.sqrt(squares)
        return Rows(
            np.searchsorted(text_of, np.arange(texts + 1)),
            columns,
            (values * scale[bin_]).astype(np.float32),
            vectors,
        )

    def pooled(self, normal: Normal, lexicon: Lexicon) -> Floats:
        """The texts' word vectors, averaged by rarity, at length ``VECTOR_WEIGHT``; float32 array (texts, vector)."""
        known = normal.token_rows[:, VECTOR] >= 0
        word, vector = normal.token_rows[known][:, [WORD, VECTOR]].T
        rarity = self._word_rarity.take(word, mode="clip")
        bounds = np.concatenate([[0], np.cumsum(known)])[normal.tokens].tolist()
        pooled = np.zeros((len(bounds) - 1, lexicon.vectors.shape[1]), dtype=np.float32)
        for n, (a, b) in enumerate(pairwise(bounds)):
            if a < b:
                total = rarity[a:b] @ lexicon.vectors.take(vector[a:b], axis=0).astype(np.float32)
                length = math.sqrt(total @ total)
                pooled[n] = total * (VECTOR_WEIGHT / length) if length else total
        return pooled
