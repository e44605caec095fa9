"""The learned model: one linear score for every fact, term and reason, decided together.

A text's answer is one of the *configurations* seen in training: a set of facts with the terms that
the definitions make of them, or a reason for silence. The score of a configuration is the sum of
the linear scores of what is in it, plus its prior; a softmax over configurations gives
probabilities, so facts and terms always agree. Fitting maximises the likelihood of the
configurations that are compatible with what a scenario states, leaving open what is unsure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]
# Weights of fewer steps than this say next to nothing: answers without them are the same, and the file is half as long.
_LEAST = 3


class StructuredLogistic(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multinomial logistic regression over configurations with weights tied by label.

    Args:
        l2: strength of the penalty on weights.
        prior_power: power of a configuration's training frequency in its prior.
        max_iter: iterations of L-BFGS.

    Attributes:
        packed_: int8 array (features, labels), the weights in steps of ``scale_``.
        scale_: float32 array (labels,).
        intercept_: float32 array (labels,).
        configurations_: bool array (configurations, labels), distinct.
        log_prior_: float32 array (configurations,).
    """

    def __init__(self, l2: float = 0.1, prior_power: float = 0.7, max_iter: int = 70) -> None:
        self.l2 = l2
        self.prior_power = prior_power
        self.max_iter = max_iter

    def fit(self, X: Any, Y: Any, known: Any = None) -> Self:
        """Fit.

        Args:
            X: sparse array (texts, features).
            Y: bool array (texts, labels).
            known: bool array (texts, labels), false where a label is unsure; all known when None.
        """
        X = sparse.csr_array(X, dtype=np.float32)
        Y = np.asarray(Y, dtype=bool)
        known = np.ones_like(Y) if known is None else np.asarray(known, dtype=bool)
        configurations, inverse = np.unique(Y, axis=0, return_inverse=True)
        counts = np.bincount(inverse, minlength=len(configurations)) + 0.5
        prior = (self.prior_power * np.log(counts / counts.sum())).astype(np.float32)
        U = configurations.astype(np.float32)
        right_of = _rights(compatible(Y, known, configurations))
        n, d = X.shape
        labels = Y.shape[1]
        X = sparse.csr_array(sparse.hstack([X, np.ones((n, 1), dtype=np.float32)]))
        XT = sparse.csr_array(X.T)
        # The intercept is hardly penalised.
        penalty = np.full((d + 1, 1), self.l2, dtype=np.float64)
        penalty[-1] *= 0.01

        def loss(flat: Floats) -> tuple[float, Floats]:
            # Single precision where the work is; sums and the optimiser's own arithmetic in double.
            W = flat.reshape(d + 1, labels)
            scores = (X @ W.astype(np.float32)) @ U.T
            scores += prior
            right, p_right = right_of(scores)
            every = softmax_in_place(scores)
            gradient = (XT @ (scores @ U - p_right @ U)).astype(np.float64) + penalty * W
            value = float((every - right).sum(dtype=np.float64) + 0.5 * (penalty * W * W).sum())
            return value, gradient.ravel()

        start = np.zeros((d + 1) * labels)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.max_iter, "maxcor": 6})
        W = found.x.reshape(d + 1, labels)
        self.scale_, self.packed_ = pack(W[:-1], _LEAST)
        self.intercept_ = W[-1].astype(np.float32)
        self.configurations_ = configurations
        self.log_prior_ = prior.astype(np.float32)
        self.n_features_in_ = d
        return self

    @property
    def coef_(self) -> NDArray[np.float32]:
        """Weights, float32 array (features, labels)."""
        return np.asarray(self.packed_ * self.scale_, dtype=np.float32)

    def decision_function(self, X: Any) -> Floats:
        """Label scores, array (texts, labels)."""
        check_is_fitted(self)
        return np.asarray(sparse.csr_array(X) @ self.coef_ + self.intercept_, dtype=np.float64)

    def configuration_proba(self, X: Any, temperature: float = 1.0) -> Floats:
        """Probability of each configuration, array (texts, configurations)."""
        return self.proba_of(self.decision_function(X), temperature)

    def proba_of(self, scores: Floats, temperature: float = 1.0) -> Floats:
        """Probability of each configuration from label scores, array (texts, configurations)."""
        found = (scores @ self.configurations_.T.astype(np.float64) + self.log_prior_) / temperature
        return np.asarray(np.exp(found - logsumexp(found, axis=1, keepdims=True)))

    def predict_proba(self, X: Any, temperature: float = 1.0) -> Floats:
        """Probability of each label, array (texts, labels)."""
        return np.asarray(self.configuration_proba(X, temperature) @ self.configurations_)

    def predict(self, X: Any) -> NDArray[np.bool_]:
        """Labels at probability one half, bool array (texts, labels)."""
        return np.asarray(self.predict_proba(X) > 0.5)


def pack(W: Floats, least: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The step of each column, and weights as a byte each: an eighth of the size of doubles.

    Weights below ``least`` steps become 0.
    """
    scale = (np.maximum(np.abs(W).max(axis=0), 1e-9) / 127).astype(np.float32)
    packed = np.round(W / scale).astype(np.int8)
    packed[np.abs(packed) < least] = 0
    return scale, packed


def softmax_in_place(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn rows of scores into probabilities; gives the logarithm of each row's sum of exponentials."""
    top = scores.max(axis=1, keepdims=True)
    scores -= top
    np.exp(scores, out=scores)
    total = scores.sum(axis=1, keepdims=True)
    scores /= total
    return np.asarray((np.log(total) + top)[:, 0])


def _rights(
    open_to: NDArray[np.bool_],
) -> Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], sparse.csr_array]]:
    """A function from scores to the log-sum and the probabilities (sparse) of the configurations open to each text.

    Most texts are open to a single one, so that this costs little beside the sum over all.
    """
    rows, columns = np.nonzero(open_to)
    begins = np.searchsorted(rows, np.arange(len(open_to) + 1)).astype(np.int32)
    sizes = np.diff(begins)

    def right_of(scores: NDArray[np.float32]) -> tuple[NDArray[np.float32], sparse.csr_array]:
        found = scores[rows, columns]
        top = np.maximum.reduceat(found, begins[:-1])
        weights = np.exp(found - np.repeat(top, sizes))
        total = np.add.reduceat(weights, begins[:-1])
        p = sparse.csr_array((weights / np.repeat(total, sizes), columns.astype(np.int32), begins), shape=scores.shape)
        return np.log(total) + top, p

    return right_of


def compatible(Y: NDArray[np.bool_], known: NDArray[np.bool_], configurations: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which configurations agree with each text on every known label."""
    yes = (Y & known).astype(np.float32)
    no = (~Y & known).astype(np.float32)
    agree = yes @ configurations.T.astype(np.float32) + no @ (~configurations).T.astype(np.float32)
    return np.asarray(agree >= known.sum(axis=1, dtype=np.float32)[:, None] - 0.5)
