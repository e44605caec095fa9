from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier, load
from classifier.errors import InputError

# The arrangements that the program must get right, as they are typed.
STATED = [
    ("our accountant sends a bookkeeper on-site", "staff-augmentation onshoring outsourcing accounting-outsourcing", ""),
    ("US firm uses home-based US agents", "homeshoring", "offshoring"),
    (
        "the same firm has call center agents in India, hired through a vendor there",
        "offshoring offshore-outsourcing outsourcing customer-service-outsourcing", "onshoring",
    ),
    ("a captive unit in India serves its US parent", "offshoring offshoring-not-outsourcing", "outsourcing"),
    ("a New York company whose help desk is run by a firm in Texas", "onshoring ito outsourcing", "offshoring"),
    ("garbage collected weekly by a contractor", "outsourcing", "offshoring"),
]  # fmt: skip

ODD = [
    "", "   \n\t ", "🙂🙃 🚀", "שלום עולם זה טקסט בעברית על חברה", "\x00\x01\x02 vendor \x7f", "a" * 5000, "((((" * 500,
    "Yrityksemme kirjanpidon hoitaa ulkopuolinen tilitoimisto Tampereella joka kuukausi.", "\ud800 vendor",
    "vendor " * 3000, "India " * 3000, "\u202e vendor in Manila", "١٢٣ ٤٥٦",
]  # fmt: skip


@pytest.mark.parametrize(("text", "must", "not_"), STATED)
def test_stated_arrangements(classifier: Classifier, text: str, must: str, not_: str) -> None:
    tagging = classifier.tag(text)
    assert set(must.split()) <= set(tagging.ids)
    assert not set(not_.split()) & set(tagging.ids)
    for term in tagging.terms:
        assert term.evidence
        assert term.definitions


def test_in_house_work_has_no_term_and_says_why(classifier: Classifier) -> None:
    tagging = classifier.tag("in-house payroll")
    assert tagging.ids == ()
    assert tagging.reason is not None
    assert tagging.reason.id == "in-house"


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_gets_an_answer(classifier: Classifier, text: str) -> None:
    tagging = classifier.tag(text)
    assert tagging.text == text
    assert tagging.terms or tagging.reason


@pytest.mark.parametrize("text", ["'", "...", "\u2019 \u2019", "$", "\u200b"])
def test_a_text_without_words_gets_an_answer_in_any_context(classifier: Classifier, text: str) -> None:
    for context in ({"vendor_contract": True}, {"home": "US", "provider_country": "PH"}):
        tagging = classifier.tag(text, threshold=0.01, **context)  # type: ignore[arg-type]
        assert tagging.terms or tagging.reason


def test_a_megabyte_of_text_gets_an_answer(classifier: Classifier) -> None:
    text = "Our own people keep the books. " * 34_000
    assert len(text) > 1_000_000
    assert classifier.tag(text).text is text


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        (ODD[7], True),
        ("Wir lassen unsere Buchhaltung seit Jahren von einer Firma in Indien machen.", True),
        ("Nuestra contabilidad la lleva una empresa externa de Monterrey todos los meses.", True),
        ("שלום עולם זה טקסט בעברית על חברה", True),
        ("NCA NER REGION 1 CHESAPEAKE BAY STORMWATER BMPS", False),
        ("Disposable polythene aprons for NHS Wales.", False),
        ("Journalistic talent for VOA's Eurasia Division.", False),
        ("tamra netwroks is lookin aftr the bakups for our hobart collge", False),
        ("Zahnarzt GmbH: payroll, vendor, Manila", False),
    ],
)
def test_only_another_language_is_named_as_the_reason(classifier: Classifier, text: str, foreign: bool) -> None:
    reason = classifier.tag(text).reason
    assert (reason is not None and reason.id == "not-english") == foreign


def holds(classifier: Classifier, text: str, home: str | None = None, vendor: bool = False) -> None:
    """What is true of every answer."""
    tagging = classifier.tag(text, home=home, vendor_contract=vendor)
    vocabulary = classifier.vocabulary
    ids = set(tagging.ids)
    facts = {f.id for f in tagging.facts if f.status in ("asserted", "planned")}
    assert bool(ids) != bool(tagging.reason)
    for term in tagging.terms:
        assert vocabulary.implied_by_term[term.id] <= ids
        assert term.evidence or term.given
        assert term.definitions
        for definition in term.definitions:
            known = vocabulary.definitions[definition.id]
            assert set(known.all) <= facts
            assert set(definition.met_by) <= facts
            assert all(set(choice) & facts for choice in known.any)
            assert definition.citation.sha256 == known.source.sha256
        for span in term.evidence:
            assert text[span.start : span.end] == span.text != ""
    assert not ids & {n.id for n in tagging.near_misses}
    assert all(n.missing for n in tagging.near_misses)
    assert classifier.tag(text, home=home, vendor_contract=vendor) == tagging


@given(st.text(max_size=300), st.sampled_from([None, "US", "KE"]), st.booleans())
def test_every_answer_is_consistent_for_any_text(text: str, home: str | None, vendor: bool) -> None:
    holds(load(), text, home, vendor)


