"""What one process does with one chunk of rows: tag, encode, compress. And the processes, when there are several."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...engine import Classifier
from ...errors import ClassifierError, ModelError
from ..loading import load_to_stay
from .delimited import DelimitedEncoder
from .excel import too_long
from .formats import BINARY, EXCEL, JSONL, PARQUET
from .jsonl import JsonlEncoder, without_keys
from .plan import Plan, vocabulary_digest
from .rows import Chunk, Row, as_json, as_text, kind, together, unique, without_surrogates
from .tags import Tagged, Tagger

_AHEAD = 3  # chunks that wait or are worked on, for each process
_FIRST = 20
_EVERY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not as it should be.

    Attributes:
        number: its number over all inputs, from 1; the header is not counted.
        problem: what is wrong with it.
        line: where it starts in its file, from 1.
    """

    number: int
    problem: str
    file: str = ""
    line: int = 0


class Result(NamedTuple):
    """A chunk's share of the output.

    Attributes:
        data: bytes for the output, or for the file that is converted at the end.
        errors: JSON lines for the file of bad rows.
        kinds: for each column the kinds of value in it, as bits of :mod:`rows`; empty when nobody asks.
    """

    rows: int
    tagged: int
    bad: int
    data: bytes
    errors: bytes
    first_bad: tuple[BadRow, ...]
    kinds: tuple[int, ...]
    share: float | None


class Worker:
    """Turns chunks into results, and remembers texts between them."""

    def __init__(self, plan: Plan, classifier: Classifier) -> None:
        self._plan = plan
        self._added = frozenset(plan.names())
        self._names = unique(plan.header)
        self._tagger = Tagger(classifier, plan.context, plan.columns, plan.wide, plan.long)
        self._delimited = DelimitedEncoder(plan.delimiter)
        self._jsonl = JsonlEncoder(plan.keys, plan.names())

    def do(self, chunk: Chunk) -> Result:
        """The result of one chunk."""
        plan = self._plan
        rows = [self._prepared(row) for row in chunk.rows] if plan.source == JSONL else list(chunk.rows)
        tagged = self._tagger.tag(rows)
        cut: dict[int, dict[str, str]] = {}
        if plan.output == EXCEL:
            self._cut(rows, tagged, cut)
        data = plan.compressed(self._encoded(rows, tagged))
        errors: list[str] = []
        bad: list[BadRow] = []
        for i, (row, found) in enumerate(zip(rows, tagged, strict=True)):
            if found.problem:
                error = {"row": chunk.first + i, "file": chunk.file, "line": row.line, "problem": found.problem}
                if row.left_over is not None:
                    error["left_over"] = row.left_over
                if i in cut:
                    error["cells"] = cut[i]
                errors.append(as_json(error) + "\n")
                if len(bad) < _FIRST:
                    bad.append(BadRow(chunk.first + i, found.problem, chunk.file, row.line))
        kinds: tuple[int, ...] = ()
        if plan.output == PARQUET and plan.source != PARQUET:
            kinds = tuple(_kinds(column) for column in zip(*(row.cells for row in rows), strict=True))
        return Result(
            len(rows),
            sum(t.has_term for t in tagged),
            len(errors),
            data,
            "".join(errors).encode(),
            tuple(bad),
            kinds,
            chunk.share,
        )

    def _prepared(self, row: Row) -> Row:
        """A row of JSON lines with what the output cannot hold left over, and named as a problem."""
        if not isinstance(row.left_over, dict):
            return row
        if self._plan.output != JSONL:
            problem = f"keys that are no column: {', '.join(row.left_over)[:200]}"
            return row._replace(problem=together(row.problem, problem))
        clash = {k: v for k, v in row.left_over.items() if k in self._added}
        if not clash:
            return row._replace(left_over=None)  # the object holds it
        problem = together(row.problem, f"has the added key {', '.join(clash)} itself")
        raw = without_keys(row.raw or "{}", frozenset(clash))
        return row._replace(left_over=clash, problem=problem, raw=raw)

    def _cut(self, rows: list[Row], tagged: list[Tagged], cut: dict[int, dict[str, str]]) -> None:
        """Name the cells that are too long for Excel; the file of bad rows holds them whole."""
        for i, row in enumerate(rows):
            long = {n: t for n, c in zip(self._names, row.cells, strict=True) if too_long(t := as_text(c))}
            if long:
                cut[i] = long
                problem = f"cut for Excel, whole in the file of bad rows: {', '.join(long)[:200]}"
                both = together(tagged[i].problem, problem)
                tagged[i] = self._tagger.with_problem(row, tagged[i], both)

    def _encoded(self, rows: list[Row], tagged: list[Tagged]) -> bytes:
        try:
            return self._text(rows, tagged).encode()
        except UnicodeEncodeError:
            pass
        for i, row in enumerate(rows):
            cells = [without_surrogates(as_text(c)) for c in row.cells]
            if cells != [as_text(c) for c in row.cells]:
                rows[i] = row._replace(cells=cells)
                problem = "half characters (lone surrogates) were written out, as \\ud800"
                both = together(tagged[i].problem, problem)
                tagged[i] = self._tagger.with_problem(row, tagged[i], both)
        return self._text(rows, tagged).encode("utf-8", "backslashreplace")

    def _text(self, rows: Sequence[Row], tagged: Sequence[Tagged]) -> str:
        both = zip(rows, tagged, strict=True)
        if self._plan.output in BINARY:
            # One line a row; the rows' own cells are added when all are tagged.
            return "".join(as_json(found.lines) + "\n" for _, found in both)
        if self._plan.output == JSONL:
            broken = "{}" if self._plan.source == JSONL else None
            return self._jsonl.encode(
                [(row.cells, line, row.raw or broken) for row, found in both for line in found.lines]
            )
        return self._delimited.encode([(row.cells, line) for row, found in both for line in found.lines])


