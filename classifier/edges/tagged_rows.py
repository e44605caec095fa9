"""The finished tagged table, row by row: what ``classify batch`` wrote, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from ..errors import InputError
from .tables.formats import CSV
from .tables.options import CALLER, TableOptions
from .tables.rows import as_text, safe, unique
from .tables.sources import Inputs

Row = Mapping[str, str]
# What a batch adds; named here again because reading a table back needs no model.
COLUMNS = ("terms", "probabilities", "definitions", "evidence", "reason", "model")
# What stands between the tags of a row, by column; one line of --long has one tag.
_BETWEEN = {"terms": "|", "probabilities": "|", "definitions": "|", "evidence": " | "}
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
        caller: what the caller said beside the text and is evidence, too: keys of :data:`.tables.options.CALLER`.
        reason: id of the reason for silence, or what was wrong with the row.
    """

    terms: tuple[str, ...]
    probabilities: tuple[float | None, ...]
    definitions: tuple[str, ...]
    evidence: tuple[str, ...]
    reason: str
    model: str
    caller: tuple[str, ...] = ()


class TaggedRow(dict[str, str]):
    """A row's cells by column; ``prefix`` stands before the names of those that the batch added."""

    __slots__ = ("prefix",)

    def __init__(self, cells: Iterable[tuple[str, str]], prefix: str = "") -> None:
        super().__init__(cells)
        self.prefix = prefix


def added(row: Mapping[str, object]) -> tuple[str, ...]:
    """What the columns that the batch added are called in this row, in the order of :data:`COLUMNS`."""
    return _named(row.prefix) if isinstance(row, TaggedRow) else COLUMNS


def _named(prefix: str) -> tuple[str, ...]:
    return tuple(safe(prefix + name) for name in COLUMNS) if prefix else COLUMNS


def cell(row: Mapping[str, object], column: str) -> str:
    """A cell as text; empty when the row lacks it."""
    value = row.get(column)
    return "" if value is None else str(value)


def tags_of(row: Mapping[str, object]) -> Tags:
    """The added columns of a row, leniently: a table may have been through a spreadsheet."""
    terms, probabilities, definitions, evidence, reason, model = (
        _GUARD.sub("", cell(row, name)).strip() for name in added(row)
    )
    ids = tuple(dict.fromkeys(_ids(terms)))
    found = [_probability(p) for p in probabilities.split("|")] if probabilities else []
    if len(found) != len(ids):
        found = [None] * len(ids)
    quotes = [q for part in evidence.split(" | ") if (q := " ".join(part.split()))]
    said = tuple(name for name, shown in CALLER.items() if shown in quotes)
    quotes = [q for q in quotes if q not in CALLER.values()]
    return Tags(ids, tuple(found), tuple(_ids(definitions)), tuple(quotes), reason, model, said)


def text_of(row: Mapping[str, object], columns: Sequence[str]) -> str:
    """The text that was tagged: several columns are joined by a line break."""
    return "\n".join(cell(row, c) for c in columns)


def read_rows(
    path: Path,
    prefix: str | None = None,
    options: TableOptions | None = None,
    notice: Callable[[str], None] = lambda text: None,
) -> Iterator[TaggedRow]:
    """Rows of a tagged table, in any format that a batch writes and however a spreadsheet saved it.

    The lines that ``--long`` made of a row are one row again.

    Args:
        prefix: what the batch was told as ``--prefix``; found when None.
        options: how to read the file (format, encoding, delimiter), where it should not be guessed.
        notice: called with what is worth knowing, such as sheets that are not read.

    Raises:
        InputError: when the file cannot be read or is not a tagged table.
    """
    with ExitStack() as stack:
        table = Inputs(options or TableOptions(inputs=(str(path),)), stack).table(CSV)
        for text in table.notices:
            notice(text)
        names = unique(table.header)
        found = _prefix(names, prefix, path)
        yield from _whole(
            TaggedRow(zip(names, map(as_text, row.cells), strict=False), found)
            for chunk in table.chunks(_AT_A_TIME, None, 0)
            for row in chunk.rows
        )


def _prefix(names: Sequence[str], wanted: str | None, path: Path) -> str:
    """The prefix of the added columns: the one under which the table has most of them."""
    have = set(names)
    ends = "terms"
    tried = [wanted] if wanted is not None else [name.removesuffix(ends) for name in names if name.endswith(ends)]
    # A column such as "payment terms" is none of ours.
    counts = {p: n for p in tried if _named(p)[0] in have and (n := sum(c in have for c in _named(p)))}
    counts = {p: n for p, n in counts.items() if n > 1 or p in ("", wanted)}
    if not counts:
        named = f"{(wanted or '') + ends!r}"
        raise InputError(
            f"{path} has no column {named}: give a table made by `classify batch`, with that column among its "
            "--columns, and with --prefix if it was given one that is not found"
        )
    most = max(counts.values())
    best = [p for p, n in counts.items() if n == most]
    if len(best) > 1:
        raise InputError(f"{path} was tagged more than once: give --prefix with one of {', '.join(map(repr, best))}")
    return best[0]


def _whole(lines: Iterable[TaggedRow]) -> Iterator[TaggedRow]:
    """Rows of which ``--long`` may have made a line for each tag.

    Rows with the same cells have the same tags, so lines that differ in nothing but the tag are of one row.
    """
    row: TaggedRow | None = None
    terms: set[str] = set()
    for line in lines:
        names = added(line)
        term = line.get(names[0], "").strip()
        goes_on = row is not None and term and terms and term not in terms and "|" not in term
        if goes_on and all(line[c] == row[c] for c in line if c not in names):  # type: ignore[index]
            _join(row, line, names)  # type: ignore[arg-type]
            terms.add(term)
            continue
        if row is not None:
            yield row
        row, terms = line, set() if "|" in term or not term else {term}
    if row is not None:
        yield row


def _join(row: TaggedRow, line: TaggedRow, names: Sequence[str]) -> None:
    for plain, name in zip(COLUMNS, names, strict=True):
        between = _BETWEEN.get(plain)
        if between and name in row:
            parts = [_GUARD.sub("", text) for text in (row[name], line[name])]
            if plain == "evidence":
                parts = list(dict.fromkeys(quote for part in parts for quote in part.split(between)))
            row[name] = between.join(part for part in parts if part)


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
    ours = added(first[0])
    for name in (*columns, *needed):
        if name is not None and name not in first[0]:
            own = ", ".join(repr(c) for c in first[0] if c not in ours)
            raise InputError(f"the table has no column {name!r}: give one of {own}")
    if columns:
        return list(columns), again
    # Counted in words: links and ids are long, but one word each.
    words = {c: sum(len(cell(r, c).split()) for r in first) for c in first[0] if c not in ours}
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
