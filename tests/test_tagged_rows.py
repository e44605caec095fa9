from __future__ import annotations

from pathlib import Path

import pytest

from classifier import Classifier
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
