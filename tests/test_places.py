from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.places import is_shouting, load_gazetteer, plain

RELATIONS = [
    ("US", "MX", "near"), ("US", "CR", "near"), ("DE", "PL", "near"), ("GB", "IE", "near"), ("JP", "KR", "near"),
    ("US", "JM", "near"), ("DK", "SE", "near"), ("IT", "RS", "near"), ("BR", "PY", "near"), ("NZ", "AU", "near"),
    ("KW", "IQ", "near"), ("US", "US", "same"), ("US", "PH", "far"), ("GB", "IN", "far"), ("DE", "VN", "far"),
    ("BR", "CN", "far"), ("US", "CO", "mid"), ("KW", "IN", "mid"), ("BR", "PT", "far"), ("FR", "MG", "far"),
]  # fmt: skip


@pytest.mark.parametrize(("home", "other", "expected"), RELATIONS)
def test_nearness_follows_the_rulings(home: str, other: str, expected: str) -> None:
    gazetteer = load_gazetteer()
    assert gazetteer.relation(home, other) == gazetteer.relation(other, home) == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("us", "US"),
        ("UK", "GB"),
        ("Finland", "FI"),
        (" de ", "DE"),
        ("south korea", "KR"),
        ("Republic of Ireland", "IE"),
        ("Russian Federation", "RU"),
        ("DR Congo", "CD"),
    ],
)
def test_a_country_is_known_by_code_or_name(name: str, code: str) -> None:
    assert load_gazetteer().code(name) == code


@pytest.mark.parametrize("name", ["Narnia", "London", "", "XX", "\u00df"])
def test_an_unknown_country_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="ISO code"):
        load_gazetteer().code(name)


def test_plain_folds_accents_and_case() -> None:
    assert plain("São Tomé’s") == "sao tome's"


@given(st.text(max_size=60))
def test_plain_is_plain_already(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("name", "kinds", "ambiguous"),
    [
        ("georgia", {"country:GE", "state:US"}, True),
        ("reading", {"city:GB", "city:US"}, True),
        ("filipino", {"demonym:PH"}, False),
        ("sao paulo", {"city:BR"}, False),
    ],
)
def test_a_name_has_all_its_meanings(name: str, kinds: set[str], ambiguous: bool) -> None:
    meanings = load_gazetteer().meanings(name)
    assert meanings is not None
    assert kinds <= {f"{c.kind}:{c.country}" for c in meanings.candidates}
    assert meanings.ambiguous == ambiguous
    sizes = [c.thousands for c in meanings.candidates]
    assert sizes == sorted(sizes, reverse=True)


def test_a_word_that_names_no_place_has_no_meaning() -> None:
    assert load_gazetteer().meanings("bookkeeping") is None
    assert "bookkeeping" not in load_gazetteer()


@pytest.mark.parametrize(
    ("text", "shouting"),
    [
        ("AUDIT SERVICES FOR COLOMBIA", True),
        ("JANITORIAL SERVICES, denver", False),
        ("IT", False),
        ("SERVIÇOS DE LIMPEZA", True),
        ("Serviços de limpeza", False),
        ("12 34 56 78 90", False),
        ("", False),
    ],
)
def test_capitals_are_heard(text: str, shouting: bool) -> None:
    assert is_shouting(text) == shouting


@given(st.text(alphabet="ABCDabcd 1.", max_size=40))
def test_an_accent_does_not_change_what_is_heard(text: str) -> None:
    """Plain text is counted in another way than text with accents."""
    assert is_shouting(text) == is_shouting(text.replace("A", "À").replace("a", "à"))
