"""From scenarios to what the model is fitted on: features by text, labels, and folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..features import FAMILIES, Features, features_of
from ..keys import Columns, Ints, Symbols, in_column_order, pack
from ..lexicon import Lexicon
from ..normal import Context, Normal, normalise
from ..places import Gazetteer
from ..reading import Reading
from ..roles import HomeGuess, guess_home, mention_features
from ..space import BLOCKS, FeatureSpace, Rows, blocks_of
from ..spotter import WINDOWS, windows
from ..vocabulary import Vocabulary
from ..words import Words
from .scenarios import LIVE, Scenario

MIN_DF = 5
# Runs of words are many and mostly rare: they need to be seen once more.
MIN_DF_RUNS = 7
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

    weights: dict[str, dict[str, float]]  # by family, then value
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
                rows.append({f"{family}:{value}": 1.0 for family, value in found})
                is_home.append(code == country)
    counts = Counter(name for row in rows for name in row)
    rows = [{n: v for n, v in row.items() if counts[n] >= MIN_DF} for row in rows]
    vectorizer = DictVectorizer(dtype=np.float64, sort=True)
    X = vectorizer.fit_transform(rows)
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    model = LogisticRegression(C=ROLE_C, solver="liblinear", random_state=0).fit(X, is_home)
    weights = np.round(model.coef_[0], 4)
    nested: dict[str, dict[str, float]] = {}
    for name, weight in zip(vectorizer.get_feature_names_out().tolist(), weights.tolist(), strict=True):
        if abs(weight) >= 0.01:
            family, _, value = name.partition(":")
            nested.setdefault(family, {})[value] = weight
    return Roles(nested, round(float(model.intercept_[0]), 4))


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
    """A training text as the model sees it.

    Attributes:
        normal: of this text alone.
        at: int64 array (words,), the positions of its words in ``normal``, marks included.
        features: int64 array, the keys of its features, with repeats.
        windows: int64 array (words, features), the keys of the features that the spotter looks at, 0 for none.
    """

    normal: Normal
    at: Ints
    features: Ints
    windows: Ints


def view_of(reading: Reading, context: Context, guess: HomeGuess | None, gazetteer: Gazetteer, words: Words) -> View:
    """Features and windows of a text; ``words`` should grow, or what it does not know is left out."""
    normal = normalise([reading], [context], words, gazetteer, [guess])
    features = features_of([reading], [context], normal, words.symbols).keys
    at = np.flatnonzero(normal.text >= 0)
    families, symbols, keys = windows([reading], [context], normal, words.symbols, at)
    found = np.concatenate([pack(families[:, None], symbols), keys]).T
    return View(normal, at, features[FAMILIES.whole(features)], np.where(WINDOWS.whole(found), found, 0))


def views_of(
    readings: Sequence[Reading],
    contexts: Sequence[Context],
    guesses: Sequence[HomeGuess | None],
    gazetteer: Gazetteer,
    words: Words,
) -> list[View]:
    """The view of each text."""
    return [view_of(*each, gazetteer, words) for each in zip(readings, contexts, guesses, strict=True)]


def together(features: Sequence[Ints], readings: Sequence[Reading]) -> Features:
    """The features of several texts as one."""
    text = np.repeat(np.arange(len(features), dtype=np.int32), [len(keys) for keys in features])
    lengths = np.array([len(reading.form) for reading in readings])
    return Features(np.concatenate([np.zeros(0, dtype=np.int64), *features]), text, lengths)


def fit_space(
    features: Sequence[Ints], symbols: Symbols, min_df: int = MIN_DF, min_df_runs: int = MIN_DF_RUNS
) -> FeatureSpace:
    """The columns: features found in enough texts."""
    keys, df = np.unique(np.concatenate([np.unique(found) for found in features]), return_counts=True)
    runs = [n for n, (name, _, _) in enumerate(BLOCKS) if name in RUNS]
    enough = df >= np.where(np.isin(blocks_of(keys), runs), min_df_runs, min_df)
    kept, order = keys[enough], in_column_order(keys[enough])
    rarity = np.log((1 + len(features)) / (1 + df[enough])) + 1
    return FeatureSpace(Columns(kept[order]), rarity[order].astype(np.float16).astype(np.float32), symbols)


def design_matrix(rows: Rows, width: int) -> sparse.csr_array:
    """Rows as a sparse array (texts, columns + vector dimensions)."""
    by_name = sparse.csr_array((rows.values, rows.columns, rows.bounds), shape=(len(rows.vectors), width))
    return sparse.csr_array(sparse.hstack([by_name, sparse.csr_array(rows.vectors)]))


def matrix_of(
    space: FeatureSpace,
    features: Sequence[Ints],
    readings: Sequence[Reading],
    views: Sequence[View],
    lexicon: Lexicon,
    spotted: NDArray[np.float32],
) -> sparse.csr_array:
    """Texts in a space as a sparse array (texts, columns + vector dimensions)."""
    pooled = [space.pooled(view.normal, lexicon) for view in views]
    vectors = np.concatenate([np.concatenate(pooled), spotted], axis=1)
    return design_matrix(space.rows(together(features, readings), vectors), len(space))
