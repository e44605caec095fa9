"""Fitting a model from scenarios, with cross-validation, calibration and export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..errors import InputError
from ..keys import Symbols
from ..lexicon import Lexicon, load_lexicon
from ..net import Encoder, Net, pack, unpack
from ..reading import Reader, Reading, load_reader
from ..space import FeatureSpace
from ..spotter import Spotter
from ..vocabulary import Vocabulary, load_vocabulary
from ..words import Words
from . import export
from .corrections import read_corrections, scenarios_from
from .lessons import Lesson, is_quiet
from .metrics import Answer, Scores, Tally, score
from .net import fit_net, own_words
from .prepare import (
    Labels,
    Roles,
    View,
    context_of,
    fit_roles,
    fit_space,
    folds_of,
    guesses_out_of_fold,
    label_arrays,
    matrix_of,
    views_of,
)
from .scenarios import Scenario, load_scenarios
from .spot import fit_spotter, idle_words, quote_labels
from .structured import StructuredLogistic

Floats = NDArray[np.float64]
L2 = 0.1
TEMPERATURES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0)
# By how much the log-loss may exceed that of the best temperature where more texts come out wholly right.
_SLACK = 0.05
# How much the networks' scores count beside those of the linear model.
NET_SHARE = 0.75
# Networks from different starts, whose mean scores count.
NETS = 2
THRESHOLDS = tuple(round(0.34 + 0.02 * i, 2) for i in range(18))
# A wrong tag costs more trust than a missing one: F-beta below 1 leans to precision.
BETA = 0.68
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
        words: the words of all texts, with a symbol for every name; it grows.
        lessons: every text as the network learns from it, made by ``encoder``.
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
    words: Words
    encoder: Encoder
    lessons: Sequence[Lesson]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model: the linear part with its columns, and the networks' parameters."""

    space: FeatureSpace
    estimator: StructuredLogistic
    nets: list[dict[str, NDArray[np.float32]]]


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
    readings = reader.read_many([s.text for s in scenarios], [s.home for s in scenarios])
    folds = folds_of(scenarios)
    guesses = guesses_out_of_fold(scenarios, readings, folds)
    words = Words(Symbols(grows=True), lexicon)
    contexts = [context_of(s) for s in scenarios]
    views = views_of(readings, contexts, guesses, reader.gazetteer, words)
    labels = Labels.of(vocabulary)
    quotes = [
        quote_labels(s, r, v, labels.facts, vocabulary) for s, r, v in zip(scenarios, readings, views, strict=True)
    ]
    spotter, spotted = fit_spotter(views, quotes, folds, labels.facts, words.symbols, jobs)
    Y, known = label_arrays(scenarios, vocabulary, lenient=True)
    _, taught = label_arrays(scenarios, vocabulary)
    roles = fit_roles(readings, [s.country for s in scenarios])
    encoder = Encoder(own_words(views, words.symbols), sorted(reader.fact_kinds), words.symbols)
    lessons = []
    for i, (scenario, reading, view) in enumerate(zip(scenarios, readings, views, strict=True)):
        (text,) = encoder.encode([reading], [contexts[i]], view.normal)
        quoted, sure = quotes[i]
        quoted = np.column_stack([quoted, idle_words(scenario, reading, view)])
        sure = np.column_stack([sure, np.ones(len(sure), dtype=bool)])
        lessons.append(Lesson(text, Y[i], taught[i], quoted, sure, is_quiet(scenario, reading)))
    return Prepared(
        scenarios, readings, views, spotted, spotter, Y, known, taught, folds, roles, labels, lexicon, vocabulary,
        words, encoder, lessons,
    )  # fmt: skip


def fit(data: Prepared, inside: NDArray[np.int64] | None = None, l2: float = L2) -> Fitted:
    """Fit on all scenarios, or on those whose positions are given."""
    rows = np.arange(len(data.scenarios)) if inside is None else inside
    space = fit_space([data.views[i].features for i in rows.tolist()], data.words.symbols)
    estimator = StructuredLogistic(l2=l2).fit(matrix(data, space, rows), data.Y[rows], data.taught[rows])
    lessons = [data.lessons[i] for i in rows.tolist()]
    words, cues = len(data.encoder.words), len(data.encoder.cues)
    fitted = [fit_net(lessons, data.lexicon.vectors, words, cues, seed=seed) for seed in range(NETS)]
    # As the artefact will hold them.
    nets = [unpack(pack(net), {name: value.shape for name, value in net.items()}) for net in fitted]
    return Fitted(space, estimator, nets)


def matrix(data: Prepared, space: FeatureSpace, rows: NDArray[np.int64]) -> sparse.csr_array:
    """The design matrix of some scenarios in a space."""
    views, readings = [data.views[i] for i in rows.tolist()], [data.readings[i] for i in rows.tolist()]
    return matrix_of(space, [view.features for view in views], readings, views, data.lexicon, data.spotted[rows])


