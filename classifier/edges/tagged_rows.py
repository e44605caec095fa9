"""The finished tagged table, row by row: what ``classify batch`` wrote, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from ..errors import InputError
from .tables.formats import CSV
from .tables.options import TableOptions
from .tables.rows import as_text
from .tables.sources import Inputs

Row = Mapping[str, str]
# What a batch adds; named here again because reading a table back needs no model.
COLUMNS = ("terms", "probabilities", "definitions", "evidence", "reason", "model")
_LOOK_AT = 50
_AT_A_TIME = 1000
# A cell of ours that would be a formula was given an apostrophe.
_GUARD = re.compile(r"^'(?=[=+\-@\t\r])")


@dataclass(frozen=True, slots=True)
class Tags:
    """What the added columns of a row say.

    Attributes:
        terms: term ids in order.
        probabilities: one for each term; None where the table has none.
        definitions: ids of the definitions that matched, such as ``eor/D1``.
        evidence: quotes from the text, white space folded, in the text's order.
        reason: id of the reason for silence, or what was wrong with the row.
    """

    terms: tuple[str, ...]
    probabilities: tuple[float | None, ...]
    definitions: tuple[str, ...]
    evidence: tuple[str, ...]
    reason: str
    model: str


def cell(row: Mapping[str, object], column: str) -> str:
    """A cell as text; empty when the row lacks it."""
    value = row.get(column)
    return "" if value is None else str(value)


def tags_of(row: Mapping[str, object]) -> Tags:
    """The added columns of a row, leniently: a table may have been through a spreadsheet."""
    terms, probabilities, definitions, evidence, reason, model = (
        _GUARD.sub("", cell(row, name)).strip() for name in COLUMNS
    )
    ids = tuple(dict.fromkeys(_ids(terms)))
    found = [_probability(p) for p in probabilities.split("|")] if probabilities else []
    if len(found) != len(ids):
        found = [None] * len(ids)
    quotes = tuple(q for part in evidence.split(" | ") if (q := " ".join(part.split())))
    return Tags(ids, tuple(found), tuple(_ids(definitions)), quotes, reason, model)


def text_of(row: Mapping[str, object], columns: Sequence[str]) -> str:
    """The text that was tagged: several columns are joined by a line break."""
    return "\n".join(cell(row, c) for c in columns)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tagged table, in any format that a batch writes and however a spreadsheet saved it.

    Raises:
        InputError: when the file cannot be read or is not a tagged table.
    """
    with ExitStack() as stack:
        table = Inputs(TableOptions(inputs=(str(path),)), stack).table(CSV)
        if "terms" not in table.header:
            raise InputError(
                f"{path} has no column 'terms': give a table made by `classify batch` (without --prefix and --long)"
            )
        for chunk in table.chunks(_AT_A_TIME, None, 0):
            for row in chunk.rows:
                yield dict(zip(table.header, map(as_text, row.cells), strict=False))


def with_columns(
    rows: Iterable[Row], columns: Sequence[str], needed: Sequence[str | None] = ()
) -> tuple[list[str], Iterator[Row]]:
    """The columns that hold the text, found when none is named, and the rows again.

    Raises:
        InputError: when a named column is not in the table, or none looks like text.
    """
    stream = iter(rows)
    first = list(islice(stream, _LOOK_AT))
    again = chain(first, stream)
    if not first:
        return list(columns), again
    for name in (*columns, *needed):
        if name is not None and name not in first[0]:
            own = ", ".join(repr(c) for c in first[0] if c not in COLUMNS)
            raise InputError(f"the table has no column {name!r}: give one of {own}")
    if columns:
        return list(columns), again
    # Counted in words: links and ids are long, but one word each.
    words = {c: sum(len(cell(r, c).split()) for r in first) for c in first[0] if c not in COLUMNS}
    if not any(words.values()):
        raise InputError("the table has no column of text: name it with --column")
    return [max(words, key=lambda c: words[c])], again


def thresholds_of(model: str) -> Mapping[str, float]:
    """The thresholds by term of the model that ships with the package, if ``model`` (version, digest) names it."""
    from ..model import default_path

    try:
        manifest = json.loads((default_path() / "manifest.json").read_text(encoding="utf-8"))
        found = dict(manifest["body"]["thresholds"])
        return found if model.split()[-1:] == [str(manifest["digest"])[:12]] else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _ids(joined: str) -> list[str]:
    return [part for raw in joined.split("|") if (part := raw.strip())]


def _probability(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
