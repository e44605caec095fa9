"""Texts as numbers for a model of one's own: the library's features, beside what a trained model makes of the texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ..engine import Classifier
from ..errors import ModelError
from ..keys import Symbols
from ..lexicon import load_lexicon
from ..normal import Context
from ..reading import Reading, load_reader
from ..words import Words
from .prepare import View, fit_space, matrix_of, views_of

# A name must be found in so many texts to become a column; few texts can spare none.
_MIN_DF, _MIN_DF_OF_FEW, _FEW = 2, 1, 50


class TextColumns:
    """Columns fitted to texts.

    Args:
        context: what the caller says beside the texts.
        classifier: its probability of every term and fact is a column each; None for the library's features alone.
    """

    def __init__(self, context: Context, classifier: Classifier | None) -> None:
        self.context = context
        self.classifier = classifier
        self.digest = classifier.model.manifest.digest if classifier else None

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Choose the columns, names that are found in enough of ``texts``; as :meth:`transform`."""
        least = _MIN_DF if len(texts) >= _FEW else _MIN_DF_OF_FEW
        words = Words(Symbols(grows=True), load_lexicon())
        readings, views = self._views(texts, words)
        self.space = fit_space([view.features for view in views], words.symbols, least, least + 1)
        # Words that come later are unknown.
        self.space.symbols.close()
        return self._matrix(texts, readings, views)

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Sparse float32 array (texts, columns).

        Raises:
            ModelError: when the classifier is of another model than the one that the columns were fitted with.
        """
        return self._matrix(texts, *self._views(texts, Words(self.space.symbols, load_lexicon())))

    def _matrix(self, texts: Sequence[str], readings: Sequence[Reading], views: Sequence[View]) -> sparse.csr_array:
        nothing = np.zeros((len(texts), 0), dtype=np.float32)
        found = matrix_of(self.space, [view.features for view in views], readings, views, load_lexicon(), nothing)
        if self.classifier is not None:
            if self.classifier.model.manifest.digest != self.digest:
                raise ModelError(
                    "this was fitted over another model than the one that is installed now: fit it again, or install "
                    "the version of the package that it was fitted with"
                )
            c = self.context
            judged = self.classifier.tag_many(texts, c.home, c.provider_country, c.vendor_contract)
            dense = [[p for _, p in (*t.term_probabilities, *t.fact_probabilities)] for t in judged]
            found = sparse.hstack([found, np.array(dense, dtype=np.float32)])
        return sparse.csr_array(found, dtype=np.float32)

    def _views(self, texts: Sequence[str], words: Words) -> tuple[list[Reading], list[View]]:
        reader, context = load_reader(), self.context
        readings = reader.read_many(texts, [context.home] * len(texts))
        model = self.classifier.model if self.classifier else None
        guesses = [model.guess_home(reading, context) if model else None for reading in readings]
        return readings, views_of(readings, [context] * len(texts), guesses, reader.gazetteer, words)
