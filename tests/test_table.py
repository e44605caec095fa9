from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Classifier, load
from classifier.edges.table import ADDED, BadRow, tag_table
from classifier.edges.tables.delimited import DELIMITERS
from classifier.edges.tables.excel import unescape
from classifier.errors import InputError

from .conftest import SHARED

MANILA = "Calls from our customers are answered by a vendor in Manila."
ROWS = [
    ["id", "what", "sum"],
    ["1", "Window cleaning, two buildings", "5"],
    ["2", 'Quoted "words",\nand a line break', "-3"],
    ["3", "", "0"],
    ["4", "Window cleaning, two buildings", "=1+1"],
]
OUTPUTS = ["csv", "csv.gz", "csv.zst", "tsv", "jsonl", "jsonl.gz", "parquet", "xlsx"]


def write(path: Path, rows: list[list[str]], **dialect: Any) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, **dialect).writerows(rows)
    return path


def read(path: Path, delimiter: str = ",") -> list[list[str]]:
    """A table by other means than ours: header and rows of text, None as empty."""
    name = path.name
    if name.endswith(".parquet"):
        table = pq.read_table(path)
        return [table.schema.names, *([_told(v) for v in row.values()] for row in table.to_pylist())]
    if name.endswith(".xlsx"):
        rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
        return [["" if v is None else unescape(str(v)) for v in row] for row in rows]
    data = path.read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    if name.endswith(".zst"):
        data = zstandard.open(io.BytesIO(data)).read()  # reads one frame only, as many do
    text = data.decode("utf-8" if ".jsonl" in name else "utf-8-sig")
    if ".jsonl" in name:
        objects = [json.loads(line) for line in text.split("\n")[:-1]]
        return [list(objects[0]) if objects else [], *([_told(v) for v in row.values()] for row in objects)]
    between = "\t" if ".tsv" in name else delimiter
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=between))


def _told(value: Any) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize("end", OUTPUTS)
def test_every_row_comes_back_in_order_with_the_tags(tmp_path: Path, classifier: Classifier, end: str) -> None:
    out = tmp_path / f"out.{end}"
    seen: list[int] = []
    source = write(tmp_path / "in.csv", ROWS)
    outcome = tag_table(source, out, ["what"], classifier, "GB", True, progress=seen.append, chunk=3)
    found = read(out)
    assert found[0] == [*ROWS[0], *ADDED]
    assert [row[:3] for row in found] == ROWS
    assert (outcome.rows, outcome.bad, outcome.bad_count, outcome.errors) == (4, (), 0, None)
    assert seen == [3, 4]
    for row in found[1:]:
        tagging = classifier.tag(row[1], home="GB", vendor_contract=True)
        assert row[3] == "|".join(tagging.ids)
        assert row[7] == (tagging.reason.id if tagging.reason else "")
    assert outcome.tagged == sum(bool(row[3]) for row in found[1:])
    assert found[1][3:] == found[4][3:]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in.csv", out.name])


@pytest.mark.parametrize("end", OUTPUTS)
def test_long_and_wide(tmp_path: Path, classifier: Classifier, end: str) -> None:
    source = write(tmp_path / "in.csv", [["id", "what"], ["1", MANILA], ["2", ""]])
    ids = classifier.tag(MANILA).ids
    tag_table(source, tmp_path / f"long.{end}", "what", classifier, long=True, columns=("terms", "reason"))
    expected = [["id", "what", "terms", "reason"], *(["1", MANILA, term, ""] for term in ids), ["2", "", "", "empty"]]
    assert read(tmp_path / f"long.{end}") == expected
    tag_table(source, tmp_path / f"wide.{end}", "what", classifier, wide=True, columns=(), prefix="t:")
    header, one, two = read(tmp_path / f"wide.{end}")
    assert header == ["id", "what", *(f"t:{term}" for term in classifier.vocabulary.terms)]
    assert one == ["1", MANILA, *(str(int(term in ids)) for term in classifier.vocabulary.terms)]
    assert two == ["2", "", *["0"] * len(classifier.vocabulary.terms)]