def cross_validate(data: Prepared, say: Callable[[str], None], l2: float = L2, jobs: int = 2) -> CrossValidation:
    """Grouped cross-validation; temperature and threshold are chosen on its out-of-fold answers."""
    from joblib import Parallel, delayed

    folds = [int(f) for f in np.unique(data.folds)]
    # Threads: the arithmetic runs outside the interpreter lock, and the features need not be copied.
    parts = Parallel(n_jobs=jobs, prefer="threads")(delayed(_one_fold)(data, fold, l2) for fold in folds)
    tried = {t: _gathered(data, folds, [part[n] for part in parts]) for n, t in enumerate(TEMPERATURES)}
    first = len(data.labels.facts)
    terms = slice(first, first + len(data.labels.terms))
    losses = {t: _log_loss(p[:, terms], data.Y[:, terms], data.known[:, terms]) for t, p in tried.items()}
    near = [t for t, loss in losses.items() if loss <= min(losses.values()) * (1 + _SLACK)]
    found = {}
    for t in near:
        thresholds = choose_thresholds(data, tried[t])
        found[t] = CrossValidation(tried[t], t, thresholds, evaluate(data, tried[t], thresholds))
    result = max(found.values(), key=lambda one: one.scores.exact_match)
    span = f"{min(result.thresholds.values())} to {max(result.thresholds.values())}"
    say(f"cross-validation: temperature {result.temperature}, thresholds {span}")
    return result


def _gathered(data: Prepared, folds: Sequence[int], parts: Sequence[Floats]) -> Floats:
    found = np.zeros(data.Y.shape)
    for fold, part in zip(folds, parts, strict=True):
        found[data.folds == fold] = part
    return found


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
    """Label probabilities of a fold by a model fitted without it, at every temperature."""
    fitted = fit(data, np.flatnonzero(data.folds != fold), l2)
    outside = np.flatnonzero(data.folds == fold)
    estimator, net = fitted.estimator, Net(fitted.nets, data.lexicon.vectors)
    scores = (1 - NET_SHARE) * estimator.decision_function(matrix(data, fitted.space, outside))
    scores += NET_SHARE * np.stack([net.scores(data.lessons[i].text) for i in outside.tolist()])
    return [estimator.proba_of(scores, t) @ estimator.configurations_ for t in TEMPERATURES]


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


@dataclass(frozen=True, slots=True)
class Bin:
    """Term probabilities from ``low`` up to ``low`` + a tenth: how many, their mean, and how often they came true."""

    low: float
    count: int
    mean: float
    frequency: float


def reliability(data: Prepared, probabilities: Floats, bins: int = 10) -> list[Bin]:
    """Out-of-fold term probabilities in equal bins against what was true; empty bins are left out."""
    start = len(data.labels.facts)
    columns = slice(start, start + len(data.labels.terms))
    known = data.known[:, columns]
    p, y = probabilities[:, columns][known], data.Y[:, columns][known]
    which = np.minimum((p * bins).astype(int), bins - 1)
    return [
        Bin(b / bins, int(inside.sum()), float(p[inside].mean()), float(y[inside].mean()))
        for b in range(bins)
        if (inside := which == b).any()
    ]


def expected_calibration_error(found: Sequence[Bin]) -> float:
    """Mean gap between probability and frequency, weighted by count."""
    total = sum(b.count for b in found)
    return sum(abs(b.mean - b.frequency) * b.count for b in found) / total if total else 0.0


def train(
    files: Sequence[Path],
    out: Path,
    version: str,
    vocabulary_path: Path | None = None,
    card_parts: Path | None = None,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    corrections: Sequence[Path] = (),
) -> CrossValidation:
    """Train on scenario files, and on corrections if any, and write the artefact to ``out``.

    Raises:
        InputError: when the files hold no scenario.
        ScenarioError: for a broken one.
    """
    vocabulary = load_vocabulary(vocabulary_path)
    scenarios = load_scenarios(files, vocabulary)
    if not scenarios:
        raise InputError("there are no scenarios to train on: give JSONL files that hold some, one a line")
    say(f"{len(scenarios)} scenarios from {len(files)} files")
    if corrections:
        added = scenarios_from(read_corrections(corrections, vocabulary), scenarios, vocabulary)
        say(f"{len(added)} corrections from {len(corrections)} files")
        scenarios += added
    data = prepare(scenarios, vocabulary, load_reader(), load_lexicon())
    validation = cross_validate(data, say)
    fitted = fit(data)
    say(f"{len(fitted.space)} columns, {len(fitted.estimator.configurations_)} configurations")
    export.write(out, version, data, fitted, validation, vocabulary, vocabulary_path, card_parts)
    return validation
