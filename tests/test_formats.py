from __future__ import annotations

import os
from pathlib import Path

import pytest

from classifier.edges.tables.formats import by_name, check_named, expand, format_of, output_of
from classifier.errors import InputError


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", ("csv", None)),
        ("a.CSV.GZ", ("csv", "gzip")),
        ("b.c/a.tsv.zst", ("tsv", "zstd")),
        ("a.ndjson", ("jsonl", None)),
        ("a.parquet", ("parquet", None)),
        ("a.xlsx", ("excel", None)),
        ("a.gz", (None, "gzip")),
        ("a", (None, None)),
        ("a.txt", (None, None)),
    ],
)
def test_names_tell_the_format(name: str, found: tuple[str | None, str | None]) -> None:
    assert by_name(name) == found


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"a,b\n", "csv"),
        (b' \n{"a": 1}\n', "jsonl"),
        (b"\xef\xbb\xbf{", "jsonl"),
        ("{".encode("utf-16"), "jsonl"),
        (b"PAR1...", "parquet"),
        (b"PK\x03\x04...", "excel"),
        (b"", "csv"),
        (b"[id],[what]\n", "csv"),
        (b'\n[ {"id": 1}]', "jsonl"),  # whose reader says what to do with an array
    ],
)
def test_first_bytes_tell_the_format(head: bytes, found: str) -> None:
    assert format_of(head, "in") == found


def test_old_excel_files_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="save it as"):
        format_of(b"\xd0\xcf\x11\xe0\xa1\xb1", "in.xls")


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf<HTML><body>", b"\r\n<table>", "<!DOCTYPE html>".encode("utf-16")])
def test_web_pages_are_refused_with_the_remedy(head: bytes) -> None:
    with pytest.raises(InputError, match="open it in a spreadsheet"):
        format_of(head, "in.xls")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"PK\x03\x04...", "is named as csv but holds excel: give --format excel"),
        (b"PAR1", "--format parquet"),
        (b"\xd0\xcf\x11\xe0", "old or encrypted Excel"),
    ],
)
def test_a_name_that_does_not_fit_the_content_is_refused(head: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_named("csv", head, "in.csv")
    check_named("csv", b"id,what", "in.csv")
    check_named("excel", head, "in.xlsx")


@pytest.mark.parametrize(
    ("output", "wanted", "source", "found"),
    [
        ("-", None, "tsv", ("tsv", None)),
        ("-", None, "parquet", ("csv", None)),
        ("-", "parquet", "csv", ("parquet", None)),
        ("o.jsonl.gz", None, "csv", ("jsonl", "gzip")),
        ("o.dat", "csv", "excel", ("csv", None)),
        ("o", None, "excel", ("excel", None)),
        ("o.gz", None, "tsv", ("tsv", "gzip")),
    ],
)
def test_the_output_follows_name_option_and_input(
    output: str, wanted: str | None, source: str, found: tuple[str, str | None]
) -> None:
    assert output_of(output, wanted, source) == found


@pytest.mark.parametrize(
    ("output", "wanted", "message"),
    [
        ("o.dat", None, "--output-format"),
        ("o.parquet.gz", None, "compresses by itself"),
        ("o.gz", "excel", "compresses by itself"),
    ],
)
def test_outputs_that_cannot_be(output: str, wanted: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        output_of(output, wanted, "csv")


def test_patterns_give_files_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.tsv", "[x].csv"):
        (tmp_path / name).touch()
    (tmp_path / "d.csv").mkdir()
    found = [os.path.basename(p) for p in expand([str(tmp_path / "?.csv"), str(tmp_path / "[x].csv"), "-"])]
    assert found == ["a.csv", "b.csv", "[x].csv", "-"]
    with pytest.raises(InputError, match="no file matches"):
        expand([str(tmp_path / "*.xls")])
    with pytest.raises(InputError, match="No such file"):
        expand([str(tmp_path / "none.csv")])
