from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from classifier import Classifier
from classifier.edges import table
from classifier.edges.table import tag_table
from classifier.edges.tables import excel, work
from classifier.edges.tables.plan import Plan
from classifier.edges.tables.rows import Chunk
from classifier.errors import ModelError

TEXTS = ["Calls from our customers are answered by a vendor in Manila.", "Window cleaning", "", "Our own staff cook."]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("id,what\n" + "".join(f"{i},{TEXTS[i % 4]}\n" for i in range(97)) + "x\n", encoding="utf-8")
    return path


def test_two_processes_give_the_same_bytes_as_one(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    seen: list[int] = []
    for jobs in (1, 2):
        target = tmp_path / f"{jobs}.csv.gz"
        outcome = tag_table(source, target, "what", classifier, jobs=jobs, chunk=10, progress=seen.append)
        assert (outcome.rows, outcome.bad_count) == (98, 1)
    assert (tmp_path / "1.csv.gz").read_bytes() == (tmp_path / "2.csv.gz").read_bytes()
    assert seen == [*range(10, 91, 10), 98] * 2


def test_another_model_in_a_process_is_refused(
    source: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []
    real = table.make_plan
    monkeypatch.setattr(table, "make_plan", lambda *a: plans.append(real(*a)) or plans[0])
    table.tag_table(source, source.with_name("out.csv"), "what", classifier)
    with pytest.raises(ModelError, match="load another model than this one"):
        work._do(replace(plans[0], digest="f" * 64), Chunk("in.csv", 1, [], None))


def test_compressed_chunks_bear_no_time(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    tag_table(source, tmp_path / "out.csv.gz", "what", classifier, chunk=10)
    stored = (tmp_path / "out.csv.gz").read_bytes()
    assert stored[4:8] == b"\0\0\0\0"
    assert len(gzip.decompress(stored).splitlines()) == 99


def test_bad_rows_are_listed_with_line_and_what_fits_no_column(tmp_path: Path, classifier: Classifier) -> None:
    (tmp_path / "in.csv").write_text('id,what\n1,"a\nb"\n2,c,d,e\n', encoding="utf-8")
    outcome = tag_table(tmp_path / "in.csv", tmp_path / "out.csv", "what", classifier, columns=("terms",))
    assert outcome.errors == tmp_path / "out.csv.errors.jsonl"
    (line,) = outcome.errors.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "row": 2,
        "file": str(tmp_path / "in.csv"),
        "line": 4,
        "problem": "4 fields where the header has 2",
        "left_over": ["d", "e"],
    }


def test_cells_too_long_for_excel_are_whole_in_the_file_of_bad_rows(tmp_path: Path, classifier: Classifier) -> None:
    long = "x" * (excel.LONGEST_CELL + 1)
    (tmp_path / "in.csv").write_text(f"id,what\n{long},fine\n", encoding="utf-8")
    outcome = tag_table(tmp_path / "in.csv", tmp_path / "out.xlsx", "what", classifier)
    assert "cut for Excel" in outcome.bad[0].problem
    assert outcome.errors is not None
    assert json.loads(outcome.errors.read_text(encoding="utf-8"))["cells"] == {"id": long}


def test_json_lines_with_our_keys_late_lose_nothing(tmp_path: Path, classifier: Classifier) -> None:
    lines = ['{"what": "fine"}'] * 2000 + ['{"what": "fine", "terms": [1.50], "x": 1e400}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    outcome = tag_table(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "what", classifier)
    assert outcome.bad[0].problem == "has the added key terms itself"
    last = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith('{"what": "fine", "x": 1e400, "terms": ')
    assert json.loads(json.loads(last)["reason"].split("left over: ")[1]) == {"terms": [1.5]}


def test_half_characters_are_written_out_where_no_encoding_holds_them(tmp_path: Path, classifier: Classifier) -> None:
    (tmp_path / "in.jsonl").write_text('{"what": "a \\ud800 b", "b\\udfff": 1}\n', encoding="utf-8")
    same = tag_table(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "what", classifier)
    assert same.bad_count == 0
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8").startswith('{"what": "a \\ud800 b", "b\\udfff": 1, ')
    outcome = tag_table(tmp_path / "in.jsonl", tmp_path / "out.csv", "what", classifier)
    assert "half characters" in outcome.bad[0].problem
    assert "a \\ud800 b" in (tmp_path / "out.csv").read_text(encoding="utf-8")
