from __future__ import annotations

from typing import Any

import pytest

from classifier.edges.loose_json import listed, mapped, objects, spans_in, time_of, words_of


@pytest.mark.parametrize("value", [None, True, 7, "x", 1e999])
def test_what_is_not_as_expected_counts_as_nothing(value: Any) -> None:
    assert listed(value) == objects(value) == words_of(value) == spans_in(value, "text") == []
    assert mapped(value) == {}


def test_what_is_as_expected_is_kept() -> None:
    assert objects([{"a": 1}, 2, None, {}]) == [{"a": 1}, {}]
    assert words_of(["a", 1, None]) == ["a", "1", "None"]
    assert mapped({"a": 1}) == {"a": 1}


def test_spans_lie_within_the_text() -> None:
    given = [(0, 4), (1, 2), (2, 2), (3, 1), (-1, 2), (0, 5), ("0", 1), (0, None)]
    assert spans_in([{"start": a, "end": b} for a, b in given], "text") == [(0, 4), (1, 2)]


@pytest.mark.parametrize(
    ("stamp", "time"),
    [(0, "1970-01-01T00:00:00+00:00"), (1.5, "1970-01-01T00:00:01.500000+00:00"), ("0", ""), (1e30, "")],
)
def test_seconds_are_a_time(stamp: Any, time: str) -> None:
    assert time_of(stamp) == time
