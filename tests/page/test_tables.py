from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from classifier import Classifier
from classifier.edges.table import tag_table
from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.delimited import DelimitedSource
from classifier.edges.tables.options import CALLER
from classifier.edges.tables.rows import as_json
from classifier.errors import InputError

from .driving import ROWS, TEXT, csv_file


def test_a_table_is_tagged_as_the_batch_would(page: Page, classifier: Classifier, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "rows.csv")
    page.select_option("#home", "GB")
    data = page.evaluate_handle(
        """text => { const data = new DataTransfer();
        data.items.add(new File([text], 'rows.csv', { type: 'text/csv' })); return data; }""",
        path.read_bytes().decode(),
    )
    page.dispatch_event("#drop", "dragenter", {"dataTransfer": data})
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    expect(page.locator("#column")).to_have_value("1")
    expect(page.locator("#table-status")).to_contain_text(f"{len(ROWS) + 2} rows")
    page.click("text=Tag the table")
    expect(page.locator("#table-status")).to_contain_text("Done")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "rows-tagged.csv"
    made = Path(download.value.path()).read_bytes().decode()
    tag_table(path, tmp_path / "out.csv", "description", classifier, home="GB")
    expected = (tmp_path / "out.csv").read_bytes().decode()
    assert list(csv.reader(made.splitlines(keepends=True))) == list(csv.reader(expected.splitlines(keepends=True)))
    assert page.locator("#preview tbody tr").count() == 8


AS_THE_BATCH = {
    "blank rows of one column": f'text\n{TEXT}\n\nthird\n""\nfifth\n'.encode(),
    "blank rows of two columns": f'\nid,text\n1,{TEXT}\n\n"",""\n""\n\n'.encode(),
    "a mark that is not closed": f'id,text\n1,"24 inch monitors\n2,{TEXT}\n3,third\n'.encode(),
    "two stray marks": f'id,text\n1,"24 inch\n\n2,"{TEXT}\n3,"two\nlines"\n4,x\n'.encode(),
    "too many cells": f'id,text\n1,{TEXT},"three ""x""",four\n2,"a,b,c\n'.encode(),
    "commas in one column": f"text\ncleaning, windows\n{TEXT}\n".encode(),
    "a stray carriage return": f"id,text\r\n1,first\rhalf\r\n2,{TEXT}\r\n".encode(),
    "lines of a Macintosh": f"id,text\r1,{TEXT}\r\r2,third".encode(),
    "the mark of Excel": f"\ufeffid;text\r\n1;Müller: {TEXT}\r\n".encode(),
    "UTF-16 with its mark": f"id\ttext\r\n1\tMüller: {TEXT}\r\n".encode("utf-16"),
}


def _tagged(page: Page, name: str, data: bytes) -> bytes:
    """What the page gives for a file of this content."""
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": data})
    page.click("text=Tag the table")
    expect(page.locator("#table-status")).to_contain_text("Done")
    with page.expect_download() as download:
        page.click("#download")
    return Path(download.value.path()).read_bytes()


def _cells(data: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(data.decode("utf-8-sig").splitlines(keepends=True), delimiter=delimiter))


@pytest.mark.parametrize("data", AS_THE_BATCH.values(), ids=AS_THE_BATCH)
def test_every_row_comes_back_as_from_the_batch(
    page: Page, classifier: Classifier, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "in.csv").write_bytes(data)
    page.select_option("#home", "US")
    page.click("summary:has-text('More that you know')")
    page.check("#vendor")
    page.select_option("#provider", "PH")
    made = _tagged(page, "in.csv", data)
    context: Any = {"home": "US", "vendor_contract": True, "provider_country": "PH"}
    tag_table(tmp_path / "in.csv", tmp_path / "out.csv", "text", classifier, **context)
    delimiter = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv")).delimiter
    expected = _cells((tmp_path / "out.csv").read_bytes(), delimiter)
    assert _cells(made, delimiter) == expected
    assert "[caller: " in "".join(cell for row in expected for cell in row)
    # The mark by which Excel knows UTF-8 stays where there was one.
    marks = (b"\xef\xbb\xbf", b"\xff\xfe")
    assert made.startswith(marks[0]) == data.startswith(marks)


def test_any_file_is_read_as_the_batch_reads_it(page: Page, tmp_path: Path) -> None:
    chosen = random.Random(1)  # noqa: S311
    pieces = ["a", "b", " ", ",", ";", '"', '""', '"\n', '\n"', "\n", "\r\n", "\r"]
    texts = ["".join(chosen.choices(pieces, k=chosen.randint(1, 30))) for _ in range(700)]
    found = page.evaluate(
        """async (texts) => { const csv = await import('./csv.js');
        return texts.map((text) => { const delimiter = csv.guessDelimiter(text);
            const { header, rows } = csv.read(text, delimiter);
            return header.length ? [delimiter, header, rows.map((row) => [row.cells, row.problem, row.left])] : null;
        }); }""",
        texts,
    )
    for text, read in zip(texts, found, strict=True):
        (tmp_path / "in.csv").write_bytes(text.encode())
        try:
            source = DelimitedSource(Bytes(tmp_path / "in.csv", "in.csv"))
        except InputError:
            assert read is None, text
            continue
        rows = [[list(r.cells), r.problem, "" if r.left_over is None else as_json(r.left_over)] for r in source.rows()]
        assert read == [source.delimiter, source.header, rows], text


