"""The fewest facts that the definitions turn into exactly certain terms."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product

from ..errors import ScenarioError
from ..vocabulary import TermDefinition, Vocabulary
from .scenarios import clash


def smallest_facts(terms: Collection[str], vocabulary: Vocabulary) -> list[frozenset[str]]:
    """Arrangements, each a set of facts, that together give exactly ``terms``; one where one will do.

    Each term that no other brings along gets the fewest facts that prove it and nothing beyond ``terms``;
    arrangements are then put together as far as the definitions allow, and facts that prove nothing more are
    dropped.

    Raises:
        ScenarioError: when no facts give exactly these terms, as when a term lacks one that it implies.
    """
    wanted = frozenset(terms)
    order = {term: i for i, term in enumerate(vocabulary.terms)}
    brought = {other for term in wanted for other in vocabulary.implied_by_term[term]}
    groups: list[frozenset[str]] = []
    for term in sorted(wanted - brought, key=order.__getitem__):
        facts = _proof(term, wanted, vocabulary)
        for i, group in enumerate(groups):
            if _fit(group, facts, wanted, vocabulary):
                groups[i] = group | facts
                break
        else:
            groups.append(facts)
    if _all_terms(groups, vocabulary) != wanted:
        missing = brought - wanted
        raise ScenarioError(
            f"no facts give exactly {', '.join(sorted(wanted))}"
            + (f": these terms also bring {', '.join(sorted(missing))}" if missing else "")
        )
    return _pruned(groups, wanted, vocabulary)


def _proof(term: str, wanted: frozenset[str], vocabulary: Vocabulary) -> frozenset[str]:
    """The fewest facts that prove a term, and no term that is not wanted."""
    fitting = [
        facts
        for definition in vocabulary.terms[term].definitions
        for facts in _ways(definition)
        if not clash(vocabulary.close(facts)) and term in (found := vocabulary.terms_of(facts)) and found <= wanted
    ]
    if not fitting:
        raise ScenarioError(
            f"no facts prove {term} without further terms: {', '.join(sorted(wanted))} is not a set that the "
            "definitions allow; add the terms that it implies"
        )
    return min(fitting, key=lambda facts: (len(facts), sorted(facts)))


def _ways(definition: TermDefinition) -> Iterator[frozenset[str]]:
    for picks in product(*definition.any):
        yield frozenset((*definition.all, *picks))


def _fit(group: frozenset[str], facts: frozenset[str], wanted: frozenset[str], vocabulary: Vocabulary) -> bool:
    """Whether two arrangements may be one: nothing clashes, no term is lost, none comes that is not wanted."""
    both = group | facts
    if clash(vocabulary.close(both)):
        return False
    apart = vocabulary.terms_of(group) | vocabulary.terms_of(facts)
    return apart <= vocabulary.terms_of(both) <= wanted


def _all_terms(groups: Collection[frozenset[str]], vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset().union(*(vocabulary.terms_of(g) for g in groups))


def _pruned(groups: list[frozenset[str]], wanted: frozenset[str], vocabulary: Vocabulary) -> list[frozenset[str]]:
    for i in range(len(groups)):
        for fact in sorted(groups[i]):
            rest = [*groups[:i], groups[i] - {fact}, *groups[i + 1 :]]
            if _all_terms(rest, vocabulary) == wanted:
                groups = rest
    return [g for g in groups if g]
