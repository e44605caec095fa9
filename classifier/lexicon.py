"""Static word knowledge: a class for each word at two grains, and a small vector.

Distilled by ``scripts/build_lexicon`` from the MiniLM weights (all-MiniLM-L6-v2, Apache-2.0). Read as
plain arrays; neither torch nor the original model is needed to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

DATA = Path(__file__).parent / "data" / "lexicon"


class Lexicon:
    """Words to classes and vectors. Immutable.

    Attributes:
        levels: how many grains of classes there are.
        vectors: float32 array, one unit row a word.
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
        self.levels: int = classes.shape[1]
        self.vectors: NDArray[np.float32] = packed.astype(np.float32) / 127.0

    def __contains__(self, word: str) -> bool:
        return word in self._row

    def word_class(self, word: str, level: int) -> str:
        """The word's class at a grain; an unknown word is its own class when short, else ``?``."""
        row = self._row.get(word)
        if row is None:
            return word if len(word) < 3 or "_" in word or word[0] == "<" else "?"
        return str(self._classes[row, level])

    def row(self, word: str) -> int:
        """The word's row in the vector table, -1 when it is unknown."""
        return self._row.get(word, -1)

    def rows(self, words: Sequence[str]) -> list[int]:
        """Rows of the vector table for those of the words that are known."""
        return [row for word in words if (row := self._row.get(word)) is not None]


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon that ships with the package, read once."""
    return Lexicon()
