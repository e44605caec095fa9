from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifier import Classifier, load
from classifier.errors import ScenarioError
from classifier.training.corrections import (
    Correction,
    closed_terms,
    line_of,
    parse_correction,
    read_corrections,
    scenarios_from,
)
from classifier.training.prepare import Labels, label_arrays
from classifier.training.scenarios import load_scenarios
from classifier.vocabulary import Vocabulary

from .conftest import ROOT
from .test_cli import classify

SOME = ROOT / "training_data" / "plain.jsonl"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def test_a_line_comes_back_as_it_was(vocabulary: Vocabulary) -> None:
    given = Correction(
        "Ein \U0001f600 vendor \ud800", ("outsourcing", "ito"), ("outsourcing",), None, "GB", "IN", True, "Ann",
        "2024-05-01", ((6, 12),),
    )  # fmt: skip
    assert parse_correction(json.loads(line_of(given)), vocabulary, "x") == given
    none = Correction("Pens", (), ("outsourcing",), "goods")
    assert parse_correction(json.loads(line_of(none)), vocabulary, "x") == none


def test_terms_bring_what_they_imply(vocabulary: Vocabulary) -> None:
    assert closed_terms(["nearshoring"], vocabulary) == (
        "outsourcing", "offshoring", "offshore-outsourcing", "nearshoring",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"terms": []}, "lacks 'text'"),
        ({"text": " ", "terms": []}, "lacks 'text'"),
        ({"text": "a"}, "must be a list"),
        ({"text": "a", "terms": "eor"}, "must be a list"),
        ({"text": "a", "terms": ["magic"]}, "unknown term 'magic'"),
        ({"text": "a", "terms": ["eor"], "silence": "goods"}, "goes with no terms"),
        ({"text": "a", "terms": [], "silence": "boredom"}, "goes with no terms"),
        ({"text": "a", "terms": [], "home": "Narnia"}, "ISO code"),
        ({"text": "a", "terms": [], "evidence": [{"start": "x"}]}, "start and end"),
    ],
)
def test_what_is_no_correction_is_refused(vocabulary: Vocabulary, row: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        parse_correction(row, vocabulary, "f.jsonl:3")
    assert "f.jsonl:3" in str(caught.value)


def test_the_last_word_on_a_text_in_its_context_counts(tmp_path: Path, vocabulary: Vocabulary) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "terms": ["eor"]},
        {"text": "a", "terms": ["bpo"], "home": "United Kingdom"},
        {"text": "a", "terms": []},
    ]
    found = read_corrections([write(tmp_path / "c.jsonl", rows)], vocabulary)
    assert [(c.terms, c.home) for c in found] == [(("outsourcing", "bpo"), "GB"), ((), None)]


def test_corrections_become_checked_scenarios_with_open_facts(vocabulary: Vocabulary) -> None:
    scenarios = load_scenarios([SOME], vocabulary)
    rare = closed_terms(["microsourcing", "eor", "homeshoring-not-outsourcing", "managed-services"], vocabulary)
    assert frozenset(rare) not in {s.terms for s in scenarios}
    corrections = [
        Correction("one", ("outsourcing", "onshoring"), home="GB", vendor_contract=True),
        Correction("two", rare),
        Correction("three", ()),
        Correction("four", (), silence="goods"),
    ]
    found = scenarios_from(corrections, scenarios, vocabulary)
    assert [tuple(t for t in vocabulary.terms if t in s.terms) for s in found] == [c.terms for c in corrections]
    assert [s.facts_open for s in found] == [True, True, True, False]
    assert (found[0].home, found[0].vendor_contract) == ("GB", True)
    assert len({s.id for s in found}) == 4
    assert found[3].silence == "goods"
    labels = Labels.of(vocabulary)
    for lenient in (False, True):
        Y, known = label_arrays(found, vocabulary, lenient)
        facts, terms = len(labels.facts), len(labels.facts) + len(labels.terms)
        assert known[:, facts:terms].all()
        assert known[:, :facts].any(axis=1).tolist() == [False, False, False, True]
        assert known[:, terms:].all(axis=1).tolist() == [True, True, False, True]
        for row, correction in zip(Y, corrections, strict=True):
            assert {labels.names[i] for i in row[facts:terms].nonzero()[0] + facts} == set(correction.terms)
    # A set of terms that scenarios have takes their facts, so it adds no configuration.
    configurations = {row.tobytes() for row in label_arrays(scenarios, vocabulary)[0]}
    assert label_arrays(found[:1], vocabulary)[0][0].tobytes() in configurations
    assert label_arrays(found[1:2], vocabulary)[0][0].tobytes() not in configurations


ROOMS = (
    "canteen foyer library workshop laboratory depot chapel museum surgery nursery gallery stadium theatre archive pool "
    "crypt kiosk barn cellar studio arcade harbour quarry garage terminal embassy lodge abbey hostel ferry tram market "
    "brewery mill tannery forge foundry smithy dairy orchard vineyard cinema circus tavern"
).split()


def test_forty_corrections_of_a_kind_change_the_answer_on_another_text_of_it(
    tmp_path: Path, classifier: Classifier
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(SOME.read_text(encoding="utf-8").splitlines(keepends=True)[:80]), encoding="utf-8")
    texts = [f"Glimmerstone attendance for the {room}, lot {i}, Quillfeather schedule" for i, room in enumerate(ROOMS)]
    held = texts[40:]
    lines = [{"text": t, "terms": ["project-outsourcing"], "vendor_contract": True, "before": []} for t in texts[:40]]
    corrections, out = write(tmp_path / "c.jsonl", lines), tmp_path / "model"
    done = classify(
        "train", "--data", str(few), "--corrections", str(corrections), "-o", str(out), env={"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert "40 corrections" in done.stderr
    # No word of these texts speaks of a project; only the corrections do.
    assert any("project-outsourcing" not in classifier.tag(t, vendor_contract=True).ids for t in held)
    assert [load(out).tag(t, vendor_contract=True).ids for t in held] == [("outsourcing", "project-outsourcing")] * len(
        held
    )
    # Texts of another kind are not dragged along.
    assert (
        "project-outsourcing"
        not in load(out).tag("Calls from our customers are answered by a vendor in Manila.", home="US").ids
    )
