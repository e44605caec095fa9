"""Features as integers, and the columns of a model found by them.

A feature is a family and up to three symbols (words, word classes, kinds of cue), packed into one integer: 19 bits a
symbol, the family above them. No string is built to look a feature up, and its name can be told from the integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_BITS = 19
_MASK = (1 << _BITS) - 1
# The symbol that stands for every name outside a closed table; no column has it.
UNKNOWN = _MASK
# Odd, so that multiplying is reversible; chosen so that no key scrambles to the highest number, which ends the table.
_ODD = 0xD1B54A32D192ED03
_SCRAMBLE, _RESTORE = np.uint64(_ODD), np.uint64(pow(_ODD, -1, 1 << 64))
_LAST = np.uint64((1 << 64) - 1)


def pack(family: Any, *symbols: Any) -> Any:
    """The key of a feature: an int for ints, an int64 array for int64 arrays."""
    key = family << 3 * _BITS
    for place, symbol in enumerate(symbols, start=1):
        key = key | (symbol << (3 - place) * _BITS)
    return key


def family_of(keys: Ints) -> Ints:
    """The families of keys."""
    return keys >> 3 * _BITS


def symbols_of(keys: Ints) -> Ints:
    """The symbols of keys, array (3, keys); 0 where a feature has fewer."""
    return np.stack([keys >> 2 * _BITS, keys >> _BITS, keys]) & _MASK


class Symbols:
    """Names to numbers from 1; 0 is no name. Closed (and immutable), or growing with every new name."""

    def __init__(self, names: Sequence[str] = ("",), grows: bool = False) -> None:
        self.names = list(names)
        self._id = {name: i for i, name in enumerate(self.names) if name}
        self._grows = grows

    def id(self, name: str) -> int:
        """The number of a name; ``UNKNOWN`` when the table is closed and lacks it."""
        found = self._id.get(name, UNKNOWN)
        if found == UNKNOWN and self._grows:
            found = self._id[name] = len(self.names)
            if found == UNKNOWN:
                raise OverflowError(f"more than {UNKNOWN} different words: train on fewer texts")
            self.names.append(name)
        return found

    def close(self) -> None:
        """Learn no more names."""
        self._grows = False


class Families:
    """Kinds of feature by the form of their names, such as ``"w2:{} {}"``; numbered from 1."""

    def __init__(self, templates: Iterable[str]) -> None:
        self.templates = ("", *dict.fromkeys(templates))
        self._number = {template: n for n, template in enumerate(self.templates)}
        # No key has the family 0, nor as many symbols as its arity says.
        self._arity = np.array([4, *(template.count("{}") for template in self.templates[1:])])

    def __getitem__(self, template: str) -> int:
        return self._number[template]

    def name(self, key: int, symbols: Symbols) -> str:
        """The name of a feature."""
        keys = np.array([key])
        parts = symbols_of(keys)[:, 0].tolist()
        return self.templates[int(family_of(keys)[0])].format(*(symbols.names[part] for part in parts))

    def whole(self, keys: Ints) -> NDArray[np.bool_]:
        """Which keys are features: those that lack no symbol."""
        present = (symbols_of(keys) != 0).sum(axis=0)
        return np.asarray(present == self._arity[family_of(keys)])


class Columns:
    """Finds the columns of keys. Immutable.

    Columns lie in the order of their scrambled keys. Scrambled keys lie evenly, so the leading bits of one say nearly
    where its column is.
    """

    def __init__(self, keys: Ints) -> None:
        scrambled = keys.astype(np.uint64) * _SCRAMBLE
        if (scrambled[1:] <= scrambled[:-1]).any():
            raise ValueError("the keys are not in the order of their columns")
        self._sorted = np.append(scrambled, _LAST)
        bits = max(1, (2 * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        buckets = np.bincount((scrambled >> self._shift).astype(np.int64), minlength=1 << bits)
        self._first = (np.cumsum(buckets) - buckets).astype(np.int32)

    def __len__(self) -> int:
        return len(self._sorted) - 1

    @property
    def keys(self) -> Ints:
        """The keys, in the order of their columns."""
        return (self._sorted[:-1] * _RESTORE).astype(np.int64)

    def find(self, keys: Ints) -> NDArray[np.int32]:
        """The columns of keys, -1 for those that have none; of the shape of ``keys``."""
        wanted = keys.ravel().view(np.uint64) * _SCRAMBLE
        at = self._first.take((wanted >> self._shift).view(np.int64))
        there = self._sorted.take(at)
        beyond = np.flatnonzero(there < wanted)
        while len(beyond):
            at[beyond] += 1
            there[beyond] = self._sorted.take(at[beyond])
            beyond = beyond[there[beyond] < wanted[beyond]]
        at[there != wanted] = -1
        return at.reshape(keys.shape)


def in_column_order(keys: Ints) -> Ints:
    """The order in which :class:`Columns` wants distinct keys, as positions."""
    return np.argsort(keys.astype(np.uint64) * _SCRAMBLE)


class Slots:
    """Features that every word gives, each in its slot: a family, and up to three symbols of words nearby.

    Args:
        families: where the templates are numbered.
        slots: for each slot its template, and for each symbol its row in a table of symbols and how far off the
            word stands.
    """

    def __init__(self, families: Families, slots: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> None:
        self.families = np.array([families[template] for template, _ in slots])
        self._offsets = np.zeros((3, len(slots)), dtype=np.int64)
        # The last row is of no symbols.
        self._rows = np.full((3, len(slots)), -1)
        for slot, (_, parts) in enumerate(slots):
            for place, (row, offset) in enumerate(parts):
                self._rows[place, slot], self._offsets[place, slot] = row, offset

    def symbols(self, symbols: Ints, at: Ints, place: int) -> Ints:
        """The symbols of words' features at a place from 0 to 2, array (slots, words).

        Args:
            symbols: array (rows, positions), the last row zeros.
            at: positions of the words.
            place: which of the up to three.
        """
        start = self._rows[place] % len(symbols) * symbols.shape[1] + self._offsets[place]
        found: Ints = symbols.ravel().take(start[:, None] + at)
        return found

    def keys(self, symbols: Ints, at: Ints) -> Ints:
        """The features of words, array (slots, words); arguments as for :meth:`symbols`."""
        found: Ints = pack(self.families[:, None], *(self.symbols(symbols, at, place) for place in range(3)))
        return found
