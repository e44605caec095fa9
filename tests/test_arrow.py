from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier, engine
from classifier.edges import arrow
from classifier.edges.arrow import TagBatches
from classifier.edges.table import ADDED, tag_table
from classifier.edges.tables.columns import added_columns
from classifier.edges.tables.options import CALLER, TableOptions
from classifier.errors import InputError
from classifier.model import default_path
from classifier.tagging import Tagging

from .conftest import ROOT

MANILA = "Calls from our customers are answered by a vendor in Manila."
PAYROLL = "our own staff do the payroll"
TEXTS = [
    case["text"]
    for path in sorted((ROOT / "tests" / "cases").glob("*.toml"))
    for kind in ("must", "must_not")
    for case in tomllib.loads(path.read_text(encoding="utf-8"))[kind][:1]
] + ["", " \n", PAYROLL, MANILA, "=1+1", "Nous avons confié la paie de notre usine à un prestataire de Lyon."]


def lists(tagging: Tagging) -> dict[str, Any]:
    """The added columns as lists, made from the core's answer alone."""
    spans = {(s.start, s.end) for term in tagging.terms for s in term.evidence}
    said = {name for term in tagging.terms for name in term.given}
    return {
        "terms": list(tagging.ids),
        "probabilities": [term.probability for term in tagging.terms],
        "definitions": [d.id for term in tagging.terms for d in term.definitions],
        "evidence": [tagging.text[a:b] for a, b in sorted(spans)] + [v for k, v in CALLER.items() if k in said],
        "reason": tagging.reason.id if tagging.reason else None,
        "model": f"{tagging.model.version} {tagging.model.digest[:12]}",
    }


def tags(table: pa.Table) -> list[dict[str, Any]]:
    return table.select(list(ADDED)).to_pylist()


def test_the_same_answers_as_the_core(classifier: Classifier) -> None:
    found = tags(TagBatches("what", nested=True).table(pa.table({"what": TEXTS})))
    assert found == [lists(classifier.tag(text)) for text in TEXTS]
    assert sum(bool(row["terms"]) for row in found) > 20


def test_the_same_cells_as_the_batch_command(tmp_path: Path, classifier: Classifier) -> None:
    table = pa.table({"id": range(len(TEXTS)), "what": TEXTS})
    pq.write_table(table, tmp_path / "in.parquet")
    tag_table(tmp_path / "in.parquet", tmp_path / "out.parquet", "what", classifier, "GB", vendor_contract=True)
    found = TagBatches("what", home="GB", vendor_contract=True).table(table)
    assert found.to_pylist() == pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [str(found.schema.field(name).type) for name in ADDED] == ["string"] * len(ADDED)


@pytest.mark.parametrize("nested", [False, True])
def test_null_is_no_text(classifier: Classifier, nested: bool) -> None:
    table = pa.table({"a": [None, None, MANILA, ""], "b": [None, MANILA, None, None]})
    found = tags(TagBatches(["a", "b"], nested=nested).table(table))
    model = lists(classifier.tag(""))["model"]
    assert found[0] == {**dict.fromkeys(ADDED), "reason": "empty", "model": model}
    for row, text in ((found[1], "\n" + MANILA), (found[2], MANILA + "\n")):
        assert (row["terms"] if nested else row["terms"].split("|")) == list(classifier.tag(text).ids)
    assert found[3]["terms"] == ([] if nested else "")
    assert found[3]["reason"] == "empty"


