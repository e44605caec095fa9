"""Columns by name, the column of text when none is named, and the columns that are added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from ...errors import InputError
from .options import TableOptions
from .rows import as_text, safe

_TEXT_NAME = re.compile(r"desc|(?<![a-z])(text|summary|scope|details?|narrative|arrangement|requirement)s?(?![a-z])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMED_WORDS = 3.0
_UNNAMED_WORDS = 5.0
_POSITION = re.compile(r"#(\d+)")


def position(header: Sequence[str], name: str, option: str, table: str) -> int:
    """The position of the column ``name``, from 0; ``#3`` is the third when no column is called that.

    Raises:
        InputError: when there is none, or more than one.
    """
    found = [i for i, h in enumerate(header) if h == name]
    if len(found) > 1:
        places = " or ".join(f"{option} '#{i + 1}'" for i in found)
        raise InputError(f"{table} has {len(found)} columns {name!r}: give {places}")
    if found:
        return found[0]
    number = _POSITION.fullmatch(name)
    if number and 1 <= int(number.group(1)) <= len(header):
        return int(number.group(1)) - 1
    close = get_close_matches(name, header, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise InputError(f"{table} has no column {name!r}: {hint}give {option} with one of {listed(header)}")


def listed(header: Sequence[str]) -> str:
    """The columns for a message; the empty ones by position."""
    return ", ".join(repr(h) if h else f"'#{i}'" for i, h in enumerate(header, start=1))


def text_column(header: Sequence[str], rows: Iterable[Sequence[Any]], table: str) -> int:
    """The position of the one column that can hold the descriptions, by its name and by the words of ``rows``.

    A column whose name says so (description, text, scope of work ...) needs three words a row on average, another
    one five and no rival.

    Raises:
        InputError: listing the columns, when none or several can be it.
    """
    if len(header) == 1:
        return 0
    words = [0] * len(header)
    filled = [0] * len(header)
    for cells in rows:
        for i, cell in enumerate(cells):
            count = len(as_text(cell).split())
            words[i] += count
            filled[i] += count > 0
    mean = [w / f if f else 0.0 for w, f in zip(words, filled, strict=True)]
    named = [i for i, h in enumerate(header) if _TEXT_NAME.search(_CAMEL.sub("_", h).lower())]
    able = [i for i in named if mean[i] >= _NAMED_WORDS] or [i for i, m in enumerate(mean) if m >= _UNNAMED_WORDS]
    if not able and len(named) == 1:
        able = named
    if len(able) == 1:
        return able[0]
    several = f"can be any of {listed([header[i] for i in able])}" if able else "cannot be told"
    raise InputError(
        f"{table}: the column that holds the descriptions {several}: give --column with one (or several) of "
        f"{listed(header)}"
    )


def added_columns(options: TableOptions, terms: Sequence[str]) -> list[tuple[str, bool]]:
    """Names of the columns that are added, and whether each is a number (0 or 1) and not text."""
    names = [(safe(options.prefix + name), False) for name in options.columns]
    return names + [(safe(options.prefix + term), True) for term in terms] * options.wide


def check_clash(header: Sequence[str], added: Sequence[tuple[str, bool]], table: str) -> None:
    """Refuse a table that has a column called like one that is added.

    Raises:
        InputError: with the remedy.
    """
    clash = [name for name, _ in added if name in header]
    if clash:
        raise InputError(
            f"{table} already has the column {', '.join(clash)}: give --prefix for the added columns, "
            "or tag the original file"
        )
