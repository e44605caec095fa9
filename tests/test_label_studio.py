from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from classifier.edges.interchange import LABEL_STUDIO
from classifier.edges.label_studio import form
from classifier.vocabulary import Vocabulary

from .test_interchange import SHAPES, made, note, read, task


@pytest.mark.parametrize(
    ("found", "terms", "left_out", "differing"),
    [
        (task(note("eor"), note("ito", time="2024-02-01")), ("outsourcing", "ito"), {}, 1),
        (task(note("eor", time="2024-02-01"), note("ito")), ("outsourcing", "eor"), {}, 1),
        (task(note("eor", ground_truth=True), note("ito", time="2024-02-01")), ("outsourcing", "eor"), {}, 1),
        (task(note("eor"), note("Employer of record", time="2025")), ("outsourcing", "eor"), {}, 0),
        (task(note("eor"), note("ito", time="2025", was_cancelled=True)), ("outsourcing", "eor"), {"skipped": 1}, 0),
        (task(note("none")), (), {}, 0),
        (task(note()), None, {"not answered": 1}, 0),
        (task(), None, {"not answered": 1}, 0),
        (task(note(was_cancelled=True)), None, {"skipped": 1}, 0),
        ({"data": {"text": "x"}, "completions": [note("bpo", skipped=False)]}, ("outsourcing", "bpo"), {}, 0),
        ({"id": 3, "text": "x", "terms": {"choices": ["eor", "ito"]}, "annotator": 2}, ("outsourcing", "ito", "eor"), {}, 0),
        ({"id": 3, "text": "x", "terms": "eor"}, ("outsourcing", "eor"), {}, 0),
        ({"id": 3, "text": "x"}, None, {"not answered": 1}, 0),
    ],
)  # fmt: skip
def test_label_studio_as_people_use_it(
    tmp_path: Path, found: dict[str, Any], terms: tuple[str, ...] | None, left_out: dict[str, int], differing: int
) -> None:
    back = read(tmp_path, [found], LABEL_STUDIO)
    assert [c.terms for c in back.corrections] == ([] if terms is None else [terms])
    assert dict(back.left_out) == left_out
    assert back.differing == differing
    assert back.problems == []


def test_a_taxonomy_and_shifted_offsets_are_understood(tmp_path: Path) -> None:
    text = "\U0001f4c9 a vendor in Cebu"
    result = [
        {"from_name": "terms", "type": "taxonomy", "value": {"taxonomy": [["Outsourcing", "IT outsourcing"], ["eor"], ["Offshoring, not outsourcing"]]}},
        # Counted in UTF-16, as old versions did.
        {"from_name": "evidence", "type": "labels", "value": {"start": 5, "end": 11, "text": "vendor", "labels": ["e"]}},
        {"from_name": "evidence", "type": "labels", "value": {"start": 15, "end": 99, "labels": ["e"]}},
        {"from_name": "evidence", "type": "labels", "value": {"start": 14, "end": 18, "labels": ["e"]}},
    ]  # fmt: skip
    found = {"data": {"text": text}, "annotations": [{"result": result, "completed_by": {"id": 1, "email": "a@b.c"}}]}
    (correction,) = read(tmp_path, [found], LABEL_STUDIO).corrections
    assert correction.terms == ("outsourcing", "offshoring", "offshoring-not-outsourcing", "ito", "eor")
    assert [text[a:b] for a, b in correction.evidence] == ["vendor", "Cebu"]
    assert correction.by == "a@b.c"


@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_an_annotation_of_any_shape_harms_only_itself(tmp_path: Path, shape: Any) -> None:
    values = [
        {**note("eor")["result"][0], "value": value} for value in (shape, {"choices": shape}, {"taxonomy": shape})
    ]
    spans = [{"type": "labels", "value": {"start": shape, "end": 1}}, {"type": "labels", "value": shape}]
    notes = [
        *({**note("eor"), key: shape} for key in ("result", "completed_by", "updated_at", "ground_truth")),
        *({"result": [value]} for value in values),
        {"result": [shape, *note("eor")["result"], *spans]},
    ]
    back = read(tmp_path, [task(one, text=f"text {n}") for n, one in enumerate(notes)], LABEL_STUDIO)
    assert back.corrections[-1].text == f"text {len(notes) - 1}"
    for correction in back.corrections:
        assert all(0 <= start < end <= len(correction.text) for start, end in correction.evidence)


def test_the_form_offers_every_term_and_every_reason(vocabulary: Vocabulary) -> None:
    shown = ElementTree.fromstring(form(vocabulary))  # noqa: S314 (our own)
    offered = [c.get("value") for c in shown.iter("Choice")]
    assert offered == [*vocabulary.terms, "none", *(f"none:{s}" for s in vocabulary.silences)]
    used = {r["from_name"] for t in made(vocabulary, LABEL_STUDIO) for r in t["predictions"][0]["result"]}
    assert used == {"terms", "evidence"}
    assert used <= {e.get("name") for e in shown.iter()}
