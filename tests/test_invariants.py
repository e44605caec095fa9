"""What is true of every answer, whatever the text: sentences on the subject, random Unicode, and both mixed.

One function an invariant; :func:`assert_all` tries them all on an answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Classifier, Tagging, load
from classifier.decide import decide
from classifier.vocabulary import Vocabulary

# ---------------------------------------------------------------- the texts

CLIENTS = [
    "our company",
    "we",
    "a bakery in Leeds",
    "the New York office",
    "they",
    "Wanjiru Ltd of Nairobi",
    "my firm",
    "",
]
PROVIDERS = ["a vendor in Manila", "our own staff", "a firm next door", "two agencies", "our subsidiary in Cracow", "a freelancer",
             "an employer of record", "nobody", "a contractor", "the caretaker's brother", "a law firm in Mumbai", "an AI"]  # fmt: skip
LINKS = [
    "runs",
    "no longer runs",
    "might run",
    "does not run",
    "took over",
    "answers for",
    "makes",
    "keeps",
    "will keep",
    "is",
    "and",
    "or",
]
WORK = ["the help desk", "payroll", "the books", "software", "calls from customers", "one logo", "all cleaning", "shampoo",
        "market research", "a project until June", "two welders on-site", "agents working from home", "goods", "contracts"]  # fmt: skip
ENDS = [
    ".",
    "?",
    ";",
    ", but not in Mexico.",
    " every month.",
    " by contract.",
    "\n\n",
    " -",
    "!!",
    " (in Ohio)",
    ' "as agreed".',
    "",
]

sentences = st.builds(
    lambda c, p, v, w, e, n: (f"{p} {v} {w} for {c}{e}" if n else f"{w} of {c}: {v} by {p}{e}"),
    st.sampled_from(CLIENTS), st.sampled_from(PROVIDERS), st.sampled_from(LINKS), st.sampled_from(WORK), st.sampled_from(ENDS),
    st.booleans(),
)  # fmt: skip
# Anything, with what has a way of breaking programs more often than chance would have it.
ODD = [
    "\ud800",
    "\udfff",
    "\x00",
    "\u202e",
    "\u0301",
    "🙂",
    "🇵🇭",
    "\ufeff",
    "\u2028",
    "\r",
    "ﬁ",
    "İ",
    "ẞ",
    "Ⅷ",
    "１",
    "نص",
    "שלום",
    "\u00ad",
    "\U0010ffff",
]
unicode_text = st.lists(st.one_of(st.text(max_size=40), st.sampled_from(ODD)), max_size=12).map("".join)
on_the_subject = st.lists(sentences, min_size=1, max_size=6).map(" ".join)
mixed = st.lists(st.one_of(sentences, unicode_text), min_size=1, max_size=6).map(" ".join)
contexts = st.fixed_dictionaries(
    {
        "home": st.sampled_from([None, None, "US", "GB", "KE", "Philippines"]),
        "provider_country": st.sampled_from([None, None, "MX", "US", "PH"]),
        "vendor_contract": st.booleans(),
        "threshold": st.sampled_from([None, None, 0.01, 0.3, 0.97, 1.0]),
    }
)

# ---------------------------------------------------------------- the invariants


@dataclass(frozen=True)
class Answer:
    """An answer and all that it is judged by."""

    text: str
    tagging: Tagging
    vocabulary: Vocabulary
    posterior: Any  # of each configuration, or None where the model was not asked
    classifier: Classifier

    @property
    def held(self) -> set[str]:
        return {f.id for f in self.tagging.facts if f.status in ("asserted", "planned")}


def closed_under_implication(a: Answer) -> None:
    for term in a.tagging.ids:
        assert a.vocabulary.implied_by_term[term] <= set(a.tagging.ids)


def exclusions_hold_unless_two_arrangements(a: Answer) -> None:
    for left, right in a.vocabulary.exclusions:
        if left in a.tagging.ids and right in a.tagging.ids:
            assert _weight_of_two_arrangements(a.posterior, a.classifier, left, right) >= 0.3


def every_tag_has_its_reason(a: Answer) -> None:
    for term in a.tagging.terms:
        assert term.evidence or term.given
        assert term.definitions
        assert term.label == a.vocabulary.terms[term.id].label
    assert bool(a.tagging.terms) != bool(a.tagging.reason)


def every_cited_condition_is_a_fact_held(a: Answer) -> None:
    for term in a.tagging.terms:
        for definition in term.definitions:
            known = a.vocabulary.definitions[definition.id]
            assert known.term == term.id
            assert set(known.all) <= set(definition.met_by) <= a.held
            for choice in known.any:
                assert set(choice) & set(definition.met_by)


def every_citation_resolves(a: Answer) -> None:
    files = {d.file: d for d in a.vocabulary.documents.values()}
    for term in a.tagging.terms:
        for definition in term.definitions:
            citation, source = definition.citation, a.vocabulary.definitions[definition.id].source
            assert files[citation.document] == source.document
            assert citation.title == source.document.title
            assert (citation.section, citation.paragraph) == (source.section, source.paragraph)
            assert citation.sha256 == source.sha256
            assert definition.says == a.vocabulary.definitions[definition.id].says


def offsets_point_at_the_quoted_words(a: Answer) -> None:
    assert a.tagging.text == a.text
    spans = [s for f in a.tagging.facts for s in f.evidence] + [s for t in a.tagging.terms for s in t.evidence]
    for span in spans:
        assert 0 <= span.start < span.end <= len(a.text)
        assert a.text[span.start : span.end] == span.text
        assert span.fact in a.vocabulary.facts or span.fact == "goods"


def numbers_are_probabilities(a: Answer) -> None:
    for row in (*a.tagging.terms, *a.tagging.facts, *a.tagging.near_misses):
        assert 0.0 <= row.probability <= 1.0


def near_misses_missed(a: Answer) -> None:
    for miss in a.tagging.near_misses:
        assert miss.id not in a.tagging.ids
        assert miss.missing


def the_wire_format_goes_both_ways(a: Answer) -> None:
    assert Tagging.from_dict(json.loads(json.dumps(a.tagging.to_dict()))) == a.tagging


INVARIANTS: tuple[Callable[[Answer], None], ...] = (
    closed_under_implication,
    exclusions_hold_unless_two_arrangements,
    every_tag_has_its_reason,
    every_cited_condition_is_a_fact_held,
    every_citation_resolves,
    offsets_point_at_the_quoted_words,
    numbers_are_probabilities,
    near_misses_missed,
    the_wire_format_goes_both_ways,
)


def _weight_of_two_arrangements(posterior: Any, classifier: Classifier, left: str, right: str) -> float:
    """How likely it is that the text has several arrangements, of which each term has one of its own."""
    total = 0.0
    for weight, configuration in zip(np.ravel(posterior), classifier.model.configurations, strict=True):
        terms = [classifier.vocabulary.terms_of(facts) for facts in configuration.arrangements]
        apart = any(
            left in one and right in other for i, one in enumerate(terms) for j, other in enumerate(terms) if i != j
        )
        total += float(weight) if apart else 0.0
    return total


@pytest.fixture(autouse=True, scope="module")
def asked() -> Iterator[list[Any]]:
    """The posterior over configurations that each answer was decided from."""
    found: list[Any] = []

    def spy(posterior: Any, *args: Any, **more: Any) -> Any:
        found.append(posterior)
        return decide(posterior, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classifier.engine.decide", spy)
        yield found


def assert_all(asked: list[Any], text: str, **context: Any) -> Tagging:
    classifier = load()
    asked.clear()
    tagging = classifier.tag(text, **context)
    answer = Answer(text, tagging, classifier.vocabulary, asked[-1] if asked else None, classifier)
    for holds in INVARIANTS:
        holds(answer)
    return tagging


# ---------------------------------------------------------------- the tests


@given(on_the_subject, contexts)
def test_texts_on_the_subject(asked: list[Any], text: str, context: dict[str, Any]) -> None:
    assert_all(asked, text, **context)


@given(unicode_text, contexts)
def test_any_text(asked: list[Any], text: str, context: dict[str, Any]) -> None:
    assert_all(asked, text, **context)


@given(mixed, contexts)
def test_texts_on_the_subject_with_anything_between(asked: list[Any], text: str, context: dict[str, Any]) -> None:
    assert_all(asked, text, **context)


@settings(max_examples=20)
@given(st.lists(mixed, min_size=2, max_size=4), contexts)
def test_the_same_text_gives_the_same_bytes(texts: list[str], context: dict[str, Any]) -> None:
    """Again, and beside other texts; what is rounded in the wire format, too."""

    def told(tagging: Tagging) -> tuple[Any, ...]:
        return json.dumps(tagging.to_dict()), tagging.term_probabilities, tagging.fact_probabilities

    classifier = load()
    alone = [told(classifier.tag(text, **context)) for text in texts]
    assert list(map(told, classifier.tag_many(texts, **context))) == alone
    assert list(map(told, classifier.tag_many(texts[::-1], **context))) == alone[::-1]


SAME_EVERYWHERE = """
import json, sys
from classifier import load
for text in json.load(sys.stdin):
    print(json.dumps(load().tag(text, home="US").to_dict()))
