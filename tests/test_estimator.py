from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from classifier import Classifier
from classifier.edges.estimator import ArrangementTagger
from classifier.errors import InputError, ModelError

# Labels that are no terms of the vocabulary: what a company may sort its contracts by.
ROWS = [
    ("A firm in Cebu answers the calls of our customers.", {"abroad", "desk work"}),
    ("Our parcels are packed by a warehouse firm down the road.", {"site work"}),
    ("An agency in Kraków keeps our books for the Berlin office.", {"abroad", "desk work"}),
    ("The night guards at our plant are from a security firm.", {"site work"}),
    ("A vendor in Bangalore tests our software every night.", {"abroad", "desk work"}),
    ("A contractor mows the lawn in front of our office in Leeds.", {"site work"}),
    ("We buy pencils from the shop on the corner.", set()),
    ("A lab in Shenzhen assembles our speakers.", {"abroad"}),
    ("A bureau in our street runs the payroll.", {"desk work"}),
    ("A caterer cooks in our canteen in Leeds.", {"site work"}),
    ("The chairs in our office are blue.", set()),
    ("A freelancer in Manila types our letters.", {"abroad", "desk work"}),
    ("A studio in Vietnam draws our plans.", {"abroad", "desk work"}),
    ("Cleaners from an agency scrub our kitchen each night.", {"site work"}),
    ("Our cat sleeps on the printer.", set()),
    ("A plant in Mexico sews our coats.", {"abroad"}),
]  # fmt: skip
TEXTS = [text for text, _ in ROWS]
SETS = [labels for _, labels in ROWS]
NAMES = ["abroad", "desk work", "site work"]
INDICATOR = np.array([[name in labels for name in NAMES] for labels in SETS], dtype=int)
ONE = ["nothing" if not labels else sorted(labels)[0] for labels in SETS]


class OnNumbers(ArrangementTagger):
    """Writes each row of numbers as a text of one word a column, so that checks that make numbers can be run."""

    DEPTH = "tiny small low plain middling fair high great huge vast".split()

    def __init__(
        self, *, base: None = None, threshold: float | None = None, l2: float = 0.01, classes: Any = None
    ) -> None:
        super().__init__(base=base, threshold=threshold, l2=l2, classes=classes)

    def fit(self, X: Any, Y: Any) -> OnNumbers:
        if Y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        X = validate_data(self, X)
        self._low, self._range = X.min(axis=0), np.ptp(X, axis=0) + 1e-12
        return super().fit(X, Y)

    def _texts(self, X: Any) -> list[str]:
        X = validate_data(self, X, reset=False)
        steps = np.clip(((X - self._low) / self._range * 10).astype(int), 0, 9)
        return [
            " ".join(f"{chr(97 + j // 26)}{chr(97 + j % 26)}{self.DEPTH[s]}" for j, s in enumerate(row))
            for row in steps
        ]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks([OnNumbers()])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_of_those_checks_texts_get_only_what_needs_no_numbers() -> None:
    with pytest.warns(SkipTestWarning, match="string=True"):
        found = check_estimator(ArrangementTagger())
    assert [(check["check_name"], check["status"]) for check in found] == [("check_estimator_cloneable", "passed")]


@pytest.fixture(scope="module")
def shipped() -> ArrangementTagger:
    return ArrangementTagger.pretrained(home="US")


@pytest.fixture(scope="module")
def own() -> ArrangementTagger:
    return ArrangementTagger().fit(TEXTS, SETS)


def test_the_pretrained_one_answers_as_the_library_does(shipped: ArrangementTagger, classifier: Classifier) -> None:
    taggings = [classifier.tag(text, home="US") for text in TEXTS]
    terms = list(classifier.vocabulary.terms)
    assert shipped.classes_.tolist() == terms
    predicted = shipped.predict(TEXTS)
    assert predicted.any()
    assert [[t for t, yes in zip(terms, row, strict=True) if yes] for row in predicted] == [
        list(t.ids) for t in taggings
    ]
    proba = shipped.predict_proba(TEXTS)
    assert proba.tolist() == [[p for _, p in t.term_probabilities] for t in taggings]
    scores = shipped.decision_function(TEXTS)
    assert ((scores > 0) == (proba > 0.5)).all()
    assert (np.argsort(scores, axis=None) == np.argsort(np.clip(proba, 1e-9, 1 - 1e-9), axis=None)).mean() > 0.99


