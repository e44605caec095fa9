"""The report on a batch's own output, made when the table is in its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engine import Classifier
from ..errors import InputError
from .tables.columns import position
from .tables.formats import EXCEL, JSONL, PARQUET
from .tables.options import STANDARD, TableOptions
from .tables.plan import Plan
from .tables.rows import unique, without_surrogates


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What page a batch is to make of its output; ``classify report --help`` explains the columns.

    Attributes:
        page: where it goes.
        title: None for one with the table's name.
    """

    page: Path
    value_column: str | None = None
    currency_column: str | None = None
    group_columns: tuple[str, ...] = ()
    title: str | None = None

    def check(self, options: TableOptions) -> None:
        """Refuse before anything is tagged what cannot be made afterwards.

        Raises:
            InputError: with the remedy.
        """
        if options.output == STANDARD or (Path(options.output).exists() and not Path(options.output).is_file()):
            raise InputError("--report reads the finished table: give it a file as well, with -o")
        if "terms" not in options.columns:
            raise InputError("--report needs the column terms: name it in --columns, or leave --columns out")
        if self.page.is_dir():
            raise InputError(f"{self.page} is a folder: give --report a file")
        if not os.access(self.page.parent, os.W_OK):
            raise InputError(f"{self.page} cannot be written: give --report in a folder that is there and yours")
        taken = [options.output, *(name for name in options.inputs if name != STANDARD)]
        if os.path.realpath(self.page) in map(os.path.realpath, taken):
            raise InputError(f"{self.page} is the table itself: give --report another name")

    def prepared(self, options: TableOptions, plan: Plan, classifier: Classifier, table: str) -> Callable[[int], None]:
        """What makes the page, given the number of rows, once the table is in its place.

        Args:
            table: the input's name, for messages.

        Raises:
            InputError: for a column that is not there.
        """
        # As they are called when the output is read again.
        names = list(plan.keys)
        if plan.output not in (JSONL, PARQUET):
            header = plan.header if plan.output == EXCEL else [without_surrogates(name) for name in plan.header]
            names = unique([*header, *plan.names()])

        def named(column: str | None, option: str) -> str | None:
            return None if column is None else names[position(plan.header, column, option, table)]

        value = named(self.value_column, "--value-column")
        currency = named(self.currency_column, "--currency-column")
        groups = [found for c in self.group_columns if (found := named(c, "--group-column"))]
        texts = [names[i] for i in plan.context.text]

        def make(rows: int) -> None:
            from .html_report import TITLE, write_report
            from .tagged_rows import read_rows

            thresholds = classifier.model.manifest.thresholds
            if options.threshold is not None:
                thresholds = dict.fromkeys(classifier.vocabulary.terms, options.threshold)
            target = Path(options.output)
            how = TableOptions((str(target),), format=plan.output, encoding="utf-8", delimiter=plan.delimiter)
            try:
                found = write_report(
                    read_rows(target, options.prefix, how) if rows else (),
                    self.page,
                    text_columns=texts,
                    value_column=value,
                    group_columns=groups,
                    vocabulary=classifier.vocabulary,
                    title=self.title or f"{TITLE}: {target.name}",
                    currency_column=currency,
                    thresholds=thresholds,
                )
            except InputError as error:
                raise InputError(f"{error}. The table is whole: {target}; `classify report` makes the page") from error
            if plan.output == EXCEL and found.all.rows < rows:
                raise InputError(
                    f"{self.page} counts {found.all.rows} rows of {rows}: a report reads one sheet of a workbook. "
                    "The table is whole; give -o a name in .csv or .parquet for a page on all of it"
                )

        return make
