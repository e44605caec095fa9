"""Fitting the spotter on the evidence quotes of the scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from ..keys import Columns, Ints, Symbols, in_column_order
from ..reading import Reading
from ..spotter import WEIGHT, Spotter, probabilities, summaries
from ..vocabulary import Vocabulary
from .prepare import View
from .scenarios import LIVE, Scenario
from .structured import pack

MIN_COUNT = 6
L2 = 2.0
MAX_ITER = 35


def quote_labels(
    scenario: Scenario, reading: Reading, view: View, facts: Sequence[str], vocabulary: Vocabulary
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which words stand in a quote for each fact, and which of that is known; bool arrays (words, facts)."""
    begins, ends = _extents(reading, view)
    column = {f: i for i, f in enumerate(facts)}
    inside = np.zeros((len(begins), len(facts)), dtype=bool)
    known = np.ones_like(inside)
    if scenario.facts_open:
        known[:] = False
        return inside, known
    for arrangement in scenario.arrangements:
        if arrangement.status not in LIVE:
            continue
        closed = vocabulary.close(arrangement.facts)
        quoted: set[str] = set()
        for fact, quote in arrangement.facts.items():
            start = scenario.text.find(quote) if quote else -1
            if start < 0:
                continue
            end = start + len(quote)
            # A quote for a fact states what the fact implies, too.
            for name in vocabulary.close([fact]):
                quoted.add(name)
                inside[(begins < end) & (start < ends), column[name]] = True
        open_ = (closed | vocabulary.close([*arrangement.facts, *arrangement.unsure])) - quoted
        for fact in open_:
            known[~inside[:, column[fact]], column[fact]] = False
    return inside, known


def idle_words(scenario: Scenario, reading: Reading, view: View) -> NDArray[np.bool_]:
    """Which words stand in a quote of an arrangement that is over, denied or only talked of; bool array (words,)."""
    begins, ends = _extents(reading, view)
    found = np.zeros(len(begins), dtype=bool)
    for arrangement in scenario.arrangements:
        if arrangement.status not in LIVE:
            for quote in filter(None, arrangement.facts.values()):
                start = scenario.text.find(quote)
                found |= (begins < start + len(quote)) & (start < ends)
    return found


def _extents(reading: Reading, view: View) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where each word of a view begins and ends in the text; -1 where there is none."""
    normal, at = view.normal, view.at
    begins = np.where(normal.real[at], reading.start[normal.first[at]], -1)
    return begins, np.where(normal.real[at], reading.end[normal.last[at]], -1)


def encode(windows: Sequence[Ints]) -> tuple[Columns, sparse.csr_array]:
    """Columns for features that occur often enough, and every word's window as a row over them."""
    sizes = np.concatenate([(found != 0).sum(axis=1) for found in windows])
    flat = np.concatenate([found[found != 0] for found in windows])
    keys, which, counts = np.unique(flat, return_inverse=True, return_counts=True)
    enough = np.flatnonzero(counts >= MIN_COUNT)
    enough = enough[in_column_order(keys[enough])]
    column = np.full(len(keys), -1, dtype=np.int32)
    column[enough] = np.arange(len(enough))
    found = column[which]
    row = np.repeat(np.arange(len(sizes)), sizes)[found >= 0]
    ends = np.searchsorted(row, np.arange(len(sizes) + 1)).astype(np.int32)
    found = found[found >= 0]
    X = sparse.csr_array((np.ones(len(found), dtype=np.float32), found, ends), shape=(len(sizes), len(enough)))
    return Columns(keys[enough]), X


def fit_weights(X: sparse.csr_array, inside: NDArray[np.bool_], known: NDArray[np.bool_]) -> Weights:
    """One logistic regression a fact, all in one pass of L-BFGS.

    Args:
        X: sparse array (words, features).
        inside, known: bool arrays (words, facts).
    """
    XT = sparse.csr_array(X.T)
    Y, M = inside.astype(np.float32), known.astype(np.float32)
    d, k = X.shape[1], Y.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        W = flat.reshape(d + 1, k)
        z = X @ W[:-1].astype(np.float32) + W[-1].astype(np.float32)
        value = float((M * (np.logaddexp(0, z) - Y * z)).sum(dtype=np.float64)) + 0.5 * L2 * float((W[:-1] ** 2).sum())
        error = (probabilities(z) - Y) * M
        gradient = np.empty_like(W)
        gradient[:-1] = XT @ error + L2 * W[:-1]
        gradient[-1] = error.sum(axis=0)
        return value, gradient.ravel()

    start = np.zeros((d + 1) * k)
    # A word seldom stands in a quote: start from there.
    start[d * k :] = -4.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITER, "maxcor": 6})
    W = found.x.reshape(d + 1, k)
    scale, packed = pack(W[:-1])
    return Weights(packed, scale, W[-1].astype(np.float32))


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted weights: int8 (features, facts) in steps of ``scale``, and intercepts."""

    packed: NDArray[np.int8]
    scale: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def scores(self, X: sparse.csr_array) -> NDArray[np.float32]:
        """Log-odds, float32 array (words, facts)."""
        return np.asarray(X @ (self.packed * self.scale) + self.intercept, dtype=np.float32)


def fit_spotter(
    views: Sequence[View],
    quotes: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    folds: NDArray[np.int64],
    facts: Sequence[str],
    symbols: Symbols,
    jobs: int,
) -> tuple[Spotter, NDArray[np.float32]]:
    """The spotter of all texts, and what spotters that were fitted without each fold find there.

    Returns:
        The spotter, and a float32 array (texts, 2 * facts).
    """
    from joblib import Parallel, delayed

    columns, X = encode([view.windows for view in views])
    inside = np.concatenate([q[0] for q in quotes])
    known = np.concatenate([q[1] for q in quotes])
    lengths = [len(view.at) for view in views]
    fold_of_word = np.repeat(folds, lengths)
    ends = np.cumsum(lengths)
    every = np.unique(folds).tolist()
    kept = [np.flatnonzero(fold_of_word != fold) for fold in (*every, -1)]
    fitted = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(fit_weights)(X[rows], inside[rows], known[rows]) for rows in kept
    )
    found = np.zeros((len(views), 2 * len(facts)), dtype=np.float32)
    for fold, weights in zip(every, fitted[:-1], strict=True):
        p = probabilities(weights.scores(X))
        for i in np.flatnonzero(folds == fold).tolist():
            found[i] = summaries(p[ends[i] - lengths[i] : ends[i]], views[i].normal, views[i].at)[0]
    mean = found.mean(axis=0)
    last = fitted[-1]
    used = (last.packed != 0).any(axis=1)
    spotter = Spotter(Columns(columns.keys[used]), last.packed[used], last.scale, last.intercept, mean, facts, symbols)
    return spotter, np.asarray(WEIGHT * (found - mean), dtype=np.float32)
