"""A real Spark on this machine, classic and Connect in one Java process, which takes its time to start."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from importlib.machinery import SourceFileLoader
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier import Classifier, engine
from classifier.edges import spark as edge
from classifier.edges.spark import tag, tag_batches, tagged_schema
from classifier.edges.table import ADDED, tag_table
from classifier.errors import InputError, MissingExtraError

from .conftest import ROOT
from .test_arrow import MANILA, PAYROLL, TEXTS, lists

SCRIPT = ROOT / "scripts" / "tag_on_spark"
# The first compiler and one partition are enough for a few rows.
SETTINGS = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def spark(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: pip install -e '.[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: apt-get install openjdk-17-jre-headless")
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.delenv("SPARK_REMOTE", raising=False)
        builder = SparkSession.builder.master("local[2]")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        builder = builder.config("spark.sql.warehouse.dir", str(folder)).config("spark.local.dir", str(folder))
        if has_connect():
            # The server listens beside the classic session, in the same Java process.
            builder = builder.config("spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin")
            builder = builder.config("spark.connect.grpc.binding.port", str(port))
        session = builder.getOrCreate()
        yield session
        session.stop()


def has_connect() -> bool:
    """Whether pyspark brings the server, as it does from 4.0 on, and what the client needs is installed."""
    return int(version("pyspark").partition(".")[0]) >= 4 and importlib.util.find_spec("grpc") is not None


@pytest.fixture(scope="module")
def server(spark: Any, port: int) -> str:
    if not has_connect():
        pytest.skip("Spark Connect needs pyspark 4 or newer with its extra: pip install -e '.[spark]'")
    return f"sc://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def script() -> Any:
    loader = SourceFileLoader("tag_on_spark", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def added(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in ADDED}


def test_the_same_answers_as_the_core(spark: Any, classifier: Classifier) -> None:
    df = spark.createDataFrame(list(enumerate(TEXTS)), "id int, what string").repartition(3)
    rows = sorted(tag(df, "what", home="GB", nested=True).collect())
    assert [row["what"] for row in rows] == TEXTS
    assert [added(row) for row in rows] == [lists(classifier.tag(text, home="GB")) for text in TEXTS]
    assert len(rows) > 50


@pytest.mark.parametrize("large", ["false", "true"])
def test_columns_of_any_type_come_back(spark: Any, large: str) -> None:
    schema = (
        "id bigint not null, what string, sum decimal(10,2), day date, at timestamp, local timestamp_ntz, raw binary, "
        "some array<struct<a:int,b:string>>, named map<string,double>, truth boolean, small tinyint"
    )
    moment = datetime(2024, 1, 2, 3, 4, 5, 6000)
    values = [
        (1, MANILA, Decimal("1.50"), date(1999, 12, 31), moment, moment, bytearray(b"\xff"), [(1, "x")], {"k": 1.5}),
        (2, None, None, None, None, None, None, [(None, None)], {}),
    ]
    df = spark.createDataFrame([(*some, True, 7) for some in values], schema)
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", large)
    try:
        for nested in (False, True):
            tagged = tag(df, "what", nested=nested)
            assert tagged.schema.fields[: len(df.columns)] == df.schema.fields
            rows = sorted(tagged.collect())
            assert [row[: len(df.columns)] for row in rows] == [row[:] for row in sorted(df.collect())]
            assert rows[0]["terms"]
            assert [rows[1][name] for name in ADDED[:5]] == [None, None, None, None, "empty"]
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")


def test_the_model_is_loaded_once_a_worker(spark: Any) -> None:
    function = tag_batches("what")

    def watched(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in function(batches):
            told = {"worker": os.getpid(), "loaded": engine._load.cache_info().misses, "rows": batch.num_rows}
            yield pa.RecordBatch.from_pylist([told])

    df = spark.createDataFrame([(text,) for text in TEXTS], "what string").repartition(6)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "4")
    try:
        told = df.mapInArrow(watched, "worker long, loaded long, rows long").collect()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert sum(row["rows"] for row in told) == len(TEXTS)
    assert len(told) >= 12
    assert {row["loaded"] for row in told} == {1}
    assert os.getpid() not in {row["worker"] for row in told}


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("what string", {"column": "waht"}, "no column 'waht': did you mean 'what'"),
        ("what string, Terms string", {"column": "what"}, "already has the column terms"),
        ("what string", {"column": "what", "home": "Atlantis"}, "unknown country 'Atlantis'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_job(
    spark: Any, columns: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        tag(spark.createDataFrame([], columns), **options)


def test_an_empty_table_has_the_columns(spark: Any) -> None:
    df = spark.createDataFrame([], "what string")
    tagged = tag(df, "what", prefix="x_", nested=True)
    assert tagged.collect() == []
    assert tagged.columns == ["what", *("x_" + name for name in ADDED)]
    assert tagged.schema == tagged_schema(df.schema, tag_batches("what", prefix="x_", nested=True))


def test_spark_connect_gives_the_same(spark: Any, server: str) -> None:
    from pyspark.sql.connect.session import SparkSession

    remote = SparkSession.builder.remote(server).getOrCreate()
    try:
        there = remote.createDataFrame([(text,) for text in TEXTS[:9]], "what string").coalesce(1)
        assert type(there).__module__.startswith("pyspark.sql.connect.")
        found = tag(there, "what", nested=True).collect()
    finally:
        remote.stop()
    here = spark.createDataFrame([(text,) for text in TEXTS[:9]], "what string")
    assert sorted(map(str, found)) == sorted(map(str, tag(here, "what", nested=True).collect()))


def parquet(folder: Path) -> Path:
    """Two files, one with a column more, and a file of Spark's own kind that holds no rows."""
    (folder / "in").mkdir()
    pq.write_table(pa.table({"id": [1, 2, 3], "what": [MANILA, None, ""]}), folder / "in" / "1.parquet")
    pq.write_table(pa.table({"id": [4], "what": [PAYROLL], "home": ["Atlantis"]}), folder / "in" / "2.parquet")
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), folder / "in" / "3.parquet")
    return folder / "in"


