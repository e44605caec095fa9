from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Classifier, load
from classifier.edges import cli
from classifier.edges.batch_report import BatchReport
from classifier.edges.html_report import TITLE
from classifier.edges.table import tag_table
from classifier.edges.tables import excel
from classifier.errors import InputError

from .test_html_report import Page

MANILA = "Calls from our customers are answered by a vendor in Manila."
PAYROLL = "Our own staff do the payroll."
# A column of the table's own is called like one that is added, two have one name, and rows are repeated.
TABLE = f"""id,what,buyer,sum,sum,model
1,{MANILA},A,£900,1,m1
2,Pens and paper,B,£20,1,m2
3,{PAYROLL},B,n/a,1,m1
4,{MANILA},A,£900,1,m1
4,{MANILA},A,£900,1,m1
5,,C,,1,
"""
OUTPUTS = ["csv", "tsv", "csv.gz", "jsonl", "parquet", "xlsx"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def made(source: Path, end: str, classifier: Classifier, **options: Any) -> str:
    """The page that a batch makes of the table."""
    page = source.with_name("page.html")
    wanted = BatchReport(page, "#4", None, ("buyer", "model"), "T")
    asked: dict[str, Any] = {"column": "what", "prefix": "c_", **options}
    tag_table(source, source.with_name(f"out.{end}"), classifier=classifier, report=wanted, **asked)
    text = page.read_text(encoding="utf-8")
    Page(text)
    return text


@pytest.mark.parametrize("end", OUTPUTS)
def test_every_format_and_shape_gives_the_same_page(source: Path, classifier: Classifier, end: str) -> None:
    expected = made(source, "csv", classifier)
    page = Page(expected)
    assert "6 rows, tagged by" in page.text
    assert "Amount (GBP)" in page.text
    assert "2,720" in page.text
    assert "By model" in page.text
    for more in ({}, {"long": True}, {"wide": True}, {"long": True, "prefix": "="}):
        assert made(source, end, classifier, **more) == expected


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, which has the model already: its exit code and what it told."""

    def command(*args: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["classify", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert told.out == ""
        return int(ended.value.code or 0), told.err

    return command


def test_the_command_for_a_finished_table_gives_the_same_page(source: Path, tmp_path: Path, run: Run) -> None:
    out, one, two = (tmp_path / name for name in ("out.csv", "one.html", "two.html"))
    columns = ["--column", "what", "--group-column", "buyer", "--value-column"]
    code, told = run("batch", source, "-o", out, "--prefix", "c_", "--long", "--report", one, *columns, "#4")
    assert code == 0
    assert f"report in {one}" in told
    code, _ = run("report", out, "-o", two, *columns, "sum")
    assert code == 0
    assert one.read_bytes() == two.read_bytes()
    assert f"{TITLE}: out.csv" in one.read_text(encoding="utf-8")


def test_thresholds_and_vocabulary_are_those_of_the_batch(source: Path, tmp_path: Path, run: Run) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'format = 1\nextends = "default"\n[[term]]\nid = "vendor-work"\nlabel = "Work by a vendor"\n'
        '[[term.definition]]\ndocument = "D1"\nsays = "Ours."\ncitation = { section = "x", paragraph = 1 }\n'
        'all = ["third-party"]\n',
        encoding="utf-8",
    )
    page, one, two = (tmp_path / name for name in ("page.html", "1.csv", "2.csv"))
    more = ["--column", "what", "--prefix", "c_", "--vocabulary", own, "--threshold", "0.35", "--report", page]
    assert run("batch", source, "-o", one, *more)[0] == 0
    told = Page(page.read_text(encoding="utf-8")).text
    assert "Work by a vendor" in told
    assert "threshold 0.35" in told
    assert run("batch", source, "-o", two, *more, "--jobs", "2")[0] == 0
    assert "|vendor-work" in one.read_text(encoding="utf-8")
    assert one.read_bytes() == two.read_bytes()
    assert run("report", one, "-o", page, "--vocabulary", own)[0] == 0
    assert "Work by a vendor" in Page(page.read_text(encoding="utf-8")).text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--report", "page.html"], "--report reads the finished table: give it a file as well, with -o"),
        (["--report", "page.html", "-o", "/dev/null"], "give it a file as well"),
        (["--report", "page.html", "-o", "out.csv", "--columns", "reason"], "--report needs the column terms"),
        (["--report", "page.html", "-o", "out.csv", "--value-column", "price"], "no column 'price'"),
        (["--report", "page.html", "-o", "out.csv", "--value-column", "sum"], "2 columns 'sum': give --value-column '#4'"),
        (["--report", "page.html", "-o", "out.csv", "--group-column", "byer"], "did you mean 'buyer'?"),
        (["--report", "none/page.html", "-o", "out.csv"], "cannot be written: give --report in a folder"),
        (["--report", ".", "-o", "out.csv"], "is a folder: give --report a file"),
        (["--report", "./in.csv", "-o", "out.csv"], "is the table itself"),
        (["--report", "out.csv", "-o", "./out.csv"], "is the table itself"),
        (["-o", "out.csv", "--group-column", "buyer"], "--group-column is for the report: give --report"),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_is_refused_before_anything_is_tagged(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = run("batch", "in.csv", "--column", "what", "--prefix", "c_", *args)
    assert code == 2
    assert message in told
    assert os.listdir(tmp_path) == ["in.csv"]


def test_a_page_that_cannot_be_written_leaves_the_table_whole(
    source: Path, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    wanted = BatchReport(tmp_path / "page.html")
    with monkeypatch.context() as patch:
        patch.setattr("classifier.edges.html_report.replacing", full)
        with pytest.raises(InputError, match=r"No space left.*The table is whole: .*out.csv; `classify report`"):
            tag_table(source, tmp_path / "out.csv", "what", classifier, prefix="c_", report=wanted)
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]
    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr("classifier.edges.html_report.write_report", _interrupted)
        patch.setattr("classifier.edges.table._Progress.broken_off", lambda _, text: told.append(text))
        with pytest.raises(KeyboardInterrupt):
            tag_table(source, tmp_path / "out.csv", "what", classifier, prefix="c_", report=wanted)
    assert re.match(r"The table is whole: .*out.csv; `classify report` makes the page", told[0])


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_table_without_rows_makes_a_page(tmp_path: Path, classifier: Classifier, end: str) -> None:
    (tmp_path / "in.csv").write_text("id,what\n", encoding="utf-8")
    page = tmp_path / "page.html"
    tag_table(tmp_path / "in.csv", tmp_path / f"out.{end}", "what", classifier, report=BatchReport(page))
    assert "The table has no rows" in page.read_text(encoding="utf-8")


def test_rows_that_a_page_cannot_count_are_told(
    source: Path, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(excel, "_ROWS", 4)
    page = BatchReport(tmp_path / "page.html")
    with pytest.raises(InputError, match=r"counts 3 rows of 6: a report reads one sheet.*The table is whole"):
        tag_table(source, tmp_path / "out.xlsx", "what", classifier, prefix="c_", report=page)
    assert run("report", tmp_path / "out.xlsx", "-o", page.page, "--sheet", "tagged 2")[0] == 0
    assert "3 rows, tagged by" in page.page.read_text(encoding="utf-8")


CELL = st.text(max_size=8) | st.sampled_from(["", '"', "=1", "\r\n", "\x00", "\ufeff", MANILA, "terms"])


@settings(max_examples=30)
@given(
    st.lists(CELL, min_size=1, max_size=3),
    st.lists(st.lists(CELL, max_size=4), max_size=4),
    st.sampled_from(OUTPUTS),
    st.booleans(),
    st.sampled_from(["", "terms", "\u00e9 "]),
)
def test_any_table_makes_a_page_that_counts_every_row(
    tmp_path_factory: pytest.TempPathFactory,
    header: list[str], rows: list[list[str]], end: str, long: bool, prefix: str,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("any")
    with (folder / "in.csv").open("w", encoding="utf-8", newline="", errors="surrogatepass") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[f"{name}#" for name in header], *rows])
    page = folder / "page.html"
    outcome = tag_table(
        folder / "in.csv", folder / f"out.{end}", "#1", load(), delimiter=",", encoding="utf-8", long=long,
        prefix=prefix, report=BatchReport(page, "#1", None, (f"#{len(header)}",)),
    )  # fmt: skip
    assert outcome.rows == len(rows)
    told = Page(page.read_text(encoding="utf-8")).text
    assert f"{len(rows)} row{'s' * (len(rows) != 1)}, tagged by" in told
