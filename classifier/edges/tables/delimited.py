"""CSV and its kin: reading what people really save, and writing it."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ...errors import InputError
from .decode import UNDECODABLE, Bytes, Text
from .rows import Row, as_text, fit, together

DELIMITERS = (",", ";", "\t", "|")
_LOOK_AT = 200
# A quotation mark that is never closed would swallow the rest of the file; no cell is longer than this.
_LONGEST_RECORD = 1 << 25
# The first line by which Excel is told the delimiter.
_SEPARATOR = re.compile("""sep=([^"\r\n])(?=[\r\n])""", re.IGNORECASE)
# What stands for a carriage return inside a line while the csv module reads it, which would end the row there.
# A lone surrogate: no decoded text holds one.
_RETURN = "\udbff"
_UNCLOSED = "a quotation mark opens a cell and is never closed"


class DelimitedSource:
    """A CSV or TSV file.

    Attributes:
        header: the names as they stand in the file.
        notices: what had to be guessed.
        marked: whether it begins with the mark of UTF-8.
    """

    typed = False

    def __init__(self, data: Bytes, encoding: str | None = None, delimiter: str | None = None) -> None:
        self.data = data
        self.name = data.name
        self.text = Text(data, encoding)
        self.marked = data.head.startswith(codecs.BOM_UTF8)
        told = _SEPARATOR.match(self.text.sample)
        self._led = told is not None and delimiter in (None, told[1])
        self.delimiter = delimiter or (told[1] if told else guess_delimiter(self.text.sample))
        self.notices = [self.text.notice] if self.text.notice else []
        if delimiter is None and self.delimiter != ",":
            self.notices.append(f"{self.name}: read with {_told(self.delimiter)} between cells")
        found = next(self._records(iter([(self.text.sample, False)]), whole=True), None)
        if found is None:
            raise InputError(f"{self.name} is empty: give a table with a header")
        self.header = [as_text(f) for f in found.fields]
        self.text.forget()

    def share(self) -> float | None:
        return self.data.share()

    def rows(self, wanted: frozenset[int] | None = None) -> Iterator[Row]:
        """Every row after the header, each fitted to its width. Blank lines are rows of empty cells."""
        width = len(self.header)
        records = self._records(self.text.lines())
        next(records, None)
        for record in records:
            if not record.fields:
                yield Row(record.line, [""] * width)
                continue
            cells, problem, left_over = fit(record.fields, width)
            yield Row(record.line, cells, together(record.problem, problem), left_over)

    def _records(self, lines: Iterator[tuple[str, bool]], whole: bool = False) -> Iterator[Record]:
        """Records from the first that is not blank; ``whole`` says that ``lines`` is one sample to be split here."""
        if whole:
            (sample, _), end = next(lines), self.text.line_end
            lines = ((line, False) for line in _split(sample, end))
        records = read_records(lines, self.delimiter, self.text.line_end)
        if self._led:
            next(records, None)  # that line is for Excel, and no row
        for record in records:
            if record.fields:
                yield record
                break
        yield from records


class Record(NamedTuple):
    """Fields of a record, the line where it starts, and what was wrong with it."""

    line: int
    fields: list[str]
    problem: str = ""


class _RunawayError(Exception):
    """A record grew beyond any cell's size."""


class _Feed:
    """Hands lines to the csv module one by one, and remembers those of the record that it is at."""

    def __init__(self, lines: Iterator[tuple[str, bool]], line_end: str) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str, bool]] = deque()
        self._inner = "\r" if line_end == "\n" else "\n"
        self._count = 0
        self._size = 0
        self.current: list[tuple[int, str, bool]] = []
        self.ended_inside = self.has_return = self.damaged = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > _LONGEST_RECORD:
            raise _RunawayError
        if self._again:
            number, line, damaged = self._again.popleft()
            self.has_return = self.has_return or _RETURN in line
        else:
            try:
                line, damaged = next(self._lines)
            except StopIteration:
                self.ended_inside = bool(self.current)
                raise
            self._count += 1
            number = self._count
            if self._inner in line:
                line = self._stood_in(line)
        self.current.append((number, line, damaged))
        self._size += len(line)
        self.damaged = self.damaged or damaged
        return line

    def _stood_in(self, line: str) -> str:
        body = line.rstrip("\r\n")
        if self._inner not in body:
            return line
        self.has_return = True
        return body.replace(self._inner, _RETURN) + line[len(body) :]

    def begin(self) -> None:
        """A new record begins."""
        self.current.clear()
        self._size = 0
        self.ended_inside = self.has_return = self.damaged = False

    def give_up(self) -> str:
        """Only the first line of the record stands, which is returned; the others are read again."""
        (_, line, self.damaged), *rest = self.current
        self._again.extendleft(reversed(rest))
        del self.current[1:]
        self.has_return = _RETURN in line
        return line.rstrip("\r\n")

    def restored(self, fields: list[str]) -> list[str]:
        return [f.replace(_RETURN, self._inner) for f in fields] if self.has_return else fields


