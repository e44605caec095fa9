"""The report: one self-contained HTML page on a tagged table, made in one pass.

The page loads nothing and runs nothing (its policy forbids both), so it can be sent on as it is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

from ..errors import InputError
from ..vocabulary import Vocabulary
from .files import replacing
from .html_details import by_column, details, review
from .html_parts import Cards, anchor, count, esc, link, rows_word
from .html_sections import Sections
from .tagged_rows import added, tags_of, thresholds_of
from .tally import Tally, tally

_STYLE = Path(__file__).parent / "pages" / "report.css"
TITLE = "Outsourcing terms in a table"


def write_report(
    rows: Iterable[Mapping[str, str]],
    out: Path | TextIO,
    *,
    text_columns: Sequence[str],
    value_column: str | None = None,
    group_columns: Sequence[str] = (),
    vocabulary: Vocabulary,
    title: str = TITLE,
    currency_column: str | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> Tally:
    """Write the report on a finished tagged table.

    Args:
        rows: the table's rows by column name, with what ``classify batch`` adds; read once.
        out: a path, which gets the page only when all went well, or a text stream.
        text_columns: the columns that were tagged.
        value_column: a column of money.
        group_columns: columns to count by, such as buyer, vendor, country.
        currency_column: a column that names the currency of each amount.
        thresholds: by term, the least probability with which it is given; without, those of the model
            that ships with the package where the table names it, and else one half.

    Returns:
        What was counted.

    Raises:
        InputError: when the rows are of no tagged table, or ``out`` cannot be written.
    """
    stream = iter(rows)
    first = next(stream, None)
    if first is not None:
        if added(first)[0] not in first:
            raise InputError("the table has no column 'terms': give a table made by `classify batch`")
        for name in (*text_columns, value_column, currency_column, *group_columns):
            if name is not None and name not in first:
                raise InputError(f"the table has no column {name!r}: give one of {', '.join(map(repr, first))}")
        if thresholds is None:
            thresholds = thresholds_of(tags_of(first).model)
    counted = tally(
        chain([first] if first is not None else [], stream),
        Tally(vocabulary, text_columns, value_column, list(dict.fromkeys(group_columns)), currency_column, thresholds),
    )
    text = page(counted, title)
    if not isinstance(out, Path):
        out.write(text)
        return counted
    try:
        with replacing(out) as page_file:
            page_file.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{error.filename or out}: {error.strerror}") from error
    return counted


def page(counted: Tally, title: str) -> str:
    """The whole page."""
    cards = Cards(counted.vocabulary)
    sections = Sections(counted, cards)
    parts = [("overview", "At a glance", sections.overview())]
    if counted.all.rows:
        parts.append(("tagged", "Rows with and without a term", sections.tagged()))
        if sections.found:
            parts.append(("terms", "Terms", sections.terms()))
            parts.append(("together", "Terms that stand together", sections.together()))
        parts += [(anchor("by", g.column), f"By {g.column}", by_column(sections, g)) for g in counted.groups]
        parts.append(("review", "Rows to review first", review(sections)))
        parts.append(("details", "Definitions and example rows", details(sections)))
        rest = cards.rest()
        if rest:
            parts.append(("more", "More example rows", "".join(rest)))
    parts.append(("about", "About this report", _about(counted)))
    style = _STYLE.read_text(encoding="utf-8")
    # Nothing may be loaded or run: the one style sheet is known by its digest.
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    contents = "".join(f"<li>{link(name, esc(head))}</li>" for name, head, _ in parts)
    body = "".join(f'<section id="{name}"><h2>{esc(head)}</h2>{inner}</section>' for name, head, inner in parts)
    models = ", ".join(f"model {esc(name)}" for name in counted.models) or "an unnamed model"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{esc(title)}</title><style>{style}</style></head>'
        f'<body><main><header><h1>{esc(title)}</h1><p class="note">{rows_word(counted.all.rows)}, tagged by {models}'
        f'</p></header><nav aria-label="Contents"><ol>{contents}</ol></nav>{body}</main></body></html>\n'
    )


def _about(counted: Tally) -> str:
    words = [
        "A tag is a trained model’s reading of one description, with a probability. It is neither legal advice nor a "
        "finding of fact. Marked words are those that speak for any of the row’s tags.",
        "The source documents disagree on some terms. Each definition is told in this project’s own words and stands "
        "with its source: document, section, and paragraph within the section.",
        f"The text was read from {_columns(counted.text_columns)}. Row numbers count from 1, without the header; "
        "a row of which the table has a line for each tag counts as one.",
    ]
    if counted.unknown_terms:
        words.append(
            f"{rows_word(counted.unknown_terms)} carry terms that the vocabulary does not have; those are not counted."
        )
    if counted.troubled:
        words.append(
            f"{rows_word(counted.troubled)} had something wrong when they were tagged and carry terms all the same; "
            "they are counted."
        )
    if len(counted.models) > 1:
        told = ", ".join(f"{esc(name)} ({rows_word(n)})" for name, n in counted.models.items())
        words.append(f"Several models tagged this table: {told}. Their probabilities may not compare.")
    if counted.texts_full:
        words.append(f"Repeated rows were noticed among the first {count(counted.texts)} different texts only.")
    return "".join(f"<p>{w}</p>" for w in words)


def _columns(columns: Sequence[str]) -> str:
    named = ", ".join(f"“{esc(c)}”" for c in columns)
    return f"the column{'s' if len(columns) > 1 else ''} {named}" if columns else "no named column"
