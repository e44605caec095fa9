"""Evidence: which words of the text speak for a fact.

The networks say of each word which facts it states; cue phrases and place names say where a span begins and ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .cues import ASSERTED, PLANNED
from .model import Model
from .normal import Normal, PlaceView
from .places import FAR, MID, NEAR, SAME
from .reading import Reading
from .space import Rows
from .spotter import probabilities
from .tagging import Span

_MOST_SPANS = 2
# How strong the second must be beside the first.
_SECOND = 0.4
_NEIGHBOUR = 0.4
_PLACE_FACTS = {
    "same-country": {SAME},
    "another-country": {NEAR, MID, FAR},
    "nearby-country": {NEAR, MID},
    "distant-country": {FAR, MID},
}
_WEAK = frozenset(
    "a an the of to in on at by for and or is are was were be been it its our we us their they i my this that "
    "with as from has have had do does did not no , . ; : - ( ) ' \" /".split()
) | {" "}


@dataclass(frozen=True, slots=True)
class Seen:
    """Texts as the model sees them.

    Attributes:
        rows: for the linear model.
        scores: float32 array (texts, labels), by the networks.
        quoted: for each text a float32 array (words, kinds), by the networks: the log-odds that each word states each
            kind of thing.
    """

    readings: Sequence[Reading]
    normal: Normal
    rows: Rows
    scores: NDArray[np.float32]
    quoted: Sequence[NDArray[np.float32]]


def token_scores(seen: Seen, model: Model, wanted: Sequence[Sequence[str]]) -> list[list[list[float]]]:
    """The probability that each token states a fact; 0 for white space.

    Args:
        seen: texts as the model sees them.
        model: the model that saw them.
        wanted: for each text the facts to look for.

    Returns:
        For each text and fact the scores of the text's tokens.
    """
    normal = seen.normal
    found: list[list[list[float]]] = []
    for n, (facts, (a, b)) in enumerate(zip(wanted, pairwise(normal.tokens.tolist()), strict=True)):
        word = normal.word_of_token[a:b]
        # A fact of a vocabulary of one's own has no words that were learned.
        odds = seen.quoted[n].take([model.quoted.get(fact, 0) for fact in facts], axis=1)
        p = probabilities(odds.take(word - normal.begin[n], axis=0, mode="clip"))
        p *= [fact in model.quoted for fact in facts]
        found.append((p * (word > 0)[:, None]).T.tolist())
    return found


def spans_for(fact: str, reading: Reading, view: PlaceView, scores: list[float]) -> tuple[Span, ...]:
    """The best spans for a fact, in order of the text; empty when no word speaks for it."""
    found: list[tuple[float, int, int]] = []
    fits = _PLACE_FACTS.get(fact)
    if fits is not None:
        totals = [0.0] * len(reading.places)
        for i, n in view.at.items():
            totals[n] += scores[i]
        for n, place in enumerate(reading.places):
            if _bears_out(fact, fits, place.country, view.names[n], view):
                found.append((totals[n] + 0.2, place.start, place.end))
    elif view.at:
        # A place name may have swayed the model; it does not state who, how much or what.
        scores = scores.copy()
        for i in view.at:
            scores[i] = 0.0
    for kind, first, last, start, end, status in reading.cues:
        if kind == fact and status in (ASSERTED, PLANNED):
            found.append((sum(scores[first : last + 1]) + 0.15, start, end))
    best = _best_run(reading, scores)
    if best is not None:
        first, last, total = best
        found.append((total, int(reading.start[first]), int(reading.end[last])))
    found.sort(reverse=True)
    return _distinct(found, reading.text, fact)


def _bears_out(fact: str, fits: set[str], country: str, name: str, view: PlaceView) -> bool:
    """Whether a place can be what states a location fact."""
    if view.home:
        return view.relation[country] in fits
    if fact == "same-country":
        return len(view.codes) == 1
    return len(view.codes) == 1 or name.endswith(("_away", "_1", "_2"))


def _best_run(reading: Reading, scores: Sequence[float]) -> tuple[int, int, float] | None:
    """The strongest token with the neighbours that help it."""
    peak = max(scores)
    if peak <= 0:
        return None
    first = last = scores.index(peak)
    least = _NEIGHBOUR * peak
    sentence, own = reading.sentence, reading.sentence[first]
    while first > 0 and scores[first - 1] > least and sentence[first - 1] == own:
        first -= 1
    while last + 1 < len(scores) and scores[last + 1] > least and sentence[last + 1] == own:
        last += 1
    lower, form = reading.forms.lower, reading.form
    while first < last and lower[form[first]] in _WEAK:
        first += 1
    while last > first and lower[form[last]] in _WEAK:
        last -= 1
    return first, last, sum(scores[first : last + 1])


def _distinct(ranked: Iterable[tuple[float, int, int]], text: str, fact: str) -> tuple[Span, ...]:
    """The best few that do not overlap; the second only if it is not far behind."""
    chosen: list[tuple[int, int]] = []
    least = 0.0
    for score, start, end in ranked:
        if not chosen:
            least = _SECOND * score
        elif any(start < e and s < end for s, e in chosen):
            continue
        elif score < least:
            break
        chosen.append((start, end))
        if len(chosen) == _MOST_SPANS:
            break
    return tuple([Span(start, end, text[start:end], fact) for start, end in sorted(chosen)])


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order of the text, each once."""
    return tuple(sorted(set(spans), key=lambda s: (s.start, s.end, s.fact)))