def read_records(lines: Iterator[tuple[str, bool]], delimiter: str, line_end: str = "\n") -> Iterator[Record]:
    """Records as the csv module reads them, but that a stray carriage return or quotation mark harms only its own row.

    Args:
        lines: lines with their ends, and whether each held undecodable bytes.
    """
    csv.field_size_limit(2**31 - 1)
    feed = _Feed(lines, line_end)
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.begin()
        problem = ""
        try:
            fields = next(reader)
            if feed.ended_inside or (len(feed.current) > 1 and not _well_quoted(feed.current, delimiter)):
                problem = _UNCLOSED
        except StopIteration:
            return
        except _RunawayError:
            problem = _UNCLOSED
        except csv.Error as error:
            problem = str(error)
        if problem:
            first = feed.give_up()
            fields = next(csv.reader([first], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
            reader = csv.reader(feed, delimiter=delimiter)
        number = feed.current[0][0]
        if feed.damaged:
            problem = together(problem, UNDECODABLE)
        yield Record(number, feed.restored(fields), problem)


def _well_quoted(lines: Sequence[tuple[int, str, bool]], delimiter: str) -> bool:
    """Whether a record of several lines is quoted by the book: two stray marks would join what lies between."""
    try:
        next(csv.reader((line for _, line, _ in lines), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return False
    return True


def guess_delimiter(sample: str) -> str:
    """The delimiter under which the first rows best agree with the header on the number of cells."""
    best, best_score = None, 0.0
    single = None
    for delimiter in DELIMITERS:
        line_end = "\n" if "\n" in sample else "\r"
        lines = ((line, False) for line in _split(sample, line_end))
        widths = [len(r.fields) for r in islice(read_records(lines, delimiter, line_end), _LOOK_AT) if r.fields]
        if not widths:
            break
        agreeing = sum(w == widths[0] for w in widths) / len(widths)
        if widths[0] > 1 and agreeing * (widths[0] - 1) > best_score:
            best, best_score = delimiter, agreeing * (widths[0] - 1)
        if widths[0] == 1 and agreeing == 1 and single is None:
            single = delimiter
    return best or single or ","


def _split(sample: str, line_end: str) -> Iterator[str]:
    *lines, last = sample.split(line_end)
    yield from (line + line_end for line in lines)
    if last:
        yield last


def _told(delimiter: str) -> str:
    return {"\t": "a tab", " ": "a space"}.get(delimiter, repr(delimiter))


class DelimitedEncoder:
    """Rows as CSV text. Quoted are cells with a quotation mark, a line break of any kind, or the delimiter."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter

    def header(self, names: Sequence[str]) -> str:
        return self.encode([(names, ())])

    def encode(self, rows: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> str:
        """Rows as lines that end in a line feed; each is given as its cells and the added ones."""
        pieces: list[str] = []
        # With this line end the csv module quotes both carriage returns and line feeds.
        writer = csv.writer(_Lines(pieces), delimiter=self._delimiter, lineterminator="\r\n")
        for cells, added in rows:
            writer.writerow([*map(as_text, cells), *added])
        return "".join(pieces)


class _Lines:
    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces

    def write(self, line: str) -> None:
        self._pieces.append(line[:-2] + "\n")
