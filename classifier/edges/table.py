"""Batches: a table in, the same table out with the tags added, in constant memory.

This module puts the parts of :mod:`classifier.edges.tables` together: sources of rows, chunks of them tagged by one
process or several, and an output that a killed run can go on with.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from ..engine import Classifier
from ..errors import InputError
from .batch_report import BatchReport
from .files import refuse_input
from .loading import load_to_stay
from .tables.convert import converter
from .tables.formats import BINARY, output_of
from .tables.journal import State, Unfinished
from .tables.options import ADDED, STANDARD, TableOptions
from .tables.plan import Plan, find_columns, fingerprint, make_plan
from .tables.rows import safe
from .tables.sources import Inputs, Table
from .tables.work import BadRow, Result, results

__all__ = ["ADDED", "BadRow", "Outcome", "TableOptions", "Watcher", "run", "safe", "tag_table"]

_SHOWN = 20
_MANY = 100_000  # rows whose page takes some seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did.

    Attributes:
        rows: rows of the input.
        tagged: rows with a term.
        bad: the first bad rows, at most twenty.
        bad_count: all bad rows.
        errors: the file that lists all bad rows, as JSON lines; None when there are none, or without an output file.
    """

    rows: int
    tagged: int
    bad: tuple[BadRow, ...]
    bad_count: int
    errors: Path | None = None


class Watcher:
    """Hears how a batch goes on. This one does nothing; override what you need."""

    def notice(self, text: str) -> None:
        """Something had to be guessed or is worth knowing."""

    def begin(self, rows: int) -> None:
        """The run begins, with so many rows done by an earlier one."""

    def advance(self, rows: int, share: float | None) -> None:
        """So many rows are done, and so much of the input (0 to 1; None when unknown)."""

    def finish(self, rows: int) -> None:
        """All rows are tagged, and the output is put in its place."""

    def bad_rows(self, lines: str) -> None:
        """Bad rows as JSON lines, when no file takes them."""

    def broken_off(self, text: str) -> None:
        """The run is interrupted; ``text`` says what is kept."""


class _Progress(Watcher):
    def __init__(self, progress: Callable[[int], None], notice: Callable[[str], None]) -> None:
        self._progress, self._notice = progress, notice

    def notice(self, text: str) -> None:
        self._notice(text)

    def advance(self, rows: int, share: float | None) -> None:
        self._progress(rows)


def tag_table(
    source: str | Path | Sequence[str | Path],
    target: str | Path | None = None,
    column: str | Sequence[str] = (),
    classifier: Classifier | None = None,
    home: str | None = None,
    vendor_contract: bool = False,
    threshold: float | None = None,
    report: BatchReport | None = None,
    progress: Callable[[int], None] = lambda rows: None,
    notice: Callable[[str], None] = lambda text: None,
    **options: Any,
) -> Outcome:
    """Tag a table of any format that ``classify batch`` reads.

    Args:
        source: a file, a glob pattern, several, or ``-`` for standard input.
        target: where the output goes; None for standard output.
        column: the columns that hold the text, several are joined by a line break; guessed when none is given.
        classifier: which to use; loaded when None. With several ``jobs`` give ``model``, its folder, and
            ``vocabulary``, its file, as well, where they are your own.
        home: the client's country.
        vendor_contract: whether each row is a contract with an outside vendor.
        threshold: least probability of a term, 0 to 1, instead of the model's own.
        report: a page to make of the output.
        progress: called now and then with the number of rows done.
        notice: called with what had to be guessed, such as an encoding.
        options: more fields of :class:`TableOptions`.

    Raises:
        InputError: when the input or an option cannot be used, or the output cannot be written.
    """
    several = [source] if isinstance(source, str | Path) else source
    asked = TableOptions(
        inputs=tuple(map(str, several)),
        output=STANDARD if target is None else str(target),
        column=(column,) if isinstance(column, str) else tuple(column),
        home=home,
        vendor_contract=vendor_contract,
        threshold=threshold,
        **options,
    )
    return run(asked, classifier, _Progress(progress, notice), report)


def run(
    options: TableOptions,
    classifier: Classifier | None = None,
    watch: Watcher | None = None,
    report: BatchReport | None = None,
) -> Outcome:
    """Do a batch, and make the page on its output if a ``report`` is asked for.

    Raises:
        InputError: when the input or an option cannot be used, or the output cannot be written.
    """
    watch = watch or Watcher()
    options.check()
    if report is not None:
        report.check(options)
    try:
        with ExitStack() as stack:
            inputs = Inputs(options, stack)
            output = output_of(options.output, options.output_format, inputs.format)
            table = inputs.table(output[0])
            for text in table.notices:
                watch.notice(text)
            context = find_columns(options, table, watch.notice)
            classifier = classifier or load_to_stay(options.model, options.vocabulary)
            plan = make_plan(options, table, context, output, classifier, watch.notice)
            name = table.sources[0].name
            page = report.prepared(options, plan, classifier, name) if report is not None else None
            if options.output == STANDARD or _is_device(options.output):
                return _to_stream(options, table, plan, classifier, watch, stack)
            target = Path(os.path.realpath(options.output))
            refuse_input(options.output, (name for name in inputs.names if name != STANDARD))
            outcome = _to_file(options, target, table, plan, classifier, watch, table.durable)
            if page is not None:
                _make(page, outcome, options.output, watch)
            return outcome
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{error.filename or options.output}: {error.strerror or error}") from error


