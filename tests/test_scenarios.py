from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifier.errors import ScenarioError
from classifier.training.scenarios import (
    Scenario,
    borrowed_wording,
    load_scenarios,
    near_duplicates,
    parse_scenario,
)
from classifier.vocabulary import Vocabulary

from .conftest import ROOT, SHARED

FILES = sorted((ROOT / "training_data").glob("*.jsonl"))


@pytest.fixture(scope="module")
def scenarios(vocabulary: Vocabulary) -> list[Scenario]:
    """All of them, checked: loading refuses facts that do not give the labelled terms."""
    return load_scenarios(FILES, vocabulary)


def test_there_are_enough(scenarios: list[Scenario], vocabulary: Vocabulary) -> None:
    assert len(scenarios) >= 4000
    assert sum(not s.terms for s in scenarios) >= 700
    for term in vocabulary.terms:
        assert sum(term in s.terms for s in scenarios) >= 100, term


def test_no_two_are_nearly_the_same(scenarios: list[Scenario]) -> None:
    assert [(a.source, b.source) for a, b, _ in near_duplicates(scenarios)] == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the documents and the measuring set are not here")
def test_no_wording_is_borrowed(scenarios: list[Scenario]) -> None:
    protected = {p.name: (p.read_text(encoding="utf-8"), 9) for p in SHARED.glob("documents/*.txt")}
    for path in SHARED.glob("dev/*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            protected[row["id"]] = (row["text"], 8)
    assert protected
    assert [(s.id, name, gram) for s, name, gram in borrowed_wording(scenarios, protected)] == []


def row(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "x-1", "text": "A bureau does our wages.", "register": "first-person",
        "arrangements": [{"facts": {"third-party": "A bureau", "finance": "wages", "ongoing": ""}}],
        "terms": ["outsourcing", "accounting-outsourcing", "back-office-outsourcing", "bpo"],
    }  # fmt: skip
    return {**base, **changes}


def test_a_good_scenario_is_read(vocabulary: Vocabulary) -> None:
    scenario = parse_scenario(row(), vocabulary, "here:1")
    assert scenario.terms == {"outsourcing", "accounting-outsourcing", "back-office-outsourcing", "bpo"}
    assert scenario.may == frozenset()


def test_unsure_facts_make_terms_acceptable(vocabulary: Vocabulary) -> None:
    arrangement = {"facts": {"third-party": "A bureau"}, "unsure": ["same-country", "it"]}
    scenario = parse_scenario(row(arrangements=[arrangement], terms=["outsourcing"]), vocabulary, "here:1")
    assert scenario.may == {"onshoring", "ito"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"terms": ["outsourcing"]}, "the facts do not give"),
        ({"register": "poem"}, "register"),
        ({"silence": "ended"}, "silence"),
        ({"arrangements": [{"facts": {"third-party": "An agency"}}], "terms": ["outsourcing"]}, "not in the text"),
        ({"arrangements": [{"facts": {"magic": ""}}]}, "unknown fact"),
        ({"arrangements": [{"status": "dreamt", "facts": {}}]}, "status"),
        ({"arrangements": [{"facts": {"same-country": "", "another-country": ""}}]}, "split it"),
        ({"arrangements": [{"facts": {"it": ""}, "unsure": ["it"]}]}, "both stated and unsure"),
    ],
)
def test_a_broken_scenario_is_refused(vocabulary: Vocabulary, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_scenario(row(**changes), vocabulary, "here:1")


def test_ended_arrangements_give_no_terms(vocabulary: Vocabulary) -> None:
    arrangements = [{"status": "ended", "facts": {"third-party": "A bureau"}}]
    scenario = parse_scenario(row(arrangements=arrangements, terms=[], silence="ended"), vocabulary, "here:1")
    assert scenario.terms == frozenset()


def test_near_duplicates_and_borrowed_wording_are_found(vocabulary: Vocabulary) -> None:
    text = "A bureau in the old harbour does all of our wages on the last Friday of every month."
    pair = [
        parse_scenario(row(id="a", text=text, arrangements=[], terms=[], silence="goods"), vocabulary, "a:1"),
        parse_scenario(row(id="b", text=text + " So.", arrangements=[], terms=[], silence="goods"), vocabulary, "a:2"),
    ]
    assert len(near_duplicates(pair)) == 1
    found = borrowed_wording(pair, {"doc": ("in the old harbour does all of our wages on", 9)})
    assert [s.id for s, _, _ in found] == ["a", "b"]


def test_unreadable_files_are_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    broken = tmp_path / "broken.jsonl"
    for content in (b"{nope\n", b"\xff\xfe\n", b"[" * 100_000, b"9" * 9_999):
        broken.write_bytes(content)
        with pytest.raises(ScenarioError, match="not JSON"):
            load_scenarios([broken], vocabulary)
    broken.write_text("[1]\n")
    with pytest.raises(ScenarioError, match="not a JSON object"):
        load_scenarios([broken], vocabulary)
    with pytest.raises(ScenarioError, match="Give a JSONL file"):
        load_scenarios([tmp_path / "none.jsonl"], vocabulary)
    broken.write_text(json.dumps(row()) + "\n" + json.dumps(row()) + "\n")
    with pytest.raises(ScenarioError, match="used twice"):
        load_scenarios([broken], vocabulary)
