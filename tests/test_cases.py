"""Texts that must carry a term, and near misses that must not: cases/<term>.toml.

A case marked ``known = true`` is one that the present model gets wrong; it must stay wrong or lose its mark, so
that the list is never longer than the truth.
"""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from classifier import Classifier
from classifier.vocabulary import Vocabulary

from .conftest import ROOT

FILES = sorted((ROOT / "tests" / "cases").glob("*.toml"))


def cases() -> list[Any]:
    found = []
    for path in FILES:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind in ("must", "must_not"):
            for n, case in enumerate(data[kind]):
                marks = (
                    [pytest.mark.xfail(strict=True, reason="the present model errs here")] if case.get("known") else []
                )
                found.append(pytest.param(path.stem, kind, case, id=f"{path.stem}-{kind}-{n}", marks=marks))
    return found


def test_every_term_has_its_cases(vocabulary: Vocabulary) -> None:
    assert {p.stem for p in FILES} == set(vocabulary.terms)
    for path in FILES:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        assert len(data["must"]) >= 4, path.name
        assert len(data["must_not"]) >= 4, path.name


@pytest.mark.parametrize(("term", "kind", "case"), cases())
def test_case(classifier: Classifier, term: str, kind: str, case: dict[str, Any]) -> None:
    tagging = classifier.tag(case["text"], home=case.get("home"), vendor_contract=case.get("vendor_contract", False))
    assert (term in tagging.ids) == (kind == "must"), tagging.ids
