"""Texts with all that a way of answering may look at, for the comparison in :mod:`.rivals`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..features import Context
from ..lexicon import Lexicon
from ..net import Encoder, NetInput
from ..reading import Reader, Reading
from ..spotter import cues_by_word
from ..vocabulary import Vocabulary
from .fit import Prepared
from .metrics import Answer
from .prepare import Labels, View, context_of, views_of


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts with all that a rival may look at.

    Attributes:
        Y, taught: bool arrays (texts, labels), as in training; empty for a corpus that is only tested on.
        spotted: float32 array (texts, dimensions), from a spotter that has not seen the text.
        answers: the truth; ``given`` is empty.
    """

    readings: Sequence[Reading]
    contexts: Sequence[Context]
    views: Sequence[View]
    inputs: Sequence[NetInput]
    spotted: NDArray[np.float32]
    Y: NDArray[np.bool_]
    taught: NDArray[np.bool_]
    folds: NDArray[np.int64]
    answers: Sequence[Answer]

    def __len__(self) -> int:
        return len(self.readings)

    @property
    def texts(self) -> list[str]:
        return [r.text for r in self.readings]

    def with_others(self, other: Corpus) -> Corpus:
        """These texts, then the others, to be asked together; what training needs is left out."""
        none = np.zeros((len(self) + len(other), 0), dtype=bool)
        return Corpus(
            [*self.readings, *other.readings],
            [*self.contexts, *other.contexts],
            [*self.views, *other.views],
            [*self.inputs, *other.inputs],
            np.concatenate([self.spotted, other.spotted]),
            none,
            none,
            np.zeros(len(none), dtype=np.int64),
            [*self.answers, *other.answers],
        )

    def take(self, rows: NDArray[np.int64]) -> Corpus:
        """The corpus of some of the texts."""
        at = rows.tolist()
        return Corpus(
            [self.readings[i] for i in at],
            [self.contexts[i] for i in at],
            [self.views[i] for i in at],
            [self.inputs[i] for i in at],
            self.spotted[rows],
            self.Y[rows],
            self.taught[rows],
            self.folds[rows],
            [self.answers[i] for i in at],
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What all rivals share."""

    vocabulary: Vocabulary
    labels: Labels
    lexicon: Lexicon
    encoder: Encoder

    @property
    def n_facts(self) -> int:
        return len(self.labels.facts)

    @property
    def n_terms(self) -> int:
        return len(self.labels.terms)


def corpus_of(data: Prepared) -> Corpus:
    """The scenarios as a corpus."""
    answers = [Answer(frozenset(), s.terms, s.may, s.group) for s in data.scenarios]
    contexts = [context_of(s) for s in data.scenarios]
    return Corpus(
        data.readings, contexts, data.views, data.inputs, data.spotted, data.Y, data.taught, data.folds, answers
    )


def test_corpus(data: Prepared, rows: Sequence[Mapping[str, object]], reader: Reader) -> Corpus:
    """Labelled descriptions from elsewhere (``must`` and ``may``) as a corpus."""
    contexts = [
        Context(_text(row.get("home")), _text(row.get("provider_country")), bool(row.get("vendor_contract")))
        for row in rows
    ]
    readings = [reader.read(str(row["text"]), c.home) for row, c in zip(rows, contexts, strict=True)]
    guesses = [data.roles.guess(r, c) for r, c in zip(readings, contexts, strict=True)]
    views = views_of(readings, contexts, guesses, reader, data.lexicon)
    spotted = np.stack([data.spotter.spotted(data.spotter.scores(v.windows), v.normal) for v in views])
    answers = [
        Answer(frozenset(), frozenset(row["must"]), frozenset(row["may"]), _text(row.get("group")))  # type: ignore[call-overload]
        for row in rows
    ]
    inputs = [
        data.encoder.encode(v.normal, cues_by_word(r, v.normal.where), c)
        for v, r, c in zip(views, readings, contexts, strict=True)
    ]
    none = np.zeros((len(rows), 0), dtype=bool)
    return Corpus(readings, contexts, views, inputs, spotted, none, none, np.zeros(len(rows), dtype=np.int64), answers)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