WORDS = [
    "our",
    "own",
    "a",
    "firm",
    "vendor",
    "in",
    "Manila",
    "Leeds",
    "Texas",
    "the",
    "call",
    "centre",
    "payroll",
    "books",
    "is",
    "run",
    "by",
    "no",
    "not",
    "ended",
    "staff",
    "from",
    "home",
    "employees",
    "subsidiary",
    "freelancer",
    "we",
    "they",
    "two",
    "vendors",
    "on-site",
    "monthly",
    "will",
    "considering",
    ".",
    ",",
    ";",
    "software",
    "servers",
    "employer",
    "of",
    "record",
    "dedicated",
    "factory",
    "makes",
    "lawyers",
    "research",
]


@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=40), st.sampled_from([None, "US", "GB"]))
def test_every_answer_is_consistent_for_texts_on_the_subject(words: list[str], home: str | None) -> None:
    holds(load(), " ".join(words), home)


def test_caller_context_is_evidence(classifier: Classifier) -> None:
    plain = classifier.tag("Window cleaning, two buildings, 36 months", vendor_contract=True)
    assert "outsourcing" in plain.ids
    assert plain.terms[0].given == ("vendor_contract",)
    placed = "A firm does our bookkeeping."
    near = classifier.tag(placed, home="US", provider_country="MX").ids
    far = classifier.tag(placed, home="US", provider_country="PH").ids
    same = classifier.tag(placed, home="US", provider_country="US").ids
    assert "nearshoring" in near
    assert "offshoring" in far
    assert "nearshoring" not in far
    assert "onshoring" in same
    assert "offshoring" not in same


def test_threshold(classifier: Classifier) -> None:
    text = "A firm in Texas runs the help desk of our New York company."
    assert set(classifier.tag(text, threshold=0.99).ids) <= set(classifier.tag(text).ids)
    assert set(classifier.tag(text).ids) <= set(classifier.tag(text, threshold=0.05).ids)


def test_only_the_location_that_the_caller_gave_is_the_callers(classifier: Classifier) -> None:
    text = "Our customer calls are answered offshore by a vendor, overseas in the Philippines."
    given = {fact.id: fact.given for fact in classifier.tag(text, home="US", provider_country="PH").facts}
    assert given["another-country"] == ("home", "provider_country")
    given = {fact.id: fact.given for fact in classifier.tag(text, home="US", provider_country="US").facts}
    assert not given.get("another-country")
    assert not given.get("distant-country")


def test_a_threshold_that_silences_is_the_reason(classifier: Classifier) -> None:
    tagging = classifier.tag("A firm in Texas runs the help desk of our New York company.", threshold=1.0)
    assert tagging.ids == ()
    assert tagging.reason is not None
    assert tagging.reason.id == "below-threshold"
    assert tagging.reason.says
    assert tagging.near_misses


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Our payroll isn\u2019t outsourced.", "Our payroll isn't outsourced."),
        ("We don\u2019t use a vendor for payroll.", "We don't use a vendor for payroll."),
    ],
)
def test_an_apostrophe_reads_alike_however_it_is_typed(classifier: Classifier, typed: str, plain: str) -> None:
    a, b = classifier.tag(typed), classifier.tag(plain)
    assert a.term_probabilities == b.term_probabilities
    assert a.reason == b.reason


BAD = [
    {"home": "Narnia"}, {"provider_country": "?"}, {"threshold": 0}, {"threshold": 1.5}, {"threshold": "0.5"},
    {"threshold": True}, {"home": 7}, {"vendor_contract": "no"},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_bad_context_is_refused(classifier: Classifier, bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        classifier.tag("x", **bad)  # type: ignore[arg-type]


def test_what_is_not_text_is_refused(classifier: Classifier) -> None:
    with pytest.raises(InputError, match="string"):
        classifier.tag(3)  # type: ignore[arg-type]


def test_tag_many_streams_and_agrees(classifier: Classifier) -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield "A vendor in Manila answers our calls."

    stream = classifier.tag_many(endless(), home="US")
    assert next(stream) == next(stream) == classifier.tag("A vendor in Manila answers our calls.", home="US")


def test_tag_many_refuses_a_context_at_once_and_a_single_string(classifier: Classifier) -> None:
    with pytest.raises(InputError, match="Narnia"):
        classifier.tag_many(["x"], home="Narnia")
    with pytest.raises(InputError, match="list"):
        classifier.tag_many("A vendor in Manila answers our calls.")


def test_tag_many_answers_what_comes_before_a_fault(classifier: Classifier) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield "in-house payroll"
        raise OSError("the line is gone")

    for texts, error in ((["in-house payroll", 3], InputError), (broken(), OSError)):
        stream = classifier.tag_many(texts)  # type: ignore[arg-type]
        assert next(stream) == classifier.tag("in-house payroll")
        with pytest.raises(error):
            next(stream)


def test_an_empty_path_is_no_model() -> None:
    with pytest.raises(InputError, match="empty"):
        load("")


def test_load_is_cached_and_module_functions_agree(classifier: Classifier) -> None:
    import classifier as package

    assert load() is load()
    assert package.tag("in-house payroll") == classifier.tag("in-house payroll")
    assert list(package.tag_many(["in-house payroll"])) == [classifier.tag("in-house payroll")]
    with pytest.raises(AttributeError):
        _ = package.nothing
