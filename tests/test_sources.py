from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.edges.tables import sources
from classifier.edges.tables.options import TableOptions
from classifier.edges.tables.sources import Inputs, Table
from classifier.errors import InputError


def table(*inputs: str | Path, output: str = "csv", **options: object) -> Table:
    with ExitStack() as stack:
        return Inputs(TableOptions(tuple(map(str, inputs)), **options), stack).table(output)  # type: ignore[arg-type]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_several_files_are_one_table(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,what\n1,a\n2,b\n3,c\n")
    write(tmp_path / "b.csv", "id;what\n4;d\n")
    found = table(tmp_path / "*.csv")
    chunks = list(found.chunks(2, None, 0))
    assert [(Path(c.file).name, c.first, [r.cells for r in c.rows]) for c in chunks] == [
        ("a.csv", 1, [["1", "a"], ["2", "b"]]),
        ("a.csv", 3, [["3", "c"]]),
        ("b.csv", 4, [["4", "d"]]),
    ]
    assert chunks[-1].share == 1.0
    assert [c.first for c in found.chunks(2, None, 2)] == [4]
    assert found.durable


def test_chunks_are_closed_early_when_rows_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_CHUNK_SIZE", 100)
    found = table(write(tmp_path / "a.csv", "what\n" + "x" * 200 + "\n" + "y\n" * 5))
    assert [len(c.rows) for c in found.chunks(3, None, 0)] == [1, 3, 2]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a,b\n", "a,c\n", "other columns than"),
        ("a,b\n", "b,a\n", "'b', 'a', not 'a', 'b'"),
        ("a,b\n", "a,b,c\n", "one at a time"),
    ],
)
def test_files_with_other_columns_are_refused(tmp_path: Path, first: str, second: str, message: str) -> None:
    write(tmp_path / "a.csv", first)
    write(tmp_path / "b.csv", second)
    with pytest.raises(InputError, match=message):
        table(tmp_path / "a.csv", tmp_path / "b.csv")


def test_parquet_files_of_other_types_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="string in the column 'a'"):
        table(tmp_path / "a.parquet", tmp_path / "b.parquet")


def test_formats_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "a\n1\n")
    write(tmp_path / "b.jsonl", '{"a": 1}\n')
    with pytest.raises(InputError, match="different formats"):
        table(tmp_path / "a.csv", tmp_path / "b.jsonl")


def test_json_lines_may_have_other_keys(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", '{"a": "1"}\n')
    write(tmp_path / "b.jsonl", '{"b": "2"}\n{"c": "3", "a": "4"}\n')
    found = table(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert found.header == ["a", "b", "c"]
    cells = [list(r.cells) for c in found.chunks(9, None, 0) for r in c.rows]
    assert cells == [["1", None, None], [None, "2", None], ["4", None, "3"]]


def test_a_pipe_is_read_whole_and_not_gone_on_with(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = "what\n" + "a vendor\n" * 1000
    with subprocess.Popen(["sh", "-c", f"printf '%s' '{text}' > {tmp_path / 'pipe'}"]), ExitStack() as stack:
        found = Inputs(TableOptions((str(tmp_path / "pipe"),)), stack).table("csv")
        assert sum(len(c.rows) for c in found.chunks(100, None, 0)) == 1000
        assert not found.durable


def test_a_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"/\*.csv"):
        table(tmp_path)


@pytest.mark.parametrize("output", ["csv", "parquet"])
def test_standard_input_loses_no_row_to_a_first_look(monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"\xef\xbb\xbfid,what\r\n" + b"1,a b\r\n" * 500))
    with ExitStack() as stack:
        found = Inputs(TableOptions(("-",)), stack).table(output)
        assert len(found.first_rows()) == 200
        assert sum(len(c.rows) for c in found.chunks(100, None, 0)) == 500
        assert not found.durable


def test_json_lines_on_standard_input_are_kept_to_gather_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b'{"a": "1"}\n' * 2000 + b'{"b": "2"}\n'))
    with ExitStack() as stack:
        found = Inputs(TableOptions(("-",)), stack).table("csv")
        assert found.header == ["a", "b"]
        assert sum(len(c.rows) for c in found.chunks(100, None, 0)) == 2001
