"""From a decision to a tagging: what is told of it, whatever the model thinks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from classifier import Classifier
from classifier.answers import Answers
from classifier.decide import Decision
from classifier.normal import Context
from classifier.reading import Reading, load_reader
from classifier.tagging import Span, Tagging

TEXT = "Good news. A bureau in Lyon will keep our books. A firm in Pune used to answer our phones."


@pytest.fixture(scope="module")
def answers(classifier: Classifier) -> Answers:
    return Answers(classifier.model, classifier.vocabulary, load_reader().gazetteer)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return load_reader().read_many([TEXT], [None])[0]


def decided(
    classifier: Classifier, terms: Mapping[str, float], met_by: tuple[str, ...], silence: str | None = None
) -> Decision:
    vocabulary = classifier.vocabulary
    return Decision(
        terms=terms,
        proofs={term: [(vocabulary.terms[term].definitions[0], met_by)] for term in terms},
        facts=dict.fromkeys(vocabulary.facts, 0.123456),
        asserted=frozenset(met_by),
        near_misses=[("bpo", 0.123456, ("ongoing",))],
        silence=silence,
        probabilities=terms,
    )


def span(words: str, fact: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words), words, fact)


def told(
    answers: Answers, classifier: Classifier, reading: Reading, spans: Mapping[str, tuple[Span, ...]], **context: str
) -> Tagging:
    decision = decided(classifier, {"outsourcing": 0.98765, "ito": 0.7}, ("third-party",))
    return answers.assemble(reading, Context(**context), decision, spans)


def test_a_term_is_told_with_its_proof_and_the_words(
    answers: Answers, classifier: Classifier, reading: Reading
) -> None:
    words = span("A bureau", "third-party")
    found = told(answers, classifier, reading, {"third-party": (words,)})
    outsourcing, ito = found.terms
    definition = classifier.vocabulary.terms["outsourcing"].definitions[0]
    assert (outsourcing.id, outsourcing.probability, outsourcing.evidence) == ("outsourcing", 0.9877, (words,))
    assert [(d.id, d.met_by, d.citation.sha256) for d in outsourcing.definitions] == [
        (definition.id, ("third-party",), definition.source.sha256)
    ]
    # The other one implies it.
    assert (outsourcing.implied, ito.implied) == (True, False)
    assert (found.near_misses[0].probability, found.reason) == (0.1235, None)


def test_where_no_single_word_tells_the_first_sentence_stands_for_the_text(
    answers: Answers, classifier: Classifier, reading: Reading
) -> None:
    found = told(answers, classifier, reading, {"third-party": ()})
    assert [s.text for s in found.terms[0].evidence] == ["Good news."]


def test_a_fact_is_planned_when_all_its_words_are(answers: Answers, classifier: Classifier, reading: Reading) -> None:
    planned, not_planned = span("keep our books", "finance"), span("Good news", "finance")
    for spans, status in (((planned,), "planned"), ((planned, not_planned), "asserted"), ((), "asserted")):
        found = told(answers, classifier, reading, {"third-party": (), "finance": spans})
        assert {f.id: f.status for f in found.facts}["finance"] == status


def test_what_the_text_names_only_to_end_it_is_told_as_such(
    answers: Answers, classifier: Classifier, reading: Reading
) -> None:
    found = told(answers, classifier, reading, {"third-party": ()})
    ended = {
        f.id: (f.status, [s.text for s in f.evidence]) for f in found.facts if f.status not in ("asserted", "planned")
    }
    assert ended["customer-service"] == ("ended", ["phones"])


@pytest.mark.parametrize("silence", ["ended", None, "a reason of one's own"])
def test_silence_has_its_reason(
    answers: Answers, classifier: Classifier, reading: Reading, silence: str | None
) -> None:
    found = answers.assemble(reading, Context(), decided(classifier, {}, (), silence), {})
    assert found.reason is not None
    vocabulary = classifier.vocabulary
    wanted = {
        "ended": vocabulary.silences["ended"],
        None: vocabulary.other_silences["below-threshold"],
    }.get(silence, silence)
    assert (found.reason.id, found.reason.says) == (silence or "below-threshold", wanted)


def test_a_text_that_was_not_read_says_why(answers: Answers, classifier: Classifier) -> None:
    found = answers.silent("Nous faisons tout.", Context(home="FR"), "not-english")
    assert (found.home, found.terms, found.facts) == ("FR", (), ())
    assert found.reason is not None
    assert found.reason.says == classifier.vocabulary.other_silences["not-english"]
    assert dict(found.term_probabilities) == dict.fromkeys(classifier.vocabulary.terms, 0.0)
