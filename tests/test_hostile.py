"""Texts and files that somebody might send to see what breaks.

How long they take is not asked of the clock: what is counted is the work (calls, characters handed to regular
expressions, memory), which must no more than double with a text twice as long. ``scripts/benchmark`` has the seconds.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import Classifier, Tagging
from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.delimited import DelimitedSource
from classifier.edges.tables.excel import ExcelSource
from classifier.edges.tables.jsonl import JsonlSource
from classifier.errors import InputError
from classifier.reading import Reader

PLAIN = "Calls from our customers are answered by a vendor in Manila. "
# What a text is made of, again and again.
PIECES = {
    "one letter": "a",
    "brackets": "([{",
    "closing brackets": ")]}",
    "quotes": "\"'",
    "full stops": ".",
    "ellipses": "...",
    "hyphens": "-",
    "hyphened words": "vendor-",
    "digits": "1",
    "units": "9km",
    "place names": "Manila ",
    "ambiguous place names": "Georgia, Reading, Mobile and Turkey ",
    "place names in one word": "Manila,",
    "capitals": "VENDOR INDIA ",
    "surrogates": "\ud800",
    "surrogate words": "\udfff vendor ",
    "nulls": "\0",
    "null words": "vendor\0India ",
    "zero width": "\u200b",
    "zero-width words": "ven\u200bdor \u200din Ma\u200cnila\ufeff ",
    "right to left": "\u202evendor in Manila\u202c \u0627\u0644\u0647\u0646\u062f ",
    "accents": "e\u0301",
    "accents on accents": "\u0301",
    "faces": "🙂",
    "line ends": "\n",
    "carriage returns": "\r\n",
    "denials": "not ",
    "endings": "no longer ",
    "doubts": "considering whether maybe ",
    "addresses": "http://a.b/c?d=e&",
    "mail addresses": "a@b.",
    "abbreviations": "U.S.A.",
    "contractions": "n't've'll",
    "cues": "our own staff a vendor on-site ",
    "sentences": PLAIN,
    "new words": "",  # all different: see repeated()
}  # fmt: skip


def repeated(name: str, size: int) -> str:
    """A text of ``size`` characters."""
    piece = PIECES[name] or "".join(f"w{n}x " for n in range(size // 4))
    return (piece * (size // len(piece) + 1))[:size]


def assert_points(tagging: Tagging, text: str) -> None:
    assert tagging.text == text
    spans = [s for f in tagging.facts for s in f.evidence] + [s for t in tagging.terms for s in t.evidence]
    for span in spans:
        assert text[span.start : span.end] == span.text != ""


def wire(tagging: Tagging) -> str:
    return json.dumps(tagging.to_dict())


# ---------------------------------------------------------------- any text is answered


# About two seconds each, or less, on one core.
LONG = [("one letter", 1_000_000), ("brackets", 200_000), ("place names", 300_000), ("cues", 25_000)]


@pytest.mark.parametrize(("name", "size"), LONG)
def test_very_long_texts_are_answered(classifier: Classifier, name: str, size: int) -> None:
    text = repeated(name, size)
    assert_points(classifier.tag(text, home="US"), text)


@pytest.mark.parametrize("name", PIECES)
def test_thousands_of_anything_are_answered(classifier: Classifier, name: str) -> None:
    text = repeated(name, 6_000)
    first = classifier.tag(text, home="US", vendor_contract=True)
    assert_points(first, text)
    assert wire(classifier.tag(text, home="US", vendor_contract=True)) == wire(first)


@pytest.mark.parametrize("name", PIECES)
def test_what_stands_around_is_still_quoted_rightly(classifier: Classifier, name: str) -> None:
    junk = repeated(name, 300)
    for text in (PLAIN + junk, junk + PLAIN, f"{junk} {PLAIN} {junk}", PLAIN.replace(" ", junk[:9])):
        assert_points(classifier.tag(text), text)


@given(st.lists(st.one_of(st.sampled_from(sorted(PIECES)), st.text(max_size=20)), min_size=1, max_size=8), st.data())
@settings(max_examples=40)
def test_mixed_texts_give_the_same_bytes_beside_others(classifier: Classifier, parts: list[str], data: Any) -> None:
    pieces = [PIECES[p] * data.draw(st.integers(1, 30)) if p in PIECES else p for p in parts]
    text = "".join(pieces)
    alone = classifier.tag(text)
    assert_points(alone, text)
    beside = list(classifier.tag_many([*pieces, text, PLAIN, text]))
    assert wire(beside[-1]) == wire(beside[-3]) == wire(alone)
    assert wire(beside[-2]) == wire(classifier.tag(PLAIN))


def test_a_flood_of_new_words_changes_no_answer(classifier: Classifier) -> None:
    """What is remembered of words is bounded, and forgotten at some time."""
    before = wire(classifier.tag(PLAIN))
    classifier.tag(repeated("new words", 280_000))
    assert wire(classifier.tag(PLAIN)) == before


# ---------------------------------------------------------------- in work that grows with the length


class Counted:
    """A compiled expression that counts the characters that it is given."""

    def __init__(self, expression: Any, counts: list[int]) -> None:
        self._expression, self._counts = expression, counts

    def search(self, text: str) -> Any:
        self._counts[0] += len(text)
        return self._expression.search(text)

    def finditer(self, text: str) -> Any:
        self._counts[0] += len(text)
        return self._expression.finditer(text)


def test_tokenising_looks_at_each_character_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """spaCy strips what is not a word from a run without white space one by one, looking at all of it each time."""
    import spacy.util

    counts = [0]
    for name in ("compile_prefix_regex", "compile_suffix_regex", "compile_infix_regex"):
        made = getattr(spacy.util, name)
        monkeypatch.setattr(spacy.util, name, lambda entries, made=made: Counted(made(entries), counts))
    reader = Reader()
    looked = {}
    for name in PIECES:
        work = []
        for size in (5_000, 10_000):
            counts[0] = 0
            reader.read(repeated(name, size), None)
            work.append(counts[0])
        looked[name] = work
    assert any(second for _, second in looked.values())  # it is counted
    assert not {name: work for name, work in looked.items() if work[1] > 2.2 * work[0] + 1000}


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, Python's and others'."""
    count = 0

    def one(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(one)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def peak(work: Callable[[], Any]) -> int:
    """The most memory that is held, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PIECES)
def test_work_and_memory_grow_with_the_length(classifier: Classifier, name: str) -> None:
    # Tables that double when they are full take steps; work by the square of the length would give 4.
    for measure, sizes, spare in ((calls, (2_500, 5_000), 2_000), (peak, (5_000, 10_000), 1_500_000)):
        texts = [repeated(name, size) for size in sizes]
        classifier.tag(texts[1])  # what is kept for next time is made before it is counted
        small, large = (measure(lambda text=text: classifier.tag(text)) for text in texts)  # type: ignore[misc]
        assert large <= 2.6 * small + spare, f"{measure.__name__}: {small} for {sizes[0]}, {large} for {sizes[1]}"


# ---------------------------------------------------------------- at the doors


def test_the_command_answers_bytes_of_any_kind() -> None:
    lines = [repeated(name, 200).replace("\n", " ").replace("\r", " ") for name in PIECES]
    data = "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n\xff\xfe\x80 vendor\n"
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", "--jsonl", "-"], input=data, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    for line in done.stdout.splitlines():
        assert json.loads(line)["schema"] == 1


def test_the_terminal_gets_no_control_characters(classifier: Classifier) -> None:
    text = f"\x1b[31m\x1b]0;x\x07{PLAIN}\x9b2J\u202e\x00"
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", "-"], input=text.encode(), capture_output=True, check=True
    )
    assert classifier.tag(text).terms
    assert not [c for c in done.stdout.decode() if not c.isprintable() and c != "\n"]


SHEET = "xl/worksheets/sheet1.xml"


def workbook(path: Path, sheet: str) -> Path:
    """A workbook whose sheet is the XML given."""
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {**parts, SHEET: sheet.encode()}.items():
            file.writestr(name, content)
    return path


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>'


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    """A few lines of XML that would be 10 GB of text when written out."""
    entities = '<!ENTITY e0 "0123456789">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    sheet = f"<!DOCTYPE x [{entities}]><worksheet {NAMESPACE}><sheetData>{CELL.format('&e9;')}</sheetData></worksheet>"
    path = workbook(tmp_path / "in.xlsx", sheet)

    def read() -> None:
        with pytest.raises(InputError, match="save it"):
            list(ExcelSource(path, "in.xlsx").rows())

    assert peak(read) < 50_000_000


def test_files_outside_are_not_read_by_xml(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for you", encoding="utf-8")
    sheet = (
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]><worksheet {NAMESPACE}><sheetData>'
        f"{CELL.format('a&e;b')}{CELL.format('c').replace('1', '2')}</sheetData></worksheet>"
    )
    path = workbook(tmp_path / "in.xlsx", sheet)
    try:
        source = ExcelSource(path, "in.xlsx")
        found = json.dumps([source.header, *(list(row.cells) for row in source.rows())])
    except InputError as error:
        found = str(error)
    assert "not for you" not in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"a": ' + "[" * 200_000, "nested too deeply|not a JSON object"),
        ('{"a": ' * 100_000, "nested too deeply|not a JSON object"),
        ('{"a": ' + "9" * 10_000 + "}", "not a JSON object"),  # Python reads numbers of up to 4,300 digits
        ('{"' + "a" * 100_000 + '": 1}', ""),
        ("{" + ", ".join(f'"k{n}": {n}' for n in range(20_000)) + "}", ""),
    ],
)
def test_hostile_json_lines_harm_only_themselves(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"text": "x"}}\n{line}\n{{"text": "y"}}\n', encoding="utf-8")
    rows = list(JsonlSource(Bytes(path, "in.jsonl")).rows())
    assert [row.cells[0] for row in rows if row.line != 2] == ["x", "y"]
    assert bool(rows[1].problem) == bool(problem)


@pytest.mark.parametrize(
    "content",
    ['a,b\n"' + "x," * 100_000, "a,b\n" + "," * 100_000 + "\n", "a,b\n" + '"' * 99_999 + "\n", "a" * 1_000_000, "\0" * 9999],
    ids=["never closed", "many cells", "quotes", "one cell", "nulls"],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_hostile_csv_is_read_or_refused(tmp_path: Path, content: str, packed: bool) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    try:
        source = DelimitedSource(Bytes(path, "in.csv"))
        for row in source.rows():
            assert len(row.cells) == len(source.header)
    except InputError:
        assert content == "\0" * 9999
