"""Fitting the spotter on the evidence quotes of the scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from ..features import Normal
from ..reading import Reading
from ..spotter import WEIGHT, Spotter, probabilities, summary
from ..vocabulary import Vocabulary
from .scenarios import LIVE, Scenario
from .structured import pack

MIN_COUNT = 6
L2 = 2.0
MAX_ITER = 35


def quote_labels(
    scenario: Scenario, reading: Reading, normal: Normal, facts: Sequence[str], vocabulary: Vocabulary
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which words stand in a quote for each fact, and which of that is known; bool arrays (words, facts)."""
    tokens = reading.tokens
    spans = [(tokens[w[0]].start, tokens[w[-1]].end) if w else (-1, -1) for w in normal.where]
    column = {f: i for i, f in enumerate(facts)}
    inside = np.zeros((len(spans), len(facts)), dtype=bool)
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
                for w, (a, b) in enumerate(spans):
                    if a < end and start < b:
                        inside[w, column[name]] = True
        open_ = (closed | vocabulary.close([*arrangement.facts, *arrangement.unsure])) - quoted
        for fact in open_:
            known[~inside[:, column[fact]], column[fact]] = False
    return inside, known


def encode(windows: Sequence[Sequence[Sequence[str]]]) -> tuple[list[str], sparse.csr_array]:
    """Names that occur often enough, and every word's window as a row over them."""
    counts = Counter(name for text in windows for window in text for name in window)
    names = sorted(name for name, n in counts.items() if n >= MIN_COUNT)
    column = {name: i for i, name in enumerate(names)}
    indices: list[int] = []
    ends = [0]
    for text in windows:
        for window in text:
            indices.extend(c for name in window if (c := column.get(name)) is not None)
            ends.append(len(indices))
    data = np.ones(len(indices), dtype=np.float32)
    columns, rows = np.array(indices, dtype=np.int32), np.array(ends, dtype=np.int32)
    return names, sparse.csr_array((data, columns, rows), shape=(len(ends) - 1, len(names)))


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
    windows: Sequence[Sequence[Sequence[str]]],
    normals: Sequence[Normal],
    quotes: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    folds: NDArray[np.int64],
    facts: Sequence[str],
    jobs: int,
) -> tuple[Spotter, NDArray[np.float32]]:
    """The spotter of all texts, and what spotters that were fitted without each fold find there.

    Returns:
        The spotter, and a float32 array (texts, 2 * facts).
    """
    from joblib import Parallel, delayed

    names, X = encode(windows)
    inside = np.concatenate([q[0] for q in quotes])
    known = np.concatenate([q[1] for q in quotes])
    lengths = [len(text) for text in windows]
    fold_of_word = np.repeat(folds, lengths)
    ends = np.cumsum(lengths)
    every = np.unique(folds).tolist()
    kept = [np.flatnonzero(fold_of_word != fold) for fold in (*every, -1)]
    fitted = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(fit_weights)(X[rows], inside[rows], known[rows]) for rows in kept
    )
    found = np.zeros((len(windows), 2 * len(facts)), dtype=np.float32)
    for fold, weights in zip(every, fitted[:-1], strict=True):
        scores = weights.scores(X)
        for i in np.flatnonzero(folds == fold).tolist():
            found[i] = summary(scores[ends[i] - lengths[i] : ends[i]], normals[i])
    mean = found.mean(axis=0)
    last = fitted[-1]
    used = (last.packed != 0).any(axis=1)
    spotter = Spotter(
        [n for n, yes in zip(names, used, strict=True) if yes],
        last.packed[used],
        last.scale,
        last.intercept,
        mean,
        facts,
    )
    return spotter, np.asarray(WEIGHT * (found - mean), dtype=np.float32)
