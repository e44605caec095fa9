from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.tables import rows
from classifier.edges.tables.rows import JsonValue, as_json, as_text, fit, kind, safe, unique, without_surrogates


@pytest.mark.parametrize(
    ("cell", "text", "in_json"),
    [
        ("a", "a", '"a"'),
        (None, "", "null"),
        (True, "true", "true"),
        (5, "5", "5"),
        (1.5, "1.5", "1.5"),
        (float("nan"), "nan", '"nan"'),
        (Decimal("1.50"), "1.50", '"1.50"'),
        (datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00", '"2024-01-02 03:04:00"'),
        (date(2024, 1, 2), "2024-01-02", '"2024-01-02"'),
        (time(3, 4), "03:04:00", '"03:04:00"'),
        (timedelta(hours=30), "1 day, 6:00:00", '"1 day, 6:00:00"'),
        (b"abc", "abc", '"abc"'),
        (b"\xff", "/w==", '"/w=="'),
        ({"a": [1, None]}, '{"a": [1, null]}', '{"a": [1, null]}'),
        ([("k", date(2024, 1, 2))], '[["k", "2024-01-02"]]', '[["k", "2024-01-02"]]'),
        (JsonValue("1.50", 1.5), "1.50", "1.50"),
        (JsonValue("null", None), "", "null"),
        (JsonValue('{"a":1}', {"a": 1}), '{"a":1}', '{"a":1}'),
        ("\ud800é", "\ud800é", '"\\ud800\\u00e9"'),
    ],
)
def test_cells_become_text_and_json(cell: Any, text: str, in_json: str) -> None:
    assert as_text(cell) == text
    assert as_json(cell) == in_json


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1", "'=1"),
        ("-", "'-"),
        ("@a", "'@a"),
        ("+1", "'+1"),
        ("\t", "'\t"),
        ("\rx", "'\rx"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_our_cells_are_never_formulas(cell: str, kept: str) -> None:
    assert safe(cell) == kept


@given(st.lists(st.text(max_size=3), max_size=6), st.integers(min_value=1, max_value=4))
def test_fitting_loses_no_field(fields: list[str], width: int) -> None:
    cells, problem, left_over = fit(fields, width)
    assert len(cells) == width
    assert [*cells, *(left_over or [])][: len(fields)] == fields
    assert bool(problem) == (len(fields) != width)


@given(st.lists(st.sampled_from(["", "a", "a_2", "column_1", "column_2", "a_2_2"]), max_size=8))
def test_keys_are_distinct_and_good_names_stay(names: list[str]) -> None:
    found = unique(names)
    assert len(set(found)) == len(names)
    assert all(found)
    for i, name in enumerate(names):
        if name and name not in names[:i]:
            assert found[i] == name or name.startswith("column_")


def test_lone_surrogates_are_written_out() -> None:
    assert without_surrogates("a\ud800b😀") == "a\\ud800b😀"
    assert json.loads(as_json({"a\udfff": "\ud800"})) == {"a\udfff": "\ud800"}


@pytest.mark.parametrize(
    ("cell", "bit"),
    [
        (None, 0),
        ("a", rows.TEXT),
        (True, rows.TRUTH),
        (1, rows.SMALL),
        (2**60, rows.LARGE),
        (2**70, rows.OTHER),
        (1.5, rows.REAL),
        (float("inf"), rows.OTHER),
        (JsonValue("1.10", 1.1), rows.REAL),
        (JsonValue("0.1234567890123456789", 0.12345678901234568), rows.OTHER),
        (JsonValue("1e-99999999999999999999", 0.0), rows.OTHER),
        (JsonValue("null", None), 0),
        (JsonValue("[]", []), rows.OTHER),
        (datetime(2024, 1, 2), rows.MOMENT),
    ],
)
def test_kinds(cell: Any, bit: int) -> None:
    assert kind(cell) == bit
