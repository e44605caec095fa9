from __future__ import annotations

import io

import pytest
from rich.console import Console

from classifier.edges import progress
from classifier.edges.progress import Bar, Lines, Silence, watcher


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as lines:
        lines.notice("guessed")
        lines.begin(100)
        for rows in range(200, 500, 100):
            clock[0] += 6
            lines.advance(rows, rows / 1000)
        lines.finish(400)
        lines.broken_off("All is kept.")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "guessed",
        "going on after 100 rows",
        "300 rows (30%), 17 a second",
        "Interrupted. All is kept.",
    ]


def test_a_bar_shows_rows_rate_and_time_left(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    monkeypatch.setattr("rich.console.Console", lambda stderr: console)
    with Bar() as bar:
        bar.begin(0)
        for rows in (1000, 2000, 3000):
            clock[0] += 1
            bar.advance(rows, rows / 4000)
        bar.finish(3000)
    assert "3,000 rows, 1,000 a second" in shown.getvalue()
    assert "left" in shown.getvalue()


def test_silence_says_only_what_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Silence() as nothing:
        nothing.notice("guessed")
        nothing.begin(5)
        nothing.advance(10, None)
        nothing.bad_rows('{"row": 1}\n')
        nothing.finish(10)
    assert capsys.readouterr().err == '{"row": 1}\n'


@pytest.mark.parametrize(
    ("quiet", "terminal", "kind"), [(True, True, Silence), (False, True, Bar), (False, False, Lines)]
)
def test_what_suits_is_chosen(quiet: bool, terminal: bool, kind: type) -> None:
    assert type(watcher(quiet, terminal)) is kind
