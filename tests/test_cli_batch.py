from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from classifier import Classifier
from classifier.edges import cli
from classifier.edges.table import ADDED

from .test_cli import classify

MANILA = "Calls from our customers are answered by a vendor in Manila."
TABLE = f"id;Beschreibung;home\n1;{MANILA};US\n2;Größere Prüfung in der Küche, täglich;\n"


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_a_table_goes_through_with_notices(tmp_path: Path, classifier: Classifier) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(TABLE.encode("cp1252"))
    done = classify("batch", str(source), "-o", str(target), "--home-column", "home", "--prefix", "c_")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for told in ("Windows-1252", "';'", "the text is read from the column 'Beschreibung'", "done: 2 rows"):
        assert told in done.stderr
    found = rows(target.read_text(encoding="utf-8"), ";")
    assert found[0] == ["id", "Beschreibung", "home", *(f"c_{name}" for name in ADDED)]
    assert [";".join(row[:3]) for row in found] == TABLE.splitlines()
    assert found[1][3] == "|".join(classifier.tag(MANILA, home="US").ids)
    quiet = classify("batch", str(source), "-o", str(target), "--home-column", "home", "--prefix", "c_", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_standard_input_and_output(classifier: Classifier) -> None:
    done = classify("batch", "-", "--columns", "terms,reason", "--delimiter", ",", stdin=f"what\n{MANILA}\n\nx,y\n")
    assert done.returncode == 3
    expected = "|".join(classifier.tag(MANILA).ids)
    assert rows(done.stdout)[:3] == [["what", "terms", "reason"], [MANILA, expected, ""], ["", "", "empty"]]
    bad = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert bad == [{"row": 3, "file": "standard input", "line": 4, "problem": "2 fields where the header has 1", "left_over": ["y"]}]  # fmt: skip


def test_pipes_change_format(tmp_path: Path) -> None:
    env = {**os.environ, "TERM": "dumb"}
    command = [sys.executable, "-m", "classifier.edges.cli", "batch", "-", "--quiet"]
    line = json.dumps({"n": 1, "text": MANILA}) + "\n"
    made = subprocess.run(
        [*command, "--output-format", "parquet"], input=line.encode(), capture_output=True, check=True, env=env
    )
    (tmp_path / "x").write_bytes(made.stdout)
    assert pq.read_table(tmp_path / "x").schema.names == ["n", "text", *ADDED]
    back = subprocess.run([*command, "--prefix", "p_"], input=made.stdout, capture_output=True, check=True, env=env)
    assert rows(back.stdout.decode())[1][:2] == ["1", MANILA]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--column", "nothing"], "no column 'nothing'"),
        (["--column", "what", "--home", "Narnia"], "ISO code"),
        (["--columns", "terms,tags"], "--columns has no 'tags'"),
        (["--format", "xls"], "--format 'xls' is not known"),
        (["--wide", "--long"], "exclude each other"),
        (["--resume", "--restart"], "exclude each other"),
        (["--resume"], "standard output cannot be resumed"),
        (["--jobs", "0"], "--jobs 0"),
        (["--delimiter", "ab"], "give one character"),
        (["--encoding", "klingon"], "unknown encoding"),
        (["-o", "out.xyz"], "--output-format"),
        (["-", "--column", "what"], "cannot stand among files"),
    ],
)
def test_errors_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], message: str
) -> None:
    (tmp_path / "in.csv").write_text("id,what\n1,a\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["classify", "batch", str(tmp_path / "in.csv"), *args])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert message in told.err
    assert told.out == ""


def test_a_bar_is_shown_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("what\n" + f"{MANILA}\n" * 50, encoding="utf-8")
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "classifier.edges.cli", "batch", str(tmp_path / "in.csv"), "--chunk", "1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=child, env={**os.environ, "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    os.close(parent)
    assert process.returncode == 0
    assert b"a second" in shown
    assert b"done: 50 rows" in shown


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("what\n" + f"{MANILA}\n" * 5000, encoding="utf-8")
    command = f"{sys.executable} -m classifier.edges.cli batch {tmp_path / 'in.csv'} --quiet | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("what,terms")
    assert done.stderr == ""


def test_help_names_every_option() -> None:
    told = classify("batch", "--help", env={"COLUMNS": "160"}).stdout
    for option in ("--home-column", "--vendor-column", "--wide", "--long", "--prefix", "--columns", "--jobs", "--resume",
                   "--restart", "--chunk", "--encoding", "--delimiter", "--sheet", "--quiet"):  # fmt: skip
        assert option in told
