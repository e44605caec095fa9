from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.places import load_gazetteer, plain

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
    ("a plant in Cambridge", "US", "Cambridge:US"),
    ("the lads in novi sad do our pics", None, "novi sad:RS"),
    ("my mum was reading a book in the bath", None, ""),
    ("We have the calls taken by a firm in Europe.", "DE", ""),
    ("We have the calls taken by a firm in Europe.", "US", "Europe:DE"),
]  # fmt: skip

RELATIONS = [
    ("US", "MX", "near"), ("US", "CR", "near"), ("DE", "PL", "near"), ("GB", "IE", "near"), ("JP", "KR", "near"),
    ("US", "JM", "near"), ("DK", "SE", "near"), ("IT", "RS", "near"), ("BR", "PY", "near"), ("NZ", "AU", "near"),
    ("KW", "IQ", "near"), ("US", "US", "same"), ("US", "PH", "far"), ("GB", "IN", "far"), ("DE", "VN", "far"),
    ("BR", "CN", "far"), ("US", "CO", "mid"), ("KW", "IN", "mid"), ("BR", "PT", "far"), ("FR", "MG", "far"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "home", "expected"), FIND)
def test_places_are_found_and_resolved(text: str, home: str | None, expected: str) -> None:
    places = load_gazetteer().find(text, home)
    assert " ".join(f"{p.name}:{p.country}" for p in places) == expected
    assert all(text[p.start : p.end] == p.name for p in places)


@pytest.mark.parametrize(("home", "other", "expected"), RELATIONS)
def test_nearness_follows_the_rulings(home: str, other: str, expected: str) -> None:
    gazetteer = load_gazetteer()
    assert gazetteer.relation(home, other) == gazetteer.relation(other, home) == expected


@pytest.mark.parametrize(
    ("name", "code"), [("us", "US"), ("UK", "GB"), ("Finland", "FI"), (" de ", "DE"), ("south korea", "KR")]
)
def test_a_country_is_known_by_code_or_name(name: str, code: str) -> None:
    assert load_gazetteer().code(name) == code


@pytest.mark.parametrize("name", ["Narnia", "London", "", "XX"])
def test_an_unknown_country_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="ISO code"):
        load_gazetteer().code(name)


@given(st.text(max_size=200))
def test_any_text_gives_places_in_order_at_their_words(text: str) -> None:
    places = load_gazetteer().find(text)
    assert all(text[p.start : p.end] == p.name and p.name for p in places)
    assert all(a.end <= b.start for a, b in zip(places, places[1:], strict=False))


def test_plain_folds_accents_and_case() -> None:
    assert plain("São Tomé’s") == "sao tome's"