def test_what_the_caller_said_stands_in_the_order_of_the_batch(page: Page) -> None:
    cells = page.evaluate(
        """async () => { const csv = await import('./csv.js');
        const term = (given) => ({ id: 't', probability: 0.5625, definitions: [], given,
            evidence: [{ start: 0, end: 2, text: 'of\\n us' }] });
        const answer = { terms: [term(['provider_country', 'home']), term(['vendor_contract', 'home'])],
            reason: null, model: { version: '1', digest: 'd' } };
        return csv.added(answer, { problem: '', left: '' }); }"""
    )
    assert cells[3] == " | ".join(["of us", *CALLER.values()])


def test_probabilities_are_rounded_as_by_the_batch(page: Page) -> None:
    chosen = random.Random(2)  # noqa: S311
    numbers = [i / 16 for i in range(17)] + [i / 2000 for i in range(2001)] + [chosen.random() for _ in range(1000)]
    found = page.evaluate(
        "async (numbers) => { const csv = await import('./csv.js'); return numbers.map(csv.rounded); }", numbers
    )
    assert found == [f"{number:.3f}" for number in numbers]


def test_a_table_can_be_stopped_and_what_is_done_is_kept(page: Page, tmp_path: Path) -> None:
    page.set_input_files("#file", csv_file(tmp_path / "rows.csv"))
    page.route("**/v1/tag/stream", lambda route: None if stop else route.continue_())
    stop: list[bool] = []
    page.on("response", lambda response: stop.append(True) if response.url.endswith("stream") else None)
    page.click("text=Tag the table")
    expect(page.locator("#progress")).to_have_js_property("value", 200)
    page.click("#stop")
    expect(page.locator("#table-status")).to_contain_text("Stopped: 200 rows")
    with page.expect_download() as download:
        page.click("text=Download what is tagged so far")
    with Path(download.value.path()).open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.reader(lines))) == 201


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.csv", b"", "no rows"),
        ("header.csv", b"a,b\n", "no rows"),
        ("tagged.csv", b"text,terms\nx,y\n", "already has the column terms"),
    ],
)
def test_a_table_that_cannot_be_tagged_is_refused(page: Page, name: str, data: bytes, words: str) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": data})
    expect(page.locator("#table-error")).to_contain_text(words)
    expect(page.locator("#start")).to_be_hidden()


TABLES: list[tuple[bytes, str, list[list[str]]]] = [
    (b"a,b\r\n1,2\r\n", ",", [["a", "b"], ["1", "2"]]),
    (b"a;b\n1;2", ";", [["a", "b"], ["1", "2"]]),
    (b"a\tb\n1\t\n\n3\t4\n", "\t", [["a", "b"], ["1", ""], ["", ""], ["3", "4"]]),
    (b'a,b\n"x ""y"", z","two\nlines"\n', ",", [["a", "b"], ['x "y", z', "two\nlines"]]),
    (b"\xef\xbb\xbfa,b\n\xc3\xa9,\xe2\x82\xac\n", ",", [["a", "b"], ["é", "€"]]),
    (b"a,b\n\xe9,\x80\n", ",", [["a", "b"], ["é", "€"]]),
    ("a,b\né,x\n".encode("utf-16"), ",", [["a", "b"], ["é", "x"]]),
    (b'a,b\n"open,2\n', ",", [["a", "b"], ['"open', "2"]]),
    (b"a|b|c\n1|2,5|3\n", "|", [["a", "b", "c"], ["1", "2,5", "3"]]),
]


@pytest.mark.parametrize(("data", "delimiter", "rows"), TABLES)
def test_tables_are_read(page: Page, data: bytes, delimiter: str, rows: list[list[str]]) -> None:
    found: Any = page.evaluate(
        """async (bytes) => { const csv = await import('./csv.js');
        const text = csv.decode(new Uint8Array(bytes)).replace(/^\\ufeff/, '');
        const delimiter = csv.guessDelimiter(text);
        const cells = (text) => { const { header, rows } = csv.read(text, delimiter);
            return [header, ...rows.map((row) => row.cells)]; };
        const rows = cells(text);
        return [delimiter, rows, cells(rows.map((row) => csv.line(row, delimiter)).join(''))]; }""",
        list(data),
    )
    assert found == [delimiter, rows, rows]