def test_the_script_tags_a_parquet_folder(
    spark: Any, script: Any, tmp_path: Path, classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(parquet(tmp_path)), str(tmp_path / "out"), "--column", "what", "--nested"]
    assert script.main([*words, "--home", "US"]) == 0
    found = pq.read_table(tmp_path / "out").sort_by("id").to_pylist()
    assert [row["id"] for row in found] == [1, 2, 3, 4]
    assert [row["home"] for row in found] == [None, None, None, "Atlantis"]
    for i in (0, 2, 3):
        assert {name: found[i][name] for name in ADDED} == lists(classifier.tag(found[i]["what"], home="US"))
    assert [found[1][name] for name in ADDED[:5]] == [None, None, None, None, "empty"]
    assert "done: 4 rows, 1 with a term, 0 bad" in capsys.readouterr().err

    assert script.main(words) == 2
    assert "already exists" in capsys.readouterr().err
    assert script.main([*words, "--overwrite", "--home-column", "home", "--partitions", "2"]) == 3
    assert "done: 4 rows, 1 with a term, 1 bad" in capsys.readouterr().err
    reasons = {row["id"]: row["reason"] for row in pq.read_table(tmp_path / "out").to_pylist()}
    assert reasons[4].startswith("bad row: unknown home country 'Atlantis'")
    assert spark.range(3).count() == 3  # a session that was there is left as it was


def test_the_script_counts_columns_whose_names_look_like_a_formula(
    spark: Any, script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(parquet(tmp_path)), str(tmp_path / "out"), "--column", "what", "--home", "US", "--prefix", "=x"]
    assert script.main(words) == 0
    assert "done: 4 rows, 1 with a term, 0 bad" in capsys.readouterr().err
    assert [name for name in pq.read_table(tmp_path / "out").column_names if "=x" in name] == ["'=x" + n for n in ADDED]


