from __future__ import annotations

import pytest

from classifier.counterfactual import why_not
from classifier.errors import InputError
from classifier.tagging import Fact, ModelInfo, Tagging
from classifier.vocabulary import Vocabulary


def tagging(facts: str) -> Tagging:
    found = tuple(Fact(f, "asserted", 0.9, ()) for f in facts.split())
    return Tagging("x", None, (), found, (), None, ModelInfo("0", "0"))


# facts, term, what to add, what to remove
CHANGES = [
    ("third-party finance ongoing", "onshoring", "same-country", ""),
    ("third-party another-country", "onshoring", "same-country", "another-country"),
    ("third-party another-country it", "nearshoring", "nearby-country", ""),
    ("third-party distant-country it", "nearshoring", "nearby-country", "distant-country"),
    ("third-party another-country", "offshoring-not-outsourcing", "own-unit", "third-party"),
    ("own-employees worker-home", "outsourcing", "third-party", "own-employees"),
    ("third-party client-directs", "eor", "intermediary-employs", ""),
    ("", "microsourcing", "freelancer small-task", ""),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "term", "add", "remove"), CHANGES)
def test_the_smallest_change(vocabulary: Vocabulary, facts: str, term: str, add: str, remove: str) -> None:
    found = why_not(tagging(facts), term, vocabulary)
    assert not found.applies
    assert (" ".join(found.add), " ".join(found.remove)) == (add, remove)
    assert term in found.then


@pytest.mark.parametrize(
    "facts", ["", "third-party", "own-unit another-country", "freelancer small-task", "worker-home"]
)
def test_every_term_can_be_reached_from_anywhere(vocabulary: Vocabulary, facts: str) -> None:
    for term in vocabulary.terms:
        found = why_not(tagging(facts), term, vocabulary)
        assert term in found.then, (facts, term, found)


def test_gaps_name_what_is_missing_and_what_is_in_the_way(vocabulary: Vocabulary) -> None:
    found = why_not(tagging("third-party provider-employs client-directs client-premises"), "staff-leasing", vocabulary)
    assert found.gaps[0].missing == ("dedicated",)
    assert found.gaps[0].contradicted == ("client-premises",)


def test_an_unknown_term_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(InputError, match="classify terms"):
        why_not(tagging(""), "magic", vocabulary)


@pytest.mark.parametrize("name", ["eor", "EOR", "Employer of record"])
def test_a_term_goes_by_all_its_names(name: str, vocabulary: Vocabulary) -> None:
    assert why_not(tagging(""), name, vocabulary).term == "eor"
