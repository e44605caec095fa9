from __future__ import annotations

import csv
from pathlib import Path

import pytest

from classifier import Classifier
from classifier.edges.table import tag_table
from classifier.edges.tagged_rows import read_rows, tags_of, text_of, with_columns
from classifier.errors import InputError

from .test_cli import classify

HEAD = "id,what,terms,probabilities,definitions,evidence,reason,model\n"
LINE = "1,We hire a vendor,outsourcing|bpo,0.900|0.500,outsourcing/D0|bpo/D1,hire | a vendor,,0.1 abc\n"


def test_a_row_says_what_the_batch_wrote(tmp_path: Path, classifier: Classifier) -> None:
    text = "Calls from our customers are answered by a vendor in Manila."
    (tmp_path / "in.csv").write_text(f"id,what\n1,{text}\n2,Pens and paper\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    done = classify("batch", str(tmp_path / "in.csv"), "--column", "what", "--home", "US", "-o", str(out))
    assert done.returncode == 0, done.stderr
    row, silent = read_rows(out)
    tagging, tags = classifier.tag(text, home="US"), tags_of(row)
    assert tags.terms == tagging.ids
    assert tags.probabilities == tuple(round(t.probability, 3) for t in tagging.terms)
    assert set(tags.definitions) == {d.id for t in tagging.terms for d in t.definitions}
    assert set(tags.evidence) == {" ".join(s.text.split()) for t in tagging.terms for s in t.evidence}
    assert tags.reason == ""
    assert tags_of(silent).reason == getattr(classifier.tag("Pens and paper", home="US").reason, "id", "")


@pytest.mark.parametrize(
    ("row", "terms", "probabilities"),
    [
        ({"terms": " eor | bpo ", "probabilities": "0,9|0.5"}, ("eor", "bpo"), (0.9, 0.5)),
        ({"terms": "eor|bpo", "probabilities": "0.9"}, ("eor", "bpo"), (None, None)),
        ({"terms": "eor", "probabilities": "much"}, ("eor",), (None,)),
        ({"terms": "eor|eor|"}, ("eor",), (None,)),
        ({"terms": None}, (), ()),
    ],
)
def test_cells_that_people_changed_are_read_leniently(
    row: dict[str, str], terms: tuple[str, ...], probabilities: tuple[float | None, ...]
) -> None:
    tags = tags_of(row)
    assert (tags.terms, tags.probabilities) == (terms, probabilities)


def test_the_guard_against_formulas_is_taken_off() -> None:
    assert tags_of({"evidence": "'=x | y"}).evidence == ("=x", "y")


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8-sig")]
)
def test_tables_that_a_spreadsheet_saved_are_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text((HEAD + LINE).replace(",", delimiter), encoding=encoding)
    (row,) = read_rows(path)
    assert row["what"] == "We hire a vendor"
    assert tags_of(row).definitions == ("outsourcing/D0", "bpo/D1")


def test_a_workbook_that_an_analyst_edited_is_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(HEAD.strip().split(","))
    # A spreadsheet makes a number of a lone probability.
    book.active.append([1, "We hire a vendor", "outsourcing", 0.9, "outsourcing/D0", "hire", None, "0.1 abc"])
    book.save(tmp_path / "t.xlsx")
    (row,) = read_rows(tmp_path / "t.xlsx")
    assert row["what"] == "We hire a vendor"
    assert tags_of(row).probabilities == (0.9,)
    assert tags_of(row).reason == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,what\n1,x\n", "no column 'terms'"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_tagged_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_rows(path))


def test_the_text_column_is_the_wordiest_and_rows_come_back_whole() -> None:
    rows = [{"id": "1", "link": "https://example.com/" + "a" * 200, "what": "we hire them", "terms": ""}] * 3
    columns, again = with_columns(iter(rows), [])
    assert columns == ["what"]
    assert list(again) == rows
    assert text_of(rows[0], ["id", "what"]) == "1\nwe hire them"
    with pytest.raises(InputError, match="no column 'who': give one of 'id', 'link', 'what'"):
        with_columns(rows, ["what"], ["who"])
    with pytest.raises(InputError, match="name it with --column"):
        with_columns([{"a": "", "terms": "x"}], [])


ENDS = ("terms", "probabilities", "definitions", "evidence", "reason", "model")


