"""The words that are shown for a fact."""

from __future__ import annotations

import numpy as np

from classifier import Classifier
from classifier.evidence import token_scores
from classifier.normal import Context
from classifier.reading import load_reader

TEXTS = (
    "Every quarter a freelancer from Leeds   draws the posters for our choir.",
    "A vendor in Manila answers our calls.",
)
FACTS = (("freelancer", "third-party"), ("customer-service",))


def test_every_token_has_the_probability_of_its_word(classifier: Classifier) -> None:
    readings = load_reader().read_many(TEXTS, [None, None])
    seen = classifier.see(readings, [Context()] * 2)
    found = token_scores(seen, classifier.model, FACTS)
    assert [len(scores) for scores in found] == [2, 1]
    for reading, scores in zip(readings, found, strict=True):
        for row in scores:
            assert len(row) == len(reading.form)
            assert all(0 <= p <= 1 for p in row)
    assert readings[0].lower[int(np.argmax(found[0][0]))] == "freelancer"
    blank = readings[0].lower.index(" ")
    assert [row[blank] for row in found[0]] == [0.0, 0.0]


def test_a_text_beside_others_shows_the_words_that_it_shows_alone(classifier: Classifier) -> None:
    together = [[(f.id, f.evidence) for f in t.facts] for t in classifier.tag_many(TEXTS)]
    assert together == [[(f.id, f.evidence) for f in classifier.tag(text).facts] for text in TEXTS]
    assert any("answers our calls" in span.text for _, spans in together[1] for span in spans)
