"""Texts with all that a way of answering may look at, for the comparison in :mod:`.rivals`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..keys import Symbols
from ..lexicon import Lexicon
from ..net import Encoder
from ..normal import Context
from ..reading import Reader, Reading
from ..spotter import probabilities, summaries
from ..vocabulary import Vocabulary
from .fit import Prepared
from .lessons import Lesson
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
    lessons: Sequence[Lesson]
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
            [*self.lessons, *other.lessons],
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
            [self.lessons[i] for i in at],
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
    symbols: Symbols

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
        data.readings, contexts, data.views, data.lessons, data.spotted, data.Y, data.taught, data.folds, answers
    )


def test_corpus(data: Prepared, rows: Sequence[Mapping[str, object]], reader: Reader) -> Corpus:
    """Labelled descriptions from elsewhere (``must`` and ``may``) as a corpus."""
    contexts = [
        Context(_text(row.get("home")), _text(row.get("provider_country")), bool(row.get("vendor_contract")))
        for row in rows
    ]
    readings = reader.read_many([str(row["text"]) for row in rows], [c.home for c in contexts])
    guesses = [data.roles.guess(r, c) for r, c in zip(readings, contexts, strict=True)]
    views = views_of(readings, contexts, guesses, reader.gazetteer, data.words)
    spotted = []
    for reading, context, view in zip(readings, contexts, views, strict=True):
        p = probabilities(data.spotter.scores([reading], [context], view.normal, view.at))
        spotted.append(data.spotter.spotted(summaries(p, view.normal, view.at)))
    answers = [
        Answer(frozenset(), frozenset(row["must"]), frozenset(row["may"]), _text(row.get("group")))  # type: ignore[call-overload]
        for row in rows
    ]
    none, folds = np.zeros((len(rows), 0), dtype=bool), np.zeros(len(rows), dtype=np.int64)
    lessons = []
    for reading, context, view in zip(readings, contexts, views, strict=True):
        (text,) = data.encoder.encode([reading], [context], view.normal)
        lessons.append(Lesson(text, none[0], none[0], none[:0], none[:0]))
    return Corpus(readings, contexts, views, lessons, np.concatenate(spotted), none, none, folds, answers)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
