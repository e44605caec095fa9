"""How a batch goes on, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from .table import Watcher

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY = 10.0  # seconds


class Silence(Watcher):
    """Only what must be said: bad rows that no file takes, and what an interruption leaves."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End what stands on the terminal."""

    def bad_rows(self, lines: str) -> None:
        typer.echo(lines, err=True, nl=False)

    def broken_off(self, text: str) -> None:
        self.stop()
        typer.echo(f"Interrupted. {text}", err=True)


class Lines(Silence):
    """A line when some time has passed, for logs."""

    def __init__(self) -> None:
        self._before = 0
        self._begun = self._last = time.monotonic()

    def notice(self, text: str) -> None:
        typer.echo(text, err=True)

    def begin(self, rows: int) -> None:
        self._before = rows
        self._begun = self._last = time.monotonic()
        if rows:
            typer.echo(f"going on after {rows} rows", err=True)

    def advance(self, rows: int, share: float | None) -> None:
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            done = f" ({share:.0%})" if share is not None else ""
            typer.echo(f"{rows} rows{done}, {self.rate(rows):.0f} a second", err=True)

    def rate(self, rows: int) -> float:
        """Rows a second of this run."""
        return (rows - self._before) / max(time.monotonic() - self._begun, 1e-9)


class Bar(Lines):
    """A bar with rows, rows a second and the time left."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def begin(self, rows: int) -> None:
        super().begin(rows)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second,"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=None, rows=rows, rate=0.0)

    def advance(self, rows: int, share: float | None) -> None:
        if self._bar is not None and self._task is not None:
            total = None if share is None else 1.0
            self._bar.update(self._task, total=total, completed=share or 0.0, rows=rows, rate=self.rate(rows))

    def finish(self, rows: int) -> None:
        self.stop()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def watcher(quiet: bool, terminal: bool) -> Silence:
    """What suits: nothing, a bar on a terminal, lines elsewhere."""
    return Silence() if quiet else Bar() if terminal else Lines()
