"""Whether a text is in English, as far as its words tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .forms import ALPHABETIC, ASCII
from .reading import Reading
from .words import COMMON, KNOWN, TRAITS, Words

_FEW = 6
_MOST = 400


def read_as_english(readings: Sequence[Reading], words: Words) -> list[bool]:
    """For each of some readings made together: false when hardly a word is English.

    Short texts and lines in capitals get the benefit of the doubt.
    """
    if not readings:
        return []
    forms = readings[0].forms
    form = np.concatenate([reading.form for reading in readings])
    flags, trait = forms.numbers[form, 1], words.of_forms(forms, form)[:, TRAITS]
    bounds = np.cumsum([0, *(len(reading.form) for reading in readings)])

    def count(what: NDArray[np.bool_]) -> NDArray[np.int64]:
        total = np.concatenate([[0], np.cumsum(what)])
        return np.asarray(total[bounds[1:]] - total[bounds[:-1]])

    alphabetic = (flags & ALPHABETIC) != 0
    # The beginning of a long text is enough.
    nth = np.cumsum(alphabetic)
    alphabetic &= nth - np.repeat(np.concatenate([[0], nth])[bounds[:-1]], np.diff(bounds)) <= _MOST
    n, latin = count(alphabetic), count(alphabetic & ((flags & ASCII) != 0)) > 0
    known, common = count(alphabetic & ((trait & KNOWN) != 0)), count(alphabetic & ((trait & COMMON) != 0))
    lenient = (n < _FEW) | (np.array([reading.shouting for reading in readings]) & latin)
    found: list[bool] = np.where(lenient, latin | (n == 0), (known >= 0.6 * n) | (common >= 0.1 * n)).tolist()
    return found
