from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.delimited import DelimitedEncoder, DelimitedSource, guess_delimiter, read_records

UNCLOSED = "a quotation mark opens a cell and is never closed"
CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
DELIMITER = st.sampled_from([",", ";", "\t", "|", "~", "\x1f"])


def records(text: str, delimiter: str = ",", line_end: str = "\n") -> list[tuple[int, list[str], str]]:
    lines = ((line, False) for line in re.findall(f"[^{line_end}]*{line_end}|[^{line_end}]+", text))
    return [tuple(r) for r in read_records(lines, delimiter, line_end)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        ('a,"x\r\ny\nz"\n1,2\n', [["a", "x\r\ny\nz"], ["1", "2"]]),
        ("a,b\n1,x\ry\n", [["a", "b"], ["1", "x\ry"]]),
        ('a,b\n"x\ry",z\rw\n', [["a", "b"], ["x\ry", "z\rw"]]),
        ("a,b\r\r\n1,2\r\r\n", [["a", "b"], ["1", "2"]]),
        ("a,b\n\n1\n1,2,3\n", [["a", "b"], [], ["1"], ["1", "2", "3"]]),
        ("a\x00b,\x00\n", [["a\x00b", "\x00"]]),
        ('a,"say ""hi"""\n', [["a", 'say "hi"']]),
        ('a,"b" c\n', [["a", "b c"]]),
    ],
)
def test_records_are_read(text: str, expected: list[list[str]]) -> None:
    found = records(text)
    assert [fields for _, fields, _ in found] == expected
    assert not any(problem for *_, problem in found)


def test_old_macintosh_files_end_rows_with_a_carriage_return() -> None:
    assert [r[1] for r in records('a,b\r1,"x\ny"\r2,3', line_end="\r")] == [["a", "b"], ["1", "x\ny"], ["2", "3"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n1,"x\n2,y\n3,z\n', [(1, "a,b", ""), (2, '1,"x', UNCLOSED), (3, "2,y", ""), (4, "3,z", "")]),
        ('1,"x\n2,"y\n3,z\n', [(1, '1,"x', UNCLOSED), (2, '2,"y', UNCLOSED), (3, "3,z", "")]),
        ('"', [(1, '"', UNCLOSED)]),
        ('1,"x\ry\n', [(1, '1,"x\ry', UNCLOSED)]),
        ('1,"x\n\n2,"y\nz"\n', [(1, '1,"x', UNCLOSED), (2, "", ""), (3, "2,y\nz", "")]),
    ],
)
def test_a_stray_quotation_mark_harms_only_its_own_row(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert [(line, ",".join(fields), problem) for line, fields, problem in records(text)] == expected


def test_a_record_without_end_is_given_up_without_holding_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.edges.tables.delimited._LONGEST_RECORD", 1000)
    taken = 0

    def lines() -> object:
        nonlocal taken
        yield 'a,"b\n', False
        for i in range(10_000):
            taken += 1
            yield f"{i},c\n", False

    found = read_records(lines(), ",")  # type: ignore[arg-type]
    assert next(found).fields == ["a", '"b']
    assert taken < 500
    assert [r.fields for r in found] == [[str(i), "c"] for i in range(10_000)]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1, 2\t3\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("id;name, first;sum\n1;Doe, J;5\n", ";"),
        ("what\ncleaning; windows; doors\n", ","),
        ("what\ncleaning, windows\nguards\n", ";"),
        ('"a,b";c\n"1,2";3\n', ";"),
        ("a,b\n1,2\n1\n1,2,3\n4,5\n6,7\n", ","),
        ("a;b\r1;2\r", ";"),
        ("", ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert guess_delimiter(text) == delimiter


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), DELIMITER)
def test_any_rows_are_read_back_as_written(rows: list[list[str]], delimiter: str) -> None:
    text = DelimitedEncoder(delimiter).encode([(row, ()) for row in rows])
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == rows
    assert [r[1] for r in records(text, delimiter)] == rows


@given(st.text(alphabet=st.sampled_from('ab,;"\n\r\t \x00é'), max_size=60))
def test_no_text_is_lost_whatever_it_is(text: str) -> None:
    found = records(text)
    kept = sum(c in "abé" for c in text)
    assert sum(c in "abé" for _, fields, _ in found for f in fields for c in f) == kept


@pytest.mark.parametrize("delimiter", [";", "\t", "^"])
def test_the_line_by_which_excel_is_told_the_delimiter_is_no_row(tmp_path: Path, delimiter: str) -> None:
    text = f"SEP={delimiter}\r\n\r\nid{delimiter}what\r\n1{delimiter}a, b | c\r\n"
    (tmp_path / "in.csv").write_bytes(text.encode())
    source = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv"))
    assert (source.header, source.delimiter) == (["id", "what"], delimiter)
    assert [(row.line, row.cells) for row in source.rows()] == [(4, ["1", "a, b | c"])]
    other = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv"), delimiter="/")
    assert other.header == [f"SEP={delimiter}"]