CELLS = [
    ["id", " what ", "note"],
    ["1", MANILA, 'Quoted "words", and a\nline\r\nbreak'],
    ["2", "", " spaces \\ around "],
    ["3", PAYROLL, "\\"],
    ["4", 'A "vendor", in Manila,\nanswers our calls', ""],
    ["5", "=1+1", "é 日本"],
]


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_the_script_gives_the_cells_of_the_batch_command(
    spark: Any, script: Any, tmp_path: Path, classifier: Classifier
) -> None:
    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "rows.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(CELLS)
    tag_table(tmp_path / "in" / "rows.csv", tmp_path / "batch.csv", " what ", classifier, "GB", vendor_contract=True)
    words = [str(tmp_path / "in"), str(tmp_path / "out"), "--column", " what ", "--home", "GB", "--vendor-contract"]
    assert script.main(words) == 0
    (part,) = (tmp_path / "out").glob("part-*.csv")
    assert rows_of(part) == rows_of(tmp_path / "batch.csv")


@pytest.mark.parametrize(
    ("content", "words", "code", "message"),
    [
        ("id,what\n1,a vendor,more\n", [], 1, "Malformed"),
        ("id,what\n1\n", [], 1, "Malformed"),
        ("id,what\n", [], 0, "done: 0 rows"),
        ("id,what\n1,a vendor\n2,b\n", ["--one-line-rows"], 0, "done: 2 rows"),
        ("id,what\n1,a vendor\n", ["--nested", "--output-format", "parquet"], 0, "done: 1 rows"),
        ("id,text\n1,a\n", [], 2, "no column 'what'"),
        ("id,what\n1,a\n", ["--nested"], 2, "CSV has no lists"),
        ("id,what\n1,a\n", ["--home", "Atlantis"], 2, "unknown country"),
        ("id,what\n1,a\n", ["--master", "local", "--remote", "sc://nowhere"], 2, "exclude each other"),
    ],
)
def test_what_the_script_says(
    spark: Any,
    script: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    words: list[str],
    code: int,
    message: str,
) -> None:
    (tmp_path / "in.csv").write_text(content, encoding="utf-8")
    out = tmp_path / "out"
    assert script.main([str(tmp_path / "in.csv"), str(out), "--column", "what", *words]) == code
    assert message in capsys.readouterr().err


def test_files_with_another_header_are_not_mixed_up(
    spark: Any, script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.csv").write_text("id,what\n1,a vendor\n", encoding="utf-8")
    (tmp_path / "in" / "2.csv").write_text("what,id\na vendor,2\n", encoding="utf-8")
    assert script.main([str(tmp_path / "in"), str(tmp_path / "out"), "--column", "what"]) == 1
    assert "header" in capsys.readouterr().err


def test_the_format_is_told_by_the_names(script: Any, tmp_path: Path) -> None:
    for name in ("a/x.parquet", "a/_SUCCESS", "b/year=2024/x.csv.gz", "c/x.csv", "c/x.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert script.format_of(str(tmp_path / "a")) == "parquet"
    assert script.format_of(f"file://{tmp_path}/b") == "csv"
    assert script.format_of("s3a://bucket/some.parquet") == "parquet"
    for path in (str(tmp_path / "c"), "s3a://bucket/some"):
        with pytest.raises(InputError, match="give --format"):
            script.format_of(path)


def test_the_script_runs_as_a_command_over_connect(server: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(parquet(tmp_path)), str(tmp_path / "out"), "--column", "what"]
    done = subprocess.run([*command, "--remote", server], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "done: 4 rows" in done.stderr
    assert pq.read_table(tmp_path / "out").num_rows == 4


def test_the_examples_run(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    pq.write_table(pa.table({"description": [MANILA]}), tmp_path / "contracts")
    page = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    # Spark reads where its Java process was started, and not where this test stands.
    code = "".join(b for b in blocks if "dask" not in b).replace('"contracts"', f'"{tmp_path}/contracts"')
    names: dict[str, Any] = {}
    exec(compile(code.replace('"tagged"', f'"{tmp_path}/tagged"'), "spark.md", "exec"), names)  # noqa: S102
    found = pq.read_table(tmp_path / "tagged")["terms"].to_pylist()
    assert found == ["|".join(classifier.tag(MANILA, home="GB", vendor_contract=True).ids)]
    assert [row["terms"] for row in names["tagged"].collect()] == [list(classifier.tag(MANILA).ids)]


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql.types", None)
    with pytest.raises(MissingExtraError, match=r"arrangement-classifier\[spark\]"):
        edge.tagged_schema(None, tag_batches("what"))  # type: ignore[arg-type]
