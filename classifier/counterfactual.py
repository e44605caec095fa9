"""Why a term does not apply, and the smallest change of facts that would make it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from .tagging import Tagging
from .vocabulary import TermDefinition, Vocabulary

# Facts that cannot hold together in one arrangement: adding one takes the others away.
_RIVALS = (
    frozenset({"same-country", "another-country"}),
    frozenset({"nearby-country", "distant-country"}),
    frozenset({"third-party", "own-unit"}),
    frozenset({"third-party", "own-employees"}),
)


@dataclass(frozen=True, slots=True)
class DefinitionGap:
    """What one definition lacks: facts that are missing, and facts that stand in its way."""

    definition: str
    missing: tuple[str, ...]
    contradicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The answer to "why not this term?".

    ``add`` and ``remove`` are the smallest change of facts that would make the term apply, and
    ``then`` the terms that would apply after it; all empty when the term applies already.
    """

    term: str
    applies: bool
    probability: float | None
    gaps: tuple[DefinitionGap, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    then: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "term": self.term,
            "applies": self.applies,
            "probability": self.probability,
            "gaps": [
                {"definition": g.definition, "missing": list(g.missing), "contradicted": list(g.contradicted)}
                for g in self.gaps
            ],
            "add": list(self.add),
            "remove": list(self.remove),
            "then": list(self.then),
        }


def why_not(tagging: Tagging, term: str, vocabulary: Vocabulary) -> Counterfactual:
    """Explain why ``term`` (its id, label or another name) is not among the tags, over the facts that the text asserts.

    Raises:
        InputError: for an unknown term.
    """
    term = vocabulary.find_term(term).id
    given = next((t for t in tagging.terms if t.id == term), None)
    near = next((n for n in tagging.near_misses if n.id == term), None)
    if given is not None:
        return Counterfactual(term, True, given.probability, (), (), (), ())
    facts = vocabulary.close(
        f.id for f in tagging.facts if f.status in ("asserted", "planned") and f.id in vocabulary.facts
    )
    gaps = tuple(_gap(d, facts) for d in vocabulary.terms[term].definitions)
    changes = [change for d in vocabulary.terms[term].definitions for change in _changes(d, facts, vocabulary)]
    add, remove = min(changes, key=lambda c: (len(c[0]) + len(c[1]), len(c[1]), c))
    after = vocabulary.terms_of((facts - set(remove)) | set(add))
    then = tuple(t for t in vocabulary.terms if t in after)
    return Counterfactual(term, False, near.probability if near else None, gaps, add, remove, then)


def _gap(definition: TermDefinition, facts: Collection[str]) -> DefinitionGap:
    lacks = definition.missing(facts)
    return DefinitionGap(
        definition.id,
        tuple(c for c in lacks if not c.startswith("not ")),
        tuple(c.removeprefix("not ") for c in lacks if c.startswith("not ")),
    )


def _changes(
    definition: TermDefinition, facts: frozenset[str], vocabulary: Vocabulary
) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ways to meet a definition: facts to add, and facts to remove with all that imply them."""
    needed = [f for f in definition.all if f not in facts]
    choices = [c for c in definition.any if not any(f in facts for f in c)]
    for picks in product(*choices):
        wanted = vocabulary.close([*needed, *picks])
        unwanted = set(definition.none)
        for rivals in _RIVALS:
            if rivals & wanted:
                unwanted |= rivals - wanted
        removed = {f for f in facts - wanted if vocabulary.close([f]) & unwanted}
        if not wanted & set(definition.none):
            # What an added fact implies needs no mention of its own.
            implied = {i for f in (*needed, *picks) for i in vocabulary.close([f]) if i != f}
            add = [f for f in dict.fromkeys([*needed, *picks]) if f not in implied]
            yield tuple(sorted(add)), tuple(sorted(removed))
