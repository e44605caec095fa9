from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier
from classifier.passages import passages, strongest, surest
from classifier.reading import load_reader

# About nothing that anybody hands out.
ABOUT = [
    "The museum was founded in 1903 by two sisters who collected lace.",
    "Its garden has forty kinds of roses, and a pond with carp.",
    "On Sundays the bells of the chapel are heard as far as the mill.",
    "A fire in 1951 destroyed the east wing, which was rebuilt in brick.",
    "The tram stops in front of the gate every ten minutes.",
    "Visitors like the view from the roof best of all.",
    "The lace is shown behind glass, since light makes it yellow.",
    "Children may feed the carp with what they find at the gate.",
]
TOLD = "Calls from our customers are answered by a vendor in Manila."


@given(st.lists(st.sampled_from([*ABOUT, "No.", "word " * 90 + "."]), max_size=30))
def test_passages_cover_the_text_and_overlap(sentences: list[str]) -> None:
    reading = load_reader().read(" ".join(sentences))
    found = passages(reading)
    whole = reading.sentences
    starts, ends = {start for start, _ in whole}, {end for _, end in whole}
    assert all(start in starts and end in ends for start, end in found)
    covered = [any(a <= start and end <= b for a, b in found) for start, end in whole]
    assert all(covered)
    assert found == sorted(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("before", [0, 20, 60])
def test_what_one_passage_tells_is_found_in_a_long_text(classifier: Classifier, before: int) -> None:
    filler = [ABOUT[i % len(ABOUT)] for i in range(80)]
    tagging = classifier.tag(" ".join([*filler[:before], TOLD, *filler[before:]]), home="US")
    assert {"outsourcing", "offshoring", "customer-service-outsourcing"} <= set(tagging.ids)
    assert any("Manila" in span.text for term in tagging.terms for span in term.evidence)


def test_a_long_text_about_nothing_of_the_kind_has_no_term(classifier: Classifier) -> None:
    tagging = classifier.tag(" ".join(ABOUT * 40), home="US")
    assert tagging.ids == ()
    assert tagging.reason is not None


def test_a_passage_speaks_only_where_it_is_surer_than_the_whole() -> None:
    silent = np.array([True, False, False])
    whole = np.array([0.9, 0.05, 0.05])
    surely, hardly = np.array([0.001, 0.002, 0.997]), np.array([0.8, 0.1, 0.1])
    assert strongest(whole, hardly, 1, silent).tolist() == whole.tolist()
    assert surest(np.stack([hardly, surely]), silent).tolist() == surely.tolist()
    found = strongest(whole, surely, 2, silent)
    assert found.sum() == pytest.approx(1)
    assert found.argmax() == 2
    assert found[2] < surely[2], "among several passages one is easily misread"
    assert strongest(whole, surely, 200, silent)[2] < found[2]