def test_context_and_threshold_reach_the_library(classifier: Classifier) -> None:
    text = "Window cleaning, two buildings, 36 months"
    settings = {"vendor_contract": True, "threshold": 0.2, "home": "GB", "provider_country": "IE"}
    found = ArrangementTagger.pretrained(**settings)
    ids = classifier.tag(text, **settings).ids  # type: ignore[arg-type]
    assert "outsourcing" in ids
    assert tuple(found.classes_[found.predict([text])[0] == 1]) == ids


def test_from_model_takes_a_folder(classifier: Classifier) -> None:
    found = ArrangementTagger.from_model(classifier.model.folder)
    assert found.classifier_ is classifier


def test_it_learns_labels_of_ones_own(own: ArrangementTagger) -> None:
    assert own.classes_.tolist() == NAMES
    assert (own.predict(TEXTS) == INDICATOR).mean() > 0.95
    unseen = ["A firm in Hanoi writes our programs.", "Gardeners from a firm trim the hedges at our gate."]
    assert own.predict_proba(unseen)[0, 0] > own.predict_proba(unseen)[1, 0]
    assert own.predict_proba(unseen)[0, 2] < own.predict_proba(unseen)[1, 2]


def test_fitting_takes_labels_in_every_usual_form(own: ArrangementTagger) -> None:
    from pandas import DataFrame, Series
    from scipy.sparse import csr_array

    expected = own.predict_proba(TEXTS)
    forms: list[tuple[Any, Any, list[Any]]] = [
        (TEXTS, [sorted(s) for s in SETS], NAMES),
        (np.array(TEXTS), [tuple(s) for s in SETS], NAMES),
        (Series(TEXTS), DataFrame(INDICATOR, columns=NAMES), NAMES),
        (np.array(TEXTS, dtype=object), INDICATOR, [0, 1, 2]),
        (TEXTS, csr_array(INDICATOR), [0, 1, 2]),
        (iter(TEXTS), INDICATOR.tolist(), [0, 1, 2]),
    ]
    for X, Y, names in forms:
        made = ArrangementTagger().fit(X, Y)
        assert made.classes_.tolist() == names
        assert made.predict_proba(TEXTS) == pytest.approx(expected)
    named = ArrangementTagger(classes=["x", "y", "z"]).fit(TEXTS, INDICATOR)
    assert named.classes_.tolist() == ["x", "y", "z"]
    with pytest.raises(InputError, match="2 classes for 3 columns"):
        ArrangementTagger(classes=["x", "y"]).fit(TEXTS, INDICATOR)


def test_one_label_a_text_comes_back_as_one_label_a_text() -> None:
    made = ArrangementTagger().fit(TEXTS, ONE)
    assert made.classes_.tolist() == ["abroad", "desk work", "nothing", "site work"]
    assert (made.predict(TEXTS) == np.array(ONE)).mean() > 0.9
    assert made.predict_proba(TEXTS).sum(axis=1) == pytest.approx(1)
    two = ArrangementTagger().fit(TEXTS, INDICATOR[:, 0])
    assert two.decision_function(TEXTS).shape == (len(TEXTS),)
    assert ((two.decision_function(TEXTS) > 0) == two.predict(TEXTS)).all()


def test_labels_never_contradict_the_sets_seen_in_training(own: ArrangementTagger) -> None:
    # No text carries "site work" with another label.
    proba = own.predict_proba(["A firm in Manila mows our lawn and types our letters."])
    assert proba[0, 2] + max(proba[0, :2]) <= 1 + 1e-9


def test_a_threshold_widens_the_answer(own: ArrangementTagger) -> None:
    low = clone(own).set_params(threshold=0.01).fit(TEXTS, SETS)
    assert low.predict(TEXTS).sum() > own.predict(TEXTS).sum()
    assert (low.predict(TEXTS) == (low.predict_proba(TEXTS) >= 0.01)).all()


@pytest.mark.parametrize("base", ["default", None])
def test_a_fitted_one_pickles_small_and_comes_back_the_same(base: str | None) -> None:
    made = ArrangementTagger(base=base).fit(TEXTS, SETS)
    data = pickle.dumps(made)
    assert len(data) < 2_000_000  # its own columns, not the base's
    assert (pickle.loads(data).predict_proba(TEXTS) == made.predict_proba(TEXTS)).all()  # noqa: S301


def test_the_pretrained_one_pickles_as_a_path(shipped: ArrangementTagger) -> None:
    data = pickle.dumps(shipped)
    assert len(data) < 5000
    assert (pickle.loads(data).predict(TEXTS) == shipped.predict(TEXTS)).all()  # noqa: S301


