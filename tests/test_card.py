from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.training.card import diagram, rivals_section
from classifier.training.fit import Bin, expected_calibration_error

ROOT = Path(__file__).resolve().parent.parent


def test_the_diagram_draws_frequency_and_probability() -> None:
    drawn = diagram([Bin(0.0, 90, 0.02, 0.0), Bin(0.5, 10, 0.55, 0.75)]).splitlines()
    assert drawn[1].split()[:3] == ["0.0", "to", "0.1"]
    assert drawn[1].count("#") == 0
    assert drawn[2].count("#") == 29
    assert drawn[2].index("|") < len(drawn[2]) - 1


@pytest.mark.parametrize(
    ("bins", "expected"),
    [([], 0.0), ([Bin(0.9, 5, 0.95, 0.95)], 0.0), ([Bin(0, 3, 0.1, 0.2), Bin(0.9, 1, 1.0, 0.5)], 0.2)],
)
def test_calibration_error_weighs_by_count(bins: list[Bin], expected: float) -> None:
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_rivals_are_told_with_and_without_labelled_files() -> None:
    scores = {"micro_f1": 0.5, "precision": 0.6, "recall": 0.4, "macro_f1": 0.3, "exact_match": 0.2,
              "no_term_clean": None}  # fmt: skip
    text = rivals_section({"a": {"what": "A way", "scenarios": 7, "out_of_fold": scores}})
    assert "| a | A way | 7 | 0.500 | 0.600 | 0.400 | 0.300 | 0.200 | - |" in text
    assert "| a | - | - |" in text


def test_the_card_of_the_default_model_holds_the_comparison() -> None:
    parts = ROOT / "models" / "card"
    card = (ROOT / "models" / "default" / "card.md").read_text(encoding="utf-8")
    assert rivals_section(json.loads((parts / "rivals.json").read_text(encoding="utf-8"))) in card
    for path in parts.glob("*.md"):
        assert path.read_text(encoding="utf-8").strip() in card
