"""What configurations come to under a vocabulary: facts, terms, definitions and reasons for silence, as arrays.

The same as :meth:`Vocabulary.close` and :meth:`Vocabulary.matching` say of each arrangement, for all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .vocabulary import Vocabulary

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A set of facts that an answer may consist of, arrangement by arrangement, or a reason for silence."""

    arrangements: tuple[frozenset[str], ...]
    silence: str | None
    log_prior: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Whether each thing is part of each configuration, bool arrays (configurations, ids in vocabulary order)."""

    facts: Bools
    terms: Bools
    definitions: Bools
    silences: Bools

    def of_labels(self, labels: Sequence[str], vocabulary: Vocabulary) -> Bools:
        """One row a label, bool array (labels, configurations); false throughout for a name that is none of them."""
        known: dict[str, Bools] = {}
        for names, found in (
            (vocabulary.facts, self.facts),
            (vocabulary.terms, self.terms),
            (vocabulary.silences, self.silences),
        ):
            known |= {name: found[:, i] for i, name in enumerate(names)}
        nothing = np.zeros(len(self.facts), dtype=bool)
        return np.stack([known.get(label, nothing) for label in labels])


def outcomes_of(configurations: Sequence[Configuration], vocabulary: Vocabulary) -> Outcomes:
    """Work out every configuration.

    Raises:
        VocabularyError: for a fact that the vocabulary lacks.
    """
    distinct = list(dict.fromkeys(a for c in configurations for a in c.arrangements))
    at = {fact: i for i, fact in enumerate(vocabulary.facts)}
    facts = np.zeros((len(distinct), len(at)), dtype=bool)
    for row, arrangement in enumerate(distinct):
        facts[row, [at[fact] for fact in vocabulary.close(arrangement)]] = True

    def any_of(names: Sequence[str]) -> Bools:
        return np.asarray(facts[:, [at[name] for name in names]].any(axis=1))

    definitions = np.zeros((len(distinct), len(vocabulary.definitions)), dtype=bool)
    terms = np.zeros((len(distinct), len(vocabulary.terms)), dtype=bool)
    term_at = {term: i for i, term in enumerate(vocabulary.terms)}
    for i, d in enumerate(vocabulary.definitions.values()):
        definitions[:, i] = facts[:, [at[name] for name in d.all]].all(axis=1) & ~any_of(d.none)
        for choice in d.any:
            definitions[:, i] &= any_of(choice)
        implied = [term_at[term] for term in vocabulary.implied_by_term[d.term]]
        terms[:, [term_at[d.term], *implied]] |= definitions[:, [i]]
    position = {arrangement: i for i, arrangement in enumerate(distinct)}
    part = [position[a] for c in configurations for a in c.arrangements]
    sizes = np.array([len(c.arrangements) for c in configurations], dtype=np.int64)
    silences = np.zeros((len(configurations), len(vocabulary.silences)), dtype=bool)
    reasons = {reason: i for i, reason in enumerate(vocabulary.silences)}
    for row, configuration in enumerate(configurations):
        if configuration.silence in reasons:
            silences[row, reasons[configuration.silence]] = True
    of_each = [_united(found[part], sizes) for found in (facts, terms, definitions)]
    return Outcomes(of_each[0], of_each[1], of_each[2], silences)


def _united(parts: Bools, sizes: NDArray[np.int64]) -> Bools:
    """What any arrangement of a configuration has, from the arrangements of all of them, one after another."""
    found = np.zeros((len(sizes), parts.shape[1]), dtype=bool)
    if len(parts):
        some = sizes > 0
        found[some] = np.logical_or.reduceat(parts, (np.cumsum(sizes) - sizes)[some], axis=0)
    return found