"""


def test_another_process_gives_the_same_bytes() -> None:
    """Whatever the order of its sets, which the hash seed decides."""
    texts = [
        f"{p} {LINKS[n % 5]} {WORK[n]}{ENDS[n % 8]} {c}"
        for n, (p, c) in enumerate(zip(PROVIDERS, CLIENTS * 2, strict=False))
    ]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SAME_EVERYWHERE], input=json.dumps(texts).encode(), capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "77")
    }  # fmt: skip
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == len(texts)


@given(st.data())
def test_a_decision_is_consistent_for_any_posterior(data: st.DataObject) -> None:
    """Not only for what the model makes of texts: any weights on any few configurations."""
    classifier = load()
    model, vocabulary = classifier.model, classifier.vocabulary
    count = len(model.configurations)
    chosen = data.draw(st.dictionaries(st.integers(0, count - 1), st.integers(1, 100), min_size=1, max_size=6))
    posterior = np.zeros(count)
    for n, weight in chosen.items():
        posterior[n] = weight
    posterior /= posterior.sum()
    (decision,) = decide(posterior[None], model, vocabulary, data.draw(st.sampled_from([None, 0.05, 0.5])))
    for term in decision.terms:
        assert vocabulary.implied_by_term[term] <= decision.terms.keys()
    for left, right in vocabulary.exclusions:
        if left in decision.terms and right in decision.terms:
            assert _weight_of_two_arrangements(posterior, classifier, left, right) >= 0.3
    # A reason for silence is given where silence is likely, and then no term.
    silent = float(posterior @ model.silences.sum(axis=1))
    if decision.silence is not None:
        assert not decision.terms
        assert silent > 0.49
    else:
        assert decision.terms or silent < 0.51
    for term, _, missing in decision.near_misses:
        assert term not in decision.terms
        assert missing


# Long texts that someone might send to see what happens. Time is not asserted: each has a size that a slow core reads in
# a few seconds. A run without white space costs its tokeniser time with the square of its length, so those are short.
HOSTILE = {
    "one letter": ("a", 1_000_000),
    "line ends": ("\n", 1_000_000),
    "full stops": (". ", 60_000),
    "nulls": ("\0", 100_000),
    "digits": ("1", 100_000),
    "brackets": ("([{", 2_000),
    "closing brackets": (")", 2_000),
    "quotes": ("\"'", 2_000),
    "faces": ("🙂", 2_000),
    "accents": ("e\u0301", 100_000),
    "place names": ("Manila ", 25_000),
    "place names in sentences": ("Manila and Leeds and Texas in India. ", 25_000),
    "capitals": ("VENDOR INDIA ", 25_000),
    "hyphens": ("vendor-", 25_000),
    "denials": ("not ", 25_000),
    "second thoughts": ("considering whether maybe ", 25_000),
    "sentences": ("A vendor in Manila answers our calls. ", 25_000),
    "addresses": ("http://a.b/c?d=e&", 10_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_long_hostile_texts_are_answered(asked: list[Any], name: str) -> None:
    piece, size = HOSTILE[name]
    text = (piece * (size // len(piece) + 1))[:size]
    tagging = assert_all(asked, text, home="US")
    assert len(tagging.text) == size
