"""Fitting a model from scenarios, with cross-validation, calibration and export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..lexicon import Lexicon, load_lexicon
from ..reading import Reader, Reading, load_reader
from ..space import FeatureSpace
from ..spotter import Spotter
from ..vocabulary import Vocabulary, load_vocabulary
from . import export
from .metrics import Answer, Scores, Tally, score
from .prepare import (
    Labels,
    Roles,
    View,
    context_of,
    design_matrix,
    fit_roles,
    fit_space,
    folds_of,
    guesses_out_of_fold,
    label_arrays,
    views_of,
)
from .scenarios import Scenario, load_scenarios
from .spot import fit_spotter, quote_labels
from .structured import StructuredLogistic

Floats = NDArray[np.float64]
L2 = 0.1
TEMPERATURES = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.25, 2.5, 2.75, 3.0)
THRESHOLDS = tuple(round(0.34 + 0.02 * i, 2) for i in range(18))
# A wrong tag costs more trust than a missing one: F-beta below 1 leans to precision.
BETA = 0.7
# How much F-beta a threshold must gain for each step away from the common one: few examples decide little.
_PULL = 0.1
FOLDS_NOTE = "five folds; contrast groups stay together"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Scenarios as arrays.

    Attributes:
        views: every text's features and windows.
        spotted: float32 array (texts, dimensions), what a spotter fitted without the text's fold finds in it.
        spotter: fitted on all texts.
        Y, known: bool arrays (texts, labels); what is not known is left out of calibration.
        taught: bool array (texts, labels), what the model is fitted to.
        folds: int array (texts,).
    """

    scenarios: Sequence[Scenario]
    readings: Sequence[Reading]
    views: Sequence[View]
    spotted: NDArray[np.float32]
    spotter: Spotter
    Y: NDArray[np.bool_]
    known: NDArray[np.bool_]
    taught: NDArray[np.bool_]
    folds: NDArray[np.int64]
    roles: Roles
    labels: Labels
    lexicon: Lexicon
    vocabulary: Vocabulary


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
    thresholds: dict[str, float]
    scores: Scores


def prepare(
    scenarios: Sequence[Scenario], vocabulary: Vocabulary, reader: Reader, lexicon: Lexicon, jobs: int = 2
) -> Prepared:
    """Read all scenarios; extract features and labels; fit roles and spotters."""
    readings = [reader.read(s.text, s.home) for s in scenarios]
    folds = folds_of(scenarios)
    guesses = guesses_out_of_fold(scenarios, readings, folds)
    views = views_of(readings, [context_of(s) for s in scenarios], guesses, reader, lexicon)
    labels = Labels.of(vocabulary)
    quotes = [
        quote_labels(s, r, v.normal, labels.facts, vocabulary)
        for s, r, v in zip(scenarios, readings, views, strict=True)
    ]
    windows, normals = [v.windows for v in views], [v.normal for v in views]
    spotter, spotted = fit_spotter(windows, normals, quotes, folds, labels.facts, jobs)
    Y, known = label_arrays(scenarios, vocabulary, lenient=True)
    _, taught = label_arrays(scenarios, vocabulary)
    roles = fit_roles(readings, [s.country for s in scenarios])
    return Prepared(
        scenarios, readings, views, spotted, spotter, Y, known, taught, folds, roles, labels, lexicon, vocabulary
    )


def fit(data: Prepared, inside: NDArray[np.int64] | None = None, l2: float = L2) -> Fitted:
    """Fit on all scenarios, or on those whose positions are given."""
    rows = np.arange(len(data.scenarios)) if inside is None else inside
    space = fit_space([data.views[i].features for i in rows.tolist()])
    estimator = StructuredLogistic(l2=l2).fit(matrix(data, space, rows), data.Y[rows], data.taught[rows])
    return Fitted(space, estimator)


def matrix(data: Prepared, space: FeatureSpace, rows: NDArray[np.int64]) -> sparse.csr_array:
    """The design matrix of some scenarios in a space."""
    return design_matrix(
        [space.row(data.views[i].features, data.readings[i], data.lexicon, data.spotted[i]) for i in rows.tolist()],
        len(space),
    )


def cross_validate(data: Prepared, say: Callable[[str], None], l2: float = L2, jobs: int = 2) -> CrossValidation:
    """Grouped cross-validation; temperature and threshold are chosen on its out-of-fold answers."""
    from joblib import Parallel, delayed

    folds = [int(f) for f in np.unique(data.folds)]
    # Threads: the arithmetic runs outside the interpreter lock, and the features need not be copied.
    parts = Parallel(n_jobs=jobs, prefer="threads")(delayed(_one_fold)(data, fold, l2) for fold in folds)
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
    thresholds = choose_thresholds(data, probabilities)
    result = CrossValidation(probabilities, temperature, thresholds, evaluate(data, probabilities, thresholds))
    span = f"{min(thresholds.values())} to {max(thresholds.values())}"
    say(f"cross-validation: temperature {temperature}, thresholds {span}")
    return result


def choose_thresholds(data: Prepared, probabilities: Floats) -> dict[str, float]:
    """For each term the threshold with the best F-beta out of fold, drawn towards the best common one."""
    start = len(data.labels.facts)

    def everywhere(threshold: float) -> float:
        return _f_beta(evaluate(data, probabilities, dict.fromkeys(data.labels.terms, threshold)).total, BETA)

    common = max(THRESHOLDS, key=everywhere)
    found = {}
    for i, term in enumerate(data.labels.terms):
        sure = data.known[:, start + i]
        p, y = probabilities[sure, start + i], data.Y[sure, start + i]
        tallies = {
            t: Tally(int((y & (p >= t)).sum()), int((~y & (p >= t)).sum()), int((y & (p < t)).sum()))
            for t in THRESHOLDS
        }
        found[term] = max(THRESHOLDS, key=lambda t: _f_beta(tallies[t], BETA) - abs(t - common) * _PULL)
    return found


def _one_fold(data: Prepared, fold: int, l2: float) -> list[Floats]:
    fitted = fit(data, np.flatnonzero(data.folds != fold), l2)
    outside = np.flatnonzero(data.folds == fold)
    X = matrix(data, fitted.space, outside)
    return [fitted.estimator.predict_proba(X, t) for t in TEMPERATURES]


def _log_loss(p: Floats, truth: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-(np.log(np.where(truth, p, 1 - p)) * known).sum() / known.sum())


def _f_beta(tally: Tally, beta: float) -> float:
    p, r = tally.precision, tally.recall
    return (1 + beta**2) * p * r / (beta**2 * p + r) if p + r else 0.0


def evaluate(data: Prepared, probabilities: Floats, thresholds: Mapping[str, float]) -> Scores:
    """Scores of label probabilities against the scenarios' own terms, implied terms included."""
    start = len(data.labels.facts)
    implied = data.vocabulary.implied_by_term
    answers = []
    for scenario, row in zip(data.scenarios, probabilities, strict=True):
        given = {t for t, p in zip(data.labels.terms, row[start:], strict=False) if p >= thresholds[t]}
        for term in tuple(given):
            given |= implied[term]
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
    export.write(out, version, data, fitted, validation, vocabulary, vocabulary_path)
    return validation
