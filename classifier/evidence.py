"""Evidence: which words of the text speak for a fact.

The model's weights are traced back to tokens; cue phrases and place names say where a span begins
and ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .cues import ASSERTED, PLANNED
from .features import COUNTS, N_SLOTS, OFFSETS, Features
from .keys import Ints
from .model import Model
from .normal import REACH, Normal, PlaceView
from .places import FAR, MID, NEAR, SAME
from .reading import Reading
from .space import Rows
from .tagging import Span

_MOST_SPANS = 2
# How strong the second must be beside the first.
_SECOND = 0.4
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
) | {" "}


@dataclass(frozen=True, slots=True)
class Seen:
    """Texts as the model sees them.

    Attributes:
        at: int64 array (words,), the positions in ``normal`` of the words that were looked at.
        spots: float32 array (words, facts), the probability that each speaks for each fact.
    """

    readings: Sequence[Reading]
    normal: Normal
    at: Ints
    spots: NDArray[np.float32]
    features: Features
    rows: Rows


def token_scores(seen: Seen, model: Model, wanted: Sequence[Sequence[str]]) -> list[list[list[float]]]:
    """How much each token speaks for a fact: what was spotted there, and what its features add.

    Args:
        seen: texts as the model sees them.
        model: the model that saw them.
        wanted: for each text the facts to trace.

    Returns:
        For each text and fact the scores of the text's tokens.
    """
    normal, rows = seen.normal, seen.rows
    parts = _parts(seen, np.array([bool(facts) for facts in wanted]))
    values = rows.values / rows.counts
    # What was spotted at each token's word, first nothing for a token without one; and the bin of that word.
    spots = np.concatenate([np.zeros((1, seen.spots.shape[1]), dtype=np.float32), seen.spots])
    row = np.zeros(len(normal.text), dtype=np.int64)
    row[seen.at] = np.arange(1, len(spots))
    row = row[normal.word_of_token]
    lead = normal.first[normal.word_of_token] + 1
    worded = (normal.word_of_token > 0)[:, None]
    column = {fact: i for i, fact in enumerate(model.spotter.facts)}
    found: list[list[list[float]]] = []
    for facts, (bins, of, share), (a, b), (begin, end) in zip(
        wanted, parts, pairwise(rows.bounds.tolist()), pairwise(normal.tokens.tolist()), strict=True
    ):
        if not facts:
            found.append([])
            continue
        size, width = end - begin, len(facts)
        added = values[a:b, None] * model.fact_weights(rows.columns[a:b], facts)
        total = np.bincount(
            (bins[:, None] * width + np.arange(width)).ravel(),
            weights=(share[:, None] * added.take(of - a, axis=0)).ravel(),
            minlength=(2 * size + 1) * width,
        ).reshape(-1, width)
        which = np.array([column.get(fact, -1) for fact in facts])
        spotted = spots.take(row[begin:end], axis=0).take(which, axis=1) * (which >= 0)
        # Every token of a word has what the word has; a token without a word has nothing of the kind.
        scores = (_FEATURES * total.take(lead[begin:end], axis=0) + spotted) * worded[begin:end]
        found.append((scores + _FEATURES * total[size + 1 :]).T.tolist())
    return found


def _parts(seen: Seen, wanted: NDArray[np.bool_]) -> list[tuple[Ints, Ints, NDArray[np.float64]]]:
    """Where what the features of wanted texts add goes to: for each text the bins, the features, and the shares.

    A feature stands behind its words, or, if it is one of the few, behind tokens; each token of it has an equal share.
    In a text's first bin is what goes nowhere; then come words, by their first token; then tokens by themselves.
    """
    normal, rows, features = seen.normal, seen.rows, seen.features
    text = features.text[rows.hits]
    hits = np.flatnonzero(wanted[text])
    split = int(np.searchsorted(rows.hits[hits], features.split))
    words, few = hits[:split], hits[split:]
    word = rows.hits[words] // N_SLOTS
    slot = rows.hits[words] - word * N_SLOTS
    counts = COUNTS.take(slot, axis=0)
    place = (word[:, None] + REACH + OFFSETS.take(slot, axis=0)) * counts
    size = ((normal.last - normal.first + 1) * normal.real).take(place).sum(axis=1)
    by_word = (
        ((normal.first + 1) * normal.real).take(place).ravel(),
        np.repeat(rows.of[words], 3),
        (counts / np.maximum(size, 1)[:, None]).ravel(),
    )
    tokens = [features.few[hit] for hit in (rows.hits[few] - features.split).tolist()]
    sizes = np.array([len(where) for where in tokens], dtype=np.int64)
    few = np.repeat(few, sizes)
    by_token = (
        np.diff(normal.tokens)[text[few]] + 1 + np.array([t for where in tokens for t in where], dtype=np.int64),
        rows.of[few],
        np.repeat(1 / np.maximum(sizes, 1), sizes),
    )
    texts = np.arange(len(wanted) + 1)
    ends = pairwise((3 * np.searchsorted(text[words], texts)).tolist())
    few_ends = pairwise(np.searchsorted(text[few], texts).tolist())
    found = []
    for (a, b), (c, d) in zip(ends, few_ends, strict=True):
        bins, of, share = (np.concatenate([x[a:b], y[c:d]]) for x, y in zip(by_word, by_token, strict=True))
        found.append((bins, of, share))
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
