"""What scripts/versions concludes; the environments themselves are made by CI."""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "versions"), run_name="versions")
NAMES = SCRIPT["to_try"].__globals__  # where its functions look


def test_every_dependency_has_a_lower_bound() -> None:
    bounds = SCRIPT["lower_bounds"]()
    assert {"scikit-learn", "spacy", "numpy", "joblib", "typer", "scipy"} <= bounds.keys()
    assert all(version[0].isdigit() for version in bounds.values())


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({"a": 0.5}, {"a": 0.5}, 0.0),
        ({"a": 0.5}, {"a": 0.25}, 0.25),
        ([0.5, {"b": [1.0]}], [0.5, {"b": [0.5]}], 0.5),
        ({"a": "x"}, {"a": "y"}, math.inf),
        ({"a": "x"}, {"b": "x"}, math.inf),
        ([1.0], [1.0, 1.0], math.inf),
        ([1], [2], math.inf),  # offsets are no probabilities
        (None, 0.0, math.inf),
        ({"a": None}, {"a": None}, 0.0),
    ],
)
def test_only_numbers_may_differ_a_little(one: Any, other: Any, apart: float) -> None:
    assert max((by for _, by in SCRIPT["differences"](one, other)), default=0.0) == apart


def test_probabilities_are_compared_unrounded_and_nothing_else_is_left_out() -> None:
    wire = {
        "terms": [{"id": "eor", "probability": 0.9, "evidence": [{"start": 1, "probability": 0.1}]}],
        "reason": None,
    }
    assert SCRIPT["without_probabilities"](wire) == {
        "terms": [{"id": "eor", "evidence": [{"start": 1}]}],
        "reason": None,
    }


@pytest.mark.parametrize(
    ("report", "counts"),
    [
        ('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>', (3, 3, 3)),
        ('<testsuite tests="4" failures="0" errors="0" skipped="0"/>', (4, 0, 0)),
        ('<testsuites><testsuite tests="1"/><testsuite tests="2" failures="2"/></testsuites>', (1, 2, 0)),
    ],
)
def test_tests_are_counted(report: str, counts: tuple[int, int, int]) -> None:
    assert tuple(SCRIPT["counted"](report)) == counts


@pytest.mark.parametrize(
    ("pythons", "ci", "kinds"),
    [
        (["/a/python3.99", "/a/python3.11"], False, ["lowest", "newest"]),
        (["/a/python3.99", "/a/python3.11"], True, ["lowest", "newest"]),
        (["/a/python3.99"], True, ["newest"]),
        (["{this}", "/a/python3.11"], True, ["lowest"]),
        (["{this}", "/a/python3.11"], False, ["lowest", "newest"]),
    ],
)
def test_ci_tries_what_it_can_have_and_has_not(
    monkeypatch: pytest.MonkeyPatch, pythons: list[str], ci: bool, kinds: list[str]
) -> None:
    import sys

    def found() -> Iterator[str]:
        return iter(p.format(this=f"/b/python3.{sys.version_info.minor}") for p in pythons)

    monkeypatch.setitem(NAMES, "pythons", found)
    assert SCRIPT["to_try"]([], ci) == kinds


def test_the_page_has_the_versions_and_says_when_answers_differ() -> None:
    found = [{"versions": {"python": v, "numpy": "2.0"}, "rows": [1, 2]} for v in ("3.12.1", "3.11.7")]
    tests = {"lowest": SCRIPT["Tests"](7, 0, 1)}
    page = SCRIPT["page"](["this", "lowest"], found, 1e-9, tests, "the whole suite")
    assert "| this | 3.12.1 | 2.0 | - | - | - |" in page
    assert "| lowest | 3.11.7 | 2.0 | 7 | 0 | 1 |" in page
    assert "Answers to 2 texts" in page
    assert "differ by at most 1.0e-09" in page
    assert "**they differ**" in SCRIPT["page"](["this", "lowest"], found, math.inf, tests, "the whole suite")
