from __future__ import annotations

from dataclasses import replace

import pytest

from classifier.edges.labelling import chosen, options, told
from classifier.edges.review import Context, ToReview, known_tags
from classifier.vocabulary import Vocabulary

from .test_review import HEAD, ROWS


def row(vocabulary: Vocabulary, number: int) -> ToReview:
    cells = dict(zip(HEAD, ROWS[number], strict=True))
    return ToReview(number, "x", known_tags(cells, number, vocabulary), Context(home="GB").of(cells))


def test_every_term_and_every_reason_for_silence_is_a_choice(vocabulary: Vocabulary) -> None:
    names = [name for name, _ in options(vocabulary)]
    assert names == [*vocabulary.terms, "none", *(f"none:{s}" for s in vocabulary.silences)]
    assert all(says for _, says in options(vocabulary))


def test_what_is_chosen_is_among_the_choices(vocabulary: Vocabulary) -> None:
    names = {name for name, _ in options(vocabulary)}
    for number in range(len(ROWS)):
        assert set(chosen(row(vocabulary, number), vocabulary)) <= names


@pytest.mark.parametrize(("reason", "choice"), [("goods", "none:goods"), ("below-threshold", "none"), (None, "none")])
def test_silence_is_chosen_with_its_reason_where_that_can_be_taught(
    vocabulary: Vocabulary, reason: str | None, choice: str
) -> None:
    found = row(vocabulary, 0)
    assert chosen(replace(found, tags=replace(found.tags, terms=(), reason=reason)), vocabulary) == [choice]


def test_row_terms_and_the_callers_words_travel_along(vocabulary: Vocabulary) -> None:
    found = row(vocabulary, 0)
    assert told(found) == {"row": 0, "before": list(found.tags.terms), "home": "GB"}
