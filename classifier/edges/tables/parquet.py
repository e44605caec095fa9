"""Parquet, by pyarrow: read batch by batch, written from the finished tags with the source's own columns untouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import InputError, MissingExtraError
from .rows import LARGE, MOMENT, REAL, SMALL, TRUTH, JsonValue, Row, as_text, without_surrogates

_ROWS = 512
# A row group is closed at so many rows or bytes, whichever comes first.
_GROUP_ROWS = 1 << 16
_GROUP_BYTES = 1 << 26


def pyarrow() -> Any:
    """The package pyarrow, with its Parquet module.

    Raises:
        MissingExtraError: when it is not installed.
    """
    try:
        import pyarrow as package
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None
    return package


class ParquetSource:
    """A Parquet file. Dates and times become ISO text where the output is not Parquet."""

    typed = False
    delimiter = ","

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.notices: list[str] = []
        with self.file() as file:
            self._total = file.metadata.num_rows
            groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
            if min(groups, default=0) < 0 or sum(groups) != self._total:
                # Arrow takes the numbers as they are, and aborts the process.
                raise InputError(f"{name} is damaged: its row groups do not have the number of rows that it states")
            try:
                self.schema = file.schema_arrow
                self.header = list(self.schema.names)
            except (pyarrow().ArrowException, ValueError) as error:
                raise InputError(f"{name} cannot be read as Parquet: {error}") from error
        self._done = 0

    def file(self) -> Any:
        """The opened file, to be used in a ``with``."""
        pa = pyarrow()
        try:
            return pa.parquet.ParquetFile(self.path, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:  # also names that are not UTF-8
            if isinstance(error, OSError) and error.errno:
                raise
            raise InputError(f"{self.name} cannot be read as Parquet: {error}") from error

    def share(self) -> float | None:
        return self._done / self._total if self._total else None

    def rows(self, wanted: frozenset[int] | None = None) -> Iterator[Row]:
        """Every row. With ``wanted`` only those columns are read, the others are None."""
        self._done = 0
        for batch in self.batches(wanted):
            columns: list[Sequence[Any]] = [
                self._cells(i, column) if wanted is None or i in wanted else [None] * batch.num_rows
                for i, column in enumerate(batch.columns)
            ]
            for cells in zip(*columns, strict=True) if columns else ():
                self._done += 1
                yield Row(self._done, cells)

    def _cells(self, i: int, column: Any) -> list[Any]:
        where = f"column {self.header[i]!r} cannot be read after row {self._done}"
        try:
            return _python(column)
        except UnicodeDecodeError as error:
            raise InputError(f"{self.name}: {where}: its text is not UTF-8. Write the file again.") from error
        except pyarrow().ArrowException as error:
            # Such as a time zone that nobody knows.
            raise InputError(f"{self.name}: {where}: {error}") from error

    def batches(self, wanted: frozenset[int] | None = None) -> Iterator[Any]:
        """Record batches of some hundred rows with all columns; empty ones stand for those that are not ``wanted``."""
        pa = pyarrow()
        distinct = len(set(self.header)) == len(self.header)
        names = [self.header[i] for i in sorted(wanted)] if wanted and distinct else None
        with self.file() as file:
            try:
                for batch in file.iter_batches(batch_size=_ROWS, columns=names):
                    if names is None:
                        yield batch
                        continue
                    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                    nothing = pa.nulls(batch.num_rows)
                    yield pa.RecordBatch.from_arrays([columns.get(n, nothing) for n in self.header], self.header)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise InputError(f"{self.name} is damaged: {error}") from error


def _python(column: Any) -> list[Any]:
    pa = pyarrow()
    if pa.types.is_temporal(column.type) and not pa.types.is_interval(column.type):
        # As text, since Python's own types lack nanoseconds.
        column = column.cast(pa.string()) if not pa.types.is_duration(column.type) else column.cast(pa.int64())
    try:
        found: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):
        found = [str(value) if value.is_valid else None for value in column]
    return found


def write_parquet(
    target: Path,
    sources: Sequence[Any],
    header: Sequence[str],
    added: Sequence[tuple[str, bool]],
    kinds: Sequence[int],
    tags: Iterator[list[list[Any]]],
) -> None:
    """Write the sources' rows with the added columns.

    Args:
        header: names of the columns, distinct.
        added: names of the added columns, and whether each is a number (0 or 1) and not text.
        kinds: what each column holds, as bits of :mod:`rows`; unused for Parquet sources, which keep their types.
        tags: for each row its output lines, each the added cells.

    Raises:
        InputError: when a source has other rows than tags.
    """
    pa = pyarrow()
    ours = [pa.field(name, pa.int8() if number else pa.string()) for name, number in added]
    if isinstance(sources[0], ParquetSource):
        own = [field.with_name(name) for field, name in zip(sources[0].schema, header, strict=True)]
        schema = pa.schema([*own, *ours], metadata=sources[0].schema.metadata)
        tables = _from_parquet(sources, schema, tags)
    else:
        types = [_type(bits) for bits in kinds]
        schema = pa.schema([*(pa.field(n, t) for n, t in zip(header, types, strict=True)), *ours])
        tables = _from_rows(sources, schema, len(header), tags)
    with pa.parquet.ParquetWriter(target, schema) as writer:
        waiting: list[Any] = []
        rows = size = 0
        for table in tables:
            waiting.append(table)
            rows += table.num_rows
            size += table.nbytes
            if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
                writer.write_table(pa.concat_tables(waiting))
                waiting, rows, size = [], 0, 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _from_parquet(sources: Sequence[Any], schema: Any, tags: Iterator[list[list[Any]]]) -> Iterator[Any]:
    pa = pyarrow()
    for source in sources:
        for batch in source.batches():
            lines = list(islice(tags, batch.num_rows))
            if len(lines) != batch.num_rows:
                raise InputError(f"{source.name} has changed since it was tagged: tag it again with --restart")
            table = pa.Table.from_batches([batch])
            if any(len(found) != 1 for found in lines):
                table = table.take(pa.array([i for i, found in enumerate(lines) for _ in found], pa.int64()))
            flat = [line for found in lines for line in found]
            yield pa.Table.from_arrays([*table.columns, *_columns(flat, schema, len(table.columns))], schema=schema)


def _from_rows(sources: Sequence[Any], schema: Any, width: int, tags: Iterator[list[list[Any]]]) -> Iterator[Any]:
    pa = pyarrow()
    fields = list(schema)[:width]
    for source in sources:
        rows = source.rows()
        while some := list(islice(rows, _ROWS)):
            lines = list(islice(tags, len(some)))
            if len(lines) != len(some):
                raise InputError(f"{source.name} has changed since it was tagged: tag it again with --restart")
            repeated = [row.cells for row, found in zip(some, lines, strict=True) for _ in found]
            flat = [line for found in lines for line in found]
            own = [
                pa.array([_cell(cells[i], field.type) for cells in repeated], field.type)
                for i, field in enumerate(fields)
            ]
            yield pa.Table.from_arrays([*own, *_columns(flat, schema, width)], schema=schema)


def _columns(lines: Sequence[Sequence[Any]], schema: Any, first: int) -> list[Any]:
    pa = pyarrow()
    return [pa.array([line[i] for line in lines], field.type) for i, field in enumerate(list(schema)[first:])]


def _type(bits: int) -> Any:
    """The narrowest type that holds all values exactly; text when none does."""
    pa = pyarrow()
    if not bits & ~(SMALL | LARGE) and bits:
        return pa.int64()
    if bits and not bits & ~(SMALL | REAL):
        return pa.float64()
    if bits == TRUTH:
        return pa.bool_()
    if bits == MOMENT:
        return pa.timestamp("us")
    return pa.string()


def _cell(cell: Any, kind: Any) -> Any:
    value = cell.value if isinstance(cell, JsonValue) else cell
    if value is None:
        return None
    pa = pyarrow()
    if pa.types.is_string(kind):
        return without_surrogates(as_text(cell))
    return float(value) if pa.types.is_floating(kind) else value
