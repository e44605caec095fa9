"""A scikit-learn estimator over texts: the trained model as it ships, or one fitted to labels of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted

from ..engine import load
from ..errors import InputError
from ..normal import Context
from ..reading import load_reader
from ..training.columns import TextColumns
from ..training.structured import StructuredLogistic

_CERTAIN = 1e-9


class ArrangementTagger(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tags texts, as scikit-learn has it: ``X`` is a sequence of texts, ``Y`` has a column for each term.

    :meth:`pretrained` gives the model that ships, ready to predict. :meth:`fit` learns labels of one's own, whatever
    they mean, from texts that have them: a logistic regression over the sets of labels seen in training, on the
    library's features and on what a trained model, the ``base``, makes of the text.

    Args:
        base: "default" for the model that ships, the folder of another, or None for the library's features alone.
        home: the client's country of every text, as ISO code or English name.
        provider_country: the country where the provider does the work.
        vendor_contract: whether the texts are lines from a list of contracts with outside vendors.
        threshold: least probability of a label. When None: one half after :meth:`fit`, the model's own in
            :meth:`pretrained`.
        l2: strength of the penalty on weights.
        classes: names of the columns of ``Y``, where ``Y`` does not tell them.

    Attributes:
        classes_: the names of the columns of ``Y``, array (labels,).
    """

    def __init__(
        self,
        *,
        base: str | Path | None = "default",
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
        l2: float = 0.3,
        classes: Sequence[Any] | None = None,
    ) -> None:
        self.base = base
        self.home = home
        self.provider_country = provider_country
        self.vendor_contract = vendor_contract
        self.threshold = threshold
        self.l2 = l2
        self.classes = classes

    @classmethod
    def pretrained(cls, **params: Any) -> Self:
        """The model that ships with the package, fitted: its ``classes_`` are the ids of the terms.

        Its :meth:`predict` gives the terms of :meth:`classifier.Classifier.tag`. As with any fitted estimator,
        ``clone`` gives it back unfitted; ``sklearn.frozen.FrozenEstimator`` keeps it as it is.
        """
        return cls.from_model(None, **params)

    @classmethod
    def from_model(cls, path: str | Path | None, vocabulary: str | Path | None = None, **params: Any) -> Self:
        """A model made by ``classify train``, fitted. See :func:`classifier.load` and :meth:`pretrained`."""
        made = cls(**params)
        made.classifier_ = load(path, vocabulary)
        made.classes_ = np.array(list(made.classifier_.vocabulary.terms))
        made.multilabel_ = True
        return made

    def fit(self, X: Any, Y: Any) -> Self:
        """Learn the labels of texts.

        Args:
            X: texts (texts,), in English.
            Y: a label indicator array (texts, labels), or a data frame whose columns name the labels; or a
                collection of label names for each text; or one label for each text, array (texts,).

        Raises:
            InputError: for texts that are not strings, or another number of ``classes`` than of columns.
            ValueError: for labels that scikit-learn does not know as such.
        """
        texts = self._texts(X)
        known, classes, multilabel = self._labels(Y)
        check_consistent_length(texts, known)
        context = Context(*self._context())
        base = None if self.base is None else load(None if self.base == "default" else self.base)
        columns = TextColumns(context, base)
        if not self.l2 >= 0:
            raise InputError(f"l2 is {self.l2}: give the strength of a penalty, 0 or more")
        model = StructuredLogistic(l2=self.l2).fit(columns.fit_transform(texts), known)
        # Only now: one that was fitted before stays as it was when fitting fails. One that was taken from a model
        # becomes one of its own.
        if hasattr(self, "classifier_"):
            del self.classifier_
        self.classes_, self.multilabel_ = classes, multilabel
        self.columns_, self.model_ = columns, model
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels as they were given: an indicator array (texts, labels), or one label for each text."""
        check_is_fitted(self, "classes_")
        texts = self._texts(X)
        if hasattr(self, "classifier_"):
            column = {term: i for i, term in enumerate(self.classes_.tolist())}
            found = np.zeros((len(texts), len(column)), dtype=np.int64)
            for row, tagging in zip(found, self.classifier_.tag_many(texts, **self._asked()), strict=True):
                row[[column[term] for term in tagging.ids]] = 1
            return found
        probabilities = self._probabilities(texts)
        if self.multilabel_:
            return (probabilities >= (0.5 if self.threshold is None else self.threshold)).astype(np.int64)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of texts that are given exactly their labels; ``y`` in any form that :meth:`fit` takes."""
        if not _are_collections(y):
            return float(super().score(X, y, sample_weight))
        given = self.predict(X).astype(bool)
        check_consistent_length(given, y)
        right = [set(self.classes_[row].tolist()) == set(labels) for row, labels in zip(given, y, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each label, array (texts, labels)."""
        check_is_fitted(self, "classes_")
        return self._probabilities(self._texts(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log-odds of each label, array (texts, labels); of the second, (texts,), where each text has one of two."""
        check_is_fitted(self, "classes_")
        p = np.clip(self._probabilities(self._texts(X)), _CERTAIN, 1 - _CERTAIN)
        scores = np.log(p) - np.log1p(-p)
        return np.asarray(scores[:, 1] if not self.multilabel_ and len(self.classes_) == 2 else scores)

    def _probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        if hasattr(self, "classifier_"):
            judged = self.classifier_.tag_many(texts, **self._asked())
            rows = [[p for _, p in tagging.term_probabilities] for tagging in judged]
            return np.array(rows, dtype=np.float64).reshape(len(texts), len(self.classes_))
        return np.asarray(self.model_.predict_proba(self.columns_.transform(texts)))

    def _labels(self, Y: Any) -> tuple[NDArray[np.bool_], NDArray[Any], bool]:
        """``Y`` as bool array (texts, labels), the names of its columns, and whether a text may have several."""
        names = None if self.classes is None else list(self.classes)
        if _are_collections(Y):
            binarizer = MultiLabelBinarizer(classes=names)
            known = binarizer.fit_transform(Y)
            return np.asarray(known, dtype=bool), np.asarray(binarizer.classes_), True
        if names is None and hasattr(Y, "columns"):
            names = list(Y.columns)
        check_classification_targets(Y)
        if type_of_target(Y, input_name="Y") == "multilabel-indicator":
            known = check_array(Y, accept_sparse=True, input_name="Y")
            known = known.toarray() if hasattr(known, "toarray") else known
            if names is not None and len(names) != known.shape[1]:
                raise InputError(f"{len(names)} classes for {known.shape[1]} columns of Y: name each column once")
            classes = np.arange(known.shape[1]) if names is None else np.asarray(names)
            return np.asarray(known, dtype=bool), classes, True
        one = column_or_1d(Y, warn=True)
        classes, which = np.unique(one, return_inverse=True)
        return np.asarray(which[:, None] == np.arange(len(classes))), classes, False

    def _texts(self, X: Any) -> list[str]:
        if isinstance(X, str) or not isinstance(X, Iterable):
            raise InputError("X is a sequence of texts: put a single text in a list")
        if hasattr(X, "columns"):
            raise InputError("X is a table: give the one column that holds the texts, such as X['description']")
        texts = list(X)
        if not texts:
            raise InputError("X has no texts: give at least one")
        for n, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"X[{n}] is not a text but a {type(text).__name__}: give strings, one a row")
        return [str(text) for text in texts]

    def _asked(self) -> dict[str, Any]:
        home, provider_country, vendor_contract = self._context()
        return {
            "home": home,
            "provider_country": provider_country,
            "vendor_contract": vendor_contract,
            "threshold": self.threshold,
        }

    def _context(self) -> tuple[str | None, str | None, bool]:
        code = load_reader().gazetteer.code
        home, provider = (code(country) if country else None for country in (self.home, self.provider_country))
        return home, provider, self.vendor_contract

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        return tags


def _are_collections(Y: Any) -> bool:
    """Whether ``Y`` gives for each text a collection of label names, not a row of an indicator array."""
    if hasattr(Y, "ndim") and Y.ndim != 1:
        return False
    rows = list(Y) if isinstance(Y, Iterable) else []
    return bool(rows) and (
        any(isinstance(row, set | frozenset) for row in rows)
        or (
            all(isinstance(row, list | tuple) for row in rows)
            and any(isinstance(label, str) for row in rows for label in row)
        )
    )
