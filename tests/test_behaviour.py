"""What a change of a text must and must not do to its tags: see behaviours.py and behaviour.toml.

A case marked ``known = true`` is one that the present model gets wrong; it must stay wrong or lose its mark, so that
the list is never longer than the truth.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest

from classifier import Classifier
from classifier.vocabulary import Vocabulary

from .behaviours import CHANGES, PATH, Case, cases, marked

CASES = list(cases())


def parameters() -> list[Any]:
    mark = pytest.mark.xfail(strict=True, reason="the present model errs here")
    return [pytest.param(case, id=case.id, marks=[mark] if case.known else []) for case in CASES]


@pytest.mark.parametrize("case", parameters())
def test_behaviour(classifier: Classifier, case: Case) -> None:
    assert case.problem(classifier) == "", case.after


def test_every_behaviour_has_its_cases(vocabulary: Vocabulary) -> None:
    assert min(Counter(case.behaviour for case in CASES).values()) >= 6
    for case in CASES:
        assert (case.lose or frozenset()) | case.gain | case.may <= set(vocabulary.terms), case.id
        moves = case.lose is None or bool(case.lose | case.gain)
        assert moves == (case.expect == "moves"), case.id
    # What a case may say; another word would be a wish that nobody reads.
    words = {"on", "text", "silent", "known", "may", "lose", "gain", "swap", "then", "word", "slip", "capitals", "first", "last",
             "instead", "home"}  # fmt: skip
    data = tomllib.loads(PATH.read_text(encoding="utf-8"))
    for behaviour in data["behaviour"]:
        assert behaviour["change"] in CHANGES
        assert behaviour["expect"] in ("same", "moves")
        assert behaviour["says"]
        for case in behaviour["cases"]:
            assert case.keys() <= words


def test_the_marks_can_be_set_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of each case gets or loses its mark, and nothing else in the file changes."""
    plain = PATH.read_text(encoding="utf-8").replace(", known = true }", " }")
    wrong = {case.id for case in CASES[::3]}
    monkeypatch.setattr(Case, "problem", lambda self, classifier: "+bpo" if self.id in wrong else "")
    text, count, total = marked(None)  # type: ignore[arg-type]
    assert (count, total) == (len(wrong), len(CASES))
    assert text.replace(", known = true }", " }") == plain
    data = tomllib.loads(text)
    found = {f"{b['id']}-{n}" for b in data["behaviour"] for n, c in enumerate(b["cases"]) if c.get("known")}
    assert found == wrong
