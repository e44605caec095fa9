from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.placefinder import PlaceFinder
from classifier.places import load_gazetteer

FIND = [
    ("Our shop in Aarhus has its books kept in Malmö.", None, "Aarhus:DK Malmö:SE"),
    ("We sell china cabinets in Reading, Pennsylvania; Jordan Smith is mobile.", None, "Reading:US Pennsylvania:US"),
    ("A bakery in Reading near London", None, "Reading:GB London:GB"),
    ("our mobile phones and the reading room", None, ""),
    ("a call centre in Mobile, Alabama", None, "Mobile:US Alabama:US"),
    ("A firm in Georgia, close to Tbilisi", None, "Georgia:GE Tbilisi:GE"),
    ("our Georgia office in Atlanta", None, "Georgia:US Atlanta:US"),
    ("the workshop in Georgia", "GE", "Georgia:GE"),
    ("roast turkey for the staff of our plant in Turkey", None, "Turkey:TR"),
    ("Jordan handles our calls", None, ""),
    ("coders in Amman, Jordan", None, "Amman:JO Jordan:JO"),
    ("a farm in Lincoln, NE", None, "Lincoln, NE:US"),
    ("Paris, Texas", None, "Paris:US Texas:US"),
    ("the U.S. company and the UK firm", None, "U.S.:US UK:GB"),
    ("they told us nothing", None, ""),
    ("a UAE trading house", None, "UAE:AE"),
    ("we send it to india and the philippines", None, "india:IN the philippines:PH"),
    ("Filipino agents and a Danish client", None, "Filipino:PH Danish:DK"),
    ("AUDIT SERVICES FOR COLOMBIA", None, "COLOMBIA:CO"),
    ("CLEANING SERVICES OF BUILDING", None, ""),
    ("the Bank of Georgia", None, ""),
    ("books for Holt & Sons", None, ""),
    ("São Paulo and Asunción", None, "São Paulo:BR Asunción:PY"),
    ("in Cluj-Napoca", None, "Cluj-Napoca:RO"),
    ("London's guards", None, "London:GB"),
    ("A help desk in London, Ontario", None, "London:CA Ontario:CA"),
    ("A firm in London, ON keeps our books.", "CA", "London, ON:CA"),
    ("A firm in Costa\nRica runs our help desk.", "US", "Costa\nRica:CR"),
    ("an office in New  York", None, "New  York:US"),
    ("A firm in Krako\u0301w keeps our books.", "US", "Krako\u0301w:PL"),
    ("a plant in Cambridge", "US", "Cambridge:US"),
    ("the lads in novi sad do our pics", None, "novi sad:RS"),
    ("my mum was reading a book in the bath", None, ""),
    ("We have the calls taken by a firm in Europe.", "DE", ""),
    ("We have the calls taken by a firm in Europe.", "US", "Europe:DE"),
]  # fmt: skip


@pytest.fixture(scope="module")
def finder() -> PlaceFinder:
    return PlaceFinder(load_gazetteer())


@pytest.mark.parametrize(("text", "home", "expected"), FIND)
def test_places_are_found_and_resolved(finder: PlaceFinder, text: str, home: str | None, expected: str) -> None:
    places = finder.find(text, home)
    assert " ".join(f"{p.name}:{p.country}" for p in places) == expected
    assert all(text[p.start : p.end] == p.name for p in places)


@given(st.text(max_size=200))
def test_any_text_gives_places_in_order_at_their_words(text: str) -> None:
    places = PlaceFinder(load_gazetteer()).find(text)
    assert all(text[p.start : p.end] == p.name and p.name for p in places)
    assert all(a.end <= b.start for a, b in zip(places, places[1:], strict=False))


NAMED = [
    "Manila",
    "New York",
    "São Paulo",
    "Cluj-Napoca",
    "the UK",
    "Reading",
    "Georgia",
    "Côte d’Ivoire",
    "Leeds's",
    "NE",
]
BETWEEN = [" ", ", ", " (", ") ", ". ", "\n", "\u00a0", "-", " and ", " in ", " the office of ", "", "\u0301", "\t\t"]


@given(st.lists(st.tuples(st.sampled_from(NAMED), st.sampled_from(BETWEEN)), max_size=8))
def test_what_was_read_before_changes_nothing(parts: list[tuple[str, str]]) -> None:
    """The finder remembers pieces of text; a fresh one has nothing to remember."""
    text = "".join(name + between for name, between in parts)
    fresh = PlaceFinder(load_gazetteer())
    found = fresh.find(text)
    for name, between in parts:
        fresh.find(name + between)
    assert fresh.find(text) == found
    assert all(text[p.start : p.end] == p.name for p in found)


def test_a_piece_that_comes_twice_is_found_where_it_stands(finder: PlaceFinder) -> None:
    text = "a firm in Leeds, a shop in Leeds,\nand xLeeds in Leeds"
    assert [p.start for p in finder.find(text)] == [10, 27, 48]
