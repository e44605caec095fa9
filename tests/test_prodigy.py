from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from classifier.edges.interchange import PRODIGY

from .test_interchange import read


@pytest.mark.parametrize(
    ("answers", "terms", "left_out"),
    [
        ([{"accept": ["eor"], "answer": "accept"}], ("outsourcing", "eor"), {}),
        ([{"accept": [], "answer": "accept"}], (), {}),
        ([{"accept": ["eor"], "answer": "reject"}], None, {"rejected": 1}),
        ([{"accept": ["eor"], "answer": "ignore"}], None, {"skipped": 1}),
        ([{"accept": ["eor"]}], None, {"not answered": 1}),
        ([{"label": "eor", "answer": "accept"}], None, {"single labels": 1}),
        ([{"cats": {"eor": 1, "ito": 0.0, "bpo": 0.7}, "answer": "accept"}], ("outsourcing", "bpo", "eor"), {}),
        (
            [
                {"accept": ["eor"], "answer": "accept", "_timestamp": 9, "_annotator_id": "b"},
                {"accept": ["ito"], "answer": "accept", "_timestamp": 5, "_annotator_id": "a"},
                {"accept": ["bpo"], "answer": "reject", "_timestamp": 99},
            ],
            ("outsourcing", "eor"),
            {"rejected": 1},
        ),
    ],
)
def test_prodigy_as_people_use_it(
    tmp_path: Path, answers: list[dict[str, Any]], terms: tuple[str, ...] | None, left_out: dict[str, int]
) -> None:
    back = read(tmp_path, [{"text": "we hire them", **a} for a in answers], PRODIGY, lines=True)
    assert [c.terms for c in back.corrections] == ([] if terms is None else [terms])
    assert dict(back.left_out) == left_out
    assert back.differing == (len(answers) > 1)


def test_a_term_before_that_the_vocabulary_lacks_is_a_problem(tmp_path: Path) -> None:
    found = [{"text": "one", "accept": ["eor"], "answer": "accept", "before": ["backshoring"]}]
    back = read(tmp_path, found, PRODIGY)
    assert back.corrections == []
    (problem,) = back.problems
    assert "'backshoring'" in problem
    assert "--vocabulary" in problem
