"""Other ways to do the same, for a fair comparison: every one is fitted on the same texts and asked the same.

A rival takes a training corpus and a test corpus and gives, for every test text, a score for each term.
The threshold that turns scores into tags is one a rival: the best on its own out-of-fold answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..cues import ASSERTED, PLANNED
from ..keys import Ints
from ..lexicon import units
from ..net import Net
from ..space import BLOCKS, blocks_of
from .corpus import Corpus, Setting
from .fit import NETS
from .metrics import Answer
from .net import PRIOR_POWER, fit_net
from .prepare import View, fit_space, matrix_of
from .structured import StructuredLogistic

Floats = NDArray[np.float64]
THRESHOLDS = tuple(round(0.2 + 0.05 * i, 2) for i in range(13))
TEMPERATURE = 2.0
NET_TEMPERATURE = 1.4


Scorer = Callable[[Setting, Corpus, Corpus], Floats]


def answers_at(setting: Setting, corpus: Corpus, scores: Floats, threshold: float) -> list[Answer]:
    """Tags at a threshold, with what they imply."""
    implied = setting.vocabulary.implied_by_term
    found = []
    for answer, row in zip(corpus.answers, scores, strict=True):
        given = {t for t, p in zip(setting.labels.terms, row, strict=True) if p >= threshold}
        for term in tuple(given):
            given |= implied[term]
        found.append(replace(answer, given=frozenset(given)))
    return found


# --- baselines without fitting ------------------------------------------------------------------------------------


def keywords(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    """The cue phrases as facts, the definitions over them: no learning."""
    found = np.zeros((len(test), setting.n_terms))
    known = setting.vocabulary.facts
    for i, reading in enumerate(test.readings):
        facts = {c.kind for c in reading.cues if c.status in (ASSERTED, PLANNED) and c.kind in known}
        facts |= _place_facts(test.views[i])
        terms = setting.vocabulary.terms_of(facts)
        low = reading.text.lower()
        # An explicit name is enough.
        terms |= {t for t, term in setting.vocabulary.terms.items() if term.label.lower() in low}
        found[i] = [t in terms for t in setting.labels.terms]
    return found


_RELATIONS = (
    ("near", "nearby-country"),
    ("far", "distant-country"),
    ("mid", "another-country"),
    ("away", "another-country"),
)


def _place_facts(view: View) -> set[str]:
    names = set(view.normal.views[0].names)
    facts = set()
    for relation, fact in _RELATIONS:
        if f"p_{relation}" in names:
            facts.add(fact)
    if "p_same" in names and not facts:
        facts.add("same-country")
    return facts


def nearest_definition(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    """Cosine between the text and each term's definitions, in TF-IDF and in pooled word vectors."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    says = [(t, d.says) for t, term in setting.vocabulary.terms.items() for d in term.definitions]
    tfidf = TfidfVectorizer(sublinear_tf=True).fit([*train.texts, *(s for _, s in says)])
    words = np.asarray((tfidf.transform(test.texts) @ tfidf.transform([s for _, s in says]).T).todense())
    vectors = _pooled(setting, test.texts) @ _pooled(setting, [s for _, s in says]).T
    both = (words + vectors) / 2
    found = np.zeros((len(test), setting.n_terms))
    for j, (term, _) in enumerate(says):
        k = setting.labels.terms.index(term)
        found[:, k] = np.maximum(found[:, k], both[:, j])
    return found


def _pooled(setting: Setting, texts: Sequence[str]) -> NDArray[np.float32]:
    rows = []
    for text in texts:
        at = [setting.lexicon.row(w.strip(".,;:()'\"")) for w in text.lower().split()]
        total = units(setting.lexicon.vectors, np.array(at, dtype=np.int32)).sum(axis=0)
        rows.append(total / max(float(np.linalg.norm(total)), 1e-9))
    return np.array(rows, dtype=np.float32)


# --- designs ------------------------------------------------------------------------------------------------------


def _tfidf(train: Corpus, test: Corpus, characters: bool) -> tuple[sparse.csr_array, sparse.csr_array]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    parts = [TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)]
    if characters:
        parts.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=5, sublinear_tf=True))
    union = make_union(*parts)
    extra_train, extra_test = _context_columns(train), _context_columns(test)
    return (
        sparse.csr_array(sparse.hstack([union.fit_transform(train.texts), extra_train])),
        sparse.csr_array(sparse.hstack([union.transform(test.texts), extra_test])),
    )


