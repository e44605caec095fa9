"""From scenarios to what the model is fitted on: features by text, labels, and folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..features import Context, Feature, Normal, features_of, normalise
from ..lexicon import Lexicon
from ..reading import Reader, Reading
from ..roles import HomeGuess, guess_home, mention_features
from ..space import BLOCKS, FeatureSpace, Row, block_of
from ..spotter import window_features
from ..vocabulary import Vocabulary
from .scenarios import LIVE, Scenario

MIN_DF = 4
# Runs of words are many and mostly rare: they need to be seen once more.
MIN_DF_RUNS = 6
RUNS = frozenset({"runs", "class-runs"})
ROLE_C = 0.2
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Labels:
    """The order of labels: facts, then terms, then reasons for silence."""

    facts: tuple[str, ...]
    terms: tuple[str, ...]
    silences: tuple[str, ...]

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Labels:
        return cls(tuple(vocabulary.facts), tuple(vocabulary.terms), tuple(vocabulary.silences))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.facts, *self.terms, *self.silences)


def label_arrays(
    scenarios: Sequence[Scenario], vocabulary: Vocabulary, lenient: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Labels and which of them are known, both bool arrays (scenarios, labels).

    What readers differ on is taught as absent: leaving an acceptable term out is never wrong, and a
    wrong tag costs more trust than a missing one. Kinds of work are the exception and stay open: they
    are doubtful by ruling (one person in a post), not because the text is silent on them. Of a scenario with
    ``facts_open`` only the terms are known. With ``lenient`` all that readers differ on is marked as not
    known, which is how calibration is measured.
    """
    labels = Labels.of(vocabulary)
    column = {name: i for i, name in enumerate(labels.facts)}
    term_column = {name: i + len(labels.facts) for i, name in enumerate(labels.terms)}
    start = len(labels.facts) + len(labels.terms)
    Y = np.zeros((len(scenarios), len(labels.names)), dtype=bool)
    known = np.ones_like(Y)
    for i, scenario in enumerate(scenarios):
        stated: set[str] = set()
        unsure: set[str] = set()
        for arrangement in scenario.arrangements:
            if arrangement.status in LIVE:
                closed = vocabulary.close(arrangement.facts)
                stated |= closed
                unsure |= vocabulary.close([*arrangement.facts, *arrangement.unsure]) - closed
        Y[i, [column[f] for f in stated]] = True
        Y[i, [term_column[t] for t in scenario.terms]] = True
        if scenario.silence:
            Y[i, start + labels.silences.index(scenario.silence)] = True
        if lenient:
            open_facts, open_terms = unsure, scenario.may
        else:
            open_facts = {f for f in unsure if vocabulary.facts[f].facet == "what work"} if scenario.terms else set()
            open_terms = _derivable(scenario, open_facts, vocabulary) - scenario.terms
        known[i, [column[f] for f in open_facts - stated]] = False
        known[i, [term_column[t] for t in open_terms]] = False
        if scenario.facts_open:
            # Only terms were labelled: any facts that give them are right, and any reason for silence.
            known[i, : len(labels.facts)] = False
            known[i, start:] = bool(scenario.terms)
        if lenient and scenario.silence and scenario.may:
            # Whether there is a reason for silence hangs on what readers differ on.
            known[i, start:] = False
    return Y, known


def _derivable(scenario: Scenario, extra: Collection[str], vocabulary: Vocabulary) -> frozenset[str]:
    """The terms that the live arrangements would carry with the ``extra`` facts that they leave unsure."""
    found: set[str] = set()
    for arrangement in scenario.arrangements:
        if arrangement.status in LIVE:
            for fact in [None, *(f for f in arrangement.unsure if f in extra)]:
                found |= vocabulary.terms_of([*arrangement.facts, *([fact] if fact else [])])
            found |= vocabulary.terms_of([*arrangement.facts, *(f for f in arrangement.unsure if f in extra)])
    return frozenset(found)


