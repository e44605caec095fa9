from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.edges.tables import parquet, rows
from classifier.edges.tables.parquet import ParquetSource, write_parquet
from classifier.edges.tables.rows import JsonValue, Row
from classifier.errors import InputError

COLUMNS: dict[str, Any] = {
    "what": pa.array(["cleaning", None, "é\x00"]),
    "sum": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(10, 2)),
    "at": pa.array([1, None, 1_700_000_000_000_000_001], pa.timestamp("ns", tz="UTC")),
    "day": pa.array([date(2024, 1, 2), None, date(1999, 12, 31)]),
    "some": pa.array([[1, 2], None, []], pa.list_(pa.int16())),
    "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
    "raw": pa.array([b"\xff", None, b"a"]),
    "small": pa.array([1.5, None, 3.0], pa.float32()),
}


@pytest.fixture
def table(tmp_path: Path) -> pa.Table:
    made = pa.table(COLUMNS).replace_schema_metadata({"who": "me"})
    pq.write_table(made, tmp_path / "in.parquet")
    return made


def test_cells_are_read_as_text_where_python_lacks_the_type(table: pa.Table, tmp_path: Path) -> None:
    source = ParquetSource(tmp_path / "in.parquet", "in")
    assert source.header == list(COLUMNS)
    found = [[rows.as_text(c) for c in row.cells] for row in source.rows()]
    assert found[0][:5] == ["cleaning", "1.50", "1970-01-01 00:00:00.000000001Z", "2024-01-02", "[1, 2]"]
    assert found[1] == ["", "", "", "", "", "b", "", ""]
    assert found[2][2] == "2023-11-14 22:13:20.000000001Z"
    assert found[2][5:] == ["a", "a", "3.0"]
    only = [row.cells for row in source.rows(frozenset({0}))]
    assert only[0] == ("cleaning", *[None] * 7)


def test_columns_of_any_type_come_back_untouched(table: pa.Table, tmp_path: Path) -> None:
    source = ParquetSource(tmp_path / "in.parquet", "in")
    tags = [[["x", 1]], [["", 0], ["y", 1]], [["z", 0]]]
    write_parquet(tmp_path / "out.parquet", [source], source.header, [("terms", False), ("eor", True)], (), iter(tags))
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.metadata[b"who"] == b"me"
    assert found.select(list(COLUMNS)).equals(table.take(pa.array([0, 1, 1, 2])))
    assert found.schema.field("kind").type == table.schema.field("kind").type
    assert found["terms"].to_pylist() == ["x", "", "y", "z"]
    assert found["eor"].to_pylist() == [1, 0, 1, 0]


def test_row_groups_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 1000)
    pq.write_table(pa.table({"a": range(3000)}), tmp_path / "in.parquet")
    source = ParquetSource(tmp_path / "in.parquet", "in")
    write_parquet(tmp_path / "out.parquet", [source], ["a"], [("t", False)], (), iter([[["x"]]] * 3000))
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 3
    assert pq.read_table(tmp_path / "out.parquet")["a"].to_pylist() == list(range(3000))


class Rows:
    """Rows that come from no file."""

    name = "rows"

    def __init__(self, columns: list[Any]) -> None:
        self._columns = columns

    def rows(self) -> Any:
        return (Row(i, cells) for i, cells in enumerate(zip(*self._columns, strict=True), start=1))


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["a", None, ""], pa.string(), ["a", None, ""]),
        ([1, None, 2**60], pa.int64(), [1, None, 2**60]),
        ([1, 1.5, None], pa.float64(), [1.0, 1.5, None]),
        ([2**60, 1.5, None], pa.string(), [str(2**60), "1.5", None]),
        ([True, None, False], pa.bool_(), [True, None, False]),
        ([datetime(2024, 1, 2), None, None], pa.timestamp("us"), [datetime(2024, 1, 2), None, None]),
        ([JsonValue("1.10", 1.1), JsonValue("null", None), JsonValue("2", 2)], pa.float64(), [1.1, None, 2.0]),
        ([JsonValue("[1]", [1]), "x", JsonValue("1.0", 1.0)], pa.string(), ["[1]", "x", "1.0"]),
        (["\ud800", None, None], pa.string(), ["\\ud800", None, None]),
        ([None, None, None], pa.string(), [None, None, None]),
    ],
)
def test_columns_get_the_type_that_holds_all_values(
    tmp_path: Path, cells: list[Any], kind: Any, values: list[Any]
) -> None:
    bits = 0
    for cell in cells:
        bits |= rows.kind(cell)
    write_parquet(tmp_path / "out.parquet", [Rows([cells])], ["a"], [("t", False)], [bits], iter([[["x"]]] * 3))
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.field("a").type == kind
    assert found["a"].to_pylist() == values


def test_a_source_that_changed_or_is_none_is_refused(table: pa.Table, tmp_path: Path) -> None:
    source = ParquetSource(tmp_path / "in.parquet", "in")
    with pytest.raises(InputError, match="has changed"):
        write_parquet(tmp_path / "out.parquet", [source], source.header, [("t", False)], (), iter([[["x"]]]))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        ParquetSource(tmp_path / "bad.parquet", "bad")


def test_text_that_is_not_utf8_is_refused_by_its_column(tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 3], pa.int32()).buffers()[1]
    broken = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"a\xc3("))
    pq.write_table(pa.table({"id": [1, 2], "what": broken}), tmp_path / "in.parquet")
    source = ParquetSource(tmp_path / "in.parquet", "in")
    with pytest.raises(InputError, match="column 'what' cannot be read after row 0: its text is not UTF-8"):
        list(source.rows())
    assert [row.cells[0] for row in source.rows(frozenset({0}))] == [1, 2]


def test_a_time_zone_that_nobody_knows_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"at": pa.array([1], pa.timestamp("us", tz="Mars/Olympus"))}), tmp_path / "in.parquet")
    with pytest.raises(InputError, match=r"column 'at' cannot be read after row 0: .*Mars/Olympus"):
        list(ParquetSource(tmp_path / "in.parquet", "in").rows())
