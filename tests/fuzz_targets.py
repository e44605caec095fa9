"""What is fuzzed: functions from bytes that must come through whatever they are given.

``scripts/fuzz`` feeds them with what coverage guides it to; tests/test_fuzz_corpus.py with the inputs kept in
``fuzz_corpus/``. Only the errors that a function announces are let pass.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from classifier import Tagging, load
from classifier.edges.interchange import TOOLS, read_answers
from classifier.edges.tables.decode import Bytes
from classifier.edges.tables.delimited import DelimitedSource
from classifier.edges.tables.excel import ExcelSource
from classifier.edges.tables.jsonl import JsonlSource
from classifier.edges.tables.parquet import ParquetSource
from classifier.edges.tables.rows import as_json, as_text, kind
from classifier.edges.tagged_rows import tags_of
from classifier.errors import InputError, ModelError, VocabularyError
from classifier.model import ESTIMATOR, FILES, PROTOCOL, Model, artefact_digest, default_path, read_manifest, sha256_of
from classifier.vocabulary import load_vocabulary, parse_vocabulary

CORPUS = Path(__file__).with_name("fuzz_corpus")
HOMES = (None, "US", "GB", "PH", "Kenya")
ENCODINGS = (None, None, "utf-8", "cp1252", "utf-16")
NEIGHBOUR = "A vendor in Manila answers our calls."


@cache
def folder() -> Path:
    """A folder for what is read from files, kept as long as the process lives."""
    folder.kept = tempfile.TemporaryDirectory(prefix="classifier-fuzz-")  # type: ignore[attr-defined]
    return Path(folder.kept.name)  # type: ignore[attr-defined]


def split(data: bytes) -> tuple[int, bytes]:
    """What the first byte decides, and the rest."""
    return (data[0] if data else 0), data[1:]


def loads(data: bytes) -> Any:
    """JSON, or None for what is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def tag(data: bytes) -> None:
    """A context and a text."""
    how, rest = split(data)
    text = rest.decode("utf-8", "surrogateescape")
    classifier = load()
    context: dict[str, Any] = {"home": HOMES[how % 5], "vendor_contract": how >= 128}
    tagging = classifier.tag(text, **context)
    assert tagging.text == text
    for term in tagging.terms:
        assert classifier.vocabulary.implied_by_term[term.id] <= set(tagging.ids)
        assert term.definitions
        assert term.evidence or term.given
        for span in term.evidence:
            assert text[span.start : span.end] == span.text != ""
    wire = json.dumps(tagging.to_dict())
    assert Tagging.from_dict(json.loads(wire)) == tagging
    first, _, last = classifier.tag_many([text, NEIGHBOUR, text], **context)
    assert json.dumps(first.to_dict()) == json.dumps(last.to_dict()) == wire


def tagging(data: bytes) -> None:
    """The wire format, as JSON of any shape; what is taken must come out again as it went in."""
    row = loads(data)
    if not isinstance(row, dict):
        return
    try:
        found = Tagging.from_dict(row)
    except InputError:
        return
    wire = json.dumps(found.to_dict())
    assert json.dumps(Tagging.from_dict(json.loads(wire)).to_dict()) == wire


def vocabulary(data: bytes) -> None:
    """A vocabulary in TOML, or in JSON where the first byte says so; what is taken must be usable."""
    name = "own.json" if data[:1] == b"{" else "own.toml"
    try:
        found = parse_vocabulary(data.decode("utf-8"), name)
    except (UnicodeDecodeError, VocabularyError):
        return
    assert found.terms_of(found.facts) <= found.terms.keys()
    assert found.differing(found) == frozenset()


