"""Surface forms: what follows from a token's text alone, worked out once for each different text.

Tokens are then rows of a table, and what is asked of every token is asked of arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What can be said of a form; bits of its flags.
BLANK = 1  # white space
BREAK = 2  # white space with a blank line
ENDING = 4  # ends a sentence: "." and the like
PUNCTUATION = 8
CLAUSE_END = 16
CAPITAL = 32  # begins with a capital
CAPITALS = 64  # all in capitals
ALPHABETIC = 128
ASCII = 256

_CLAUSE_ENDS = frozenset({";", ":", "—", "–", "(", ")", ".", "!", "?"})


class Table:
    """Rows of numbers that grow at the end; an array once given never changes."""

    def __init__(self, width: int) -> None:
        self._rows = np.zeros((256, width), dtype=np.int32)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def rows(self) -> NDArray[np.int32]:
        return self._rows[: self._used]

    def extend(self, rows: Sequence[Sequence[int]]) -> None:
        """Add rows at the end."""
        wanted = self._used + len(rows)
        if wanted > len(self._rows):
            larger = np.zeros((2 * wanted, self._rows.shape[1]), dtype=np.int32)
            larger[: self._used] = self.rows
            self._rows = larger
        self._rows[self._used : wanted] = rows
        self._used = wanted


class Forms:
    """The distinct texts of tokens. Grows as texts are read; safe to share between threads.

    Attributes:
        lower: each form in lower case, but for ``IT``, which is not the pronoun; white space as ``" "``.
    """

    def __init__(self, vocab: Any, endings: frozenset[str]) -> None:
        self._vocab = vocab
        self._endings = endings
        self._row: dict[int, int] = {}
        self._table = Table(2)
        self._lock = threading.Lock()
        self.lower: list[str] = []

    def __len__(self) -> int:
        return len(self._table)

    @property
    def numbers(self) -> NDArray[np.int32]:
        """Length and flags of each form, int32 array (forms, 2)."""
        return self._table.rows

    def find(self, orths: Sequence[int]) -> NDArray[np.int32]:
        """The rows of forms given by spaCy's numbers for their texts."""
        row = self._row
        found: list[int | None] = [row.get(orth) for orth in orths]
        if None in found:
            with self._lock:
                # Another thread may have been here first, and left nothing to add.
                new = dict.fromkeys(orth for orth in orths if orth not in row)
                if new:
                    self._add(new)
            return np.array([row[orth] for orth in orths], dtype=np.int32)
        return np.array(found, dtype=np.int32)

    def _add(self, orths: Mapping[int, None]) -> None:
        rows = []
        for orth in orths:
            lexeme = self._vocab[orth]
            text: str = lexeme.text
            blank = text.isspace()
            lower = " " if blank else "IT" if text == "IT" else text.lower()
            flags = (
                BLANK * blank
                + BREAK * (blank and text.count("\n") > 1)
                + ENDING * (text in self._endings)
                + PUNCTUATION * lexeme.is_punct
                + CLAUSE_END * (lower in _CLAUSE_ENDS)
                + CAPITAL * text[0].isupper()
                + CAPITALS * text.isupper()
                + ALPHABETIC * lower.isalpha()
                + ASCII * lower.isascii()
            )
            rows.append((len(text), flags))
            self.lower.append(lower)
        # Rows are there before anybody can look them up.
        first = len(self._table)
        self._table.extend(rows)
        self._row.update(zip(orths, range(first, first + len(rows)), strict=True))
