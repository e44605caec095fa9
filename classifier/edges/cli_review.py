"""The commands ``classify review``, ``export-labels`` and ``import-labels``: what people say of the tags."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError

if TYPE_CHECKING:
    from ..vocabulary import Vocabulary
    from .review import Context
    from .tagged_rows import Row

SOME_BAD = 3
COLUMN = "corrected_terms"
_SHOWN = 20

Table = Annotated[Path, typer.Argument(metavar="TAGGED", help="A table that `classify batch` made.")]
Column = Annotated[
    list[str] | None, typer.Option(help="The column that holds the text (repeat for several); found when left out.")
]
Corrections = Annotated[Path, typer.Option("-o", "--output", help="The file of corrections (JSONL); it is added to.")]
Prefix = Annotated[str | None, typer.Option(help="As the batch was told; found out where the table was tagged once.")]
Home = Annotated[str | None, typer.Option(help="As the batch was told: the client's country.")]
HomeColumn = Annotated[str | None, typer.Option(help="As the batch was told: the column of the client's country.")]
Provider = Annotated[str | None, typer.Option(help="As the batch was told: the provider's country.")]
ProviderColumn = Annotated[
    str | None, typer.Option(help="As the batch was told: the column of the provider's country.")
]
Vendor = Annotated[bool, typer.Option("--vendor-contract", help="As the batch was told: contracts with vendors.")]
VendorColumn = Annotated[
    str | None, typer.Option(help="As the batch was told: the column that marks vendor contracts.")
]

VocabularyPath = Annotated[
    Path | None,
    typer.Option("--vocabulary", help="A vocabulary of your own, in TOML: what `classify batch` was given."),
]


class Tool(StrEnum):
    """The labelling tools."""

    LABEL_STUDIO = "label-studio"
    PRODIGY = "prodigy"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("review")(review)
    app.command("export-labels")(export_labels)
    app.command("import-labels")(import_labels)


def review(
    table: Table,
    output: Corrections,
    column: Column = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 25,
    untagged: Annotated[bool, typer.Option("--untagged", help="Go through rows without a term instead.")] = False,
    from_column: Annotated[
        str | None,
        typer.Option(
            help="Read what was written into this column (ids joined by |; empty: unchanged; none: no term). Without "
            f"a terminal a column {COLUMN} is read by itself."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Your name, to stand beside each correction.")] = None,
    home: Home = None,
    home_column: HomeColumn = None,
    provider_country: Provider = None,
    provider_country_column: ProviderColumn = None,
    vendor_contract: Vendor = False,
    vendor_column: VendorColumn = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="What `classify batch` was given as --threshold, if so.")
    ] = None,
    prefix: Prefix = None,
    vocabulary_path: VocabularyPath = None,
) -> None:
    """Go through the least certain rows and say what is right; `classify train --corrections` learns from it."""
    from ..vocabulary import load_vocabulary
    from .files import refuse_input
    from .review import Context, CorrectionFile, least_certain
    from .tables.formats import expand
    from .tagged_rows import read_rows, tags_of, thresholds_of, with_columns

    refuse_input(output, expand((str(table),)))
    vocabulary = load_vocabulary(vocabulary_path)
    context = Context(
        home, home_column, provider_country, provider_country_column, vendor_contract, vendor_column
    ).checked()
    columns, rows = with_columns(read_rows(table, prefix), column or [], [from_column, *context.columns])
    first = next(rows, None)
    if first is None:
        typer.echo("The table has no rows.", err=True)
        return
    if from_column is None and not sys.stdin.isatty() and COLUMN in first:
        from_column = COLUMN
    file = CorrectionFile(output, vocabulary)
    if not column:
        typer.echo(f"text column: {columns[0]}", err=True)
    if from_column is not None:
        _from_column(read_rows(table, prefix), columns, from_column, context, vocabulary, output, by)
        return
    thresholds: Mapping[str, float] = (
        thresholds_of(tags_of(first).model) if threshold is None else dict.fromkeys(vocabulary.terms, threshold)
    )

    def least(term: str) -> float:
        return thresholds.get(term, 0.5)

    queue = least_certain(read_rows(table, prefix), columns, context, vocabulary, least, file, limit, untagged)
    if not queue:
        typer.echo("Nothing is left to review.", err=True)
        return
    from .report import Style
    from .review_desk import Desk

    _prepare_terminal(vocabulary)
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    desk = Desk(vocabulary, file, _ask, _say, Style(color), least, by)
    counts = desk.walk(queue)
    left = len(queue) - counts.confirmed - counts.changed
    typer.echo(
        f"done: {counts.changed} changed, {counts.confirmed} confirmed, {left} of {len(queue)} left; {output}", err=True
    )


def _ask(prompt: str) -> str:
    line = input(prompt)
    if not sys.stdin.isatty():
        _say("".join(c if c.isprintable() else " " for c in line))  # as a terminal would show what was typed
    return line


def _say(line: str) -> None:
    # A lone surrogate is shown escaped rather than fatal.
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def _prepare_terminal(vocabulary: Vocabulary) -> None:
    """Undecodable input is no reason to stop; on a terminal the Tab key completes terms."""
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if not sys.stdin.isatty():
        return
    try:
        import readline
    except ImportError:  # not on every system
        return

    def complete(text: str, state: int) -> str | None:
        sign = text[:1] if text[:1] in "+-" else ""
        fitting = [sign + t for t in vocabulary.terms if t.startswith(text[len(sign) :])]
        return fitting[state] if state < len(fitting) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")


def _from_column(
    rows: Iterable[Row],
    columns: list[str],
    column: str,
    context: Context,
    vocabulary: Vocabulary,
    output: Path,
    by: str | None,
) -> None:
    from .review import CorrectionFile, from_column

    file = CorrectionFile(output, vocabulary)
    said = same = 0
    problems = []
    for found in from_column(rows, columns, column, context, vocabulary, by=by):
        if isinstance(found, str):
            problems.append(found)
        elif file.add(found):
            said += 1
        else:
            same += 1
    typer.echo(f"done: {said} corrections written to {output}, {same} were there already", err=True)
    _problems(problems)


def _problems(problems: list[str]) -> None:
    for problem in problems[:_SHOWN]:
        typer.echo(problem, err=True)
    if len(problems) > _SHOWN:
        typer.echo(f"and {len(problems) - _SHOWN} more", err=True)
    if problems:
        raise typer.Exit(SOME_BAD)


def export_labels(
    table: Table,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the tasks go.")],
    to: Annotated[Tool, typer.Option(help="The labelling tool.")],
    column: Column = None,
    form: Annotated[
        Path | None, typer.Option(help="Also write the labelling interface of the Label Studio project (XML) here.")
    ] = None,
    home: Home = None,
    home_column: HomeColumn = None,
    provider_country: Provider = None,
    provider_country_column: ProviderColumn = None,
    vendor_contract: Vendor = False,
    vendor_column: VendorColumn = None,
    prefix: Prefix = None,
    vocabulary_path: VocabularyPath = None,
) -> None:
    """Write a tagged table as tasks for a labelling tool, the tags filled in and the evidence marked."""
    from ..vocabulary import load_vocabulary
    from .files import refuse_input, replacing
    from .interchange import tasks, write_tasks
    from .label_studio import form as label_studio_form
    from .review import Context
    from .tables.formats import expand
    from .tagged_rows import read_rows, with_columns

    if form is not None and to is not Tool.LABEL_STUDIO:
        raise InputError("--form is for Label Studio: leave it out, or give --to label-studio")
    tables = expand((str(table),))
    refuse_input(output, tables)
    if form is not None:
        refuse_input(form, tables, "--form")
        if os.path.realpath(form) == os.path.realpath(output):
            raise InputError(f"{form} is where the tasks go: give --form another name")
    vocabulary = load_vocabulary(vocabulary_path)
    context = Context(
        home, home_column, provider_country, provider_country_column, vendor_contract, vendor_column
    ).checked()
    columns, rows = with_columns(read_rows(table, prefix), column or [], context.columns)
    if not column and columns:
        typer.echo(f"text column: {columns[0]}", err=True)
    count = write_tasks(tasks(rows, columns, context, vocabulary, to.value), output, to.value)
    if form is not None:
        try:
            with replacing(form) as out:
                out.write(label_studio_form(vocabulary))
        except OSError as error:
            raise InputError(f"{error.filename or form}: {error.strerror}") from error
    typer.echo(f"done: {count} tasks, one for each different text, in {output}", err=True)


def import_labels(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What the labelling tool exported (JSON or JSONL).")],
    output: Corrections,
    origin: Annotated[Tool, typer.Option("--from", help="The labelling tool.")],
    vocabulary_path: VocabularyPath = None,
) -> None:
    """Read what people said in a labelling tool, as corrections."""
    from ..vocabulary import load_vocabulary
    from .files import refuse_input
    from .interchange import read_answers
    from .review import CorrectionFile

    refuse_input(output, (source,))
    vocabulary = load_vocabulary(vocabulary_path)
    found = read_answers(source, origin.value, vocabulary)
    file = CorrectionFile(output, vocabulary)
    said = sum(file.add(correction) for correction in found.corrections)
    same = len(found.corrections) - said
    typer.echo(f"done: {said} corrections written to {output}, {same} were there already", err=True)
    for why, times in sorted(found.left_out.items()):
        typer.echo(f"left out, {why}: {times}", err=True)
    if found.differing:
        typer.echo(f"texts on which several answers differ (the last counts): {found.differing}", err=True)
    _problems(found.problems)
