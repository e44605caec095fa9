"""Cues: phrases that hint at a fact, and the status that the words around them give them.

Denial, ending, discussion and plans reach forward, backward or over a whole sentence, up to a terminator
(after ConText).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import VocabularyError
from .forms import CLAUSE_END

CUES = Path(__file__).parent / "data" / "cues"
ASSERTED, PLANNED, DISCUSSED, ENDED, DENIED = "asserted", "planned", "discussed", "ended", "denied"
# In order of weight: what silences a statement wins over what merely dates it.
STATUSES = (ASSERTED, PLANNED, DISCUSSED, ENDED, DENIED)
_DIRECTIONS = ("forward", "backward", "sentence")


class Cue(NamedTuple):
    """A phrase of the cue data found at tokens ``first`` to ``last`` (inclusive)."""

    kind: str
    first: int
    last: int
    start: int
    end: int
    status: str


class Match(NamedTuple):
    """What a phrase stands for: a kind of ``fact``, a status in a direction, or the ``end`` of a scope."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class CueData:
    """The phrases of everything that can be matched, and how many tokens a scope reaches at most."""

    phrases: Mapping[Match, Sequence[str]]
    reach: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of cue: fact ids, and ``goods``."""
        return tuple(match.name for match in self.phrases if match.group == "fact")


def find_cues(
    matches: Sequence[tuple[Match, int, int]],
    begin: NDArray[np.int32],
    end: NDArray[np.int32],
    sentence: NDArray[np.int32],
    flags: NDArray[np.int32],
    status: NDArray[np.int8],
    reach: int,
) -> tuple[Cue, ...]:
    """The cues of one text, from its matched phrases with their first and last tokens; fills in ``status``."""
    facts = [(first, -last, match.name) for match, first, last in matches if match.group == "fact"]
    scopes = [(match, first, last) for match, first, last in matches if match.group in _DIRECTIONS]
    if scopes:
        # A scope ends before these.
        stops = set(np.flatnonzero(flags & CLAUSE_END).tolist())
        stops.update(first for match, first, _ in matches if match.group == "end")
        numbers = sentence.tolist()
        for match, first, last in set(scopes):
            low, high, own = first, last, numbers[first]
            if match.group == "sentence":
                low = int(np.searchsorted(sentence, own))
                high = max(last, int(np.searchsorted(sentence, own, "right")) - 1)
            elif match.group == "forward":
                most = min(last + reach, len(numbers) - 1)
                while high < most and numbers[high + 1] == own and high + 1 not in stops:
                    high += 1
            else:
                most = max(first - reach, 0)
                while low > most and numbers[low - 1] == own and low - 1 not in stops:
                    low -= 1
            np.maximum(status[low : high + 1], STATUSES.index(match.name), out=status[low : high + 1])
    facts.sort()
    starts, ends = begin.tolist(), end.tolist()
    if not scopes:
        return tuple(Cue(kind, a, -b, starts[a], ends[-b], ASSERTED) for a, b, kind in facts)
    ranks = status.tolist()
    return tuple(Cue(kind, a, -b, starts[a], ends[-b], STATUSES[max(ranks[a : 1 - b])]) for a, b, kind in facts)


def load_cues(folder: Path) -> CueData:
    """The cue data of a folder.

    Raises:
        VocabularyError: when it cannot be read.
    """
    try:
        facts = tomllib.loads((folder / "facts.toml").read_text(encoding="utf-8"))
        status = tomllib.loads((folder / "status.toml").read_text(encoding="utf-8"))
        phrases = {Match("fact", kind): tuple(row["phrases"]) for kind, row in facts.items()}
        for name, row in status.items():
            if isinstance(row, Mapping):
                if name not in STATUSES:
                    raise VocabularyError(f"cues: unknown status {name!r}")
                for direction in _DIRECTIONS:
                    if row.get(direction):
                        phrases[Match(direction, name)] = tuple(row[direction])
        phrases[Match("end", "")] = tuple(status["terminators"])
        return CueData(phrases, int(status["reach"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise VocabularyError(f"cues in {folder}: {error}") from error
