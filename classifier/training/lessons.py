"""What the network learns from: a text with its labels and with the words that state each fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..net import NetInput
from ..reading import Reading
from .scenarios import LIVE, Scenario

# Texts of more words are not made longer.
_LONG = 80
_BESIDE = 60


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text to learn from.

    Attributes:
        text: as the network takes it.
        Y, known: bool arrays (labels,), as for :class:`.structured.StructuredLogistic`.
        quoted, sure: bool arrays (words, kinds of quote): which words stand in a quote, and where that is known.
        quiet: it names no place and states no fact, so that it may stand beside any other and change nothing.
    """

    text: NetInput
    Y: NDArray[np.bool_]
    known: NDArray[np.bool_]
    quoted: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    quiet: bool = False


def is_quiet(scenario: Scenario, reading: Reading) -> bool:
    """Whether a text can stand beside any other without changing what applies there."""
    live = any(arrangement.status in LIVE for arrangement in scenario.arrangements)
    return bool(scenario.silence) and not live and not reading.places and len(reading.form) <= _BESIDE


def lengthened(
    lessons: Sequence[Lesson], quiet: Sequence[Lesson], share: float, rng: np.random.Generator
) -> list[Lesson]:
    """The lessons, some of them with a quiet text before or after: the labels stay those of the lesson.

    So the network meets texts in which little of what is said is to the point.
    """
    found = []
    for one in lessons:
        if quiet and rng.random() < share and len(one.text) < _LONG:
            other = quiet[int(rng.integers(len(quiet)))]
            pair = (other, one) if rng.random() < 0.5 else (one, other)
            quoted, sure = (np.concatenate([getattr(p, name) for p in pair]) for name in ("quoted", "sure"))
            one = replace(one, text=_joined(pair[0].text, pair[1].text, one.text.context), quoted=quoted, sure=sure)
        found.append(one)
    return found


def _joined(first: NetInput, second: NetInput, context: NDArray[np.float32]) -> NetInput:
    moved = second.cues + np.array([len(first), 0], dtype=second.cues.dtype)
    return NetInput(
        np.concatenate([first.rows, second.rows]),
        np.concatenate([first.own, second.own]),
        np.concatenate([first.marks, second.marks]),
        np.concatenate([first.cues, moved]),
        context,
    )
