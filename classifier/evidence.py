"""Evidence: which words of the text speak for a fact.

The model's weights are traced back to tokens; cue phrases and place names say where a span begins
and ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .features import Normal, PlaceView
from .places import FAR, MID, NEAR, SAME
from .reading import ASSERTED, PLANNED, Reading
from .space import Row
from .spotter import probabilities
from .tagging import Span

_MOST_SPANS = 2
_NEIGHBOUR = 0.4
# What features add to a fact counts for less than a word that was spotted for it.
_FEATURES = 0.25
_PLACE_FACTS = {
    "same-country": {SAME},
    "another-country": {NEAR, MID, FAR},
    "nearby-country": {NEAR, MID},
    "distant-country": {FAR, MID},
}
_WEAK = frozenset(
    "a an the of to in on at by for and or is are was were be been it its our we us their they i my this that "
    "with as from has have had do does did not no , . ; : - ( ) ' \" /".split()
)


class TokenScores:
    """How much each token speaks for a fact: what was spotted there, and what its features add."""

    def __init__(self, row: Row, normal: Normal, spots: NDArray[np.float32], facts: Sequence[str], tokens: int) -> None:
        at: list[int] = []
        of: list[int] = []
        share: list[float] = []
        for i, places in enumerate(row.positions):
            repeats = len(places)
            for where in places:
                for position in where:
                    at.append(position)
                    of.append(i)
                    share.append(1.0 / (len(where) * repeats))
        self._at = np.array(at, dtype=np.int64)
        self._of = np.array(of, dtype=np.int64)
        self._share = np.array(share, dtype=np.float32)
        self._tokens = tokens
        self._column = {fact: i for i, fact in enumerate(facts)}
        self._spotted = np.zeros((tokens, len(facts)), dtype=np.float32)
        found = probabilities(spots)
        for word, where in enumerate(normal.where):
            for position in where:
                self._spotted[position] = found[word]

    def of(self, fact: str, contributions: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score of each token for a fact, float64 array (tokens,)."""
        total = np.zeros(self._tokens)
        if len(self._at):
            weights = contributions[self._of] * self._share
            total += _FEATURES * np.bincount(self._at, weights=weights, minlength=self._tokens)
        if fact in self._column:
            total += self._spotted[:, self._column[fact]]
        return total


def spans_for(fact: str, reading: Reading, view: PlaceView, scores: NDArray[np.float64]) -> tuple[Span, ...]:
    """The best spans for a fact, in order of the text; empty when no word speaks for it."""
    found: list[tuple[float, int, int]] = []
    fits = _PLACE_FACTS.get(fact)
    if fits is None and view.at:
        # A place name may have swayed the model; it does not state who, how much or what.
        scores = scores.copy()
        scores[list(view.at)] = 0.0
    for cue in reading.cues:
        if cue.kind == fact and cue.status in (ASSERTED, PLANNED):
            found.append((float(scores[cue.first : cue.last + 1].sum()) + 0.15, cue.start, cue.end))
    for n, place in enumerate(reading.places):
        if fits is not None and _bears_out(fact, fits, place.country, view.names[n], view):
            tokens = [i for i, m in view.at.items() if m == n]
            found.append((float(scores[tokens].sum()) + 0.2, place.start, place.end))
    best = _best_run(reading, scores)
    if best is not None:
        first, last, total = best
        found.append((total, reading.tokens[first].start, reading.tokens[last].end))
    if not found:
        return ()
    return _distinct(sorted(found, reverse=True), reading.text, fact)


def _bears_out(fact: str, fits: set[str], country: str, name: str, view: PlaceView) -> bool:
    """Whether a place can be what states a location fact."""
    if view.home:
        return view.relation[country] in fits
    if fact == "same-country":
        return len(view.codes) == 1
    return len(view.codes) == 1 or name.endswith(("_away", "_1", "_2"))


def _best_run(reading: Reading, scores: NDArray[np.float64]) -> tuple[int, int, float] | None:
    """The strongest token with the neighbours that help it."""
    top = int(scores.argmax())
    peak = float(scores[top])
    if peak <= 0:
        return None
    first = last = top
    tokens = reading.tokens
    while first > 0 and tokens[first - 1].sentence == tokens[top].sentence and scores[first - 1] > _NEIGHBOUR * peak:
        first -= 1
    while (
        last + 1 < len(tokens)
        and tokens[last + 1].sentence == tokens[top].sentence
        and scores[last + 1] > _NEIGHBOUR * peak
    ):
        last += 1
    while first < last and tokens[first].lower in _WEAK | {" "}:
        first += 1
    while last > first and tokens[last].lower in _WEAK | {" "}:
        last -= 1
    return first, last, float(scores[first : last + 1].sum())


def _distinct(ranked: Iterable[tuple[float, int, int]], text: str, fact: str) -> tuple[Span, ...]:
    """The best few that do not overlap; the second only if it is not far behind."""
    chosen: list[tuple[float, int, int]] = []
    for score, start, end in ranked:
        if any(start < e and s < end for _, s, e in chosen):
            continue
        if chosen and score < 0.4 * chosen[0][0]:
            break
        chosen.append((score, start, end))
        if len(chosen) == _MOST_SPANS:
            break
    return tuple(Span(s, e, text[s:e], fact) for _, s, e in sorted(chosen, key=lambda c: c[1]))


def merge(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans in order of the text, each once."""
    return tuple(sorted(set(spans), key=lambda s: (s.start, s.end, s.fact)))