def written(path: Path, head: list[str], *rows: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([head, *rows])
    return path


@pytest.mark.parametrize("prefix", ["c_", "", "terms ", "="])
def test_the_prefix_is_found(tmp_path: Path, prefix: str) -> None:
    ours = [("'" if prefix == "=" else "") + prefix + name for name in ENDS]
    own = ["id", "payment terms", *(["model"] if prefix else [])]
    cells = ["eor|bpo", "0.9|0.8", "eor/D1", "hire", "", "0.1 abc"]
    path = written(tmp_path / "t.csv", [*own, *ours], ["1", "30 days", *(["T"] if prefix else []), *cells])
    (row,) = read_rows(path)
    assert tags_of(row).terms == ("eor", "bpo")
    assert tags_of(row).model == "0.1 abc"
    assert row["payment terms"] == "30 days"
    columns, _ = with_columns(read_rows(path), [])
    assert columns == ["payment terms"]


def test_a_table_tagged_twice_asks_for_the_prefix(tmp_path: Path) -> None:
    head = ["id", *(p + name for p in ("a_", "b_") for name in ENDS)]
    path = written(tmp_path / "t.csv", head, ["1", "eor", *[""] * 5, "bpo", *[""] * 5])
    with pytest.raises(InputError, match="tagged more than once: give --prefix with one of 'a_', 'b_'"):
        list(read_rows(path))
    (row,) = read_rows(path, "b_")
    assert tags_of(row).terms == ("bpo",)
    with pytest.raises(InputError, match="no column 'c_terms'"):
        list(read_rows(path, "c_"))


def test_a_column_that_only_ends_so_is_none_of_ours(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", ["id", "payment terms"], ["1", "30 days"])
    with pytest.raises(InputError, match="no column 'terms'"):
        list(read_rows(path))
    path = written(tmp_path / "t.csv", ["id", "payment terms", "terms"], ["1", "30 days", "eor"])
    (row,) = read_rows(path)
    assert tags_of(row).terms == ("eor",)


def test_lines_of_one_row_are_one_row_again(tmp_path: Path, classifier: Classifier) -> None:
    text = "Calls from our customers are answered by a vendor in Manila."
    table = [["1", text], ["2", ""], ["2", ""], ["3", text], ["3", text], ["4", "Pens"], ["3", text]]
    source = written(tmp_path / "in.csv", ["id", "what"], *table)
    for long in (False, True):
        tag_table(source, tmp_path / f"{long}.csv", "what", classifier, "US", True, long=long, prefix="p ")
    apart, joined = (list(read_rows(tmp_path / f"{long}.csv")) for long in (False, True))
    assert [[r["id"], r["what"]] for r in joined] == table
    for one, other in zip(apart, joined, strict=True):
        a, b = tags_of(one), tags_of(other)
        assert (a.terms, a.probabilities, a.definitions, a.caller) == (
            b.terms,
            b.probabilities,
            b.definitions,
            b.caller,
        )
        assert set(a.evidence) == set(b.evidence)
        assert (a.reason, a.model) == (b.reason, b.model)
    assert tags_of(joined[0]).caller == ("vendor_contract",)


def test_rows_that_differ_in_a_cell_stay_apart(tmp_path: Path) -> None:
    rows = [
        ["1", "eor", "0.9"],
        ["2", "bpo", "0.9"],
        ["2", "eor|bpo", "0.9|0.8"],
        ["2", "ito", "0.7"],
        ["2", "ito", "0.7"],
    ]
    found = list(read_rows(written(tmp_path / "t.csv", ["id", "terms", "probabilities"], *rows)))
    assert [[r["id"], r["terms"], r["probabilities"]] for r in found] == rows


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", ["sum", "sum", "", "terms"], ["1", "2", "3", "eor"])
    (row,) = read_rows(path)
    assert dict(row) == {"sum": "1", "sum_2": "2", "column_3": "3", "terms": "eor"}


def test_sheets_that_are_not_read_are_told(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["what", "terms"])
    book.active.append(["a", "eor"])
    book.create_sheet("notes")
    book.save(tmp_path / "t.xlsx")
    told: list[str] = []
    assert len(list(read_rows(tmp_path / "t.xlsx", notice=told.append))) == 1
    assert "only the sheet 'Sheet' is read" in told[0]
