"""Outcomes of all configurations at once are what the vocabulary says of each arrangement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifier.outcomes import Configuration, outcomes_of
from classifier.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
ARRANGEMENTS = st.frozensets(st.sampled_from(sorted(VOCABULARY.facts)), max_size=8)
CONFIGURATIONS = st.builds(
    Configuration,
    st.lists(ARRANGEMENTS, max_size=3).map(tuple),
    st.sampled_from([None, *VOCABULARY.silences]),
    st.just(0.0),
)


@given(st.lists(CONFIGURATIONS, min_size=1, max_size=6))
def test_as_the_vocabulary_says(configurations: list[Configuration]) -> None:
    found = outcomes_of(configurations, VOCABULARY)
    for row, configuration in enumerate(configurations):
        closed = [VOCABULARY.close(a) for a in configuration.arrangements]
        matching = [d for facts in closed for d in VOCABULARY.matching(facts)]
        expected = (
            (VOCABULARY.facts, found.facts, frozenset[str]().union(*closed)),
            (VOCABULARY.terms, found.terms, VOCABULARY.proved_by(matching)),
            (VOCABULARY.definitions, found.definitions, {d.id for d in matching}),
            (VOCABULARY.silences, found.silences, {configuration.silence} - {None}),
        )
        for ids, table, names in expected:
            assert {name for name, yes in zip(ids, table[row], strict=True) if yes} == names


@given(st.lists(CONFIGURATIONS, min_size=1, max_size=6))
def test_a_row_for_each_label(configurations: list[Configuration]) -> None:
    found = outcomes_of(configurations, VOCABULARY)
    labels = ["eor", "third-party", "goods", "unheard-of"]
    rows = found.of_labels(labels, VOCABULARY)
    assert rows.shape == (len(labels), len(configurations))
    assert (rows[0] == found.terms[:, list(VOCABULARY.terms).index("eor")]).all()
    assert (rows[1] == found.facts[:, list(VOCABULARY.facts).index("third-party")]).all()
    assert (rows[2] == found.silences[:, list(VOCABULARY.silences).index("goods")]).all()
    assert not rows[3].any()