def artefact(data: bytes) -> None:
    """A manifest as it is; after ``+`` as the body of one whose digests are right; after a letter a file of a model.

    The last two are what somebody could make on purpose: every digest is right, and the content is not.
    """
    where = folder() / "model"
    where.mkdir(exist_ok=True)
    if data[:1].isalpha():
        _with_file(where, FILES[(data[0] - ord("A")) % len(FILES)], data[1:])
        return
    content = data
    if data[:1] == b"+":
        files = {name: sha256_of(name.encode()) for name in (*FILES, ESTIMATOR)}
        for name in files:
            _replace(where / name, name.encode())
        body = loads(data[1:])
        try:
            digest = artefact_digest(files, body)
        except (ValueError, TypeError, RecursionError):
            return
        content = json.dumps({"protocol": PROTOCOL, "digest": digest, "files": files, "body": body}).encode()
    _replace(where / "manifest.json", content)
    try:
        read_manifest(where)
    except ModelError:
        return


def _with_file(where: Path, name: str, data: bytes) -> None:
    """The model that ships with one file replaced and all digests right."""
    theirs = json.loads((default_path() / "manifest.json").read_bytes())
    for file in theirs["files"]:
        if not (where / file).exists() or not (where / file).samefile(default_path() / file):
            (where / file).unlink(missing_ok=True)
            os.symlink(default_path() / file, where / file)
    _replace(where / name, data)
    theirs["files"][name] = sha256_of(data)
    theirs["digest"] = artefact_digest(theirs["files"], theirs["body"])
    _replace(where / "manifest.json", json.dumps(theirs).encode())
    try:
        Model(where)
    except ModelError:
        return


def _replace(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # it may be a link
    path.write_bytes(data)


def _all_rows(source: Any) -> None:
    """What every table reader promises of its rows."""
    width = len(source.header)
    for row in source.rows():
        assert len(row.cells) == width
        for cell in row.cells:
            assert isinstance(as_text(cell), str)
            json.loads(as_json(cell))
            kind(cell)
        if row.left_over is not None:
            json.dumps(row.left_over)
        tags_of(dict(zip(source.header, map(as_text, row.cells), strict=True)))


def _table(open_it: Callable[[Path], Any], data: bytes) -> None:
    path = folder() / "table"
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _all_rows(open_it(path))
    except InputError:
        return


def csv(data: bytes) -> None:
    """A table: the first byte says whether its encoding and delimiter are given. Compressed, if it looks so."""
    how, content = split(data)
    _table(lambda p: DelimitedSource(Bytes(p, "table"), ENCODINGS[how % 5], (None, ";", "\t")[how % 3]), content)


def jsonl(data: bytes) -> None:
    """JSON lines, looked through for keys or not."""
    how, content = split(data)
    _table(lambda p: JsonlSource(Bytes(p, "table"), ENCODINGS[how % 5], how >= 128), content)


def parquet(data: bytes) -> None:
    """A Parquet file."""
    _table(lambda p: ParquetSource(p, "table"), data)


PARTS = (
    "", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml",
    "xl/_rels/workbook.xml.rels",
)  # fmt: skip


@cache
def _workbook() -> dict[str, bytes]:
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (["id", "text"], [1, "a vendor"], ["=A2", None]):
        book.active.append(cells)
    made = io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as file:
        return {name: file.read(name) for name in file.namelist()}


def excel(data: bytes) -> None:
    """A workbook, or (by the first byte) the content of one part of one, which chance would never zip."""
    how, content = split(data)
    part = PARTS[how % len(PARTS)]
    if part:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as file:
            for name, own in {**_workbook(), part: content}.items():
                file.writestr(name, own)
        content = made.getvalue()
    _table(lambda p: ExcelSource(p, "table"), content)


def answers(data: bytes) -> None:
    """What a labelling tool exported; the first byte says which."""
    how, content = split(data)
    path = folder() / "answers.json"
    path.write_bytes(content)
    try:
        found = read_answers(path, TOOLS[how % len(TOOLS)], load_vocabulary())
    except InputError:
        return
    for correction in found.corrections:
        json.dumps(correction.to_dict())


TARGETS: dict[str, Callable[[bytes], None]] = {
    "tag": tag,
    "tagging": tagging,
    "vocabulary": vocabulary,
    "artefact": artefact,
    "csv": csv,
    "jsonl": jsonl,
    "parquet": parquet,
    "excel": excel,
    "answers": answers,
}
