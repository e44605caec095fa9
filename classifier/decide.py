"""From probabilities to consistent terms: which apply, which definitions prove them, what nearly applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .vocabulary import TermDefinition, Vocabulary

_MOST_NEAR_MISSES = 3
_NEAR = 0.08
# How likely all reasons for silence together must be for one of them to be given.
_SILENT = 0.5


Proof = tuple[TermDefinition, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a posterior over configurations.

    Attributes:
        terms: term to probability, in vocabulary order.
        proofs: term to the definitions that prove it, each with the facts that meet it.
        facts: every fact's probability.
        asserted: facts that hold, or that a shown definition rests on.
        near_misses: term, probability, missing conditions.
        silence: the learned reason when no term applies; None when one does, or when silence is unlikely, too.
        probabilities: every term's probability, whether it applies or not.
    """

    terms: Mapping[str, float]
    proofs: Mapping[str, Sequence[Proof]]
    facts: Mapping[str, float]
    asserted: frozenset[str]
    near_misses: Sequence[tuple[str, float, tuple[str, ...]]]
    silence: str | None
    probabilities: Mapping[str, float]


def decide(
    posterior: NDArray[np.float64], model: Model, vocabulary: Vocabulary, threshold: float | None = None
) -> list[Decision]:
    """Decide on texts.

    Args:
        posterior: probabilities, float64 array (texts, configurations).
        model: whose configurations they are.
        vocabulary: the definitions.
        threshold: replaces the model's own for every term.
    """
    thresholds = model.manifest.thresholds
    least = [thresholds.get(term, 0.5) if threshold is None else threshold for term in model.term_ids]
    p_facts, p_terms, p_definitions, p_silences = model.marginals(posterior)
    chosen = [np.flatnonzero(row).tolist() for row in p_terms >= least]
    # Where silence is not likely either, a threshold keeps the terms back, not one of the learned reasons.
    silences = [model.silence_ids[int(p.argmax())] if p.sum() >= _SILENT else None for p in p_silences]
    rows = zip(posterior, p_facts.tolist(), p_terms.tolist(), p_definitions.tolist(), chosen, silences, strict=True)
    found = []
    for weights, facts, terms, definitions, some, silence in rows:
        probability = dict(zip(model.term_ids, terms, strict=True))
        fact = dict(zip(model.fact_ids, facts, strict=True))
        likely = frozenset([f for f, p in fact.items() if p >= 0.5])
        if not some:
            near = _near_misses(probability, {}, likely, fact, vocabulary)
            found.append(Decision({}, {}, fact, frozenset(), near, silence, probability))
            continue
        kept = _consistent([model.term_ids[i] for i in some], probability, weights, model, vocabulary)
        weight = dict(zip(model.definition_ids, definitions, strict=True))
        proofs = {term: _proofs(vocabulary.terms[term].definitions, weight, p, fact) for term, p in kept.items()}
        asserted = vocabulary.close({f for some in proofs.values() for _, met_by in some for f in met_by}) | likely
        near = _near_misses(probability, kept, asserted, fact, vocabulary)
        found.append(Decision(kept, proofs, fact, asserted, near, None, probability))
    return found


def _consistent(
    terms: Sequence[str],
    probability: Mapping[str, float],
    posterior: NDArray[np.float64],
    model: Model,
    vocabulary: Vocabulary,
) -> dict[str, float]:
    """The terms with what they imply and without what they exclude, in vocabulary order."""
    chosen = {term: probability[term] for term in terms}
    # Thresholds differ by term: what a chosen term implies comes with it.
    for term in terms:
        for other in vocabulary.implied_by_term[term]:
            chosen.setdefault(other, probability[other])
    for left, right in vocabulary.exclusions:
        if left in chosen and right in chosen and not _together(posterior, model, left, right):
            _drop(left if chosen[left] < chosen[right] else right, chosen, vocabulary)
    return {t: p for t, p in probability.items() if t in chosen}


def _rests_on(definition: TermDefinition, facts: Mapping[str, float]) -> tuple[str, ...]:
    """The facts that meet a definition: all of ``all``, and the likeliest of each choice."""
    if not definition.any:
        return definition.all
    return (*definition.all, *[max(choice, key=facts.__getitem__) for choice in definition.any])


def _together(posterior: NDArray[np.float64], model: Model, left: str, right: str) -> bool:
    """Whether the text may well describe several arrangements that carry one term each."""
    both = model.terms[:, model.term_ids.index(left)] * model.terms[:, model.term_ids.index(right)]
    return float(posterior @ both) >= 0.35


def _drop(term: str, chosen: dict[str, float], vocabulary: Vocabulary) -> None:
    """Remove a term and every term that would bring it back."""
    for other in tuple(chosen):
        if other == term or term in vocabulary.implied_by_term[other]:
            del chosen[other]


def _proofs(
    definitions: Sequence[TermDefinition], weight: Mapping[str, float], probability: float, facts: Mapping[str, float]
) -> list[Proof]:
    """The definitions that hold in most of the ways in which the term does; at least the best."""
    best = max(definitions, key=lambda d: weight[d.id])
    least = 0.7 * probability
    return [(d, _rests_on(d, facts)) for d in definitions if d is best or weight[d.id] >= least]


def _near_misses(
    probability: Mapping[str, float],
    chosen: Mapping[str, float],
    held: frozenset[str],
    facts: Mapping[str, float],
    vocabulary: Vocabulary,
) -> list[tuple[str, float, tuple[str, ...]]]:
    near = [(term, p) for term, p in probability.items() if p >= _NEAR and term not in chosen]
    near.sort(key=lambda n: -n[1])
    found = []
    for term, p in near[:_MOST_NEAR_MISSES]:
        lacks = {d.id: d.missing(held) for d in vocabulary.terms[term].definitions}
        definition = min(vocabulary.terms[term].definitions, key=lambda d: (len(lacks[d.id]), d.id))
        # Where each condition is likely by itself, but not all at once, the doubtful one is named.
        missing = lacks[definition.id] or (min(_rests_on(definition, facts), key=facts.__getitem__),)
        found.append((term, p, missing))
    return found
