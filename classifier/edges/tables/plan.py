"""What a run does to its rows, once options, input and model are known, and what its output depends on."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...engine import Classifier
from .columns import added_columns, check_clash, position, text_column
from .decode import zstandard
from .delimited import DelimitedEncoder
from .excel import check_width
from .formats import BINARY, CSV, EXCEL, GZIP, JSONL, PARQUET, TSV, ZSTD
from .options import TableOptions
from .rows import unique, without_surrogates
from .sources import Table
from .tags import Context


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a process needs to know to turn a chunk into bytes.

    Attributes:
        model: the model's folder; None for the one that ships.
        own_vocabulary: the file of a vocabulary of one's own; None for the model's.
        digest: of the model, and so ``vocabulary``.
        header: the input's columns as they are called there.
        keys: names for the columns, distinct, for outputs that need that.
        added: names of the added columns, and whether each is a number and not text.
        marked: whether text begins with the mark of UTF-8, by which Excel knows it; the input's does.
    """

    model: Path | None
    own_vocabulary: Path | None
    digest: str
    vocabulary: str
    context: Context
    columns: tuple[str, ...]
    wide: bool
    long: bool
    source: str
    output: str
    compression: str | None
    delimiter: str
    header: tuple[str, ...]
    keys: tuple[str, ...]
    added: tuple[tuple[str, bool], ...]
    marked: bool

    def wanted(self) -> frozenset[int] | None:
        """The columns that must be read to tag; None for all."""
        return self.context.positions() if self.output in BINARY and self.source == PARQUET else None

    def names(self) -> list[str]:
        """The names of the added columns."""
        return [name for name, _ in self.added]

    def top(self) -> bytes:
        """What the output begins with."""
        if self.output in BINARY or self.output == JSONL:
            return b""
        names = [without_surrogates(h) for h in self.header]
        text = DelimitedEncoder(self.delimiter).header([*names, *self.names()])
        return self.compressed(text.encode("utf-8-sig" if self.marked else "utf-8"))

    def compressed(self, data: bytes) -> bytes:
        """``data`` as one gzip member or Zstandard frame, without time stamp; as it is without compression."""
        if self.compression == GZIP:
            return gzip.compress(data, compresslevel=6, mtime=0)
        if self.compression == ZSTD:
            return bytes(zstandard().ZstdCompressor(level=3).compress(data))
        return data


def find_columns(options: TableOptions, table: Table, notice: Callable[[str], None]) -> Context:
    """Where the text and its context stand; ``notice`` hears which column of text was guessed.

    Raises:
        InputError: for a column that is not there, or when the column of text cannot be guessed.
    """
    header, name = table.header, table.sources[0].name

    def at(column: str | None, option: str) -> int | None:
        return None if column is None else position(header, column, option, name)

    text = tuple(position(header, c, "--column", name) for c in options.column)
    if not text:
        text = (text_column(header, table.first_rows(), name),)
        notice(f"the text is read from the column {header[text[0]]!r}; --column gives another")
    return Context(
        text,
        options.home,
        at(options.home_column, "--home-column"),
        options.provider_country,
        at(options.provider_country_column, "--provider-country-column"),
        options.vendor_contract,
        at(options.vendor_column, "--vendor-column"),
        options.threshold,
    )


def make_plan(
    options: TableOptions,
    table: Table,
    context: Context,
    output: tuple[str, str | None],
    classifier: Classifier,
    notice: Callable[[str], None],
) -> Plan:
    """The plan of a run with an output of the given format and compression; ``notice`` hears which columns it renames.

    Raises:
        InputError: for an unknown country, or columns that the output cannot have.
    """
    classifier.context(context.home, context.provider)  # a wrong country is refused before anything is written
    header, name = table.header, table.sources[0].name
    added = added_columns(options, tuple(classifier.vocabulary.terms))
    check_clash(header, added, name)
    form, compression = output
    keys = header
    if form in (JSONL, PARQUET):
        keys = unique(header if form == JSONL else map(without_surrogates, header))
        renamed = [f"{new!r}" for old, new in zip(header, keys, strict=True) if old != new]
        if renamed:
            notice(f"columns without a name of their own are called {', '.join(renamed)}")
        check_clash(keys, added, name)
    if form == EXCEL:
        check_width(len(header) + len(added))
    # A table of tabs becomes one of commas by its name; other delimiters stay, as the program that made it wants them.
    own = "," if form == CSV and table.format == TSV else table.sources[0].delimiter
    return Plan(
        options.model,
        options.vocabulary,
        classifier.model.manifest.digest,
        vocabulary_digest(classifier),
        context,
        options.columns,
        options.wide,
        options.long,
        table.format,
        form,
        compression,
        options.output_delimiter or ("\t" if form == TSV else own),
        tuple(header),
        tuple(keys),
        tuple(added),
        # Readers would take a name's own such character for the mark.
        getattr(table.sources[0], "marked", False) or "".join(header[:1]).startswith("\ufeff"),
    )


def vocabulary_digest(classifier: Classifier) -> str:
    """A digest of all that the vocabulary says, its conditions and implications among it."""
    v = classifier.vocabulary
    parts = (v.terms, v.facts, v.silences, v.other_silences, v.implications)
    said = repr([*map(dict, parts), v.exclusions])
    return hashlib.sha256(said.encode()).hexdigest()


def fingerprint(options: TableOptions, table: Table, plan: Plan) -> dict[str, Any]:
    """What the bytes of the output depend on, under names for messages."""
    context = plan.context
    return {
        "the version of classify": __version__,
        "the model": plan.digest,
        "the vocabulary": plan.vocabulary,
        "the input": table.digests(),
        "the input's format": plan.source,
        "the output's format": [plan.output, plan.compression, plan.delimiter],
        "the columns": plan.header,
        "--column": context.text,
        "--home": [context.home, context.home_at],
        "--provider-country": [context.provider, context.provider_at],
        "--vendor-contract": [context.vendor, context.vendor_at],
        "--threshold": context.threshold,
        "--columns": plan.columns,
        "--prefix": options.prefix,
        "--wide": plan.wide,
        "--long": plan.long,
        "--encoding": options.encoding,
        "--delimiter": [getattr(source, "delimiter", None) for source in table.sources],
        "--sheet": options.sheet,
        "--chunk": options.chunk,
    }
