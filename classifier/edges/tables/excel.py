"""Excel workbooks, by openpyxl: one sheet read row by row, written in one go from the finished tags.

Values, formulas and number formats of the sheet are kept; fonts, widths and other sheets are not.
"""

from __future__ import annotations

import re
import shutil
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

from ...errors import InputError, MissingExtraError
from .rows import LARGE, REAL, SMALL, TRUTH, JsonValue, Row, as_text, kind

LONGEST_CELL = 32_767
_ROWS = 1_048_576
_COLUMNS = 16_384
_LOOK_AT = 1000
_DIGITS = 15
# What XML cannot hold, and what looks like an escape, is escaped as Excel itself does: _x000D_.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")
_FORMULA = re.compile(rb"<f[ >/]")
_BLOCK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


def openpyxl() -> Any:
    """The package openpyxl.

    Raises:
        MissingExtraError: when it is not installed.
    """
    try:
        import openpyxl as package
    except ImportError:
        raise MissingExtraError("openpyxl", "excel") from None
    return package


class Stored(NamedTuple):
    """A cell as the sheet stores it: value, openpyxl's letter for its type, number format, formula if it has one."""

    value: Any
    kind: str
    format: str
    formula: Any = None


_NOTHING = Stored(None, "n", "General")


class ExcelSource:
    """One sheet of a workbook. The first row that is not empty is the header.

    Args:
        sheet: the sheet's name; the first without.

    Attributes:
        title: the sheet's name.
        header_line: the row of the sheet that is the header, from 1.
    """

    typed = True
    delimiter = ","

    def __init__(self, path: Path, name: str, sheet: str | None = None) -> None:
        self.path, self.name = path, name
        self.notices: list[str] = []
        self._done = self._total = 0
        book = self._open(values=True)
        try:
            names = [s.title for s in book.worksheets]
            if not names:
                raise InputError(f"{name} has no sheet with cells: save the table as a sheet")
            if sheet is not None and sheet not in names:
                raise InputError(
                    f"{name} has no sheet {sheet!r}: give --sheet with one of {', '.join(map(repr, names))}"
                )
            self._sheet = names.index(sheet) if sheet is not None else 0
            self.title = names[self._sheet]
            if len(names) > 1 and sheet is None:
                self.notices.append(f"{name}: only the sheet {self.title!r} is read; --sheet gives another")
            self._total = book.worksheets[self._sheet].max_row or 0
            self._has_formulas = _has_formulas(book.worksheets[self._sheet])
        finally:
            book.close()
        header: list[str] | None = None
        width = 0
        for number, (line, cells) in enumerate(self._filled()):
            if header is None:
                header, self.header_line = [as_text(_shown(c)) for c in cells], line
            width = max(width, len(cells))
            if number >= _LOOK_AT:
                break
        if header is None:
            raise InputError(f"{name} is empty: give a sheet with a header")
        self.header = [*header, *[""] * (width - len(header))]

    def _open(self, values: bool) -> Any:
        package = openpyxl()
        wrong = (zipfile.BadZipFile, KeyError, ValueError, ParseError, package.utils.exceptions.InvalidFileException)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on features that it leaves out
                return package.load_workbook(self.path, read_only=True, data_only=values)
        except wrong as error:
            raise InputError(f"{self.name} cannot be read as an Excel workbook ({error}): save it as .xlsx") from error

    def share(self) -> float | None:
        return min(1.0, self._done / self._total) if self._total else None

    def rows(self, wanted: frozenset[int] | None = None) -> Iterator[Row]:
        """Every row down to the last that is not empty. A formula gives what Excel last computed, or else its text."""
        for line, cells, left_over in self._fitted():
            problem = ""
            if left_over:
                problem = f"{len(cells) + len(left_over)} fields where the header has {len(cells)}"
            yield Row(line, [_shown(c) for c in cells], problem, [as_text(_shown(c)) for c in left_over] or None)

    def stored(self) -> Iterator[Sequence[Stored]]:
        """The cells of every row as stored."""
        for _, cells, _ in self._fitted():
            yield cells

    def _fitted(self) -> Iterator[tuple[int, list[Stored], list[Stored]]]:
        width = len(self.header)
        rows = self._filled()
        begun, _ = next(rows)
        for line, cells in rows:
            # Empty rows stand in their places, but for those at the end.
            for empty in range(begun + 1, line):
                yield empty, [_NOTHING] * width, []
            begun = line
            yield line, [*cells[:width], *[_NOTHING] * (width - len(cells))], cells[width:]

    def _filled(self) -> Iterator[tuple[int, list[Stored]]]:
        """Rows that are not empty, with their numbers, each up to its last filled cell."""
        books = [self._open(values=True), *([self._open(values=False)] if self._has_formulas else [])]
        try:
            sheets = [book.worksheets[self._sheet] for book in books]
            for sheet in sheets:
                sheet.reset_dimensions()  # some programs store wrong ones
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows = zip(*(sheet.iter_rows() for sheet in sheets), strict=True)
                for number, (cells, *formulas) in enumerate(rows, start=1):
                    self._done = number
                    found = [_stored(*pair) for pair in zip(cells, *formulas, strict=True)]
                    while found and _shown(found[-1]) is None:
                        found.pop()
                    if found:
                        yield number, found
        except (zipfile.BadZipFile, ParseError, EOFError) as error:
            raise InputError(f"{self.name} is damaged ({error}): save it again in Excel") from error
        finally:
            for book in books:
                book.close()


def _has_formulas(sheet: Any) -> bool:
    tail = b""
    with sheet._get_source() as xml:
        while block := xml.read(_BLOCK):
            if _FORMULA.search(tail + block):
                return True
            tail = block[-8:]
    return False


