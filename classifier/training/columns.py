"""Texts as numbers for a model of one's own: the library's features, beside what a trained model makes of the texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from ..engine import Classifier
from ..errors import ModelError
from ..features import Context, Feature, features_of, normalise
from ..lexicon import load_lexicon
from ..reading import Reading, load_reader
from .prepare import design_matrix, fit_space

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
        read = [self._read(text) for text in texts]
        self.space = fit_space([features for _, features in read], least, least + 1)
        return self._matrix(texts, read)

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Sparse float32 array (texts, columns).

        Raises:
            ModelError: when the classifier is of another model than the one that the columns were fitted with.
        """
        return self._matrix(texts, map(self._read, texts))

    def _matrix(self, texts: Sequence[str], read: Iterable[tuple[Reading, list[Feature]]]) -> sparse.csr_array:
        lexicon = load_lexicon()
        found = design_matrix(
            [self.space.row(features, reading, lexicon) for reading, features in read], len(self.space)
        )
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

    def _read(self, text: str) -> tuple[Reading, list[Feature]]:
        reader, lexicon = load_reader(), load_lexicon()
        reading = reader.read(text, self.context.home)
        guess = self.classifier.model.guess_home(reading, self.context) if self.classifier else None
        normal = normalise(reading, self.context, reader.gazetteer, lexicon, guess)
        return reading, list(features_of(reading, self.context, normal, lexicon))