def _make(page: Callable[[int], None], outcome: Outcome, output: str, watch: Watcher) -> None:
    if outcome.rows >= _MANY:
        watch.notice("the table is whole; making the page")
    try:
        page(outcome.rows)
    except KeyboardInterrupt:
        watch.broken_off(f"The table is whole: {output}; `classify report` makes the page.")
        raise


def _results(
    options: TableOptions, table: Table, plan: Plan, classifier: Classifier, skip: int
) -> closing[Generator[Result, None, None]]:
    chunks = table.chunks(options.chunk, plan.wanted(), skip)
    return closing(results(plan, classifier, chunks, options.jobs))


def _to_file(
    options: TableOptions,
    target: Path,
    table: Table,
    plan: Plan,
    classifier: Classifier,
    watch: Watcher,
    durable: bool,
) -> Outcome:
    depends_on = fingerprint(options, table, plan) if durable else {}
    with Unfinished(target, depends_on, plan.top(), options.resume, options.restart, durable) as out:
        if options.resume and not out.kept:
            watch.notice("there is no unfinished run: beginning with the first row")
        try:
            if not out.moving:
                watch.begin(out.state.rows)
                with _results(options, table, plan, classifier, out.state.chunks) as found:
                    for result in found:
                        out.write(result)
                        watch.advance(out.state.rows, result.share)
                watch.finish(out.state.rows)
            out.finish(converter(plan, table, lambda: out.state))
        except KeyboardInterrupt:
            watch.broken_off(_kept(out))
            raise
        except BrokenPipeError:
            raise
        except OSError as error:
            where = error.filename2 or error.filename or target
            raise InputError(f"{where}: {error.strerror or error}. {_kept(out)}") from error
        bad = tuple(out.first_bad(_SHOWN))
        state = out.state
    return Outcome(state.rows, state.tagged, bad, state.bad, out.errors if state.bad else None)


def _kept(out: Unfinished) -> str:
    if not out.kept:
        return "Nothing is kept of this run."
    return f"The {out.state.rows} rows done are kept: the same command with --resume goes on."


def _to_stream(
    options: TableOptions, table: Table, plan: Plan, classifier: Classifier, watch: Watcher, stack: ExitStack
) -> Outcome:
    if plan.output in BINARY:
        return _binary_to_stream(options, table, plan, classifier, watch, stack)
    stream = _stream(options.output, stack)
    stream.write(plan.top())
    state = State()
    bad: list[BadRow] = []
    watch.begin(0)
    try:
        with _results(options, table, plan, classifier, 0) as found:
            for result in found:
                stream.write(result.data)
                if result.errors:
                    watch.bad_rows(result.errors.decode())
                    bad += result.first_bad[: _SHOWN - len(bad)]
                state = state.after(result)
                watch.advance(state.rows, result.share)
        stream.flush()
    except KeyboardInterrupt:
        watch.broken_off(f"{state.rows} rows were given; only a file, by -o, can be gone on with.")
        raise
    watch.finish(state.rows)
    return Outcome(state.rows, state.tagged, tuple(bad), state.bad)


def _binary_to_stream(
    options: TableOptions, table: Table, plan: Plan, classifier: Classifier, watch: Watcher, stack: ExitStack
) -> Outcome:
    if options.output == STANDARD and sys.stdout.isatty():
        raise InputError(f"{plan.output} is not for a terminal: give -o FILE, or send standard output to a file")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="classify-")))
    found = _to_file(options, folder / "table", table, plan, classifier, watch, durable=False)
    stream = _stream(options.output, stack)
    with (folder / "table").open("rb") as made:
        shutil.copyfileobj(made, stream)
    stream.flush()
    if found.errors is not None:
        with found.errors.open(encoding="utf-8") as lines:
            while some := "".join(islice(lines, 1000)):
                watch.bad_rows(some)
    return Outcome(found.rows, found.tagged, found.bad, found.bad_count)


def _stream(output: str, stack: ExitStack) -> BinaryIO:
    if output == STANDARD:
        return sys.stdout.buffer
    return stack.enter_context(Path(output).open("wb"))


def _is_device(output: str) -> bool:
    path = Path(output)
    return path.exists() and not stat.S_ISREG(path.stat().st_mode) and not path.is_dir()
