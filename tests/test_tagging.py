from __future__ import annotations

import json

import pytest

from classifier import Classifier, Tagging
from classifier.errors import InputError

TEXTS = [
    "A firm in Texas runs the help desk of our New York company.",
    "Our own staff do the payroll.",
    "",
    "Manila 🙂",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_wire_format_goes_both_ways(classifier: Classifier, text: str) -> None:
    tagging = classifier.tag(text)
    assert Tagging.from_dict(json.loads(json.dumps(tagging.to_dict()))) == tagging


def test_a_tagging_is_frozen(classifier: Classifier) -> None:
    with pytest.raises(AttributeError):
        classifier.tag("x").text = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    "row", [{}, {"schema": 2}, {"schema": 1}, {"schema": 1, "text": "x", "terms": 3}, [], None, "schema"]
)
def test_another_format_is_refused(row: object) -> None:
    with pytest.raises(InputError, match="schema"):
        Tagging.from_dict(row)  # type: ignore[arg-type]