MESS = {
    "byte order mark": (b"\xef\xbb\xbfwhat,n\na vendor,1\n", [["what", "n"], ["a vendor", "1"]], {}),
    "utf-16": ("what;n\ncafé;1\n".encode("utf-16"), [["what", "n"], ["café", "1"]], {}),
    "cp1252": (b"what,n\ncaf\xe9 \x96,1\n", [["what", "n"], ["café –", "1"]], {}),
    "told encoding": (b"what,n\n\xbf\xf3\xb3w,1\n", [["what", "n"], ["żółw", "1"]], {"encoding": "cp1250"}),
    "tabs": (b"what\tn\na, b\t1\n", [["what", "n"], ["a, b", "1"]], {}),
    "pipes": (b"what|n\na, b|1\n", [["what", "n"], ["a, b", "1"]], {}),
    "quoted line breaks": (b'what,n\r\n"a\r\nb\nc",1\r\n', [["what", "n"], ["a\r\nb\nc", "1"]], {}),
    "old Macintosh": (b'what,n\r"a\nb",1\rc,2', [["what", "n"], ["a\nb", "1"], ["c", "2"]], {}),
    "bare carriage return": (b'what,n\na\rb,1\n"c\rd",2\n', [["what", "n"], ["a\rb", "1"], ["c\rd", "2"]], {}),
    "NUL": (b"what,n\na\x00b,\x00\n", [["what", "n"], ["a\x00b", "\x00"]], {}),
    "headers": (b"what,,n,n,\na,b,c,d,e\n", [["what", "", "n", "n", ""], ["a", "b", "c", "d", "e"]], {}),
    "only a header": (b"what,n\n", [["what", "n"]], {}),
    "blank lines": (b"\nwhat,n\n\na,1\n\n", [["what", "n"], ["", ""], ["a", "1"], ["", ""]], {}),
    "a line for Excel": (b"sep=;\r\nwhat;n\r\na, b;1\r\n", [["what", "n"], ["a, b", "1"]], {}),
    "one column": (b"what\na, b\nc\n", [["what"], ["a, b"], ["c"]], {}),
}


@pytest.mark.parametrize("end", ["csv", "jsonl.gz", "parquet", "xlsx"])
@pytest.mark.parametrize("mess", MESS)
def test_a_messy_table_goes_through(tmp_path: Path, classifier: Classifier, mess: str, end: str) -> None:
    data, rows, options = MESS[mess]
    (tmp_path / "in.csv").write_bytes(data)
    delimiter = {"utf-16": ";", "a line for Excel": ";", "tabs": "\t", "pipes": "|", "one column": ";"}.get(mess, ",")
    outcome = tag_table(tmp_path / "in.csv", tmp_path / f"out.{end}", "what", classifier, **options)
    assert (outcome.rows, outcome.bad_count) == (len(rows) - 1, 0)
    found = read(tmp_path / f"out.{end}", delimiter)
    if len(rows) == 1 and "jsonl" in end:
        assert found == [[]]
        return
    keyed = end in ("parquet", "jsonl.gz")
    header = ["what", "column_2", "n", "n_2", "column_5"] if mess == "headers" and keyed else rows[0]
    assert found[0] == [*header, *ADDED]
    assert [row[: len(header)] for row in found[1:]] == rows[1:]


@pytest.mark.parametrize("end", ["csv", "csv.gz", "tsv", "jsonl"])
def test_text_keeps_the_mark_by_which_excel_knows_utf_8(tmp_path: Path, classifier: Classifier, end: str) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "in.csv").write_bytes(mark + "what,n\ncafé,1\n".encode())
        tag_table(tmp_path / "in.csv", tmp_path / f"out.{end}", "what", classifier)
        data = (tmp_path / f"out.{end}").read_bytes()
        data = gzip.decompress(data) if end.endswith("gz") else data
        assert data.startswith(b"\xef\xbb\xbf") is (bool(mark) and end != "jsonl")


def test_bad_rows_are_kept_tagged_and_reported(tmp_path: Path, classifier: Classifier) -> None:
    source = tmp_path / "in.csv"
    lines = [f"1,{MANILA},US,extra,more", "2", f"3,{MANILA},Narnia", f'4,"{MANILA},US', f"5,{MANILA},US"]
    text = "id,what,home\n" + "\n".join(lines)
    source.write_bytes(text.encode() + b"\xe9\n")
    outcome = tag_table(source, tmp_path / "out.csv", "what", classifier, home_column="home", encoding="utf-8")
    assert outcome.bad == (
        BadRow(1, "5 fields where the header has 3", str(source), 2),
        BadRow(2, "1 field where the header has 3", str(source), 3),
        BadRow(3, "unknown home country 'Narnia': tagged without it", str(source), 4),
        BadRow(4, "a quotation mark opens a cell and is never closed", str(source), 5),
        BadRow(5, "bytes that are not valid in the file's encoding were read as Windows-1252; "
                  "unknown home country 'USé': tagged without it", str(source), 6),
    )  # fmt: skip
    found = read(tmp_path / "out.csv")
    cells = [line.split(",")[:3] for line in text.splitlines()[1:]]
    cells[1] += ["", ""]
    cells[4][2] += "é"
    assert [row[:3] for row in found[1:]] == cells
    reason = 3 + ADDED.index("reason")
    assert [row[reason] for row in found[1:]][1:] == [f"bad row: {b.problem}" for b in outcome.bad][1:]
    assert found[1][reason] == f'bad row: {outcome.bad[0].problem}; left over: ["extra", "more"]'
    assert found[1][3] == "|".join(classifier.tag(MANILA, home="US").ids)
    assert found[3][3] == "|".join(classifier.tag(MANILA).ids)
    assert outcome.errors is not None
    listed = [json.loads(line) for line in outcome.errors.read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in listed] == [2, 3, 4, 5, 6]
    assert listed[0]["left_over"] == ["extra", "more"]