def folds_of(scenarios: Sequence[Scenario], k: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each scenario; contrast groups stay together. Depends on nothing but the ids."""
    import hashlib

    def fold(key: str) -> int:
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % k

    return np.array([fold(s.group or s.id) for s in scenarios], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Roles:
    """The fitted scorer of place roles."""

    weights: dict[str, float]
    bias: float

    def guess(self, reading: Reading, context: Context) -> HomeGuess | None:
        """The client's country, unless the caller gave it or the text names no place."""
        if context.home or not reading.places:
            return None
        return guess_home(reading, self.weights, self.bias)


def fit_roles(readings: Sequence[Reading], countries: Sequence[str | None]) -> Roles:
    """Fit the place roles on texts whose client's country is known."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    rows: list[dict[str, float]] = []
    is_home: list[bool] = []
    for reading, country in zip(readings, countries, strict=True):
        if country:
            for code, found in mention_features(reading):
                rows.append(dict.fromkeys(found, 1.0))
                is_home.append(code == country)
    counts = Counter(name for row in rows for name in row)
    rows = [{n: v for n, v in row.items() if counts[n] >= MIN_DF} for row in rows]
    vectorizer = DictVectorizer(dtype=np.float64, sort=True)
    X = vectorizer.fit_transform(rows)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    model = LogisticRegression(C=ROLE_C, solver="liblinear", random_state=0).fit(X, is_home)
    weights = np.round(model.coef_[0], 4)
    names = vectorizer.get_feature_names_out()
    return Roles(
        {str(n): float(w) for n, w in zip(names, weights, strict=True) if abs(w) >= 0.01},
        round(float(model.intercept_[0]), 4),
    )


def context_of(scenario: Scenario) -> Context:
    """The caller's context that a scenario gives."""
    return Context(scenario.home, scenario.provider_country, scenario.vendor_contract)


def guesses_out_of_fold(
    scenarios: Sequence[Scenario], readings: Sequence[Reading], folds: NDArray[np.int64]
) -> list[HomeGuess | None]:
    """Each text's guess by roles that were fitted without its fold."""
    guesses: list[HomeGuess | None] = [None] * len(scenarios)
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds != fold).tolist()
        roles = fit_roles([readings[i] for i in inside], [scenarios[i].country for i in inside])
        for i in np.flatnonzero(folds == fold).tolist():
            guesses[i] = roles.guess(readings[i], context_of(scenarios[i]))
    return guesses


@dataclass(frozen=True, slots=True)
class View:
    """A training text as the model sees it: features by name, and the windows that the spotter looks at."""

    normal: Normal
    features: Sequence[Feature]
    windows: Sequence[Sequence[str]]


def views_of(
    readings: Sequence[Reading],
    contexts: Sequence[Context],
    guesses: Sequence[HomeGuess | None],
    reader: Reader,
    lexicon: Lexicon,
) -> list[View]:
    """Features and windows of each text."""
    found = []
    for reading, context, guess in zip(readings, contexts, guesses, strict=True):
        normal = normalise(reading, context, reader.gazetteer, lexicon, guess)
        features = list(features_of(reading, context, normal, lexicon))
        found.append(View(normal, features, list(window_features(normal, reading, lexicon, context))))
    return found


def fit_space(
    features: Sequence[Sequence[Feature]], min_df: int = MIN_DF, min_df_runs: int = MIN_DF_RUNS
) -> FeatureSpace:
    """The columns: names found in enough texts, in alphabetical order."""
    df: Counter[str] = Counter()
    for found in features:
        df.update({name for name, _ in found})
    names = sorted(
        name for name, n in df.items() if n >= (min_df_runs if BLOCKS[block_of(name)][0] in RUNS else min_df)
    )
    n = len(features)
    rarity = np.array([np.log((1 + n) / (1 + df[name])) + 1 for name in names])
    return FeatureSpace(names, rarity.astype(np.float16).astype(np.float32))


def design_matrix(rows: Sequence[Row], width: int) -> sparse.csr_array:
    """Rows as a sparse array (texts, columns + vector dimensions)."""
    dims = len(rows[0].vector) if rows else 0
    indices = np.concatenate([np.concatenate([r.columns, np.arange(width, width + dims)]) for r in rows])
    data = np.concatenate([np.concatenate([r.values, r.vector]) for r in rows])
    ends = np.cumsum([len(r.columns) + dims for r in rows])
    return sparse.csr_array((data, indices, np.concatenate([[0], ends])), shape=(len(rows), width + dims))
