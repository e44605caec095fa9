"""The command ``classify report``: a page on a tagged table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    table: Annotated[Path, typer.Argument(metavar="TAGGED", help="A table that `classify batch` made.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the page goes.")],
    column: Annotated[
        list[str] | None, typer.Option(help="The column that holds the text (repeat for several); found when left out.")
    ] = None,
    value_column: Annotated[str | None, typer.Option(help="A column of money, to weigh the terms by.")] = None,
    currency_column: Annotated[str | None, typer.Option(help="A column that names each amount's currency.")] = None,
    group_column: Annotated[
        list[str] | None,
        typer.Option(help="Count by this column too, such as buyer or country; repeat it for several."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="What `classify batch` was given as --threshold, if so.")
    ] = None,
    vocabulary_path: Annotated[
        Path | None,
        typer.Option("--vocabulary", help="What `classify batch` was given as --vocabulary, if so."),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="What `classify batch` was given as --prefix; found out where the table was tagged once."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook; the first without.")] = None,
    title: Annotated[str | None, typer.Option(help="The page's title; the file's name without.")] = None,
) -> None:
    """Make a page on a tagged table: figures, charts, definitions, example rows, rows to review."""
    from ..vocabulary import load_vocabulary
    from .files import refuse_input
    from .html_report import TITLE, write_report
    from .tables.formats import expand
    from .tables.options import TableOptions
    from .tagged_rows import read_rows, with_columns

    refuse_input(output, expand((str(table),)))
    groups = group_column or []
    vocabulary = load_vocabulary(vocabulary_path)
    how = TableOptions((str(table),), sheet=sheet)
    found_rows = read_rows(table, prefix, how, lambda text: typer.echo(text, err=True))
    columns, rows = with_columns(found_rows, column or [], [value_column, currency_column, *groups])
    if not column and columns:
        typer.echo(f"text column: {columns[0]}", err=True)
    found = write_report(
        rows,
        output,
        text_columns=columns,
        value_column=value_column,
        group_columns=groups,
        vocabulary=vocabulary,
        title=title or f"{TITLE}: {table.name}",
        currency_column=currency_column,
        thresholds=None if threshold is None else dict.fromkeys(vocabulary.terms, threshold),
    )
    typer.echo(f"done: {found.all.rows} rows, {found.tagged.rows} with a term, in {output}", err=True)