def test_a_base_that_was_replaced_is_refused(own: ArrangementTagger) -> None:
    again = pickle.loads(pickle.dumps(own))  # noqa: S301
    again.columns_.digest = "0" * 64
    with pytest.raises(ModelError, match="another model"):
        again.predict(TEXTS)


def test_clone_gives_an_unfitted_one_and_a_frozen_one_keeps_the_model(shipped: ArrangementTagger) -> None:
    copy = clone(shipped)
    assert copy.get_params() == shipped.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)
    frozen = clone(FrozenEstimator(shipped))
    assert (frozen.predict(TEXTS) == shipped.predict(TEXTS)).all()


def test_fitting_a_pretrained_one_makes_it_ones_own() -> None:
    made = ArrangementTagger.pretrained().fit(TEXTS, SETS)
    assert made.predict(TEXTS).shape == (len(TEXTS), 3)


@pytest.mark.parametrize(
    ("labels", "error"),
    [(SETS[:3], ValueError), (INDICATOR[:3], ValueError), (ONE[:3], ValueError), (np.linspace(0, 1, 16), ValueError)],
    ids=["sets", "indicator", "one", "no labels"],
)
def test_one_that_cannot_be_fitted_again_stays_as_it_was(
    labels: Any, error: type[Exception], shipped: ArrangementTagger
) -> None:
    before = shipped.predict(TEXTS[:3])
    names = shipped.classes_.tolist()
    with pytest.raises(error):
        shipped.fit(TEXTS, labels)
    assert shipped.classes_.tolist() == names
    assert (shipped.predict(TEXTS[:3]) == before).all()


def test_it_works_in_a_pipeline_and_a_grid_search() -> None:
    pipeline = make_pipeline(
        FunctionTransformer(lambda texts: [t.strip() for t in texts]), ArrangementTagger(base=None)
    )
    search = GridSearchCV(
        pipeline,
        {"arrangementtagger__l2": [0.03, 0.3], "arrangementtagger__threshold": [0.3, 0.5]},
        scoring="f1_micro",
        cv=2,
    )
    search.fit([f" {text}" for text in TEXTS], INDICATOR)
    assert search.best_params_["arrangementtagger__l2"] in (0.03, 0.3)
    assert search.predict(TEXTS).shape == INDICATOR.shape
    assert search.score(TEXTS, INDICATOR) > 0.9


def test_a_grid_search_takes_sets_of_labels() -> None:
    search = GridSearchCV(ArrangementTagger(base=None), {"l2": [0.03, 0.3]}, cv=KFold(2), error_score="raise")
    search.fit(TEXTS, SETS)
    best = search.best_estimator_
    assert search.score(TEXTS, SETS) == best.score(TEXTS, SETS) > 0.5
    assert best.score(TEXTS, SETS) == best.score(TEXTS, INDICATOR)
    assert best.score(TEXTS, [{"unheard of"}] * len(TEXTS)) == 0.0
    weights = np.zeros(len(TEXTS))
    weights[0] = 1.0
    assert best.score(TEXTS, [best.classes_[best.predict(TEXTS[:1])[0] == 1].tolist()] * len(TEXTS), weights) == 1.0


def test_the_base_helps() -> None:
    def score(**params: Any) -> float:
        given = cross_val_predict(ArrangementTagger(**params), TEXTS, INDICATOR, cv=4)
        return float(f1_score(INDICATOR, given, average="micro"))

    assert score() > score(base=None)


@pytest.mark.parametrize(
    ("X", "message"),
    [("one text", "list"), (3, "list"), ([], "at least one"), (["a", None], r"X\[1\] is not a text but a NoneType")],
)
def test_what_is_not_a_sequence_of_texts_is_refused(own: ArrangementTagger, X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        own.predict(X)


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="inconsistent numbers"):
        ArrangementTagger(base=None).fit(TEXTS, SETS[:3])
    with pytest.raises(InputError, match="Narnia"):
        ArrangementTagger(home="Narnia").fit(TEXTS, SETS)


def test_a_table_is_refused_where_texts_are_wanted() -> None:
    import pandas as pd

    tagger = ArrangementTagger.pretrained()
    table = pd.DataFrame({"description": ["in-house payroll", "A vendor in Manila answers our calls."]})
    with pytest.raises(InputError, match="one column"):
        tagger.predict(table)
    assert tagger.predict(table["description"]).shape[0] == 2


def test_a_negative_penalty_is_refused() -> None:
    with pytest.raises(InputError, match="l2"):
        ArrangementTagger(l2=-1.0).fit(["a text", "another text"] * 3, ["a", "b"] * 3)
