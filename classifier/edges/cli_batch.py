"""The command ``classify batch``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError

SOME_BAD = 3
_INPUT, _TEXT, _OUTPUT, _RUN, _PAGE = "Input", "Text and context", "Output", "Run", "Report"
_TAB = {"tab": "\t", "\\t": "\t"}

# A paragraph a line: the help is wrapped to the terminal.
HELP = "\n\n".join(
    (
        "Tag a table: every row comes back, in order, with the tags added.",
        "Tables are CSV, TSV, JSON lines (also with .gz or .zst), Parquet and Excel, told by the name; - is standard "
        "input.",
        "A row that is not as it should be (too many or too few fields, bytes that are no text, an unknown country) "
        "is kept. Its `reason` says why, with the content that fits no column; OUTPUT.errors.jsonl lists it with its "
        "line; the exit code is 3.",
        "The output is made beside its place, as OUTPUT.part with OUTPUT.journal, and moved there at the end. A run "
        "that was interrupted or killed is gone on with by the same command with --resume, to the same bytes.",
    )
)


def batch(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT...", help="Files, quoted patterns such as 'a/*.csv', or -.")
    ] = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="OUTPUT", help="A file; - is standard output.")
    ] = "-",
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="The column of the text; repeat it to join several; '#2' is the second. Without it guessed, if clear.",
            rich_help_panel=_TEXT,
        ),
    ] = None,
    home: Annotated[
        str | None, typer.Option(help="The client's country: a code such as US, or a name.", rich_help_panel=_TEXT)
    ] = None,
    home_column: Annotated[
        str | None,
        typer.Option(help="The column of the client's country; --home where it is empty.", rich_help_panel=_TEXT),
    ] = None,
    provider_country: Annotated[
        str | None, typer.Option(help="The country where the provider does the work.", rich_help_panel=_TEXT)
    ] = None,
    provider_country_column: Annotated[
        str | None,
        typer.Option(help="The column of that country; --provider-country where it is empty.", rich_help_panel=_TEXT),
    ] = None,
    vendor_contract: Annotated[
        bool,
        typer.Option("--vendor-contract", help="Each row is a contract with an outside vendor.", rich_help_panel=_TEXT),
    ] = False,
    vendor_column: Annotated[
        str | None,
        typer.Option(
            help="The column of the vendor's name; a row where it is filled is such a contract.", rich_help_panel=_TEXT
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=1.0, help="Least probability of a term, instead of the model's own.", rich_help_panel=_TEXT
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A model of your own, made by `classify train`.", rich_help_panel=_TEXT),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(help="A vocabulary of your own, in TOML, instead of the model's.", rich_help_panel=_TEXT),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, tsv, jsonl, parquet or excel, if the name does not tell.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Such as cp1252; without it by mark, else UTF-8 or Windows-1252.", rich_help_panel=_INPUT),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(help="What stands between cells, such as ';' or tab; found out without.", rich_help_panel=_INPUT),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="The sheet of a workbook; the first without.", rich_help_panel=_INPUT)
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT", help="As --format; without it by name, else the input's.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    output_delimiter: Annotated[
        str | None, typer.Option(help="For CSV; the input's without.", rich_help_panel=_OUTPUT)
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Which columns to add, of terms,probabilities,definitions,evidence,reason,model.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Put before the names of the added columns.", rich_help_panel=_OUTPUT)
    ] = "",
    wide: Annotated[
        bool, typer.Option("--wide", help="Add a column of 0 and 1 for each term.", rich_help_panel=_OUTPUT)
    ] = False,
    long: Annotated[
        bool, typer.Option("--long", help="A row for each tag; a row without tags keeps one.", rich_help_panel=_OUTPUT)
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Also make the page of `classify report`.", rich_help_panel=_PAGE),
    ] = None,
    value_column: Annotated[
        str | None, typer.Option(help="A column of money, to weigh the terms by.", rich_help_panel=_PAGE)
    ] = None,
    currency_column: Annotated[
        str | None, typer.Option(help="A column that names each amount's currency.", rich_help_panel=_PAGE)
    ] = None,
    group_column: Annotated[
        list[str] | None,
        typer.Option(
            help="Count by this column too, such as buyer or country; repeat it for several.", rich_help_panel=_PAGE
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="The page's title; the table's name without.", rich_help_panel=_PAGE)
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Processes that tag; -1 for one a processor. Same output.", rich_help_panel=_RUN)
    ] = 1,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with an unfinished run of the same options; begin if there is none.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Throw an unfinished run away; without it or --resume one is refused.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    chunk: Annotated[
        int | None,
        typer.Option(min=1, help="Rows that are done and saved together; 500 without.", rich_help_panel=_RUN),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Nothing on standard error but errors.", rich_help_panel=_RUN)
    ] = False,
) -> None:
    """Tag a table; the help is :data:`HELP`."""
    from .batch_report import BatchReport
    from .progress import watcher
    from .table import run
    from .tables.formats import FORMATS
    from .tables.options import ADDED, CHUNK, TableOptions

    if not inputs and sys.stdin.isatty():
        raise InputError("no input: give a file, several, or - for standard input")
    for option, value in (("--format", format), ("--output-format", output_format)):
        if value is not None and value not in FORMATS:
            raise InputError(f"{option} {value!r} is not known: give one of {', '.join(FORMATS)}")
    page = BatchReport(report, value_column, currency_column, tuple(group_column or ()), title) if report else None
    for option, wanted in (
        ("--value-column", value_column),
        ("--currency-column", currency_column),
        ("--group-column", group_column),
        ("--title", title),
    ):
        if wanted and page is None:
            raise InputError(f"{option} is for the report: give --report FILE.html as well, or leave it out")
    asked = TableOptions(
        inputs=tuple(inputs or ["-"]),
        output=output,
        column=tuple(column or ()),
        format=format,
        output_format=output_format,
        encoding=encoding,
        delimiter=_TAB.get(delimiter, delimiter) if delimiter else delimiter,
        output_delimiter=_TAB.get(output_delimiter, output_delimiter) if output_delimiter else output_delimiter,
        sheet=sheet,
        home=home,
        home_column=home_column,
        provider_country=provider_country,
        provider_country_column=provider_country_column,
        vendor_contract=vendor_contract,
        vendor_column=vendor_column,
        threshold=threshold,
        columns=ADDED if columns is None else tuple(name.strip() for name in columns.split(",") if name.strip()),
        prefix=prefix,
        wide=wide,
        long=long,
        model=model,
        vocabulary=vocabulary,
        jobs=jobs,
        chunk=chunk or CHUNK,
        resume=resume,
        restart=restart,
    )
    # A bar would stand among the rows when both go to the terminal.
    mixed = output == "-" and sys.stdout.isatty()
    terminal = sys.stderr.isatty() and not mixed and os.environ.get("TERM") != "dumb"
    with watcher(quiet, terminal) as watch:
        outcome = run(asked, watch=watch, report=page)
    if not quiet:
        made = f"; report in {report}" if report else ""
        typer.echo(f"done: {outcome.rows} rows, {outcome.tagged} with a term, {outcome.bad_count} bad{made}", err=True)
    if outcome.bad_count:
        if outcome.errors is not None:
            for row in outcome.bad:
                typer.echo(f"row {row.number} ({row.file}, line {row.line}): {row.problem}", err=True)
            typer.echo(f"Bad rows are in the output all the same; {outcome.errors} lists them.", err=True)
        raise typer.Exit(SOME_BAD)