def _context_columns(corpus: Corpus) -> sparse.csr_array:
    rows = [[float(c.home is not None), float(c.vendor_contract)] for c in corpus.contexts]
    return sparse.csr_array(np.array(rows))


ALL_BLOCKS = tuple(name for name, _, _ in BLOCKS)


def _own(
    setting: Setting,
    train: Corpus,
    test: Corpus,
    blocks: Sequence[str] = ALL_BLOCKS,
    vectors: bool = True,
    spotted: bool = True,
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Our own features, or some blocks of them."""
    kept = [n for n, (name, _, _) in enumerate(BLOCKS) if name in blocks]

    def features(corpus: Corpus) -> list[Ints]:
        return [v.features[np.isin(blocks_of(v.features), kept)] for v in corpus.views]

    of_train, of_test = features(train), features(test)
    space = fit_space(of_train, setting.symbols)

    def matrix(corpus: Corpus, found: Sequence[Ints]) -> sparse.csr_array:
        X = matrix_of(space, found, corpus.readings, corpus.views, setting.lexicon, corpus.spotted)
        first, dims = len(space), setting.lexicon.vectors.shape[1]
        parts = [X[:, :first], X[:, first : first + dims], X[:, first + dims :]]
        wanted = [part for part, yes in zip(parts, (True, vectors, spotted), strict=True) if yes]
        return sparse.csr_array(sparse.hstack(wanted))

    return matrix(train, of_train), matrix(test, of_test)


# --- learners -----------------------------------------------------------------------------------------------------


def _one_vs_rest(X: sparse.csr_array, Y: NDArray[np.bool_], T: sparse.csr_array, C: float = 4.0) -> Floats:
    """One logistic regression a label; array (test texts, labels)."""
    from joblib import Parallel, delayed
    from sklearn.linear_model import LogisticRegression

    def one(y: NDArray[np.bool_]) -> Floats:
        if not y.any():
            return np.zeros(T.shape[0])
        # liblinear wants 32-bit indices.
        A, B = sparse.csr_matrix(X, dtype=np.float64), sparse.csr_matrix(T, dtype=np.float64)
        for M in (A, B):
            M.indices, M.indptr = M.indices.astype(np.int32), M.indptr.astype(np.int32)
        model = LogisticRegression(C=C, solver="liblinear", random_state=0).fit(A, y)
        return np.asarray(model.predict_proba(B)[:, 1])

    return np.stack(Parallel(n_jobs=2, max_nbytes=None)(delayed(one)(Y[:, j]) for j in range(Y.shape[1])), axis=1)


def _terms(setting: Setting, Y: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return Y[:, setting.n_facts : setting.n_facts + setting.n_terms]


def _by_definitions(setting: Setting, facts: Floats) -> Floats:
    """Terms from fact probabilities: the best definition, as likely as its least likely condition."""
    column = {f: j for j, f in enumerate(setting.labels.facts)}
    found = np.zeros((len(facts), setting.n_terms))
    for k, term in enumerate(setting.labels.terms):
        for d in setting.vocabulary.terms[term].definitions:
            p = np.ones(len(facts))
            for f in d.all:
                p = np.minimum(p, facts[:, column[f]])
            for choice in d.any:
                p = np.minimum(p, facts[:, [column[f] for f in choice]].max(axis=1))
            for f in d.none:
                p = np.minimum(p, 1 - facts[:, column[f]])
            found[:, k] = np.maximum(found[:, k], p)
    return found


def words_direct(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    X, T = _tfidf(train, test, characters=False)
    return _one_vs_rest(X, _terms(setting, train.Y), T)


def characters_direct(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    X, T = _tfidf(train, test, characters=True)
    return _one_vs_rest(X, _terms(setting, train.Y), T)


def own_direct(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    X, T = _own(setting, train, test)
    return _one_vs_rest(X, _terms(setting, train.Y), T, C=1.0)


def own_facts_first(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    X, T = _own(setting, train, test)
    return _by_definitions(setting, _one_vs_rest(X, train.Y[:, : setting.n_facts], T, C=1.0))


def own_stack(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    """Facts first, then a second model over the facts' probabilities and the features together."""
    X, T = _own(setting, train, test)
    facts = train.Y[:, : setting.n_facts]
    inside = np.zeros(facts.shape)
    folds = train.folds % 3
    for fold in np.unique(folds):
        out = folds == fold
        inside[out] = _one_vs_rest(X[~out], facts[~out], X[out], C=1.0)
    outside = _one_vs_rest(X, facts, T, C=1.0)
    A = sparse.csr_array(sparse.hstack([X, sparse.csr_array(_log_odds(inside))]))
    B = sparse.csr_array(sparse.hstack([T, sparse.csr_array(_log_odds(outside))]))
    return _one_vs_rest(A, _terms(setting, train.Y), B, C=0.5)


def boosted_facts(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    """Gradient boosting on the facts over dense features: what was spotted, vectors, cues, places, context."""
    from joblib import Parallel, delayed
    from sklearn.ensemble import HistGradientBoostingClassifier

    X, T = _own(setting, train, test, blocks=("cues", "places", "shape"))
    A, B = np.asarray(X.todense(), dtype=np.float32), np.asarray(T.todense(), dtype=np.float32)

    def one(y: NDArray[np.bool_]) -> Floats:
        model = HistGradientBoostingClassifier(max_iter=120, max_leaf_nodes=15, random_state=0).fit(A, y)
        return np.asarray(model.predict_proba(B)[:, 1])

    facts = Parallel(n_jobs=2, max_nbytes=None)(delayed(one)(train.Y[:, j]) for j in range(setting.n_facts))
    return _by_definitions(setting, np.stack(facts, axis=1))


def _log_odds(p: Floats) -> Floats:
    p = np.clip(p, 0.01, 0.99)
    return np.asarray(np.log(p / (1 - p)) / 4)


def joint(blocks: Sequence[str] = ALL_BLOCKS, vectors: bool = True, spotted: bool = True) -> Scorer:
    """Facts, terms and reasons scored together over configurations, on some blocks of features."""

    def scorer(setting: Setting, train: Corpus, test: Corpus) -> Floats:
        X, T = _own(setting, train, test, blocks, vectors, spotted)
        model = StructuredLogistic().fit(X, train.Y, train.taught)
        return _terms_of_proba(setting, model.predict_proba(T, TEMPERATURE))

    return scorer


def _terms_of_proba(setting: Setting, P: Floats) -> Floats:
    return P[:, setting.n_facts : setting.n_facts + setting.n_terms]


def network(setting: Setting, train: Corpus, test: Corpus) -> Floats:
    """The networks alone, over the configurations of the training texts."""
    words, cues = len(setting.encoder.words), len(setting.encoder.cues)
    vectors = setting.lexicon.vectors
    net = Net([fit_net(train.lessons, vectors, words, cues, seed=seed) for seed in range(NETS)], vectors)
    scores = np.stack([net.scores(one.text) for one in test.lessons]).astype(np.float64)
    configurations, inverse = np.unique(train.Y, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), minlength=len(configurations)) + 0.5
    found = (scores @ configurations.T + PRIOR_POWER * np.log(counts / counts.sum())) / NET_TEMPERATURE
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return _terms_of_proba(setting, (found / found.sum(axis=1, keepdims=True)) @ configurations)


WORDS = ("words", "shape")
RIVALS: dict[str, tuple[str, Scorer]] = {
    "keywords": ("cue phrases and term names, then the definitions; nothing learned", keywords),
    "nearest": ("nearest definition by words and word vectors", nearest_definition),
    "words": ("one-vs-rest on word 1-2-grams (TF-IDF)", words_direct),
    "characters": ("one-vs-rest on word 1-2-grams and character 2-5-grams", characters_direct),
    "own-direct": ("one-vs-rest over terms on all our features", own_direct),
    "own-facts": ("one-vs-rest over facts on all our features, then the definitions", own_facts_first),
    "own-stack": ("facts, then one-vs-rest over terms on facts and features", own_stack),
    "boosted": ("gradient boosting on the facts over dense features, then the definitions", boosted_facts),
    "joint-words": ("joint model, single words", joint(WORDS, False, False)),
    "joint-runs": ("joint model, + runs of words", joint((*WORDS, "runs"), False, False)),
    "joint-classes": (
        "joint model, + word classes and their runs",
        joint((*WORDS, "runs", "classes", "class-runs"), False, False),
    ),
    "joint-cues": (
        "joint model, + cues",
        joint((*WORDS, "runs", "classes", "class-runs", "cues"), False, False),
    ),
    "joint-places": ("joint model, + places and cues crossed with places", joint(ALL_BLOCKS, False, False)),
    "joint-vectors": ("joint model, + pooled distilled vectors", joint(ALL_BLOCKS, True, False)),
    "joint": ("joint model, + what the spotter finds", joint()),
    "network": ("convolutional network over the same words, vectors and cues", network),
}
