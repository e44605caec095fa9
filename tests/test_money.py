from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.money import Money, is_blank, parse_money


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("£1,234.50", "1234.50", "GBP"),
        ("1.234,50 €", "1234.50", "EUR"),
        ("1e6", "1000000", None),
        ("1.5E+06", "1500000", None),
        ("-5", "-5", None),
        ("−7", "-7", None),
        ("5-", "-5", None),
        ("- £4", "-4", "GBP"),
        ("(1,200)", "-1200", None),
        ("'-3", "-3", None),
        ("1 234,50", "1234.50", None),
        ("1\u202f234\u202f567", "1234567", None),
        ("1'234.50", "1234.50", None),
        ("12,34,567", "1234567", None),
        ("1.234.567", "1234567", None),
        ("1,234", "1234", None),
        ("1.234 €", "1234", "EUR"),
        ("1234.567", "1234.567", None),
        ("0.125", "0.125", None),
        (".5", "0.5", None),
        ("1,5", "1.5", None),
        ("1.000,- €", "1000", "EUR"),
        ("USD 5", "5", "USD"),
        ("$5k", "5000", "$"),
        ("3.5m€", "3500000", "EUR"),
        ("EUR 3 million", "3000000", "EUR"),
        ("10 kr.", "10", "kr"),
        ("55641250-55641250", "55641250", None),
    ],
)
def test_amounts_are_read_as_people_write_them(cell: str, amount: str, currency: str | None) -> None:
    assert parse_money(cell) == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("cell", "middle", "currency"),
    [
        ("1000000-4000000", "2500000", None),
        ("£1m - £2m", "1500000", "GBP"),
        ("10 to 20", "15", None),
        # A multiple behind the upper end is meant for both.
        ("£10-20k", "15000", "GBP"),
        ("£10 - £20k", "15000", "GBP"),
        ("1-2m", "1500000", None),
        ("1 to 2 million", "1500000", None),
        ("1.5 - 2.5 bn", "2000000000", None),
        ("1-2 m€", "1500000", "EUR"),
        # A lower end that is written out is not.
        ("500,000 - 1m", "750000", None),
        ("10k - 20,000", "15000", None),
    ],
)
def test_a_range_counts_at_its_middle(cell: str, middle: str, currency: str | None) -> None:
    assert parse_money(cell) == Money(Decimal(middle), currency, ranged=True)


def test_a_point_before_three_digits_is_doubtful() -> None:
    assert parse_money("1.234") == Money(Decimal(1234), doubtful=True)


@pytest.mark.parametrize(
    "cell",
    [
        "abc", "5%", "2020-01-03", "1000 2000", "1,2,3", "1.2.3", "1e400", "12 pcs", "£", "1,234.567,8", "£5 €",
        "£1-€2", "99999999999999999999", "call 5 now", "3 of 4", "1-2-3",
        "500-1m", "10k-20", "1.234-2m", "2020-21", "2020–21", "1999-00", "2020-21k",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_not_guessed(cell: str) -> None:
    assert parse_money(cell) is None


@pytest.mark.parametrize("cell", ["", "  ", "-", "n/a", "N/A", "TBC", "null", "nan"])
def test_blanks_are_blank(cell: str) -> None:
    assert is_blank(cell)
    assert parse_money(cell) is None


@given(st.decimals(-(10**15), 10**15, places=2), st.sampled_from(["{:,.2f}", "{:.2f}", "£{:,.2f}", "{:,.2f} USD"]))
def test_what_a_spreadsheet_writes_comes_back(amount: Decimal, form: str) -> None:
    found = parse_money(form.format(amount))
    assert found is not None
    assert found.amount == amount


@given(st.text(max_size=40))
def test_any_cell_is_read_or_refused(cell: str) -> None:
    found = parse_money(cell)
    assert found is None or found.amount.is_finite()


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from([("k", 3), ("m", 6), (" million", 6), ("bn", 9)]))
def test_a_multiple_behind_a_range_is_a_multiple_of_both_ends(low: int, more: int, times: tuple[str, int]) -> None:
    word, power = times
    assert parse_money(f"{low}-{low + more}{word}") == parse_money(f"{low}{word} - {low + more}{word}")
    assert parse_money(f"{low}-{low + more}{word}") == Money(Decimal(2 * low + more).scaleb(power) / 2, ranged=more > 0)
