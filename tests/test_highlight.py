from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.highlight import excerpt, locate


@pytest.mark.parametrize(
    ("text", "quotes", "found"),
    [
        ("It was done as agreed", ["as"], ["as agreed"[:2]]),
        ("a vendor and a vendor", ["vendor", "vendor"], ["vendor", "vendor"]),
        ("help\n  desk in Leeds", ["help desk", "Leeds"], ["help\n  desk", "Leeds"]),
        ("Re-train them", ["train"], ["train"]),
        ("nothing of it", ["elsewhere", ""], []),
        ("unbroken", ["broke"], ["broke"]),
        ("(a.b)* [c]", ["(a.b)*"], ["(a.b)*"]),
    ],
)
def test_quotes_are_found_as_whole_words_in_order(text: str, quotes: list[str], found: list[str]) -> None:
    assert [text[a:b] for a, b in locate(text, quotes)] == found


def test_a_word_is_not_found_inside_another() -> None:
    assert locate("was as is", ["as"]) == [(4, 6)]


def test_a_short_text_is_whole_and_a_long_one_is_cut_around_its_evidence() -> None:
    assert excerpt("We hire them", [(3, 7)]) == [("We ", False), ("hire", True), (" them", False)]
    text = "word " * 300 + "the vendor in Manila " + "word " * 300
    at = text.index("vendor")
    pieces = excerpt(text, [(at, at + 6)])
    assert ("vendor", True) in pieces
    shown = "".join(p for p, _ in pieces)
    assert len(shown) < 700
    assert shown.count("…") == 2


@given(st.text(max_size=900), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=6))
def test_pieces_are_the_text_and_marks_are_evidence(text: str, pairs: list[tuple[int, int]]) -> None:
    spans = sorted((min(a, b), max(a, b)) for a, b in pairs if max(a, b) <= len(text))
    pieces = excerpt(text, spans, limit=200)
    if len(text) <= 200:
        assert "".join(p for p, _ in pieces) == text
        marked = sum(len(p) for p, yes in pieces if yes)
        assert marked == len({i for a, b in spans for i in range(a, b)})
    for piece, _ in pieces:
        assert piece in (" … ", " …") or piece in text
    assert sum(len(p) for p, _ in pieces) <= len(text) + 60
