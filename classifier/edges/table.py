"""Batches: a CSV table in, the same table out with the tags added.

Rows stream through; the output is written beside its target and moved into place at the end.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..engine import Classifier
from ..errors import InputError
from ..tagging import Tagging

ADDED = ("terms", "probabilities", "definitions", "evidence", "reason", "model")
_EVERY = 1000
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be tagged: its number from 1 (the header not counted), and why."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did: rows in all, rows with a term, and the bad rows."""

    rows: int
    tagged: int
    bad: Sequence[BadRow]


def cells(tagging: Tagging) -> list[str]:
    """The added columns for one tagging, in the order of :data:`ADDED`."""
    spans = {(s.start, s.end, s.text) for t in tagging.terms for s in t.evidence}
    return [
        "|".join(t.id for t in tagging.terms),
        "|".join(f"{t.probability:.3f}" for t in tagging.terms),
        "|".join(d.id for t in tagging.terms for d in t.definitions),
        " | ".join(" ".join(text.split()) for _, _, text in sorted(spans)),
        tagging.reason.id if tagging.reason else "",
        f"{tagging.model.version} {tagging.model.digest[:12]}",
    ]


def safe(cell: str) -> str:
    """A cell of ours that no spreadsheet runs as a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def tag_table(
    source: Path,
    target: Path | None,
    column: Sequence[str],
    classifier: Classifier,
    home: str | None = None,
    vendor_contract: bool = False,
    threshold: float | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Outcome:
    """Tag a CSV file.

    Args:
        source: a CSV file in UTF-8 with a header.
        target: where the output goes; None for stdout.
        column: the columns that hold the text; several are joined by a line break.
        progress: called now and then with the number of rows done.

    Raises:
        InputError: when the file cannot be read or has no such column.
    """
    classifier.context(home)  # a wrong country is refused before anything is written
    try:
        with source.open(encoding="utf-8-sig", newline="") as lines, _output(target) as out:
            csv.field_size_limit(sys.maxsize)
            reader = csv.reader(lines)
            header = next(reader, None)
            if header is None:
                raise InputError(f"{source} is empty: give a CSV file with a header")
            at = _positions(header, column, source)
            clash = [name for name in ADDED if name in header]
            if clash:
                raise InputError(
                    f"{source} already has the column {', '.join(clash)}: rename it, or tag the original file"
                )
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow([*header, *ADDED])
            return _rows(
                reader, writer.writerow, at, len(header), classifier, home, vendor_contract, threshold, progress
            )
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 (byte {error.start}): save it as UTF-8 and try again") from error
    except OSError as error:
        raise InputError(f"{error.filename or source}: {error.strerror}") from error


def _positions(header: Sequence[str], column: Sequence[str], source: Path) -> list[int]:
    for name in column:
        if name not in header:
            raise InputError(
                f"{source} has no column {name!r}: give --column with one of {', '.join(map(repr, header))}"
            )
    return [header.index(name) for name in column]


def _rows(
    reader: Iterator[list[str]],
    write: Callable[[Sequence[str]], object],
    at: Sequence[int],
    width: int,
    classifier: Classifier,
    home: str | None,
    vendor_contract: bool,
    threshold: float | None,
    progress: Callable[[int], None],
) -> Outcome:
    remembered: OrderedDict[str, list[str]] = OrderedDict()
    bad: list[BadRow] = []
    rows = tagged = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            rows += 1
            bad.append(BadRow(rows, str(error)))
            write([*[""] * width, *[""] * 4, f"bad row: {error}", ""])
            continue
        if row is None:
            break
        rows += 1
        text = "\n".join(row[i] for i in at if i < len(row))
        added = remembered.get(text)
        if added is None:
            added = [safe(c) for c in cells(classifier.tag(text, home, None, vendor_contract, threshold))]
            remembered[text] = added
            if len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)
        if len(row) != width:
            bad.append(BadRow(rows, f"{len(row)} fields where the header has {width}"))
            row = [*row, *[""] * (width - len(row))]
        tagged += bool(added[0])
        write([*row, *added])
        if rows % _EVERY == 0:
            progress(rows)
    progress(rows)
    return Outcome(rows, tagged, bad)


@contextmanager
def _output(target: Path | None) -> Iterator[TextIO]:
    """A text stream that becomes ``target`` only when all went well."""
    if target is None:
        yield sys.stdout
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