@pytest.mark.parametrize(
    ("options", "context"),
    [
        ({"home": "US"}, {"home": "US"}),
        ({"home_column": "client"}, {"home": "US"}),
        ({"home": "GB", "home_column": "client"}, {"home": "US"}),
        ({"home": "US", "home_column": "nothing"}, {"home": "US"}),
        (
            {"home_column": "client", "provider_country_column": "provider"},
            {"home": "US", "provider_country": "Poland"},
        ),
        ({"home": "DE", "provider_country": "PL"}, {"home": "DE", "provider_country": "PL"}),
        ({"vendor_contract": True}, {"vendor_contract": True}),
        ({"vendor_column": "provider"}, {"vendor_contract": True}),
        ({"vendor_column": "nothing"}, {}),
        ({"threshold": 0.9}, {"threshold": 0.9}),
    ],
)  # fmt: skip
def test_options_are_those_of_the_core(
    classifier: Classifier, options: dict[str, Any], context: dict[str, Any]
) -> None:
    texts = [MANILA, "Window cleaning, two buildings", "Payroll for 40 staff", "The help desk is run from Guadalajara"]
    rows = len(texts)
    table = pa.table({"provider": ["Poland"] * rows, "what": texts, "nothing": pa.nulls(rows), "client": ["US"] * rows})
    found = TagBatches("what", nested=True, **options).table(table)
    assert tags(found) == [lists(classifier.tag(text, **context)) for text in texts]


def test_an_unknown_country_in_a_column_makes_the_row_bad() -> None:
    table = pa.table({"what": [MANILA, MANILA], "client": ["Atlantis", "US"]})
    first, second = tags(TagBatches("what", home_column="client").table(table))
    assert first["reason"] == "bad row: unknown home country 'Atlantis': tagged without it"
    assert first["terms"]
    assert second["reason"] == ""


COLUMNS: dict[str, pa.Array] = {
    "number": pa.array([1, None], pa.int16()),
    "sum": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
    "day": pa.array([None, date(2024, 1, 2)]),
    "at": pa.array([1, None], pa.timestamp("ns", tz="UTC")),
    "some": pa.array([[1, 2], None], pa.list_(pa.field("item", pa.int16(), nullable=False))),
    "who": pa.array([{"a": 1}, None]),
    "raw": pa.array([b"\xff", None]),
}


@pytest.mark.parametrize(
    "text",
    [
        pa.array([MANILA, None]),
        pa.array([MANILA, None], pa.large_string()),
        pa.array([MANILA, None]).dictionary_encode(),
        pa.array([MANILA.encode(), None], pa.binary()),
    ],
    ids=lambda text: str(text.type)[:12],
)
def test_text_of_any_type_is_read_and_other_columns_stay(text: pa.Array, classifier: Classifier) -> None:
    table = pa.table({**COLUMNS, "what": text}).replace_schema_metadata({"who": "me"})
    found = TagBatches("what").table(table)
    assert found.select(table.column_names).equals(table, check_metadata=True)
    assert found["terms"].to_pylist() == ["|".join(classifier.tag(MANILA).ids), None]


def test_numbers_as_text_are_read(classifier: Classifier) -> None:
    found = TagBatches("number", nested=True).table(pa.table(COLUMNS))
    assert tags(found)[0] == lists(classifier.tag("1"))
    assert found["reason"].to_pylist()[1] == "empty"


@pytest.mark.parametrize("prefix", ["=x", "@", "x_"])
def test_names_are_those_of_the_batch_command(prefix: str) -> None:
    names = [name for name, _ in TagBatches("what", prefix=prefix).added()]
    assert names == [("'" if prefix != "x_" else "") + prefix + name for name in ADDED]
    assert names == [name for name, _ in added_columns(TableOptions(("-",), prefix=prefix), ())]


@pytest.mark.parametrize("nested", [False, True])
def test_nothing_is_loaded_for_empty_batches(nested: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "load", None)
    empty = pa.table({"what": pa.array([], pa.string())})
    function = TagBatches("what", nested=nested, prefix="x_")
    (batch,) = function([pa.RecordBatch.from_pylist([], empty.schema)])
    assert batch.num_rows == 0
    assert batch.schema == function.table(empty).schema == function.schema(empty.schema)
    assert batch.schema.names == ["what", *("x_" + name for name in ADDED)]
    assert batch.schema.field("x_probabilities").type == (pa.list_(pa.float64()) if nested else pa.string())
    assert list(function([])) == []


