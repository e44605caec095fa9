from __future__ import annotations

from classifier import Classifier
from classifier.edges.report import WIDTH, Style, condition_text, tagging_text, term_text
from classifier.vocabulary import Vocabulary

TEXT = "A firm in Texas runs the help desk of our New York company."


def test_evidence_is_marked_in_the_text(classifier: Classifier) -> None:
    plain = tagging_text(classifier.tag(TEXT), classifier.vocabulary, Style(False))
    first = plain.split("\n\n")[0]
    assert "[" in first
    assert first.replace("[", "").replace("]", "").replace("\n", " ") == TEXT
    colored = tagging_text(classifier.tag(TEXT), classifier.vocabulary, Style(True))
    assert "\x1b[1;4m" in colored


def test_nothing_is_wider_than_the_screen(classifier: Classifier, vocabulary: Vocabulary) -> None:
    texts = [TEXT, "word " * 400, "Our own staff do the payroll.", "vendor in Manila " * 50]
    shown = [tagging_text(classifier.tag(t), vocabulary, Style(False)) for t in texts]
    shown += [term_text(t, vocabulary, Style(False)) for t in vocabulary.terms.values()]
    assert max(len(line) for text in shown for line in text.splitlines()) <= WIDTH


def test_conditions_are_put_in_words(vocabulary: Vocabulary) -> None:
    assert condition_text("third-party", vocabulary) == vocabulary.facts["third-party"].label
    assert condition_text("not third-party", vocabulary).startswith("it must not be that")
    assert " or " in condition_text("it|finance", vocabulary)
    assert condition_text("it|finance|hr-payroll|manufacturing", vocabulary).startswith("a kind of work")


def test_a_caller_is_named_as_evidence(classifier: Classifier) -> None:
    shown = tagging_text(
        classifier.tag("Window cleaning, two buildings, 36 months", vendor_contract=True),
        classifier.vocabulary,
        Style(False),
    )
    assert "the caller says" in " ".join(shown.split())
