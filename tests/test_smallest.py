from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ScenarioError
from classifier.training.scenarios import clash
from classifier.training.smallest import smallest_facts
from classifier.vocabulary import Vocabulary, load_vocabulary

TERMS = sorted(load_vocabulary().terms)


def closed(terms: set[str], vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset(terms).union(*(vocabulary.implied_by_term[t] for t in terms))


@given(st.sets(st.sampled_from(TERMS), min_size=1, max_size=9))
def test_any_closed_set_of_terms_has_facts_that_give_exactly_it(terms: set[str]) -> None:
    vocabulary = load_vocabulary()
    wanted = closed(terms, vocabulary)
    found = smallest_facts(wanted, vocabulary)
    assert frozenset().union(*(vocabulary.terms_of(facts) for facts in found)) == wanted
    assert not any(clash(vocabulary.close(facts)) for facts in found)
    # Nothing is there for nothing.
    for i, facts in enumerate(found):
        for fact in facts:
            rest = [*found[:i], facts - {fact}, *found[i + 1 :]]
            assert frozenset().union(*(vocabulary.terms_of(f) for f in rest)) != wanted


@pytest.mark.parametrize(
    ("terms", "facts"),
    [
        ({"outsourcing"}, [{"third-party"}]),
        ({"outsourcing", "ito", "bpo"}, [{"third-party", "it", "ongoing"}]),
        ({"offshoring"}, [{"another-country"}]),
        ({"outsourcing", "homeshoring", "homeshoring-not-outsourcing"}, [{"third-party"}, {"own-employees", "worker-home"}]),
    ],
)  # fmt: skip
def test_few_facts_are_enough(terms: set[str], facts: list[set[str]], vocabulary: Vocabulary) -> None:
    assert [set(f) for f in smallest_facts(terms, vocabulary)] == facts


def test_a_set_that_no_facts_give_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ScenarioError, match="add the terms that it implies"):
        smallest_facts({"bpo"}, vocabulary)