def test_a_cell_of_a_megabyte_is_no_trouble(tmp_path: Path, classifier: Classifier) -> None:
    large = "x" * 1_000_000
    rows = [["id", "what"], [large, "fine"], ["2", "fine"]]
    for end in ("csv", "parquet", "jsonl"):
        tag_table(write(tmp_path / "in.csv", rows), tmp_path / f"out.{end}", "what", classifier)
        assert [row[:2] for row in read(tmp_path / f"out.{end}")] == rows


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (b"", "what", "is empty"),
        (b"\n\r\n", "what", "is empty"),
        (b"id,text\n1,x\n", "what", "no column 'what': give --column with one of 'id', 'text'"),
        (b"what,terms\nx,y\n", "what", "already has the column terms: give --prefix"),
        (b"id,n\n1,2\n", (), "cannot be told: give --column"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, classifier: Classifier, content: bytes, column: str, message: str
) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        tag_table(tmp_path / "in.csv", tmp_path / "out.csv", column, classifier)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_several_columns_are_joined(tmp_path: Path, classifier: Classifier) -> None:
    source = write(tmp_path / "in.csv", [["a", "b"], ["A vendor in Manila", "answers our US calls"]])
    tag_table(source, tmp_path / "out.csv", ["a", "b"], classifier)
    expected = classifier.tag("A vendor in Manila\nanswers our US calls").ids
    assert read(tmp_path / "out.csv")[1][2] == "|".join(expected)


def test_several_files_become_one(tmp_path: Path, classifier: Classifier) -> None:
    write(tmp_path / "b.csv", ROWS)
    write(tmp_path / "a.csv", [ROWS[0], ["0", MANILA, "1"]])
    told: list[str] = []
    outcome = tag_table(tmp_path / "?.csv", tmp_path / "out.tsv", (), classifier, notice=told.append)
    assert outcome.rows == 5
    assert [row[0] for row in read(tmp_path / "out.tsv")] == ["id", "0", "1", "2", "3", "4"]
    assert told == ["the text is read from the column 'what'; --column gives another"]


def test_a_vendor_by_name_makes_a_row_a_vendor_contract(tmp_path: Path, classifier: Classifier) -> None:
    source = write(tmp_path / "in.csv", [["what", "vendor"], ["Window cleaning", "Acme Ltd"], ["Window cleaning", " "]])
    tag_table(source, tmp_path / "out.csv", "what", classifier, vendor_column="vendor")
    one, other = read(tmp_path / "out.csv")[1:]
    assert [one[2], other[2]] == [
        "|".join(classifier.tag("Window cleaning", vendor_contract=v).ids) for v in (True, False)
    ]
    assert ["[caller: vendor contract]" in row[5] for row in (one, other)] == [True, False]


