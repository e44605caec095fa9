from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.jsonl import JsonlEncoder, JsonlSource, parse_object, without_keys
from classifier.edges.tables.rows import JsonValue
from classifier.errors import InputError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=6,
)


def source(path: Path, text: str, whole: bool = False) -> JsonlSource:
    path.write_text(text, encoding="utf-8")
    return JsonlSource(Bytes(path, path.name), whole=whole)


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), st.sampled_from([None, 1]))
def test_any_object_is_parsed_and_keeps_its_characters(row: dict[str, Any], indent: int | None) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(row, ensure_ascii=ascii_only, indent=indent)
        found = parse_object(raw)
        assert {k: v.value if isinstance(v, JsonValue) else v for k, v in found.items()} == row
        assert all(json.loads(v.raw) == v.value for v in found.values() if isinstance(v, JsonValue))
        line = JsonlEncoder(["a"], ["terms"]).encode([([None], ["x"], raw)])
        assert raw[1:-1].strip() in line
        assert json.loads(line) == {**row, "terms": "x"}


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{",
        '{"a"}',
        '{"a":}',
        '{"a":1',
        '{"a":1,}',
        '{"a":1} x',
        "{a:1}",
        '{"a":1 "b":2}',
        "null",
        '{"a":\x01}',
    ],
)
def test_what_is_no_object_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"char|begin"):
        parse_object(raw)


def test_a_key_said_twice_is_two_cells() -> None:
    assert list(parse_object('{"a": "x", "a": "y", "a": "z"}').items()) == [("a", "x"), ("a_2", "y"), ("a_2_2", "z")]


def test_keys_are_gathered_from_all_lines_when_the_output_needs_that(tmp_path: Path) -> None:
    text = '{"a": 1}\n' * 2000 + "\nno json\n" + '{"b": 2.50, "a": null}\n'
    assert source(tmp_path / "in.jsonl", text).header == ["a"]
    whole = source(tmp_path / "in.jsonl", text, whole=True)
    assert whole.header == ["a", "b"]
    *_, broken, last = whole.rows()
    assert (broken.line, broken.left_over) == (2002, "no json")
    assert "not a JSON object" in broken.problem
    assert last.cells == [JsonValue("null", None), JsonValue("2.50", 2.5)]


def test_deep_nesting_is_a_bad_row(tmp_path: Path) -> None:
    text = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n" + '{"a": "fine"}\n'
    rows = list(source(tmp_path / "in.jsonl", text).rows())
    assert rows[0].problem == "not a JSON object: nested too deeply"
    assert rows[1].cells == ["fine"]


def test_an_array_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="jq -c"):
        source(tmp_path / "in.jsonl", '[{"a": 1}]')


def test_members_can_be_left_out() -> None:
    assert without_keys('{"a": 1.50, "b": "\\ud800", "c": [1]}', frozenset("a")) == '{"b": "\\ud800", "c": [1]}'
