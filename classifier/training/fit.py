"""Fitting a model from scenarios, with cross-validation, calibration and export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..lexicon import Lexicon, load_lexicon
from ..reading import Reader, Reading, load_reader
from ..space import FeatureSpace
from ..vocabulary import Vocabulary, load_vocabulary
from . import export
from .metrics import Answer, Scores, score
from .prepare import (
    Labels,
    Roles,
    context_of,
    design_matrix,
    extract,
    fit_roles,
    fit_space,
    folds_of,
    guesses_out_of_fold,
    label_arrays,
)
from .scenarios import Scenario, load_scenarios
from .structured import StructuredLogistic

Floats = NDArray[np.float64]
L2 = 0.1
TEMPERATURES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0)
THRESHOLDS = tuple(round(0.4 + 0.02 * i, 2) for i in range(16))
# A wrong tag costs more trust than a missing one: F-beta below 1 leans to precision.
BETA = 0.7
FOLDS_NOTE = "five folds; contrast groups stay together"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Scenarios as arrays.

    Attributes:
        features: every text's features.
        Y, known: bool arrays (texts, labels); what is not known is left out of calibration.
        folds: int array (texts,).
    """

    scenarios: Sequence[Scenario]
    readings: Sequence[Reading]
    features: Sequence[Sequence[tuple[str, tuple[int, ...]]]]
    Y: NDArray[np.bool_]
    known: NDArray[np.bool_]
    folds: NDArray[np.int64]
    roles: Roles
    labels: Labels
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model with its columns."""

    space: FeatureSpace
    estimator: StructuredLogistic


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Out-of-fold label scores and priors, and what calibration made of them."""

    probabilities: Floats  # (texts, labels), at the chosen temperature
    temperature: float
    threshold: float
    scores: Scores


def prepare(scenarios: Sequence[Scenario], vocabulary: Vocabulary, reader: Reader, lexicon: Lexicon) -> Prepared:
    """Read all scenarios and extract features and labels."""
    readings = [reader.read(s.text, s.home) for s in scenarios]
    folds = folds_of(scenarios)
    guesses = guesses_out_of_fold(scenarios, readings, folds)
    features = extract(readings, [context_of(s) for s in scenarios], guesses, reader, lexicon)
    Y, known = label_arrays(scenarios, vocabulary, lenient=True)
    roles = fit_roles(readings, [s.country for s in scenarios])
    return Prepared(scenarios, readings, features, Y, known, folds, roles, Labels.of(vocabulary), lexicon)


def fit(data: Prepared, inside: NDArray[np.int64] | None = None, l2: float = L2) -> Fitted:
    """Fit on all scenarios, or on those whose positions are given."""
    rows = np.arange(len(data.scenarios)) if inside is None else inside
    space = fit_space([data.features[i] for i in rows])
    estimator = StructuredLogistic(l2=l2).fit(matrix(data, space, rows), data.Y[rows])
    return Fitted(space, estimator)


def matrix(data: Prepared, space: FeatureSpace, rows: NDArray[np.int64]) -> sparse.csr_array:
    """The design matrix of some scenarios in a space."""
    return design_matrix([space.row(data.features[i], data.readings[i], data.lexicon) for i in rows], len(space))


def cross_validate(data: Prepared, say: Callable[[str], None], l2: float = L2, jobs: int = 2) -> CrossValidation:
    """Grouped cross-validation; temperature and threshold are chosen on its out-of-fold answers."""
    from joblib import Parallel, delayed

    folds = [int(f) for f in np.unique(data.folds)]
    parts = Parallel(n_jobs=jobs)(delayed(_one_fold)(data, fold, l2) for fold in folds)
    by_temperature = {}
    for t, temperature in enumerate(TEMPERATURES):
        probabilities = np.zeros(data.Y.shape)
        for fold, part in zip(folds, parts, strict=True):
            probabilities[data.folds == fold] = part[t]
        by_temperature[temperature] = probabilities
    first = len(data.labels.facts)
    terms = slice(first, first + len(data.labels.terms))
    truth, known = data.Y[:, terms], data.known[:, terms]
    temperature = min(TEMPERATURES, key=lambda t: _log_loss(by_temperature[t][:, terms], truth, known))
    probabilities = by_temperature[temperature]
    threshold = max(THRESHOLDS, key=lambda t: _f_beta(evaluate(data, probabilities, t), BETA))
    result = CrossValidation(probabilities, temperature, threshold, evaluate(data, probabilities, threshold))
    say(f"cross-validation: temperature {temperature}, threshold {threshold}")
    return result


def _one_fold(data: Prepared, fold: int, l2: float) -> list[Floats]:
    fitted = fit(data, np.flatnonzero(data.folds != fold), l2)
    outside = np.flatnonzero(data.folds == fold)
    X = matrix(data, fitted.space, outside)
    return [fitted.estimator.predict_proba(X, t) for t in TEMPERATURES]


def _log_loss(p: Floats, truth: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-(np.log(np.where(truth, p, 1 - p)) * known).sum() / known.sum())


def _f_beta(scores: Scores, beta: float) -> float:
    p, r = scores.total.precision, scores.total.recall
    return (1 + beta**2) * p * r / (beta**2 * p + r) if p + r else 0.0


def evaluate(data: Prepared, probabilities: Floats, threshold: float) -> Scores:
    """Scores of label probabilities against the scenarios' own terms."""
    start = len(data.labels.facts)
    answers = []
    for scenario, row in zip(data.scenarios, probabilities, strict=True):
        given = {t for t, p in zip(data.labels.terms, row[start:], strict=False) if p >= threshold}
        answers.append(Answer(frozenset(given), scenario.terms, scenario.may, scenario.group))
    return score(answers, data.labels.terms)


def expected_calibration_error(data: Prepared, probabilities: Floats, bins: int = 10) -> float:
    """Mean gap between probability and frequency over terms, by ten equal bins, weighted by count."""
    start = len(data.labels.facts)
    columns = slice(start, start + len(data.labels.terms))
    known = data.known[:, columns]
    p, y = probabilities[:, columns][known], data.Y[:, columns][known]
    which = np.minimum((p * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(p[which == b].mean() - y[which == b].mean()) * (which == b).mean()
            for b in range(bins)
            if (which == b).any()
        )
    )


def train(
    files: Sequence[Path],
    out: Path,
    version: str,
    vocabulary_path: Path | None = None,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> CrossValidation:
    """Train on scenario files and write the artefact to ``out``."""
    vocabulary = load_vocabulary(vocabulary_path)
    scenarios = load_scenarios(files, vocabulary)
    say(f"{len(scenarios)} scenarios from {len(files)} files")
    data = prepare(scenarios, vocabulary, load_reader(), load_lexicon())
    validation = cross_validate(data, say)
    fitted = fit(data)
    say(f"{len(fitted.space)} columns, {len(fitted.estimator.configurations_)} configurations")
    export.write(out, version, data, fitted, validation, vocabulary)
    return validation
