"""Tags for Arrow record batches: one function for every engine that speaks Arrow (Apache Spark, Ray Data, Dask).

The function is a :class:`TagBatches`. It holds plain options and nothing else, so what travels to a worker is a few
hundred bytes; there the model is loaded once a process, when the first row comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from ..engine import load
from ..errors import InputError
from ..places import load_gazetteer
from ..tagging import Tagging
from .tables.columns import check_clash, position
from .tables.options import ADDED, CHUNK
from .tables.parquet import pyarrow
from .tables.rows import Row, safe
from .tables.tags import Context, Tagger, answer, caller_of

_LISTS = {"terms", "probabilities", "definitions", "evidence"}
_TABLE = "the table"
_loading = Lock()  # Dask begins with several threads at once


@dataclass(frozen=True, slots=True)
class TagBatches:
    """Batches of Arrow in, the same batches out, with the columns terms to model added.

    The cells are those of ``classify batch``: text, with ``|`` between several terms. A row of which all text columns
    are null has null for the four columns of tags, and the reason ``empty``.

    Attributes:
        column: the columns that hold the text, several are joined by a line break. One may be given as a string.
        home: the client's country, as ISO code or English name.
        home_column: the column of that country; ``home`` where it is empty.
        provider_country: the country where the provider does the work.
        provider_country_column: the column of that country; ``provider_country`` where it is empty.
        vendor_contract: whether each row is a contract with an outside vendor.
        vendor_column: the column of the vendor's name; a row where it is filled is such a contract.
        threshold: least probability of a term, above 0 and up to 1, instead of the model's own.
        model: the folder of a model of your own, at the same place on every worker.
        prefix: put before the names of the added columns; an apostrophe goes before a name that a spreadsheet would
            run as a formula, as in ``classify batch``.
        nested: lists instead of text: terms, definitions and evidence are list<string>, probabilities list<double> in
            the order of the terms; the reason is null where there is a term.

    Raises:
        InputError: at once, for no column, an unknown country, or a threshold out of range.
    """

    column: str | Sequence[str]
    home: str | None = None
    home_column: str | None = None
    provider_country: str | None = None
    provider_country_column: str | None = None
    vendor_contract: bool = False
    vendor_column: str | None = None
    threshold: float | None = None
    model: str | None = None
    prefix: str = ""
    nested: bool = False

    def __post_init__(self) -> None:
        columns = (self.column,) if isinstance(self.column, str) else tuple(self.column)
        if not columns:
            raise InputError("no column: name the one that holds the text, or several")
        # What is kept is plain, so that any pickle and any Python on the way can hold it.
        object.__setattr__(self, "column", columns)
        object.__setattr__(self, "model", None if self.model is None else str(self.model))
        for country in (self.home, self.provider_country):
            if country:
                load_gazetteer().code(country)
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise InputError(f"threshold {self.threshold} is out of range: give a number above 0 and up to 1")

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Tag ``pyarrow.RecordBatch`` after ``pyarrow.RecordBatch``; rows and their order stay as they are.

        Raises:
            InputError: for a column that is not there, or one that is called like an added one.
            ModelError: when the model is missing or damaged.
        """
        tagger: Tagger | None = None
        for batch in batches:
            schema = self.schema(batch.schema)
            if tagger is None and batch.num_rows:
                tagger = self._tagger()
            cells = self._cells(batch, tagger) if tagger is not None else []
            yield _with_columns(batch, cells, schema)

    def table(self, table: Any) -> Any:
        """Tag a ``pyarrow.Table``, for engines that hand over tables. Raises as a call does."""
        tagged = list(self(table.to_batches()))
        return pyarrow().Table.from_batches(tagged, self.schema(table.schema))

    def schema(self, schema: Any) -> Any:
        """The ``pyarrow.Schema`` of the output, for that of the input.

        Raises:
            InputError: for a column that is not there, or one that is called like an added one.
        """
        pa = pyarrow()
        self.positions(schema.names)
        kinds = {"text": pa.string(), "texts": pa.list_(pa.string()), "numbers": pa.list_(pa.float64())}
        for name, kind in self.added():
            schema = schema.append(pa.field(name, kinds[kind]))
        return schema

    def added(self) -> list[tuple[str, str]]:
        """The added columns in order, each with what it holds: ``text``, ``texts`` or ``numbers`` (lists)."""
        lists = _LISTS if self.nested else set()
        return [
            (
                safe(self.prefix + name),
                "text" if name not in lists else "numbers" if name == "probabilities" else "texts",
            )
            for name in ADDED
        ]

    def positions(self, header: Sequence[str]) -> list[int]:
        """Where the columns that tagging reads stand in ``header``, from 0: those of the text, then the others.

        Raises:
            InputError: for a column that is not there, or one that is called like an added one.
        """
        check_clash(header, [(name, False) for name, _ in self.added()], _TABLE)
        found = [position(header, name, "column", _TABLE) for name in self.column]
        return found + [position(header, name, option, _TABLE) for option, name in self._others() if name is not None]

    def _others(self) -> list[tuple[str, str | None]]:
        return [
            ("home_column", self.home_column),
            ("provider_country_column", self.provider_country_column),
            ("vendor_column", self.vendor_column),
        ]

    def _tagger(self) -> Tagger:
        """A tagger of rows that hold just the columns of :meth:`positions`."""
        at: dict[str, int | None] = {}
        following = len(self.column)
        for option, name in self._others():
            at[option] = None if name is None else following
            following += name is not None
        context = Context(
            tuple(range(len(self.column))),
            self.home,
            at["home_column"],
            self.provider_country,
            at["provider_country_column"],
            self.vendor_contract,
            at["vendor_column"],
            self.threshold,
        )
        with _loading:
            classifier = load(self.model)
        return (_ListTagger if self.nested else Tagger)(classifier, context, ADDED)

    def _cells(self, batch: Any, tagger: Tagger) -> list[tuple[Any, ...]]:
        read = self.positions(batch.schema.names)
        texts = len(self.column)
        cells: list[tuple[Any, ...]] = []
        # An engine may send many thousand rows at once; their answers are not all held at a time.
        for start in range(0, batch.num_rows, CHUNK):
            part = batch.slice(start, CHUNK)
            rows = [Row(0, row) for row in zip(*(part.column(i).to_pylist() for i in read), strict=True)]
            for row, found in zip(rows, tagger.tag(rows), strict=True):
                line = found.lines[0]
                if all(cell is None for cell in row.cells[:texts]):
                    line = tuple(None if name in _LISTS else cell for name, cell in zip(ADDED, line, strict=True))
                cells.append(line)
        return cells


class _ListTagger(Tagger):
    """A tagger whose cells are lists."""

    def _lines(self, tagging: Tagging) -> tuple[tuple[Any, ...], ...]:
        text = answer(tagging, range(len(tagging.terms)))
        places = sorted({(s.start, s.end) for t in tagging.terms for s in t.evidence})
        lists = (
            list(tagging.ids),
            [term.probability for term in tagging.terms],
            [d.id for term in tagging.terms for d in term.definitions],
            [*(tagging.text[a:b] for a, b in places), *caller_of(tagging.terms)],
        )
        return ((*lists, text["reason"] or None, text["model"]),)

    def _nothing(self) -> tuple[Any, ...]:
        return ([], [], [], [], None, None)


def _with_columns(batch: Any, cells: Sequence[tuple[Any, ...]], schema: Any) -> Any:
    pa = pyarrow()
    width = batch.num_columns
    added = [pa.array([line[i] for line in cells], schema.field(width + i).type) for i in range(len(ADDED))]
    return pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)
