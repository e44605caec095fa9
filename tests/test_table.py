from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier, load
from classifier.edges.table import ADDED, safe, tag_table
from classifier.errors import InputError

from .conftest import SHARED
from .test_cli import classify

ROWS = [
    ["id", "what", "sum"],
    ["1", "Window cleaning, two buildings", "5"],
    ["2", 'Quoted "words",\nand a line break', "-3"],
    ["3", "", "0"],
    ["4", "Window cleaning, two buildings", "=1+1"],
]


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_every_row_comes_back_in_order_with_the_tags(tmp_path: Path, classifier: Classifier) -> None:
    out = tmp_path / "out.csv"
    seen: list[int] = []
    outcome = tag_table(write(tmp_path / "in.csv", ROWS), out, ["what"], classifier, "GB", True, progress=seen.append)
    found = read(out)
    assert found[0] == [*ROWS[0], *ADDED]
    assert [row[:3] for row in found] == ROWS
    assert outcome.rows == 4
    assert outcome.bad == []
    assert seen[-1] == 4
    for row in found[1:]:
        tagging = classifier.tag(row[1], home="GB", vendor_contract=True)
        assert row[3] == "|".join(tagging.ids)
        assert row[7] == (tagging.reason.id if tagging.reason else "")
    assert found[1][3:] == found[4][3:]
    assert not list(tmp_path.glob(".*"))


def test_rows_of_another_width_are_kept_and_reported(tmp_path: Path, classifier: Classifier) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,what\n1,a vendor does it,extra\n2\n3,fine\n", encoding="utf-8")
    outcome = tag_table(source, tmp_path / "out.csv", ["what"], classifier)
    assert [b.number for b in outcome.bad] == [1, 2]
    assert [row[0] for row in read(tmp_path / "out.csv")] == ["id", "1", "2", "3"]
    done = classify("batch", str(source), "--column", "what", "-o", str(tmp_path / "again.csv"))
    assert done.returncode == 3
    assert "row 1: 3 fields where the header has 2" in done.stderr


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (b"", "what", "is empty"),
        (b"id,text\n1,x\n", "what", "no column 'what': give --column with one of 'id', 'text'"),
        (b"what\n\xff\xfe\n", "what", "not UTF-8"),
        (b"what,terms\nx,y\n", "what", "already has the column terms"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, classifier: Classifier, content: bytes, column: str, message: str
) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        tag_table(tmp_path / "in.csv", tmp_path / "out.csv", [column], classifier)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_several_columns_are_joined(tmp_path: Path, classifier: Classifier) -> None:
    source = write(tmp_path / "in.csv", [["a", "b"], ["A vendor in Manila", "answers our US calls"]])
    tag_table(source, tmp_path / "out.csv", ["a", "b"], classifier)
    expected = classifier.tag("A vendor in Manila\nanswers our US calls").ids
    assert read(tmp_path / "out.csv")[1][2] == "|".join(expected)


@pytest.mark.parametrize(
    ("cell", "kept"), [("=1", "'=1"), ("-", "'-"), ("@a", "'@a"), ("+1", "'+1"), ("a=1", "a=1"), ("", "")]
)
def test_our_cells_are_never_formulas(cell: str, kept: str) -> None:
    assert safe(cell) == kept


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30),
        min_size=1,
        max_size=8,
    )
)
def test_any_cells_come_back_unchanged(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [["what", "more"], *([cell, cell[::-1]] for cell in cells)]
    tag_table(write(folder / "in.csv", rows), folder / "out.csv", ["what"], load())
    assert [row[:2] for row in read(folder / "out.csv")] == rows


def test_output_goes_to_stdout_without_a_target(tmp_path: Path) -> None:
    done = classify("batch", str(write(tmp_path / "in.csv", ROWS)), "--column", "what")
    assert done.returncode == 0
    assert len(list(csv.reader(io.StringIO(done.stdout)))) == len(ROWS)
    assert "done: 4 rows" in done.stderr


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the contract files are not here")
def test_a_real_contract_file_goes_through(tmp_path: Path, classifier: Classifier) -> None:
    source = tmp_path / "some.csv"
    rows = read(SHARED / "data" / "contracts_uk.csv")[:400]
    write(source, rows)
    tag_table(source, tmp_path / "out.csv", ["CONTRACT_DESC"], classifier, "GB", True)
    assert [row[: len(rows[0])] for row in read(tmp_path / "out.csv")] == rows