def _kinds(column: Iterable[Any]) -> int:
    found = 0
    for cell in column:
        found |= kind(cell)
    return found


_workers: dict[Plan, Worker] = {}


def _do(plan: Plan, chunk: Chunk) -> Result:
    """In a process of its own: the model is loaded there, once."""
    worker = _workers.get(plan)
    if worker is None:
        classifier = load_to_stay(plan.model, plan.own_vocabulary)
        if (classifier.model.manifest.digest, vocabulary_digest(classifier)) != (plan.digest, plan.vocabulary):
            raise ModelError(
                "the processes load another model than this one: give its folder (--model) and the file of its "
                "vocabulary (--vocabulary), and start again with --restart if either was changed"
            )
        _workers.clear()
        worker = _workers[plan] = Worker(plan, classifier)
    return worker.do(chunk)


def _serve(parent: int) -> None:
    """Begin a process that tags: it ends when its parent is no more, which cannot end it when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, too, and says what is to be said

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY)
        os._exit(1)

    if hasattr(os, "fork"):  # elsewhere a process keeps its parent's number
        threading.Thread(target=watch, daemon=True).start()


def results(plan: Plan, classifier: Classifier, chunks: Iterator[Chunk], jobs: int) -> Generator[Result, None, None]:
    """The results of the chunks in their order, from ``jobs`` processes (-1: one a processor).

    Raises:
        ClassifierError: when a process dies.
    """
    count = (os.cpu_count() or 1) if jobs == -1 else jobs
    if count == 1:
        yield from map(Worker(plan, classifier).do, chunks)
        return
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # The processes are the parallelism; threads inside them would only be in each other's way.
    env = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    executor = ProcessPoolExecutor(max_workers=count, env=env, initializer=_serve, initargs=(os.getpid(),))
    waiting: deque[Any] = deque()
    try:
        for chunk in chunks:
            waiting.append(executor.submit(_do, plan, chunk))
            if len(waiting) >= _AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except TerminatedWorkerError as error:
        raise ClassifierError(
            "a process that tagged rows died, perhaps for want of memory: go on with --resume and fewer --jobs"
        ) from error
    finally:
        # The chunks in work are waited for; killing processes in the middle of them makes loky complain.
        for future in waiting:
            future.cancel()
        executor.shutdown(wait=True)
