"""The README's examples run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from classifier.errors import ClassifierError, MissingExtraError

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.M | re.S)
COMMANDS = [
    line[2:] for kind, body in BLOCKS if kind == "console" for line in body.splitlines() if line.startswith("$ ")
]


def test_the_readme_starts_with_two_commands() -> None:
    first, second = (body for kind, body in BLOCKS[:2] if kind == "sh")
    assert first.strip().endswith('classify "our accountant sends a bookkeeper on-site"')
    assert second.strip().endswith("pytest")
    assert first.count("\n") == second.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_console_examples_run(command: str) -> None:
    this = f"{shlex.quote(sys.executable)} -m classifier.edges.cli"
    done = subprocess.run(
        ["bash", "-c", re.sub(r"\bclassify\b(?= )", this, command, count=1)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("code", [body for kind, body in BLOCKS if kind == "python"])
def test_python_examples_run(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102


def test_every_script_has_a_use_text() -> None:
    for path in (ROOT / "scripts").iterdir():
        if not path.suffix:
            assert f"scripts/{path.name}" in path.read_text(encoding="utf-8"), path.name


def test_every_module_is_small() -> None:
    for path in (ROOT / "classifier").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path.name


def test_a_missing_extra_is_named() -> None:
    error = MissingExtraError("torch", "lexicon")
    assert isinstance(error, ClassifierError)
    assert 'pip install "arrangement-classifier[lexicon]"' in str(error)