def test_types_of_json_lines_are_kept_where_the_output_has_types(tmp_path: Path, classifier: Classifier) -> None:
    lines = [
        '{"what": "fine", "n": 1, "x": 1.50, "ok": true, "mix": "1"}',
        '{"n": null, "what": "", "x": 2, "ok": false, "mix": 1, "more": {"a": [1.0]}}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for end in ("parquet", "xlsx", "csv", "jsonl"):
        tag_table(tmp_path / "in.jsonl", tmp_path / f"out.{end}", "what", classifier, columns=("terms",))
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert [schema.field(n).type for n in ("n", "x", "ok", "mix")] == [
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.string(),
    ]
    second = read(tmp_path / "out.parquet")[2]
    assert second == ["", "", "2.0", "False", "1", '{"a": [1.0]}', second[-1]]
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert [c.value for c in sheet[2]][:5] == ["fine", 1, 1.5, True, "1"]
    assert read(tmp_path / "out.csv")[1][:6] == ["fine", "1", "1.50", "true", "1", ""]
    found = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [line.split(', "terms"')[0] + "}" for line in found] == lines


# Any text: also what is no character, marks of order, quotation marks, breaks of every kind.
CELL = st.text(max_size=12) | st.sampled_from(
    ["", " ", '"', "=1", "\r", "\r\n", "\n", "\x00", "\ufeff", "_x000D_", "a\tb"]
)
TABLE = st.lists(st.lists(CELL, max_size=4), min_size=1, max_size=5)


def written(rows: list[list[str]], delimiter: str, line_end: str, encoding: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode(encoding)


@settings(max_examples=40)
@given(
    st.lists(CELL, min_size=1, max_size=3),
    TABLE,
    st.sampled_from([*DELIMITERS, "~", "^", "\x1f", "§"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
    st.sampled_from(OUTPUTS),
)
def test_any_table_comes_back_through_any_format(
    tmp_path_factory: pytest.TempPathFactory,
    header: list[str], rows: list[list[str]], delimiter: str, line_end: str, encoding: str, end: str,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("any")
    names = [name + f"#{i}" for i, name in enumerate(header)]  # distinct, so that keys keep them
    (folder / "in.csv").write_bytes(written([names, *rows], delimiter, line_end, encoding))
    outcome = tag_table(
        folder / "in.csv", folder / f"out.{end}", "#1", load(), delimiter=delimiter, chunk=2, encoding=encoding
    )
    assert outcome.rows == len(rows)
    found = read(folder / f"out.{end}", delimiter)
    width, reason = len(names), len(names) + ADDED.index("reason")
    assert found[0] == [*names, *ADDED]
    for given_, row in zip(rows, found[1:], strict=True):
        assert row[: min(width, len(given_))] == given_[:width]
        assert all(cell == "" for cell in row[len(given_) : width])
        if len(given_) > width:
            assert json.loads(row[reason].split("left over: ", 1)[1]) == given_[width:]
        if given_ and len(given_) != width:
            assert row[reason].startswith(f"bad row: {len(given_)} field")
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row[width:])


@settings(max_examples=40)
@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=4),
    st.sampled_from(OUTPUTS),
    st.sampled_from(OUTPUTS),
    st.booleans(),
)
def test_any_table_comes_back_from_any_format_into_any_other(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], first: str, second: str, long: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    table = [["a", "b"], *rows]
    (folder / "in.csv").write_bytes(written(table, ",", "\n", "utf-8"))
    one, two = folder / f"one.{first}", folder / f"two.{second}"
    tag_table(folder / "in.csv", one, "a", load(), delimiter=",", encoding="utf-8")
    outcome = tag_table(one, two, "a", load(), prefix="again ", long=long, columns=("terms",), home="US")
    assert outcome.rows == len(rows)
    found = read(two)
    assert found[0] == [*read(one)[0], "again terms"]
    if not long:
        assert [row[:-1] for row in found] == read(one)
        assert [row[:2] for row in found] == table
    assert sum(len(row[-1].split("|")) for row in found[1:]) >= len(rows)


@settings(max_examples=40)
@given(
    st.binary(max_size=80)
    | st.text(alphabet='a,;"\n\r\t \x00é', max_size=60).map(lambda t: ("a,b\n" + t).encode("cp1252")),
    st.sampled_from(["csv", "jsonl", "parquet", "xlsx"]),
)
def test_any_bytes_are_a_table_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, end: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("in.csv", "in.jsonl"):
        (folder / name).write_bytes(data)
        try:
            tag_table(folder / name, folder / f"out.{end}", "#1", load(), chunk=1)
        except InputError:
            assert not (folder / f"out.{end}").exists()
        else:
            read(folder / f"out.{end}")
            (folder / f"out.{end}").unlink()
        assert not list(folder.glob("*.part"))


def test_another_round_goes_through_every_format(tmp_path: Path, classifier: Classifier) -> None:
    source = write(tmp_path / "in.csv", ROWS)
    for first in OUTPUTS:
        tag_table(source, tmp_path / f"one.{first}", "what", classifier)
        tag_table(tmp_path / f"one.{first}", tmp_path / "two.csv", "what", classifier, prefix="again ")
        found = read(tmp_path / "two.csv")
        assert [row[:3] for row in found] == ROWS
        assert [row[3:9] for row in found[1:]] == [row[9:] for row in found[1:]]


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the contract files are not here")
@pytest.mark.parametrize(
    ("name", "column"), [("contracts_uk", "CONTRACT_DESC"), ("contracts_us_federal", "description_doge")]
)
def test_real_contract_files_go_through(tmp_path: Path, classifier: Classifier, name: str, column: str) -> None:
    rows = read(SHARED / "data" / f"{name}.csv")[:200]
    write(tmp_path / "some.csv", rows)
    for end in ("csv", "parquet", "xlsx"):
        tag_table(tmp_path / "some.csv", tmp_path / f"out.{end}", column, classifier, "GB", True)
        assert [row[: len(rows[0])] for row in read(tmp_path / f"out.{end}")] == rows
