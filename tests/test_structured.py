from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from classifier.training.structured import StructuredLogistic, pack


def data() -> tuple[sparse.csr_array, np.ndarray]:
    """Labels 0 and 1 follow two columns; label 2 is their conjunction."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, size=(200, 2)).astype(float)
    Y = np.column_stack([X[:, 0], X[:, 1], X[:, 0] * X[:, 1]]).astype(bool)
    return sparse.csr_array(X), Y


def test_it_learns_and_answers_only_configurations_seen() -> None:
    X, Y = data()
    model = StructuredLogistic(l2=0.01).fit(X, Y)
    assert (model.predict(X) == Y).all()
    proba = model.configuration_proba(X)
    assert proba.sum(axis=1) == pytest.approx(1)
    assert proba.shape == (200, 4)
    # The conjunction never exceeds its parts: probabilities agree with each other.
    labels = model.predict_proba(X)
    assert (labels[:, 2] <= labels[:, :2].min(axis=1) + 1e-9).all()


def test_unsure_labels_are_left_open() -> None:
    X, Y = data()
    known = np.ones_like(Y)
    wrong = Y.copy()
    known[:150, 1] = False
    wrong[:150, 1] = ~Y[:150, 1]
    wrong[:, 2] = wrong[:, 0] & wrong[:, 1]
    known[:150, 2] = False
    model = StructuredLogistic(l2=0.01).fit(X, wrong, known)
    assert (model.predict(X)[:, :2] == Y[:, :2]).mean() > 0.95


def test_fitting_is_repeatable() -> None:
    X, Y = data()
    first, second = StructuredLogistic().fit(X, Y), StructuredLogistic().fit(X, Y)
    assert first.coef_.tobytes() == second.coef_.tobytes()


def test_a_weight_takes_a_byte_and_the_smallest_are_left_out() -> None:
    W = np.array([[127.0, -1.0], [2.0, 0.012], [-3.0, 0.5]])
    scale, packed = pack(W, 3)
    assert packed.dtype == np.int8
    assert packed.tolist() == [[127, -127], [0, 0], [-3, 64]]
    assert (packed * scale)[[0, 2]] == pytest.approx(W[[0, 2]], abs=0.01)
    assert pack(W)[1].tolist() == [[127, -127], [2, 2], [-3, 64]]


def test_it_is_a_scikit_learn_estimator() -> None:
    from sklearn.base import clone

    assert clone(StructuredLogistic(l2=7)).l2 == 7
