from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import VocabularyError
from classifier.vocabulary import DATA, Vocabulary, load_vocabulary, parse_vocabulary

# Every (term, document) pair that needs a definition.
PAIRS = {
    "outsourcing": "D0 D1 D2 D3 D4", "offshoring": "D0 D1 D3 D4", "offshore-outsourcing": "D3 D4",
    "offshoring-not-outsourcing": "D4", "nearshoring": "D1", "onshoring": "D1 D3", "homeshoring": "D0",
    "homeshoring-not-outsourcing": "D0", "bpo": "D0 D1 D2 D3", "global-bpo": "D0",
    "front-office-outsourcing": "D0 D3", "back-office-outsourcing": "D0 D3",
    "customer-service-outsourcing": "D2 D3", "accounting-outsourcing": "D2", "ito": "D1 D2 D3",
    "managed-services": "D2", "kpo": "D1", "professional-outsourcing": "D1", "process-specific-outsourcing": "D1",
    "project-outsourcing": "D1 D2", "manufacturing-outsourcing": "D0 D1", "multisourcing": "D1",
    "microsourcing": "D1", "staff-augmentation": "D1 D2", "staff-leasing": "D1", "eor": "D1",
}  # fmt: skip
NOT_OUTSOURCING = {
    "outsourcing",
    "offshoring",
    "offshoring-not-outsourcing",
    "homeshoring",
    "homeshoring-not-outsourcing",
}
TEXT = (DATA / "vocabulary.toml").read_text(encoding="utf-8")

TERMS_OF = [
    ("third-party", "outsourcing"),
    ("third-party finance client-premises individuals", "outsourcing onshoring staff-augmentation accounting-outsourcing"),
    ("own-unit distant-country customer-service ongoing", "offshoring offshoring-not-outsourcing"),
    ("worker-home own-employees", "homeshoring homeshoring-not-outsourcing"),
    ("worker-home third-party customer-service", "homeshoring outsourcing customer-service-outsourcing"),
    ("worker-home another-country", "offshoring"),
    ("third-party nearby-country it project", "outsourcing offshoring offshore-outsourcing nearshoring ito project-outsourcing"),
    ("freelancer small-task", "outsourcing microsourcing"),
    ("intermediary-employs", "outsourcing eor"),
    ("provider-employs dedicated client-directs", "outsourcing staff-leasing"),
    ("provider-employs dedicated client-directs client-premises individuals", "outsourcing onshoring staff-augmentation"),
    ("third-party manufacturing ongoing distant-country", "outsourcing bpo manufacturing-outsourcing offshoring offshore-outsourcing"),
    ("own-employees", ""),
    ("third-party site-service ongoing same-country", "outsourcing onshoring"),
]  # fmt: skip


def test_every_term_has_a_definition_for_each_of_its_documents(vocabulary: Vocabulary) -> None:
    assert {t.id: " ".join(d.source.document.id for d in t.definitions) for t in vocabulary.terms.values()} == PAIRS


def test_every_citation_is_complete(vocabulary: Vocabulary) -> None:
    for definition in vocabulary.definitions.values():
        assert re.fullmatch(r"[0-9a-f]{64}", definition.source.sha256), definition.id
        assert definition.source.paragraph >= 1
        assert definition.says.endswith(".")


def test_all_but_five_terms_imply_outsourcing(vocabulary: Vocabulary) -> None:
    for term in vocabulary.terms:
        assert ("outsourcing" in vocabulary.implied_by_term[term]) == (term not in NOT_OUTSOURCING), term


@pytest.mark.parametrize(("facts", "terms"), TERMS_OF)
def test_terms_follow_from_facts(vocabulary: Vocabulary, facts: str, terms: str) -> None:
    assert vocabulary.terms_of(facts.split()) == frozenset(terms.split())


@given(st.data())
def test_terms_are_closed_and_respect_exclusions_for_any_facts(data: st.DataObject) -> None:
    vocabulary = load_vocabulary()
    facts = data.draw(st.sets(st.sampled_from(sorted(vocabulary.facts)), max_size=8))
    terms = vocabulary.terms_of(facts)
    for term in terms:
        assert vocabulary.implied_by_term[term] <= terms
    closed = vocabulary.close(facts)
    contradictory = {"same-country", "another-country"} <= closed
    for left, right in vocabulary.exclusions:
        if not contradictory:
            assert not {left, right} <= terms, (left, right, facts)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format = 1", "format = 2", "format 2"),
        ('all = ["third-party"]', 'all = ["fourth-party"]', "unknown facts: fourth-party"),
        ('all = ["another-country"]', "all = []", "no condition in `all`"),
        ('implies = ["third-party"]', 'implies = ["nobody"]', "implies unknown facts"),
        ('none = ["third-party"]', 'none = ["another-country"]', "can never match"),
        ('implies = ["homeshoring"]', 'implies = ["offshoring"]', "do not prove"),
        ('terms = ["onshoring", "offshoring"]', 'terms = ["onshoring", "outsourcing"]', "one implies the other"),
        ('term = "eor"\nimplies = ["outsourcing"]', 'term = "eor"\nimplies = ["insourcing"]', "unknown term"),
        ('document = "D0"', 'document = "D9"', "unknown document"),
        ("format = 1", "format = ", "vocabulary"),
        ('label = "Outsourcing"', "", "KeyError"),
        ('none = ["third-party"]', 'nonee = ["third-party"]', "nonee is not known"),
        ('[[term]]\nid = "offshoring"', '[[term]]\nid = "outsourcing"', "outsourcing stands twice"),
    ],
)
def test_a_broken_vocabulary_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(VocabularyError, match=re.escape(message)):
        parse_vocabulary(TEXT.replace(old, new, 1))


def test_missing_names_conditions(vocabulary: Vocabulary) -> None:
    definition = vocabulary.definitions["staff-leasing/D1"]
    closed = vocabulary.close(["provider-employs", "client-premises"])
    assert definition.missing(closed) == ("dedicated", "client-directs", "not client-premises")


def test_an_unreadable_vocabulary_says_so(tmp_path: object) -> None:
    with pytest.raises(VocabularyError, match="Give the path"):
        load_vocabulary(DATA / "no-such-file.toml")
