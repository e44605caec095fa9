"""Nothing heavy is imported before it is needed; looked at in a fresh interpreter, not timed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

# What answering never needs, and what is not even needed where nothing is answered.
HEAVY = frozenset("sklearn scipy pandas pyarrow openpyxl torch joblib fastapi uvicorn pyspark mcp".split())
READING = frozenset({"spacy", "numpy"})
# spaCy brings some of these for its downloads; nothing of ours may.
HTTP = frozenset("requests httpx urllib3 aiohttp http.client http.server urllib.request ftplib websockets".split())

TEXT = "a vendor in Manila answers our calls"
ANSWERS = f"from classifier import load; load().tag({TEXT!r})"
COMMAND = """
from classifier.edges.cli import main
sys.argv = ["classify", *{arguments!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""
TELLING = (["--help"], ["batch", "--help"], ["terms"], ["terms", "eor"], ["terms", "--format", "json"],
           ["terms", "--format", "skos"])  # fmt: skip
ANSWERING = ([TEXT], ["--json", TEXT], ["why-not", "eor", TEXT])


@cache
def modules(code: str) -> frozenset[str]:
    """What is imported when ``code`` has run."""
    told = f"import json, sys\n{code}\nprint()\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("code", ["import classifier", "from classifier.edges import cli"])
def test_importing_brings_nothing_heavy(code: str) -> None:
    assert not modules(code) & (HEAVY | READING | HTTP)


@pytest.mark.parametrize("arguments", TELLING, ids=" ".join)
def test_what_answers_no_text_does_without_the_reader(arguments: list[str]) -> None:
    assert not modules(COMMAND.format(arguments=arguments)) & (HEAVY | READING | HTTP)


@pytest.mark.parametrize("code", [ANSWERS, *(COMMAND.format(arguments=a) for a in ANSWERING)], ids=range(4))
def test_answering_brings_nothing_heavy(code: str) -> None:
    found = modules(code)
    assert found >= READING  # it did answer
    assert not found & HEAVY
    assert not (found - modules("import spacy")) & HTTP


def test_what_is_looked_for_can_be_found() -> None:
    assert modules("import sklearn, urllib.request") >= {"sklearn", "scipy", "joblib", "urllib.request", "http.client"}
