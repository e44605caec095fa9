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


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a posterior over configurations.

    Attributes:
        terms: term to probability, in vocabulary order.
        definitions: term to the definitions that prove it.
        facts: every fact's probability.
        asserted: facts that hold, or that a shown definition rests on.
        near_misses: term, probability, missing conditions.
        silence: the learned reason when no term applies.
        probabilities: every term's probability, whether it applies or not.
    """

    terms: Mapping[str, float]
    definitions: Mapping[str, tuple[TermDefinition, ...]]
    facts: Mapping[str, float]
    asserted: frozenset[str]
    near_misses: Sequence[tuple[str, float, tuple[str, ...]]]
    silence: str | None
    probabilities: Mapping[str, float]


def decide(
    posterior: NDArray[np.float64], model: Model, vocabulary: Vocabulary, threshold: float | None = None
) -> Decision:
    """Decide; ``threshold`` replaces the model's own for every term."""
    p_terms = posterior @ model.terms
    p_facts = posterior @ model.facts
    p_definitions = posterior @ model.definitions
    thresholds = model.manifest.thresholds
    chosen = {
        term: float(p)
        for term, p in zip(model.term_ids, p_terms, strict=True)
        if p >= (thresholds.get(term, 0.5) if threshold is None else threshold)
    }
    # Thresholds differ by term: what a chosen term implies comes with it.
    probability = dict(zip(model.term_ids, map(float, p_terms), strict=True))
    for term in tuple(chosen):
        for other in vocabulary.implied_by_term[term]:
            chosen.setdefault(other, probability[other])
    for left, right in vocabulary.exclusions:
        if left in chosen and right in chosen and not _together(posterior, model, left, right):
            _drop(left if chosen[left] < chosen[right] else right, chosen, vocabulary)
    chosen = {t: chosen[t] for t in model.term_ids if t in chosen}
    weight = dict(zip(model.definition_ids, map(float, p_definitions), strict=True))
    definitions = {term: _proofs(vocabulary.terms[term].definitions, weight, p) for term, p in chosen.items()}
    facts = dict(zip(model.fact_ids, map(float, p_facts), strict=True))
    needed = {f for ds in definitions.values() for d in ds for f in rests_on(d, facts)}
    asserted = vocabulary.close(needed) | {f for f, p in facts.items() if chosen and p >= 0.5}
    silence = None
    if not chosen:
        p_silence = posterior @ model.silences
        silence = model.silence_ids[int(p_silence.argmax())]
    held = asserted if chosen else frozenset(f for f, p in facts.items() if p >= 0.5)
    return Decision(
        chosen,
        definitions,
        facts,
        frozenset(asserted),
        _near_misses(probability, chosen, held, facts, vocabulary),
        silence,
        probability,
    )


def rests_on(definition: TermDefinition, facts: Mapping[str, float]) -> tuple[str, ...]:
    """The facts that meet a definition: all of ``all``, and the likeliest of each choice."""
    return (*definition.all, *(max(c, key=lambda f: facts.get(f, 0.0)) for c in definition.any))


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
    definitions: Sequence[TermDefinition], weight: Mapping[str, float], probability: float
) -> tuple[TermDefinition, ...]:
    """The definitions that hold in most of the ways in which the term does; at least the best."""
    best = max(definitions, key=lambda d: weight[d.id])
    return tuple(d for d in definitions if d is best or weight[d.id] >= 0.7 * probability)


def _near_misses(
    probability: Mapping[str, float],
    chosen: Mapping[str, float],
    held: frozenset[str],
    facts: Mapping[str, float],
    vocabulary: Vocabulary,
) -> list[tuple[str, float, tuple[str, ...]]]:
    found = []
    for term_id, term in vocabulary.terms.items():
        p = probability[term_id]
        if term_id in chosen or p < _NEAR:
            continue
        definition = min(term.definitions, key=lambda d: (len(d.missing(held)), d.id))
        missing = definition.missing(held)
        if not missing:
            # Each condition is likely by itself, but not all at once: name the doubtful one.
            missing = (min(rests_on(definition, facts), key=lambda f: facts[f]),)
        found.append((term_id, p, missing))
    found.sort(key=lambda n: -n[1])
    return found[:_MOST_NEAR_MISSES]
