"""The inputs of a batch as one table: opened by format, checked for the same header, handed out in chunks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ...errors import InputError
from .columns import listed
from .decode import Bytes
from .delimited import DelimitedSource
from .excel import ExcelSource
from .formats import BINARY, EXCEL, JSONL, PARQUET, TSV, by_name, check_named, expand, format_of
from .jsonl import JsonlSource
from .options import STANDARD, TableOptions
from .parquet import ParquetSource
from .rows import Chunk, Row

_PEEKED = 200
_PEEKED_SIZE = 2_000_000
# Characters of a chunk's cells after which it is closed before its time.
_CHUNK_SIZE = 4_000_000


class Source(Protocol):
    """A file of rows.

    Attributes:
        delimiter: what stands between cells, for an output that keeps it.
        notices: what had to be guessed, for the user.
    """

    name: str
    header: list[str]
    delimiter: str
    notices: list[str]

    def rows(self, wanted: frozenset[int] | None = None) -> Iterator[Row]:
        """All rows from the start; ``wanted`` are the columns needed, None for all."""

    def share(self) -> float | None:
        """How much of it the last call of :meth:`rows` has read, 0 to 1; None when unknown."""


class Inputs:
    """The inputs before they are read: which files, in which format.

    Args:
        stack: ends what must be kept while they are read.

    Attributes:
        names: as they were given, or as a pattern found them.
        format: of all of them.
    """

    def __init__(self, options: TableOptions, stack: ExitStack) -> None:
        self._options = options
        self._stack = stack
        self.names = expand(options.inputs)
        self._durable = True
        self._stdin: Bytes | None = None
        self._paths: list[Path] = []
        if self.names == [STANDARD]:
            self._stdin = Bytes(None, "standard input")
            self._durable = False
        else:
            self._paths = [self._path(name) for name in self.names]
        found = {self._format(i): name for i, name in enumerate(self.names)}
        if len(found) > 1:
            told = " and ".join(f"{name} ({kind})" for kind, name in found.items())
            raise InputError(f"the inputs are of different formats, {told}: give them apart, or --format")
        self.format = next(iter(found))

    def table(self, output: str) -> Table:
        """Open them for an output of the given format."""
        whole = self.format == JSONL and output != JSONL
        if self._stdin is not None:
            if not whole and self.format not in BINARY and output not in BINARY:
                return Table([self._text(self._stdin, whole)], [None], self.format, False)
            with self._stdin.open() as stream:  # to be read more than once
                self._paths = [self._kept(stream)]
        told = ["standard input" if name == STANDARD else name for name in self.names]
        sources = [self._source(path, name, whole) for path, name in zip(self._paths, told, strict=True)]
        return Table(sources, self._paths, self.format, self._durable)

    def _path(self, name: str) -> Path:
        path = Path(name)
        if path.is_dir():
            raise InputError(f"{name} is a folder: give its files, such as '{name}/*.csv'")
        if path.is_file():
            return path
        self._durable = False  # a pipe or the like
        with path.open("rb") as stream:
            return self._kept(stream)

    def _kept(self, stream: BinaryIO) -> Path:
        """A file with all of a stream."""
        path = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="classify-"))) / "input"
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        return path

    def _format(self, number: int) -> str:
        if self._options.format:
            return self._options.format
        name = self.names[number]
        if self._stdin is not None:
            return format_of(self._stdin.head, "standard input")
        named, _ = by_name(name)
        head = Bytes(self._paths[number], name).head
        if named is None:
            return format_of(head, name)
        check_named(named, head, name)
        return named

    def _source(self, path: Path, name: str, whole: bool) -> Source:
        if self.format == PARQUET:
            return ParquetSource(path, name)
        if self.format == EXCEL:
            return ExcelSource(path, name, self._options.sheet)
        return self._text(Bytes(path, name), whole)

    def _text(self, data: Bytes, whole: bool) -> Source:
        options = self._options
        if self.format == JSONL:
            return JsonlSource(data, options.encoding, whole)
        return DelimitedSource(data, options.encoding, options.delimiter or ("\t" if self.format == TSV else None))


class Table:
    """Several files with one header.

    Attributes:
        header: names of the columns as they stand in the files.
        format: of all of them.
        durable: the files can be read again in a later run.

    Raises:
        InputError: when the files have different columns.
    """

    def __init__(self, sources: Sequence[Source], paths: Sequence[Path | None], format: str, durable: bool) -> None:
        self.sources, self.format, self.durable = sources, format, durable
        self._paths = paths
        first = sources[0]
        if format == JSONL:
            # Objects need not have the same keys.
            self.header = list(dict.fromkeys(key for source in sources for key in source.header))
            for source in sources:
                source.header = self.header
        else:
            self.header = first.header
        for source in sources[1:]:
            _same(first, source)
        self._sizes = [path.stat().st_size if path else 0 for path in paths]
        self._begun: Iterator[Row] | None = None

    @property
    def notices(self) -> list[str]:
        """What had to be guessed, file by file."""
        return [notice for source in self.sources for notice in source.notices]

    def digests(self) -> list[str | None]:
        """The SHA-256 of each file."""
        return [Bytes(path, str(path)).digest() if path else None for path in self._paths]

    def first_rows(self) -> list[Sequence[Any]]:
        """The cells of the first rows, some hundred."""
        rows = self.sources[0].rows()
        peeked: list[Row] = []
        size = 0
        for row in islice(rows, _PEEKED):
            peeked.append(row)
            size += _size(row)
            if size > _PEEKED_SIZE:
                break
        if self._paths[0] is None:
            self._begun = chain(peeked, rows)
        return [row.cells for row in peeked]

    def chunks(self, rows: int, wanted: frozenset[int] | None, skip: int) -> Iterator[Chunk]:
        """Chunks of at most so many rows, fewer when they are large. The same table gives the same chunks.

        Args:
            wanted: the columns needed; None for all.
            skip: chunks to leave out at the start.
        """
        index, first, before = 0, 1, 0
        whole = sum(self._sizes)
        for source, size in zip(self.sources, self._sizes, strict=True):
            stream, self._begun = self._begun or source.rows(wanted), None
            for some in _pieces(stream, rows):
                if index >= skip:
                    share = source.share()
                    done = (before + share * size) / whole if share is not None and whole else None
                    yield Chunk(source.name, first, some, done)
                index += 1
                first += len(some)
            before += size


def _pieces(stream: Iterable[Row], rows: int) -> Iterator[list[Row]]:
    some: list[Row] = []
    size = 0
    for row in stream:
        some.append(row)
        size += _size(row)
        if len(some) >= rows or size >= _CHUNK_SIZE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _size(row: Row) -> int:
    if row.raw is not None:
        return len(row.raw)
    return sum(len(cell) for cell in row.cells if isinstance(cell, str))


def _same(first: Source, other: Source) -> None:
    if first.header != other.header:
        raise InputError(
            f"{other.name} has other columns than {first.name}: {listed(other.header)}, not {listed(first.header)}. "
            "Give tables of the same columns, or one at a time."
        )
    if isinstance(first, ParquetSource) and isinstance(other, ParquetSource):
        for mine, theirs in zip(first.schema, other.schema, strict=True):
            if mine.type != theirs.type:
                raise InputError(
                    f"{other.name} has {theirs.type} in the column {mine.name!r}, {first.name} has {mine.type}: "
                    "give tables of the same types, or one at a time"
                )
