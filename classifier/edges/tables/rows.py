"""Rows and cells as every format gives them, and cells as text or JSON."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

_SURROGATE = re.compile("[\ud800-\udfff]")
# A column of ours must not be a formula when a spreadsheet opens it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class JsonValue(NamedTuple):
    """A value of a JSON line that is not a string: as it was written, and as Python has it."""

    raw: str
    value: Any


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: the line of its file where it starts, from 1; the row's number where a format has no lines.
        cells: one a column of the header.
        problem: what is wrong with it; empty when nothing is.
        left_over: content that fits no column, as JSON can hold it; None when there is none.
        raw: the object of a JSON line as it was written.
    """

    line: int
    cells: Sequence[Any]
    problem: str = ""
    left_over: Any = None
    raw: str | None = None


class Chunk(NamedTuple):
    """Rows that are tagged and written together.

    Attributes:
        first: number of its first row over all inputs, from 1.
        share: share of the input that has been read at its end, 0 to 1; None when that is unknown.
    """

    file: str
    first: int
    rows: Sequence[Row]
    share: float | None


def safe(cell: str) -> str:
    """A cell of ours that no spreadsheet runs as a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def as_text(cell: Any) -> str:
    """A cell as text, as CSV writes it: empty for None, ``true`` and ``false``, ISO dates, JSON for what is nested."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, JsonValue):
        return "" if cell.value is None else cell.raw
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError:
            return base64.b64encode(cell).decode()
    if isinstance(cell, Mapping | list | tuple):
        return json.dumps(_plain(cell), ensure_ascii=False)
    return str(cell)


def as_json(cell: Any) -> str:
    """A cell as JSON text. What JSON lacks (dates, decimals, NaN) becomes a string."""
    if isinstance(cell, JsonValue):
        return cell.raw
    found = json.dumps(_plain(cell), ensure_ascii=False)
    if found.isascii() or not _SURROGATE.search(found):
        return found
    return json.dumps(_plain(cell))  # a lone surrogate can stand in JSON only as an escape


def _plain(cell: Any) -> Any:
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else str(cell)
    if isinstance(cell, Mapping):
        return {as_text(k): _plain(v) for k, v in cell.items()}
    if isinstance(cell, list | tuple) and not isinstance(cell, JsonValue):
        return [_plain(v) for v in cell]
    return as_text(cell)


def without_surrogates(text: str) -> str:
    r"""``text`` with lone surrogates, which no encoding holds, written out: ``\ud800``."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def fit(fields: Sequence[Any], width: int) -> tuple[Sequence[Any], str, list[Any] | None]:
    """``fields`` as exactly ``width`` cells, the problem if there were more or fewer, and the fields left over."""
    if len(fields) == width:
        return fields, "", None
    problem = f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {width}"
    if len(fields) > width:
        return fields[:width], problem, list(fields[width:])
    return [*fields, *[""] * (width - len(fields))], problem, None


def together(*problems: str) -> str:
    """Several problems as one; empty ones are left out."""
    return "; ".join(p for p in problems if p)


def unique(names: Iterable[str]) -> list[str]:
    """Names made distinct and not empty, as keys must be: ``column_3`` for an empty one, ``sum_2`` for a second."""
    wanted = [name or f"column_{i}" for i, name in enumerate(names, start=1)]
    taken = set(wanted)
    found: list[str] = []
    used: set[str] = set()
    for name in wanted:
        new, count = name, 2
        while new in used or (new != name and new in taken):
            new, count = f"{name}_{count}", count + 1
        used.add(new)
        found.append(new)
    return found


# What kinds of value a column holds, as bits; a typed output format chooses the column's type by them.
TEXT, SMALL, LARGE, REAL, TRUTH, MOMENT, OTHER = (1 << i for i in range(7))
_EXACT = 1 << 53
_INT64 = 1 << 63


def kind(cell: Any) -> int:
    """The kind of a cell, one of the bits above; 0 for None."""
    value = cell.value if isinstance(cell, JsonValue) else cell
    if value is None:
        return 0
    if isinstance(value, str):
        return TEXT
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int):
        return SMALL if -_EXACT <= value <= _EXACT else LARGE if -_INT64 <= value < _INT64 else OTHER
    if isinstance(value, float):
        return REAL if math.isfinite(value) and _exact(cell) else OTHER
    return MOMENT if isinstance(value, datetime) and value.tzinfo is None else OTHER


def _exact(cell: Any) -> bool:
    """Whether a float says all that its JSON number said."""
    if not isinstance(cell, JsonValue):
        return True
    try:
        return Decimal(cell.raw) == Decimal(repr(cell.value))
    except InvalidOperation:
        return False
