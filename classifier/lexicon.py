"""Static word knowledge: a class for each word at two grains, and a small vector.

Distilled by ``scripts/build_lexicon`` from the MiniLM weights (all-MiniLM-L6-v2, Apache-2.0). Read as
plain arrays; neither torch nor the original model is needed to answer.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

DATA = Path(__file__).parent / "data" / "lexicon"


class Lexicon:
    """Words to classes and vectors. Immutable.

    Attributes:
        vectors: int8 array, one row a word, 127 times a unit vector.
    """

    def __init__(self, folder: Path = DATA) -> None:
        try:
            words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
            classes = np.load(folder / "classes.npy", allow_pickle=False)
            packed = np.load(folder / "vectors.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ModelError(f"lexicon in {folder}: {error}. Reinstall the package.") from error
        if not len(words) == classes.shape[0] == packed.shape[0]:
            raise ModelError(f"lexicon in {folder}: its files are not of one make. Reinstall the package.")
        self._row = {word: i for i, word in enumerate(words)}
        self._classes = classes
        self.vectors: NDArray[np.int8] = packed

    def __contains__(self, word: str) -> bool:
        return word in self._row

    def word_class(self, word: str, level: int) -> str:
        """The word's class at a grain; an unknown word is its own class when short, else ``?``."""
        row = self._row.get(word)
        if row is None:
            return word if len(word) < 3 or "_" in word or word[0] == "<" else "?"
        return str(self._classes[row, level])

    def row(self, word: str) -> int:
        """The row of a word in ``vectors``; -1 when it is not known."""
        return self._row.get(word, -1)


def units(vectors: NDArray[np.int8], rows: NDArray[np.int32]) -> NDArray[np.float32]:
    """Rows of packed vectors at unit length, float32 array (rows, dimensions); zeros for a row of -1."""
    found = vectors.take(rows, axis=0, mode="wrap").astype(np.float32)
    found /= np.float32(127)
    found[rows < 0] = 0
    return found


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon that ships with the package, read once."""
    return Lexicon()
