"""A tagged table is safe to open in a spreadsheet: no cell that was added is a formula, and the others are left alone."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier, load
from classifier.edges.table import ADDED, tag_table
from classifier.edges.tables.rows import Row
from classifier.edges.tables.tags import Context, Tagger
from classifier.tagging import Citation, Definition, ModelInfo, Reason, Span, Tagging, TermTag

from .conftest import ROOT

STARTS = ("=", "+", "-", "@", "\t", "\r")
VENDOR = "Calls from our customers are answered by a vendor in Manila."
# The words that decide stand at the very start, behind what a spreadsheet would run.
TEXTS = [
    *(f"{start}{VENDOR}" for start in STARTS),
    "=HYPERLINK(\"http://a.b\",\"a vendor in Manila\")",
    "-vendor in Manila: calls from our customers",
    "@vendor in Manila answers the calls of our customers",
    "+44 20 7946 0000 is answered for us by a vendor in Manila",
    "=cmd|'/C calc'!A0",
    "=1+1",
    "-",
    "",
]  # fmt: skip
anything = st.text(max_size=20)
risky = st.tuples(st.sampled_from([*STARTS, "", " ", "\n", "'="]), anything).map("".join)


class Answering:
    """A classifier that answers whatever it is told to."""

    def __init__(self, words: list[str], name: str) -> None:
        self.vocabulary, self.words, self.name = load().vocabulary, words, name

    def context(self, *_: Any) -> None:
        pass

    def tag(self, text: str, **_: Any) -> Tagging:
        spans = tuple(Span(n, n + len(word), word, self.name) for n, word in enumerate(self.words))
        definition = Definition(self.name, self.name, Citation("", "", "", 1, ""), ())
        terms = (TermTag(self.name, self.name, 0.5, False, (definition,), spans),) if self.words else ()
        return Tagging(text, None, terms, (), (), None if terms else Reason(self.name, ""), ModelInfo(self.name, "0"))

    def tag_many(self, texts: Iterable[str], **context: Any) -> Iterator[Tagging]:
        return (self.tag(text, **context) for text in texts)


@given(st.lists(risky, max_size=3), risky, risky, risky, st.booleans())
def test_no_added_cell_begins_like_a_formula(words: list[str], name: str, text: str, problem: str, long: bool) -> None:
    tagger = Tagger(Answering(words, name), Context((0,)), ADDED, wide=not long, long=long)  # type: ignore[arg-type]
    for row in (Row(2, [text]), Row(3, [text], problem, [problem])):
        for tagged in tagger.tag([row]):
            for line in tagged.lines:
                assert not [cell for cell in line if str(cell).startswith(STARTS)]


def read(path: Path) -> tuple[list[str], list[list[Any]]]:
    """The header and the rows of a table."""
    if path.suffix == ".xlsx":
        header, *rows = openpyxl.load_workbook(path).active.iter_rows()
        # What a spreadsheet runs is what its file calls a formula.
        return [c.value for c in header], [["=!" if c.data_type == "f" else c.value or "" for c in row] for row in rows]
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".jsonl":
            found = [json.loads(line) for line in lines]
            return list(found[0]), [list(row.values()) for row in found]
        header_row, *rest = csv.reader(lines, delimiter="\t" if path.suffix == ".tsv" else ",")
        return header_row, rest


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "jsonl", "parquet"])
@pytest.mark.parametrize("prefix", ["", "="])
def test_every_format_keeps_cells_and_adds_no_formula(
    classifier: Classifier, tmp_path: Path, suffix: str, prefix: str
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / f"out.{suffix}"
    with source.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["=id", "what"])
        writer.writerows([f"={n}", text] for n, text in enumerate(TEXTS))
    outcome = tag_table(source, target, "what", classifier, prefix=prefix, wide=True)
    assert outcome.rows == len(TEXTS)
    assert outcome.tagged > len(STARTS)
    header, rows = read(target)
    assert header[:2] == ["=id", "what"]
    assert not [name for name in header[2:] if name.startswith(STARTS)]
    assert not [cell for row in rows for cell in row[2:] if str(cell).startswith(STARTS)]
    if suffix == "xlsx":  # there a cell says what it is: text stays text, however it begins
        assert [row[:2] for row in rows] == [[f"={n}", re.sub("\r", "_x000D_", t)] for n, t in enumerate(TEXTS)]
    else:
        assert [row[:2] for row in rows] == [[f"={n}", text] for n, text in enumerate(TEXTS)]


def test_the_page_builds_no_markup_from_text() -> None:
    """Its scripts make elements and set their text; nothing is parsed as markup or run."""
    scripts = sorted((ROOT / "classifier" / "edges" / "pages").glob("*.js"))
    assert scripts
    for path in scripts:
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|createContextualFragment"
            r"|\beval\(|new Function|setTimeout\(\s*[\"'`]|javascript:",
            path.read_text(encoding="utf-8"),
        )
        assert not found, f"{path.name}: {found}"