def test_batches_are_taken_and_given_one_by_one() -> None:
    asked: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for i in range(3):
            asked.append(i)
            yield pa.RecordBatch.from_pydict({"what": [PAYROLL]})

    found = TagBatches("what")(batches())
    assert asked == []
    next(found)
    assert asked == [0]
    assert len(list(found)) == 2


@given(st.lists(st.sampled_from([*TEXTS[:6], None]), max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_it_is_all_one_how_rows_are_cut_into_batches(texts: list[str | None], cuts: list[int]) -> None:
    function = TagBatches("what", home="US")
    table = pa.table({"what": pa.array(texts, pa.string())})
    whole = function.table(table)
    at = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    parts = [pa.RecordBatch.from_pydict({"what": table["what"].combine_chunks()[a:b]}) for a, b in pairwise(at)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow, "CHUNK", 2)
        assert pa.Table.from_batches(function(parts), whole.schema).equals(whole)


def test_only_options_are_pickled_and_the_model_is_loaded_once() -> None:
    function = TagBatches(["what"], home="US", threshold=0.5)
    table = pa.table({"what": [MANILA]})
    before = function.table(table)
    loaded = engine._load.cache_info().misses
    sent = pickle.dumps(function)
    assert len(sent) < 500
    again = pickle.loads(sent)  # noqa: S301
    assert again == function
    assert again.table(table).equals(before)
    assert engine._load.cache_info().misses == loaded


def test_threads_load_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def watched(path: str | None) -> Classifier:
        held.append(arrow._loading.locked())
        return engine.load(path)

    monkeypatch.setattr(arrow, "load", watched)
    function = TagBatches("what")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(function.table, [pa.table({"what": [MANILA, PAYROLL]})] * 4))
    assert held == [True] * 4
    assert all(table.equals(found[0]) for table in found)


def test_a_model_of_ones_own() -> None:
    own = default_path()
    table = pa.table({"what": [MANILA]})
    function = TagBatches("what", model=own)
    assert function.model == str(own)
    assert function.table(table).equals(TagBatches("what").table(table))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"column": ()}, "no column: name the one"),
        ({"column": "what", "home": "Atlantis"}, "unknown country 'Atlantis'"),
        ({"column": "what", "provider_country": "Atlantis"}, "unknown country 'Atlantis'"),
        ({"column": "what", "threshold": 0.0}, "threshold 0.0 is out of range"),
        ({"column": "waht"}, "no column 'waht': did you mean 'what'"),
        ({"column": "what", "home_column": "client"}, "no column 'client'.*home_column"),
        ({"column": "what", "prefix": "x_"}, "already has the column x_terms"),
        ({"column": "twice"}, "has 2 columns 'twice'"),
    ],
)
def test_what_cannot_be_used_is_refused(options: dict[str, Any], message: str) -> None:
    names = ["what", "x_terms", "twice", "twice"]
    table = pa.table([["a"]] * len(names), names=names)
    with pytest.raises(InputError, match=message):
        TagBatches(**options).table(table)


def test_the_dask_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    pytest.importorskip("dask.dataframe", reason="Dask is not installed: pip install 'dask[dataframe]'")
    (tmp_path / "contracts").mkdir()
    texts = [[MANILA, None], [PAYROLL], []]
    for i, some in enumerate(texts):
        column = pa.array(some, pa.string())
        pq.write_table(pa.table({"id": [i] * len(some), "description": column}), tmp_path / f"contracts/{i}.parquet")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    (code,) = (block for block in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "dask" in block)
    exec(compile(code, "spark.md", "exec"), {})  # noqa: S102
    found = pq.read_table(tmp_path / "tagged").sort_by("id")
    assert found["id"].to_pylist() == [0, 0, 1]
    assert found["terms"].to_pylist() == ["|".join(classifier.tag(MANILA, home="GB").ids), None, ""]
    assert found["reason"].to_pylist() == ["", "empty", classifier.tag(PAYROLL, home="GB").reason.id]  # type: ignore[union-attr]
