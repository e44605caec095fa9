"""The example programs run, are short, and say what the library says."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from classifier import Classifier

from .conftest import ROOT

EXAMPLES = ROOT / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_says_how_to_start_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 15
    assert path.stem in (ast.get_docstring(ast.parse(text)) or "")


def test_the_spacy_pipeline_draws_evidence(classifier: Classifier) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "spacy_pipeline.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert "third-party" in done.stdout
    told = [ast.literal_eval(line) for line in done.stderr.splitlines()]
    assert tuple(told[0]) == classifier.tag("A vendor in Manila answers our customers.", home="US").ids
    assert all(0 < p <= 1 for row in told for p in row.values())


def test_the_service_answers_as_the_library(classifier: Classifier) -> None:
    from fastapi.testclient import TestClient

    app = runpy.run_path(str(EXAMPLES / "fastapi_service.py"))["app"]
    text = "Calls from our customers are answered by a vendor in Manila."
    with TestClient(app) as client:
        found = client.get("/terms", params={"text": text, "home": "US"})
        assert found.status_code == 200
        assert found.json() == classifier.tag(text, home="US").to_dict()
        assert client.get("/terms").status_code == 422


def test_contracts_are_sorted_by_labels_of_ones_own() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "triage_contracts.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    windows, invoices = (ast.literal_eval(line.partition("} ")[0] + "}") for line in done.stdout.splitlines())
    assert windows["site"] > invoices["site"]
    assert invoices["abroad"] > windows["abroad"]