def _stored(cell: Any, formula: Any = None) -> Stored:
    value = cell.value
    if isinstance(value, str):
        value = unescape(value)
    shown = formula.value if formula is not None and formula.data_type == "f" else None
    if value is None and shown is None:
        return _NOTHING
    return Stored(value, cell.data_type, cell.number_format or "General", shown)


def _shown(cell: Stored) -> Any:
    if cell.value is None and cell.formula is not None:
        return str(getattr(cell.formula, "text", cell.formula))
    return cell.value


def escape(text: str) -> str:
    """``text`` as the XML of a workbook can hold it."""
    return _ESCAPED.sub(lambda m: f"_x{ord(m.group()):04X}_", text)


def unescape(text: str) -> str:
    """The text that Excel shows for ``text`` of the XML."""
    return _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), text) if "_x" in text else text


def too_long(text: str) -> bool:
    """Whether a cell of Excel cannot hold ``text``. Excel counts UTF-16 units."""
    return len(text) * 2 > LONGEST_CELL and len(text.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST_CELL


def cut(text: str) -> str:
    """The beginning of ``text`` that a cell can hold, with an ellipsis."""
    if not too_long(text):
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (LONGEST_CELL - 1)].decode("utf-16-le", "ignore")
    return kept + "…"


def check_width(columns: int) -> None:
    """Refuse more columns than a sheet has.

    Raises:
        InputError: with the remedy.
    """
    if columns > _COLUMNS:
        raise InputError(f"{columns} columns are more than the {_COLUMNS} of an Excel sheet: write .csv or .parquet")


def write_excel(
    target: Path,
    sources: Sequence[Any],
    header: Sequence[str],
    added: Sequence[str],
    tags: Iterator[list[list[Any]]],
    moved: bool,
) -> None:
    """Write the sources' rows with the added columns; more rows than a sheet holds go on in the next sheet.

    Args:
        tags: for each row its output lines, each the added cells.
        moved: rows are not where they were, so that formulas are replaced by what they gave.

    Raises:
        InputError: when a source has other rows than tags.
    """
    book = openpyxl().Workbook(write_only=True)
    top = [*header, *added]
    first = sources[0]
    title = first.title if isinstance(first, ExcelSource) else "tagged"
    keep = not moved and len(sources) == 1 and isinstance(first, ExcelSource) and first.header_line == 1
    sheet: Any = None
    used = _ROWS
    for source in sources:
        rows: Iterable[Sequence[Any]]
        rows = source.stored() if isinstance(source, ExcelSource) else (row.cells for row in source.rows())
        for cells in rows:
            lines = next(tags, None)
            if lines is None:
                raise InputError(f"{source.name} has changed since it was tagged: tag it again with --restart")
            for line in lines:
                if used == _ROWS:
                    sheet, used = _next_sheet(book, title, top), 1
                sheet.append([_cell(sheet, c, keep) for c in (*cells, *line)])
                used += 1
    if sheet is None:
        _next_sheet(book, title, top)
    raw = target.with_name(target.name + ".raw")
    try:
        book.save(raw)
        _repacked(raw, target)
    finally:
        raw.unlink(missing_ok=True)


def _next_sheet(book: Any, title: str, top: Sequence[str]) -> Any:
    count = len(book.worksheets)
    sheet = book.create_sheet(title if not count else f"{title[:25]} {count + 1}")
    sheet.append([_cell(sheet, name, False) for name in top])
    return sheet


def _cell(sheet: Any, cell: Any, keep_formula: bool) -> Any:
    """A cell that openpyxl writes as it is: text stays text, also when it begins with ``=``; numbers lose no digit."""
    if isinstance(cell, Stored):
        # A formula on another sheet would point nowhere.
        elsewhere = "!" in str(getattr(cell.formula, "text", cell.formula)) and cell.value is not None
        if keep_formula and cell.formula is not None and not elsewhere:
            return _typed(sheet, cell.formula, "f", cell.format)
        if cell.kind in ("b", "d", "e") and cell.value is not None:
            return _typed(sheet, cell.value, cell.kind, cell.format)
        value, number_format, digits = _shown(cell), cell.format, sys.maxsize
    else:
        value = cell.value if isinstance(cell, JsonValue) else cell
        number_format, digits = "General", _DIGITS
    bits = kind(value if isinstance(cell, Stored) else cell)
    if bits == 0:
        return None
    if bits == TRUTH:
        return bool(value)
    if bits == REAL or (bits in (SMALL, LARGE) and len(str(abs(value))) <= digits):
        return _typed(sheet, repr(value), "n", number_format)
    text = escape(cut(as_text(value if isinstance(cell, Stored) else cell)))
    if not text:
        return None
    if number_format == "General" and text[0] not in "=#" and len(text) <= LONGEST_CELL:
        return text  # openpyxl would cut a longer one, counting escapes
    return _typed(sheet, text, "s", number_format)


def _typed(sheet: Any, value: Any, letter: str, number_format: str) -> Any:
    made = openpyxl().cell.WriteOnlyCell(sheet)
    made.number_format = number_format
    made.data_type = letter
    made._value = value  # the public setter would guess the type again
    return made


def _repacked(raw: Path, target: Path) -> None:
    """The workbook without time stamps, so that the same table gives the same bytes."""
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with old.open(name) as source, new.open(info, "w", force_zip64=True) as sink:
                if name == "docProps/core.xml":
                    sink.write(_MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", source.read()))
                else:
                    shutil.copyfileobj(source, sink)
