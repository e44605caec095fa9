from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from classifier import Classifier, __version__

TEXT = "A firm in Texas runs the help desk of our New York company."


def classify(
    *args: str, stdin: str | bytes | None = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", *args],
        input=data, capture_output=True, check=False, env={**os.environ, "COLUMNS": "80", "TERM": "xterm", **(env or {})},
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_bare_text_is_answered_for_a_person(classifier: Classifier) -> None:
    done = classify(TEXT)
    assert done.returncode == 0
    assert done.stderr == ""
    tagging = classifier.tag(TEXT)
    for term in tagging.terms:
        assert f"{term.probability:.2f}" in done.stdout
        assert term.label in done.stdout
    assert "IT functions are contracted" in done.stdout
    assert "paragraph 1" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_and_jsonl_are_the_wire_format(classifier: Classifier) -> None:
    expected = classifier.tag(TEXT, home="US").to_dict()
    assert json.loads(classify("--json", "--home", "US", TEXT).stdout) == expected
    lines = classify("--jsonl", TEXT, "in-house payroll").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == [TEXT, "in-house payroll"]


@pytest.mark.parametrize("args", [["-"], []])
def test_descriptions_come_from_stdin_one_a_line(args: list[str]) -> None:
    done = classify("--jsonl", *args, stdin=f"{TEXT}\n\nin-house payroll\r\n")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [TEXT, "in-house payroll"]


def test_bytes_that_are_no_text_do_not_stop_the_rest() -> None:
    done = classify("--jsonl", "-", stdin=b"\xff\xfe vendor\nin-house payroll\n")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2


def test_silence_gives_its_reason() -> None:
    done = classify("Our own staff do the payroll in our office in Leeds.")
    assert done.returncode == 0
    assert "No term applies." in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--home", "Narnia", TEXT], 2, "ISO code"),
        (["--threshold", "7", TEXT], 2, "threshold"),
        (["--nonsense", TEXT], 2, "No such option"),
        (["--model", "/nowhere", TEXT], 4, "no model in /nowhere"),
        (["terms", "nearshore-ing"], 2, "did you mean nearshoring"),
        (["batch", "/nowhere.csv", "--column", "x"], 2, "No such file"),
        (["evaluate", "/nowhere.jsonl"], 2, "Give a JSONL file"),
    ],
)
def test_errors_say_what_to_do(args: list[str], code: int, words: str) -> None:
    done = classify(*args)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_version_and_help() -> None:
    assert classify("--version").stdout == f"classify {__version__}\n"
    assert "Exit codes" in classify("--help").stdout


def test_terms_lists_the_vocabulary() -> None:
    done = classify("terms")
    assert len(done.stdout.splitlines()) == 26
    assert len(json.loads(classify("terms", "--json").stdout)) == 26


def test_one_term_is_shown_whole() -> None:
    done = classify("terms", "nearshoring")
    for words in ("Nearshoring", "D1", "needs:", "What is nearshoring?, paragraph 1", "Implies: offshore-outsourcing"):
        assert words in done.stdout
    shown = json.loads(classify("terms", "nearshoring", "--json").stdout)
    assert shown["definitions"][0]["citation"]["paragraph"] == 1
    assert classify("terms", "Employer of record").stdout == classify("terms", "eor").stdout


def test_control_characters_do_not_reach_the_terminal() -> None:
    done = classify("a \x1b[31m vendor \x07 in Manila answers our calls")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def _on_a_terminal(env: dict[str, str]) -> str:
    """What the command prints when its output is a terminal."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "classifier.edges.cli", TEXT],
        stdin=subprocess.DEVNULL, stdout=child, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm", **env},
    ) as process:  # fmt: skip
        os.close(child)
        found = b""
        while True:
            try:
                piece = os.read(parent, 4096)
            except OSError:
                break
            if not piece:
                break
            found += piece
        process.wait()
    os.close(parent)
    return found.decode()


def test_evidence_is_highlighted_on_a_terminal_unless_no_color() -> None:
    assert re.search(r"\x1b\[1;4mhelp", _on_a_terminal({"NO_COLOR": ""}))
    assert "\x1b" not in _on_a_terminal({"NO_COLOR": "1"})


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", [["terms"], ["terms", "--json"], ["--help"], ["batch", "--help"], ["--version"]])
def test_a_closed_pipe_is_no_error(args: list[str], unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", *args],
        stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_keeps_its_exit_code_when_the_reader_is_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", "--home", "Narnia", TEXT],
        stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 2
    assert "ISO code" in done.stderr


def test_evaluate_prints_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"text": TEXT, "must": ["outsourcing", "onshoring", "ito", "bpo"], "may": ["managed-services"], "group": "g"},
        {"text": "Our own staff do the payroll.", "must": [], "may": [], "group": "g"},
    ]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    done = classify("evaluate", "--json", str(path))
    total = json.loads(done.stdout)["total"]
    assert total["texts"] == 2
    assert total["no_term_clean"] == 1.0
    assert "micro" in classify("evaluate", str(path)).stdout
    path.write_text('{"text": "x", "must": ["magic"]}\n', encoding="utf-8")
    assert "unknown term 'magic'" in classify("evaluate", str(path)).stderr


def test_completion_is_offered() -> None:
    assert "--install-completion" in classify("--help").stdout


@pytest.mark.parametrize(("name", "words"), [("notes.txt", "no file *.jsonl"), ("empty.jsonl", "no scenarios")])
def test_training_on_nothing_says_what_to_give(tmp_path: Path, name: str, words: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).write_text("\n", encoding="utf-8")
    done = classify("train", "--data", str(data), "-o", str(tmp_path / "model"))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()
