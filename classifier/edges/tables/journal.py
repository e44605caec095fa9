"""The unfinished output of a run and the journal beside it, from which a run that was killed goes on.

While an output is made, three files stand beside it: ``OUTPUT.part``, ``OUTPUT.errors.jsonl.part`` and
``OUTPUT.journal``. After each chunk the journal gets a line that says how far the other two are, with the digest of
what the chunk added. What lies beyond the last line that holds true is cut off when the run goes on.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import InputError
from .work import BadRow, Result

VERSION = 1


@dataclass(frozen=True, slots=True)
class State:
    """How far a run is.

    Attributes:
        size: bytes of the unfinished output.
        errors: bytes of the unfinished file of bad rows.
        kinds: for each column the kinds of value seen, as bits of :mod:`rows`; empty when nobody asks.
    """

    chunks: int = 0
    rows: int = 0
    tagged: int = 0
    bad: int = 0
    size: int = 0
    errors: int = 0
    kinds: tuple[int, ...] = ()

    def after(self, result: Result) -> State:
        """The state when ``result`` has been written."""
        kinds = result.kinds or self.kinds
        if self.kinds and result.kinds:
            kinds = tuple(a | b for a, b in zip(self.kinds, result.kinds, strict=True))
        return State(
            self.chunks + 1,
            self.rows + result.rows,
            self.tagged + result.tagged,
            self.bad + result.bad,
            self.size + len(result.data),
            self.errors + len(result.errors),
            kinds,
        )


class Unfinished:
    """An output in the making. Use it in a ``with``, which keeps what was done when the run breaks off.

    Args:
        target: where the output goes.
        fingerprint: what the run depends on, each under a name for messages; a run goes on only under the same.
        top: what the output begins with.
        durable: keep the work of a run that breaks off; False when the input cannot be read again.

    Attributes:
        moving: all rows are done, and so is the converted output if there is one; only names are to be changed.

    Raises:
        InputError: when there is unfinished work and neither ``resume`` nor ``restart``, when it is the work of
            another run, or when another process is at it.
    """

    def __init__(
        self,
        target: Path,
        fingerprint: Mapping[str, Any],
        top: bytes = b"",
        resume: bool = False,
        restart: bool = False,
        durable: bool = True,
    ) -> None:
        if target.is_dir():
            raise InputError(f"{target} is a folder: give -o a file")
        self.target = target
        self.part = target.with_name(f"{target.name}.part")
        self.made = target.with_name(f"{target.name}.made")
        self.errors = target.with_name(f"{target.name}.errors.jsonl")
        self._errors_part = target.with_name(f"{target.name}.errors.jsonl.part")
        self._journal = target.with_name(f"{target.name}.journal")
        self._durable = durable
        self._head = {"journal": VERSION, "top": len(top), "fingerprint": json.loads(json.dumps(dict(fingerprint)))}
        self.state = State(size=len(top))
        self.moving = False
        self._product = self.part
        self._streams: list[io.FileIO] = []
        self._log = self._opened(self._journal)
        try:
            _lock(self._log, target)
            if not restart and self._found(resume):
                if self.moving:
                    return
                self._data, self._bad = self._opened(self.part), self._opened(self._errors_part)
                self._data.truncate(self.state.size)
                self._bad.truncate(self.state.errors)
            else:
                self._data, self._bad = self._opened(self.part), self._opened(self._errors_part)
                for stream in self._streams:
                    stream.truncate(0)
                _write(self._data, top)
                if durable:
                    self._note(self._head)
        except BaseException:
            self._close()
            with suppress(OSError):
                if not self._journal.stat().st_size:
                    self._journal.unlink()
            raise

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if kind is not None and not self.kept:
            for path in (self.part, self._errors_part, self.made, self._journal):
                path.unlink(missing_ok=True)

    @property
    def kept(self) -> bool:
        """Whether there is work that a later run can go on from."""
        return self._durable and (self.state.chunks > 0 or self.moving)

    def write(self, result: Result) -> None:
        """Add a chunk's share."""
        _write(self._data, result.data)
        _write(self._bad, result.errors)
        self.state = self.state.after(result)
        if self._durable:
            self._note({**asdict(self.state), "digest": _digest(result.data, result.errors)})

    def finish(self, convert: Callable[[Path, Path], None] | None = None) -> None:
        """Put the output in its place, made from the unfinished one by ``convert`` if that is given."""
        if not self.moving:
            os.fsync(self._data.fileno())
            os.fsync(self._bad.fileno())
            self.made.unlink(missing_ok=True)
            if convert is not None:
                convert(self.part, self.made)
                with self.made.open("rb+") as made:
                    os.fsync(made.fileno())
            self._product = self.part if convert is None else self.made
            self._note({"moving": self._product.name})
            os.fsync(self._log.fileno())
            self.moving = True
        self._close()
        # From here every step may be done again.
        if not self.state.bad:
            self._errors_part.unlink(missing_ok=True)
            self.errors.unlink(missing_ok=True)
        elif self._errors_part.exists():
            os.replace(self._errors_part, self.errors)
        if self._product.exists():
            os.replace(self._product, self.target)
        self.part.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    def first_bad(self, count: int) -> Iterator[BadRow]:
        """The first bad rows of a finished output."""
        if self.state.bad:
            with self.errors.open("rb") as lines:
                for _, line in zip(range(count), lines, strict=False):
                    row = json.loads(line)
                    yield BadRow(row["row"], row["problem"], row["file"], row["line"])

    def _found(self, resume: bool) -> bool:
        """Whether there is work to go on from; :attr:`state` is then its state, and the journal ends there."""
        head, _ = next(self._entries(), ({}, 0))
        if not head:
            return False
        last: dict[str, Any] = {}
        for entry, _ in self._entries():
            if "moving" in entry:
                self.moving, self._product = True, self.target.with_name(entry["moving"])
            else:
                last = entry
        if self.moving:
            state, end = _state(last, head), None
        else:
            state, end = self._borne_out(head)
        if not state.chunks and not self.moving:
            return False
        if not resume:
            raise InputError(
                f"an unfinished run for {self.target} is there, with {state.rows} rows done: go on with --resume, "
                "or give --restart to begin again"
            )
        self._compare(head)
        self.state = state
        if end is not None:
            self._log.truncate(end)
        return True

    def _borne_out(self, head: Mapping[str, Any]) -> tuple[State, int]:
        """The last state that the files bear out, and where the journal is then. It can be ahead of them: a loss of
        power keeps what the system wrote to disk, in any order.
        """
        entries = self._entries()
        _, end = next(entries)
        state = _state({}, head)
        if not self.part.exists() or not self._errors_part.exists():
            return state, end
        with self.part.open("rb") as data, self._errors_part.open("rb") as errors:
            data.seek(state.size)
            for entry, place in entries:
                new = _state(entry, head)
                if _digest(data.read(new.size - state.size), errors.read(new.errors - state.errors)) != entry["digest"]:
                    break
                state, end = new, place
        return state, end

    def _entries(self) -> Iterator[tuple[dict[str, Any], int]]:
        """The whole lines of the journal, and where each ends."""
        end = 0
        with self._journal.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    return
                if not line.endswith(b"\n") or not isinstance(entry, dict):
                    return
                end += len(line)
                yield entry, end

    def _compare(self, head: Mapping[str, Any]) -> None:
        ours: dict[str, Any] = self._head["fingerprint"]
        theirs = head["fingerprint"] if head.get("journal") == VERSION else {}
        other = [k for k in {**theirs, **ours} if theirs.get(k) != ours.get(k)]
        if other:
            told = ", ".join(_difference(k, theirs.get(k), ours.get(k)) for k in other)
            raise InputError(
                f"the unfinished run for {self.target} was another: {told} differs. Give the same to go on with "
                "--resume, or begin again with --restart."
            )

    def _opened(self, path: Path) -> io.FileIO:
        # Unbuffered, so that a full disk shows at once; for appending, so that a mere look harms nothing.
        try:
            stream = path.open("ab", buffering=0)
        except OSError as error:
            raise InputError(
                f"{self.target} cannot be written ({error.strerror}): give -o in a folder that is there and yours"
            ) from error
        self._streams.append(stream)
        return stream

    def _note(self, entry: Mapping[str, Any]) -> None:
        _write(self._log, json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def _close(self) -> None:
        for stream in self._streams:
            stream.close()


def _state(entry: Mapping[str, Any], head: Mapping[str, Any]) -> State:
    if "chunks" not in entry:
        return State(size=head["top"])
    counts = {k: v for k, v in entry.items() if k != "digest"}
    return State(**{**counts, "kinds": tuple(entry["kinds"])})


def _digest(data: bytes, errors: bytes) -> str:
    return hashlib.sha256(b"%d " % len(data) + data + errors).hexdigest()[:32]


def _difference(name: str, before: Any, now: Any) -> str:
    short = [v for v in (before, now) if isinstance(v, str | int | float | bool | None) and len(str(v)) < 40]
    return f"{name} (then {before!r}, now {now!r})" if len(short) == 2 else name


def _write(stream: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]


def _lock(stream: io.FileIO, target: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on this system; the lock only guards against a slip
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"another run is writing {target}: wait for it, or give another -o") from None
    except OSError:  # file systems without locks
        return
