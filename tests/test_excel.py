from __future__ import annotations

import zipfile
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.tables import excel
from classifier.edges.tables.excel import ExcelSource, cut, escape, too_long, unescape, write_excel
from classifier.errors import InputError

CELLS: list[list[Any]] = [
    ["id", "what", "when", None, "rate"],
    [1, "window cleaning", datetime(2024, 5, 6, 7, 8), None, 0.25],
    [2, "=text", datetime(2024, 5, 6), "odd", 12345678901234],
    [True, "#N/A", time(7, 8), None, "=A2*2"],
    [None] * 5,
    [None, "a\nb", timedelta(hours=30), None, -1e300],
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Contracts"
    for row in CELLS:
        sheet.append(row)
    sheet["B3"].data_type = sheet["B4"].data_type = "s"
    sheet["E2"].number_format = "0.0%"
    made.create_sheet("Other").append(["x"])
    made.save(tmp_path / "in.xlsx")
    return tmp_path / "in.xlsx"


def test_rows_and_empty_rows_are_read(book: Path) -> None:
    source = ExcelSource(book, "in.xlsx")
    assert source.header == ["id", "what", "when", "", "rate"]
    assert "only the sheet 'Contracts'" in source.notices[0]
    rows = list(source.rows())
    assert [row.line for row in rows] == [2, 3, 4, 5, 6]
    assert rows[0].cells == CELLS[1]
    assert rows[1].cells[1] == "=text"
    assert rows[2].cells[4] == "=A2*2"  # never computed, so the formula itself
    assert rows[3].cells == [None] * 5
    assert not any(row.problem for row in rows)


def test_cells_come_back_with_formulas_types_and_number_formats(book: Path, tmp_path: Path) -> None:
    source = ExcelSource(book, "in.xlsx")
    tags = [[["a|b"]], [["'=x"]], [[""]], [[""]], [["c"]]]
    write_excel(tmp_path / "out.xlsx", [source], source.header, ["terms"], iter(tags), moved=False)
    found = openpyxl.load_workbook(tmp_path / "out.xlsx")["Contracts"]
    old = openpyxl.load_workbook(book)["Contracts"]
    for row in range(1, 7):
        for column in range(1, 6):
            mine, theirs = found.cell(row, column), old.cell(row, column)
            assert mine.value == theirs.value
            if mine.value is not None:
                assert (mine.data_type, mine.number_format) == (theirs.data_type, theirs.number_format)
    assert [found.cell(row, 6).value for row in range(1, 7)] == ["terms", "a|b", "'=x", None, None, "c"]


def test_moved_rows_carry_no_formula(book: Path, tmp_path: Path) -> None:
    source = ExcelSource(book, "in.xlsx")
    tags = [[["a"], ["b"]], *[[[""]]] * 4]
    write_excel(tmp_path / "out.xlsx", [source], source.header, ["terms"], iter(tags), moved=True)
    found = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert found.max_row == 7
    assert found["A2"].value == found["A3"].value == 1
    assert (found["E5"].value, found["E5"].data_type) == ("=A2*2", "s")


def test_sheets_are_chosen_by_name(book: Path) -> None:
    assert ExcelSource(book, "in.xlsx", "Other").header == ["x"]
    with pytest.raises(InputError, match="give --sheet with one of 'Contracts', 'Other'"):
        ExcelSource(book, "in.xlsx", "Nothing")


def test_cells_beyond_the_header_are_left_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_LOOK_AT", 1)
    made = openpyxl.Workbook()
    for row in (["a"], ["1"], ["2"], ["3", None, "more"]):
        made.active.append(row)
    made.save(tmp_path / "in.xlsx")
    last = list(ExcelSource(tmp_path / "in.xlsx", "in").rows())[-1]
    assert (last.cells, last.left_over, last.problem) == (["3"], ["", "more"], "3 fields where the header has 1")


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="save it as"):
        ExcelSource(tmp_path / "in.xlsx", "in.xlsx")
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(InputError, match="is empty"):
        ExcelSource(tmp_path / "empty.xlsx", "empty.xlsx")


def test_rows_go_on_in_the_next_sheet(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_ROWS", 3)
    source = ExcelSource(book, "in.xlsx")
    write_excel(tmp_path / "out.xlsx", [source], source.header, ["terms"], iter([[["t"]]] * 5), moved=True)
    found = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert found.sheetnames == ["Contracts", "Contracts 2", "Contracts 3"]
    assert [sheet.max_row for sheet in found.worksheets] == [3, 3, 2]
    assert found["Contracts 3"]["F1"].value == "terms"


def test_the_same_table_gives_the_same_bytes(book: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        source = ExcelSource(book, "in.xlsx")
        write_excel(tmp_path / name, [source], source.header, ["terms"], iter([[["t"]]] * 5), moved=False)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@given(st.text(max_size=20) | st.sampled_from(["_x0041_", "_x005F_", "_x_x0041_", "\r\n", "\x00\x1f\ufffe", "\ud800"]))
def test_escapes_are_undone(text: str) -> None:
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_long_text_is_cut_to_what_a_cell_holds(character: str) -> None:
    units = len(character.encode("utf-16-le")) // 2
    fits = character * (32_767 // units)
    assert not too_long(fits)
    assert cut(fits) == fits
    assert too_long(fits + character)
    shorter = cut(fits + character)
    assert shorter.endswith("…")
    assert fits.startswith(shorter[:-1])
    assert not too_long(shorter)
