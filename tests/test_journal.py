from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from classifier import Classifier
from classifier.edges import cli
from classifier.edges.table import Outcome, tag_table
from classifier.edges.tables import journal
from classifier.edges.tables.journal import State, Unfinished
from classifier.edges.tables.work import Result
from classifier.errors import ClassifierError, InputError

from .test_cli import classify

TEXTS = [
    "Calls from our customers are answered by a vendor in Manila.",
    "Window cleaning, two buildings",
    "",
    "Our own staff do the payroll.",
]
ROWS = 203
CHUNK = 10
OUTPUTS = ["out.csv", "out.csv.gz", "out.jsonl.zst", "out.parquet", "out.xlsx"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    lines = (f'{i},"{TEXTS[i % 4]}"' + ",more" * (i % 29 == 0) for i in range(ROWS))
    path.write_text("id,what\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def do(source: Path, name: str, classifier: Classifier, **options: Any) -> Outcome:
    return tag_table(source, source.with_name(name), "what", classifier, "US", **{"chunk": CHUNK, **options})


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name.startswith("out.")}


@pytest.fixture
def unbroken(source: Path, tmp_path: Path, classifier: Classifier) -> Callable[[str], dict[str, bytes]]:
    """The files of a run that nothing broke off."""

    def run(name: str) -> dict[str, bytes]:
        apart = tmp_path / "apart"
        apart.mkdir()
        (apart / "in.csv").write_bytes(source.read_bytes())
        do(apart / "in.csv", name, classifier)
        found = files(apart)
        # The file of bad rows names the input.
        return {k: v.replace(bytes(apart), bytes(tmp_path)) for k, v in found.items()}

    return run


def killed(source: Path, name: str, classifier: Classifier, after: int, **options: Any) -> bool:
    """Whether a process that tags was killed: by SIGKILL, when it had written so many bytes to its three files."""
    child = multiprocessing.get_context("fork").Process(
        target=_tag_and_die, args=(source, name, classifier, after), kwargs=options
    )
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _tag_and_die(source: Path, name: str, classifier: Classifier, after: int, **options: Any) -> None:
    left = after

    def write(stream: Any, data: bytes) -> None:
        nonlocal left
        stream.write(data[:left])
        if len(data) >= left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= len(data)

    journal._write = write
    do(source, name, classifier, **options)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_killed_run_goes_on_to_the_same_bytes(
    source: Path,
    tmp_path: Path,
    classifier: Classifier,
    unbroken: Callable[[str], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    expected = unbroken(name)
    whole = 0

    def write(stream: Any, data: bytes) -> None:
        nonlocal whole
        whole += stream.write(data)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_write", write)
        do(source, name, classifier)
    random = Random(name)  # noqa: S311 - moments to kill at
    for moment in range(20 if name == "out.csv" else 5):
        for path in tmp_path.glob("out.*"):
            path.unlink()
        size = random.randrange(1, whole)
        assert killed(source, name, classifier, size)
        if moment % 3 == 0:  # and once more, while it goes on
            killed(source, name, classifier, random.randrange(1, whole), resume=True)
        outcome = do(source, name, classifier, resume=True)
        assert (outcome.rows, outcome.bad_count) == (ROWS, 7)
        assert files(tmp_path) == expected


def test_the_command_killed_from_outside_goes_on_to_the_same_bytes(
    source: Path, tmp_path: Path, classifier: Classifier, unbroken: Callable[[str], dict[str, bytes]]
) -> None:
    # Texts that differ, so that the command is at work in between.
    lines = (f"{i},{TEXTS[i % 2]} {i}" + ",more" * (i % 29 == 0) for i in range(60))
    source.write_text("id,what\n" + "\n".join(lines) + "\n", encoding="utf-8")
    expected = unbroken("out.csv")
    log = tmp_path / "out.csv.journal"
    random = Random(20)  # noqa: S311 - moments to kill at
    kills = 0
    for _ in range(200):  # it may be done before the signal comes
        for path in tmp_path.glob("out.*"):
            path.unlink()
        child = multiprocessing.get_context("fork").Process(target=_command, args=(source, "--chunk", "3"))
        child.start()
        until = random.randrange(3000)
        while child.is_alive() and (not log.exists() or log.stat().st_size < until):
            time.sleep(0.001)
        time.sleep(random.random() / 50)
        child.kill()
        child.join()
        kills += child.exitcode == -signal.SIGKILL
        if child.exitcode == -signal.SIGKILL:
            _command(source, "--chunk", "3", "--resume")
        assert files(tmp_path) == expected
        if kills == 20:
            break
    assert kills == 20


def _command(source: Path, *more: str) -> None:
    """The command itself; a forked process has the model already."""
    args = ["--column", "what", "--home", "US", "--quiet", "-o", str(source.with_name("out.csv")), *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["classify", "batch", str(source), *args])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 3  # some rows are bad


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("step", range(8))
def test_a_run_killed_while_it_finishes_is_finished(
    source: Path,
    tmp_path: Path,
    classifier: Classifier,
    unbroken: Callable[[str], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    step: int,
) -> None:
    expected = unbroken(name)
    steps = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **more: Any) -> Any:
            nonlocal steps
            if steps == step:
                raise KeyboardInterrupt
            steps += 1
            return real(*args, **more)

        return act

    with monkeypatch.context() as patch:
        for what in ("replace", "fsync"):
            patch.setattr(journal.os, what, counted(getattr(os, what)))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        try:
            do(source, name, classifier)
        except KeyboardInterrupt:
            assert steps == step
        else:
            assert steps <= step
    do(source, name, classifier, resume=True)
    assert files(tmp_path) == expected


def broken_off(source: Path, name: str, classifier: Classifier, rows: int = 50, **options: Any) -> None:
    def progress(done: int) -> None:
        if done >= rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(source, name, classifier, progress=progress, **options)


def test_unfinished_work_is_neither_lost_nor_mixed(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    broken_off(source, "out.csv", classifier)
    kept = files(tmp_path)
    assert set(kept) == {"out.csv.part", "out.csv.journal", "out.csv.errors.jsonl.part"}
    with pytest.raises(InputError, match="50 rows done: go on with --resume, or give --restart"):
        do(source, "out.csv", classifier)
    for options, told in [
        ({"threshold": 0.5}, r"--threshold \(then None, now 0.5\) differs"),
        ({"home_column": "id"}, "--home differs"),
        ({"wide": True}, "--wide .* differs"),
        ({"chunk": 11}, r"--chunk \(then 10, now 11\)"),
        ({"prefix": "x"}, "--prefix"),
        ({"columns": ("terms",)}, "--columns"),
    ]:
        with pytest.raises(InputError, match=told):
            do(source, "out.csv", classifier, resume=True, **options)
    assert files(tmp_path) == kept
    do(source, "out.csv", classifier, restart=True, wide=True)
    assert "out.csv.journal" not in files(tmp_path)


def test_changed_input_is_refused(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    broken_off(source, "out.csv", classifier)
    old = source.read_bytes()
    source.write_bytes(old[:-2] + b"x\n")
    with pytest.raises(InputError, match="the input differs"):
        do(source, "out.csv", classifier, resume=True)
    source.write_bytes(old)
    assert do(source, "out.csv", classifier, resume=True).rows == ROWS


class Retrained:
    """The classifier, said to be of another model."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        manifest = type("Manifest", (), {"digest": "f" * 64, "version": "9"})
        self.model = type("Model", (), {"manifest": manifest})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)


def test_a_changed_model_is_refused(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    broken_off(source, "out.csv", classifier)
    with pytest.raises(InputError, match="the model differs"):
        do(source, "out.csv", Retrained(classifier), resume=True)  # type: ignore[arg-type]


def test_a_changed_vocabulary_is_refused(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    broken_off(source, "out.csv", classifier)
    other = Retrained(classifier)
    other.model = classifier.model
    # The definitions say the same; only what follows from a term is another.
    other.vocabulary = replace(classifier.vocabulary, implications={})
    with pytest.raises(InputError, match="the vocabulary differs"):
        do(source, "out.csv", other, resume=True)  # type: ignore[arg-type]


def test_resume_without_unfinished_work_begins(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    told: list[str] = []
    assert do(source, "out.csv", classifier, resume=True, notice=told.append).rows == ROWS
    assert told == ["there is no unfinished run: beginning with the first row"]


@pytest.mark.parametrize("damage", ["part cut", "part changed", "errors gone", "journal cut", "journal head cut"])
def test_damaged_work_is_done_again(
    source: Path, tmp_path: Path, classifier: Classifier, unbroken: Callable[[str], dict[str, bytes]], damage: str
) -> None:
    expected = unbroken("out.csv")
    broken_off(source, "out.csv", classifier, rows=100)
    part, log, errors = (tmp_path / f"out.csv.{end}" for end in ("part", "journal", "errors.jsonl.part"))
    if damage == "part cut":
        os.truncate(part, part.stat().st_size // 2)
    elif damage == "part changed":
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 1
        part.write_bytes(data)
    elif damage == "errors gone":
        errors.unlink()
    elif damage == "journal cut":
        os.truncate(log, log.stat().st_size - 7)
    else:
        os.truncate(log, 20)
    assert do(source, "out.csv", classifier, resume=True).bad_count == 7
    assert files(tmp_path) == expected


def test_two_runs_do_not_write_one_output(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    with (
        Unfinished(tmp_path / "out.csv", {}),
        pytest.raises(InputError, match="another run is writing"),
    ):
        do(source, "out.csv", classifier)
    assert do(source, "out.csv", classifier).rows == ROWS


def test_a_full_disk_keeps_what_was_done(
    source: Path, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch,
    unbroken: Callable[[str], dict[str, bytes]],
) -> None:  # fmt: skip
    expected = unbroken("out.csv")
    written = 0

    def write(stream: Any, data: bytes) -> None:
        nonlocal written
        written += len(data)
        if written > 20_000:
            stream.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        stream.write(data)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_write", write)
        with pytest.raises(InputError, match=r"No space left on device. The \d+ rows done are kept: .* --resume"):
            do(source, "out.csv", classifier)
    assert do(source, "out.csv", classifier, resume=True).rows == ROWS
    assert files(tmp_path) == expected


def test_a_really_full_device_is_told(source: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = classify("batch", str(source), "--column", "what", "-o", "/dev/full")
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_target_that_cannot_be_written_is_told(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    with pytest.raises(InputError, match=r"out.csv cannot be written \(No such file or directory\): give -o"):
        tag_table(source, tmp_path / "none" / "out.csv", "what", classifier)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        do(source, "folder", classifier)
    with pytest.raises(InputError, match="is an input"):
        do(source, "in.csv", classifier)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "in.csv"]


def test_a_target_that_cannot_be_replaced_is_named(
    source: Path, tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(old: Path, new: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(old), None, str(new))

    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "replace", replace)
        with pytest.raises(InputError, match=r"out\.csv\S*: Operation not permitted. The 203 rows done are kept"):
            do(source, "out.csv", classifier)
    assert do(source, "out.csv", classifier, resume=True).rows == ROWS
    assert not list(tmp_path.glob("*.part"))


def test_bad_rows_of_an_earlier_run_do_not_stay(source: Path, tmp_path: Path, classifier: Classifier) -> None:
    do(source, "out.csv", classifier)
    assert "out.csv.errors.jsonl" in files(tmp_path)
    source.write_text("id,what\n1,a\n", encoding="utf-8")
    do(source, "out.csv", classifier)
    assert set(files(tmp_path)) == {"out.csv"}


def test_states_add_up() -> None:
    result = Result(2, 1, 1, b"abc", b"d", (), (1, 4), None)
    state = State(size=10).after(result).after(result._replace(kinds=(2, 4))).after(result._replace(kinds=()))
    assert state == State(3, 6, 3, 3, 19, 3, (3, 4))


def command(source: Path, *more: str) -> list[str]:
    target = str(source.with_name("out.csv"))
    return ["batch", str(source), "--column", "what", "--home", "US", "-o", target, "--chunk", str(CHUNK), *more]


@pytest.mark.parametrize(
    ("number", "code", "send"), [(signal.SIGINT, 130, os.killpg), (signal.SIGKILL, -signal.SIGKILL, os.kill)]
)
def test_the_command_is_interrupted_and_goes_on(
    source: Path,
    tmp_path: Path,
    classifier: Classifier,
    unbroken: Callable[[str], dict[str, bytes]],
    number: int,
    code: int,
    send: Callable[[int, int], None],
) -> None:
    # Texts that all differ, so that there is time to interrupt it.
    lines = (f'{i},"{TEXTS[i % 2]} {i}"' for i in range(3000))
    source.write_text("id,what\n" + "\n".join(lines) + "\n", encoding="utf-8")
    expected = unbroken("out.csv")
    log = tmp_path / "out.csv.journal"
    with subprocess.Popen(
        [sys.executable, "-m", "classifier.edges.cli", *command(source, "--jobs", "2")],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell starts what runs in its background deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        while process.poll() is None and (not log.exists() or log.stat().st_size < 1100):
            time.sleep(0.005)
        send(process.pid, number)  # Ctrl-C goes to all processes of a terminal
        _, told = process.communicate()
    assert process.returncode == code, told
    assert "Traceback" not in told
    if number == signal.SIGINT:
        assert "rows done are kept: the same command with --resume goes on" in told
    heads = [json.loads(line) for line in log.read_text().splitlines()[:2]]
    assert heads[1]["rows"] == CHUNK
    begun: list[int] = []
    assert do(source, "out.csv", classifier, resume=True, progress=begun.append).rows == 3000
    assert begun[0] > CHUNK
    assert files(tmp_path) == expected


def test_a_dead_process_is_told(source: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.edges.tables.work._do", _die)
    with pytest.raises(ClassifierError, match="go on with --resume and fewer --jobs"):
        do(source, "out.csv", classifier, jobs=2)


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
