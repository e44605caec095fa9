"""Long texts passage by passage: an arrangement that is told in two sentences of many is found where it is told.

The model learned from short descriptions. In a long text most words are about other things, and what they say of
themselves ("our own staff ...") drowns what one passage says. So a long text is read whole and in passages, each with
the client's country as the whole text tells it; the passage that states an arrangement most surely may speak for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .reading import Reading

Floats = NDArray[np.float64]

# Tokens from which on a text is long.
LONG = 100
# Words of a passage, at most; but a sentence stays whole. The next passage begins half a passage on.
_MOST = 60
# What an arrangement in a passage must have more than in the whole text, in log-odds: among many passages one is
# easily misread. Found on short descriptions set into unrelated text of 150 to 2,500 words, and on texts of a hundred.
_MORE, _MORE_FOR_MANY = 2.0, 0.45
# From so many passages on the whole has no say: the longer a text, the more its words add up to arrangements that none
# of its sentences states.
_MANY = 4
_LEAST = 1e-9


def is_long(reading: Reading) -> bool:
    """Whether a text is better read in passages, too."""
    return len(reading.form) > LONG


def passages(reading: Reading) -> list[tuple[int, int]]:
    """The offsets of the passages of a text: runs of sentences that overlap by half."""
    sentences = reading.sentences
    words = [len(reading.text[start:end].split()) for start, end in sentences]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(sentences):
        last, total = first, words[first]
        while last + 1 < len(sentences) and total + words[last + 1] <= _MOST:
            last += 1
            total += words[last]
        found.append((sentences[first][0], sentences[last][1]))
        if last + 1 == len(sentences):
            break
        half, step = 0, first
        while step <= last and 2 * half < total:
            half += words[step]
            step += 1
        first = max(first + 1, step)
    return found


def surest(parts: Floats, silent: NDArray[np.bool_]) -> Floats:
    """Of some passages the one that states an arrangement most surely.

    Args:
        parts: probabilities of configurations, array (passages, configurations).
        silent: bool array (configurations,), those without an arrangement.

    Returns:
        Array (configurations,).
    """
    return np.asarray(parts[int(parts[:, silent].sum(axis=1).argmin())])


def strongest(whole: Floats, part: Floats, count: int, silent: NDArray[np.bool_]) -> Floats:
    """The posterior of a long text: of the passage that states an arrangement most surely, or that of the whole.

    Args:
        whole: probabilities of configurations, array (configurations,).
        part: those of the surest passage.
        count: how many passages there are.
        silent: bool array (configurations,), those without an arrangement.

    Returns:
        Array (configurations,); of a passage it has less weight on arrangements than the passage alone.
    """
    stated = _log_odds(part[silent].sum()) - _MORE - _MORE_FOR_MANY * np.log(count)
    if count < _MANY and stated <= _log_odds(whole[silent].sum()):
        return whole
    found = part.copy()
    share = 1.0 / (1.0 + np.exp(-stated))
    found[~silent] *= share / max(found[~silent].sum(), _LEAST)
    found[silent] *= (1.0 - share) / max(found[silent].sum(), _LEAST)
    return np.asarray(found)


def _log_odds(silent: float) -> float:
    """Log-odds of an arrangement, by the probability that there is none."""
    p = min(max(silent, _LEAST), 1.0 - _LEAST)
    return float(np.log((1.0 - p) / p))
