"""Words as symbols: what follows from a word alone, worked out once for each surface form.

A table has a row for each special word (marks, and what places, names and numbers are read as), then one for each form.
"""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .forms import Forms
from .keys import Symbols
from .lexicon import Lexicon
from .places import FAR, MID, NEAR, SAME

# Beginnings of this length join the forms of a word without a lemmatiser.
STEM_LENGTH = 6
PAD, START, END, NAME, NUMBER, AHEAD = "<p>", "<s>", "</s>", "_name", "#", "#ahead"
# "Until 2019" is over, "until 2031" is not. The years that lie ahead are fixed: answers do not change with the clock.
_AHEAD = re.compile(r"20(?:2[6-9]|[3-5]\d)")
_PUNCTUATION = frozenset(",;:?!()-/")
_FUNCTION_WORDS = frozenset(
    "in on at from to for by with of as and but or if when since until after before while two three four all "
    "both each every some most no not this that these those my your his her its their ask here there once one".split()
)
_NOT_NAMES = frozenset(
    "i we our the a an it monday tuesday wednesday thursday friday saturday sunday january february march "
    "april may june july august september october november december english mr mrs ms dr hr it ltd inc gmbh "
    "llc upwork fiverr freelancer toptal".split()
)
# "Holt & Datter", "Bank of Ruritania": what joins two names belongs to the name.
_JOINING = frozenset({"&", "-", "of", "and", "'s", "\u2019s", "."})
# What the model tells of a word's status.
MARKS = ("", "not", "end", "maybe")
SPECIAL = (
    "", PAD, START, END, NAME, NUMBER, AHEAD,
    *(f"{kind}_{how}" for kind in "pd" for how in (SAME, NEAR, MID, FAR, "away", "only", "0", "1", "2")),
)  # fmt: skip
ROW = {word: row for row, word in enumerate(SPECIAL)}
# Columns of the table of words: symbols of the word, its beginning and its classes at two grains; the beginning
# again if the word is longer; its row in the lexicon; what it is read as; what else can be said of it.
WORD, STEM, COARSE, FINE, LONG, VECTOR, READ_AS, TRAITS = range(8)
# Common in English, and not also words of its neighbours (as "in", "was" and "die" are).
_COMMON = frozenset(
    "the of to and for is are were be been by with from our we us you its their they this that which who have had "
    "not did my your his her she there services service support".split()
)
# Traits of a word.
KNOWN, COMMON, NOT_NAME, FUNCTION, JOINS = 1, 2, 4, 8, 16


class Words:
    """Symbols and traits of words, worked out once for each form.

    Only of forms that texts have which are asked about, in their order: symbols that grow are then numbered by those
    texts alone, whatever else was read before.
    """

    def __init__(self, symbols: Symbols, lexicon: Lexicon) -> None:
        self.symbols = symbols
        self.lexicon = lexicon
        self.marks = np.array([0, *(symbols.id(mark) for mark in MARKS[1:])])
        self._special = np.array([self._row(word, row) for row, word in enumerate(SPECIAL)], dtype=np.int32)
        self._forms: Forms | None = None
        self._rows = self._special
        self._known = np.ones(len(SPECIAL), dtype=bool)
        self._lock = threading.Lock()

    def table(self, forms: Forms, form: NDArray[np.int32]) -> NDArray[np.int32]:
        """A row for each special word, then one for each form, of which those in ``form`` are filled in.

        Columns are named in this module.
        """
        with self._lock:
            if forms is not self._forms:
                self._forms, self._rows = forms, self._special
                self._known = np.ones(len(SPECIAL), dtype=bool)
            size = len(SPECIAL) + len(forms)
            if size > len(self._rows):
                self._rows, self._known = _longer(self._rows, 2 * size), _longer(self._known, 2 * size)
            rows = form + len(SPECIAL)
            new = rows[~self._known.take(rows)]
            for row in dict.fromkeys(new.tolist()):
                self._rows[row] = self._form(forms.lower[row - len(SPECIAL)], row)
            self._known[new] = True
            return self._rows

    def of_forms(self, forms: Forms, form: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows of the table for some forms."""
        return self.table(forms, form)[len(SPECIAL) :].take(form, axis=0)

    def _form(self, lower: str, row: int) -> tuple[int, ...]:
        if any(map(str.isdigit, lower)):
            read_as = AHEAD if _AHEAD.fullmatch(lower) else NUMBER
            return (0, 0, 0, 0, 0, -1, ROW[read_as], self._traits(lower))
        if not lower[0].isalnum() and lower not in _PUNCTUATION:
            return (0, 0, 0, 0, 0, -1, 0, self._traits(lower))
        return self._row(lower, row)

    def _row(self, word: str, row: int) -> tuple[int, ...]:
        if not word:
            return (0, 0, 0, 0, 0, -1, 0, 0)
        number, lexicon = self.symbols.id, self.lexicon
        stem = number(word[:STEM_LENGTH] if word.isalpha() else word)
        return (
            number(word),
            stem,
            number(lexicon.word_class(word, 0)),
            number(lexicon.word_class(word, 1)),
            stem if len(word) > STEM_LENGTH else 0,
            lexicon.row(word),
            row,
            self._traits(word),
        )

    def _traits(self, word: str) -> int:
        return (
            KNOWN * (word in self.lexicon)
            + COMMON * (word in _COMMON)
            + NOT_NAME * (word in _NOT_NAMES)
            + FUNCTION * (word in _FUNCTION_WORDS)
            + JOINS * (word in _JOINING)
        )


def _longer(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """The rows, with others of zeros behind them."""
    found = np.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    found[: len(rows)] = rows
    return found
