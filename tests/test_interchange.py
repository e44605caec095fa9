from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.interchange import (
    LABEL_STUDIO,
    PRODIGY,
    TOOLS,
    Imported,
    read_answers,
    tasks,
    write_tasks,
)
from classifier.edges.review import Context
from classifier.errors import InputError
from classifier.training.corrections import Correction, read_corrections
from classifier.vocabulary import Vocabulary, load_vocabulary

from .test_cli import classify
from .test_review import HEAD, OWN, OWN_ROW, ROWS, write

CONTEXT = Context(home="GB", vendor_contract=True)
EMOJI = [
    "6",
    "\U0001f4c9 our vendor\r\nin Cebu, a vendor",
    "outsourcing",
    "0.9",
    "",
    "vendor | Cebu | vendor",
    "",
    "9 x",
]
TABLE = [dict(zip(HEAD, r, strict=True)) for r in [*ROWS, EMOJI]]


def made(vocabulary: Vocabulary, tool: str) -> list[dict[str, Any]]:
    return list(tasks(TABLE, ["what"], CONTEXT, vocabulary, tool))


def answered(task: dict[str, Any], tool: str) -> dict[str, Any]:
    """The task as the tool exports it after an annotator agreed with what was filled in."""
    if tool == PRODIGY:
        return {**task, "answer": "accept", "_timestamp": 1700000000, "_annotator_id": "ann"}
    result = task["predictions"][0]["result"]
    note = {"id": 1, "result": result, "completed_by": 7, "updated_at": "2024-05-01T10:00:00Z", "was_cancelled": False}
    return {"id": 1, "data": task["data"], "annotations": [note], "predictions": []}


def read(tmp_path: Path, found: list[dict[str, Any]], tool: str, lines: bool = False) -> Imported:
    path = tmp_path / "export.json"
    path.write_text("\n".join(map(json.dumps, found)) if lines else json.dumps(found), encoding="utf-8")
    return read_answers(path, tool, load_vocabulary())


@pytest.mark.parametrize("tool", TOOLS)
def test_a_round_trip_gives_the_terms_the_context_and_the_evidence(
    tmp_path: Path, vocabulary: Vocabulary, tool: str
) -> None:
    path = tmp_path / "out"
    assert write_tasks(made(vocabulary, tool), path, tool) == 5  # a text that comes twice is one task
    text = path.read_text(encoding="utf-8")
    given = json.loads(text) if tool == LABEL_STUDIO else [json.loads(line) for line in text.splitlines()]
    back = read(tmp_path, [answered(t, tool) for t in given], tool, lines=tool == PRODIGY)
    assert back.problems == []
    assert not back.left_out
    rows = [ROWS[0], ROWS[1], ROWS[3], ROWS[4], EMOJI]
    for correction, row in zip(back.corrections, rows, strict=True):
        assert correction.text == row[1]
        assert "|".join(correction.terms) == row[2]
        assert correction.before == correction.terms
        assert (correction.home, correction.vendor_contract) == ("GB", True)
        assert [row[1][a:b] for a, b in correction.evidence] == [q for q in row[5].split(" | ") if q]
        assert correction.by
        assert correction.at
    assert back.corrections[2].silence == "goods"


@given(st.lists(st.tuples(st.text(max_size=30), st.sets(st.sampled_from(sorted(load_vocabulary().terms)))), max_size=4))
def test_any_texts_and_terms_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, set[str]]]
) -> None:
    vocabulary = load_vocabulary()
    table = [{"what": text, "terms": "|".join(sorted(terms))} for text, terms in rows]
    first = {text: terms for text, terms in reversed(rows) if text.strip()}
    for tool in TOOLS:
        path = tmp_path_factory.mktemp("any") / "out"
        found = tasks(table, ["what"], Context(), vocabulary, tool)
        write_tasks((answered(t, tool) for t in found), path, tool)
        back = read_answers(path, tool, vocabulary)
        assert {c.text for c in back.corrections} == set(first)
        for c in back.corrections:
            assert set(c.terms) == first[c.text].union(*(vocabulary.implied_by_term[t] for t in first[c.text]))


def note(*choices: str, time: str = "2024-01-01", **more: Any) -> dict[str, Any]:
    result = [{"from_name": "terms", "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}]
    return {"result": result if choices else [], "updated_at": time, **more}


def task(*notes: dict[str, Any], text: str = "we hire them") -> dict[str, Any]:
    return {"data": {"text": text}, "annotations": list(notes)}


def test_what_cannot_be_used_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = [
        task(note("magic"), text="one"),
        task(note("none", "eor"), text="two"),
        task(note("eor"), text=" "),
        {"data": {"text": "four", "home": "Narnia"}, "annotations": [note("eor")]},
        task(note("eor"), text="five"),
    ]
    back = read(tmp_path, found, LABEL_STUDIO)
    assert [c.text for c in back.corrections] == ["five"]
    assert len(back.problems) == 4
    for problem, words in zip(back.problems, ("'magic'", "something else", "lacks 'text'", "Narnia"), strict=True):
        assert "export.json:" in problem
        assert words in problem


# Where a tool writes something, a file may have anything instead.
SHAPES = [None, True, 7, 1e999, -1, 10**400, "x", [], [3], ["x"], [[]], [{}], {}, {"x": 1}, {"choices": 3}, [{"start": 0}],
          [{"start": 0, "end": "1"}], [{"start": 5, "end": 2}]]  # fmt: skip
ENTRIES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (LABEL_STUDIO, {"data": {"text": "x"}, "annotations": [note("eor")]}, ("data", "annotations")),
    (LABEL_STUDIO, {"text": "x", "terms": "eor"}, ("text", "terms", "evidence", "annotator", "updated_at", "created_at")),
    (PRODIGY, {"text": "x", "accept": ["eor"], "answer": "accept"},
     ("text", "accept", "cats", "answer", "spans", "_timestamp", "_annotator_id", "before", "vendor_contract")),
    (PRODIGY, {"text": "x", "cats": {"eor": 1}, "answer": "accept"}, ("cats",)),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "entry", "keys"), ENTRIES)
@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_an_entry_of_any_shape_harms_only_itself(
    tmp_path: Path, tool: str, entry: dict[str, Any], keys: tuple[str, ...], shape: Any
) -> None:
    sound = {**entry, "data": {"text": "sound"}} if "data" in entry else {**entry, "text": "sound"}
    back = read(tmp_path, [*({**entry, key: shape} for key in keys), sound], tool)
    assert back.corrections[-1].text == "sound"
    for correction in back.corrections:
        assert all(0 <= start < end <= len(correction.text) for start, end in correction.evidence)


@pytest.mark.parametrize(
    "content", ["", "[1]", "{", '"x"', "[[]]", "[" * 100_000, "{" * 9_999, "[" + "9" * 9_999 + "]"]
)
def test_another_file_is_refused(tmp_path: Path, content: str, vocabulary: Vocabulary) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="utf-8")
    if not content:
        assert read_answers(path, PRODIGY, vocabulary).corrections == []
        return
    with pytest.raises(InputError, match=r"x\.json"):
        read_answers(path, PRODIGY, vocabulary)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_commands_export_and_import(tmp_path: Path, vocabulary: Vocabulary, tool: str) -> None:
    table, out, corrections = write(tmp_path / "t.csv", ROWS), tmp_path / "tasks", tmp_path / "c.jsonl"
    form = ("--form", str(tmp_path / "form.xml"))
    done = classify(
        "export-labels", str(table), "--to", tool, "-o", str(out), "--column", "what", "--home", "GB", *form
    )
    if tool == PRODIGY:
        assert done.returncode == 2
        assert "--form is for Label Studio" in done.stderr
        done = classify("export-labels", str(table), "--to", tool, "-o", str(out), "--column", "what", "--home", "GB")
    else:
        assert (tmp_path / "form.xml").exists()
    assert done.returncode == 0, done.stderr
    assert "4 tasks" in done.stderr
    text = out.read_text(encoding="utf-8")
    given = json.loads(text) if tool == LABEL_STUDIO else [json.loads(line) for line in text.splitlines()]
    answers = [answered(t, tool) for t in given]
    answers.append(
        {"text": "x", "data": {"text": "x"}, "accept": ["magic"], "answer": "accept", "annotations": [note("magic")]}
    )
    (tmp_path / "e.json").write_text(json.dumps(answers), encoding="utf-8")
    for said in ("4 corrections written", "0 corrections written"):
        done = classify("import-labels", str(tmp_path / "e.json"), "--from", tool, "-o", str(corrections))
        assert done.returncode == 3
        assert said in done.stderr
        assert "'magic'" in done.stderr
    found = read_corrections([corrections], vocabulary)
    assert [c.text for c in found] == [ROWS[i][1] for i in (0, 1, 3, 4)]
    assert all(isinstance(c, Correction) and c.home == "GB" for c in found)


@pytest.mark.parametrize("tool", TOOLS)
def test_terms_of_an_own_vocabulary_go_out_and_come_back(tmp_path: Path, tool: str) -> None:
    table, out, corrections = write(tmp_path / "t.csv", [OWN_ROW]), tmp_path / "tasks", tmp_path / "c.jsonl"
    export = ("export-labels", str(table), "--to", tool, "-o", str(out), "--column", "what")
    refused = classify(*export)
    assert refused.returncode == 2
    assert "'backshoring'" in refused.stderr
    assert "--vocabulary" in refused.stderr
    assert not out.exists()
    own = ("--vocabulary", str(OWN))
    assert classify(*export, *own).returncode == 0
    text = out.read_text(encoding="utf-8")
    given = json.loads(text) if tool == LABEL_STUDIO else [json.loads(line) for line in text.splitlines()]
    (tmp_path / "e.json").write_text(json.dumps([answered(t, tool) for t in given]), encoding="utf-8")
    back = ("import-labels", str(tmp_path / "e.json"), "--from", tool, "-o", str(corrections))
    refused = classify(*back)
    assert refused.returncode == 3
    assert "'backshoring'" in refused.stderr
    assert "--vocabulary" in refused.stderr
    done = classify(*back, *own)
    assert done.returncode == 0, done.stderr
    (correction,) = read_corrections([corrections], load_vocabulary(OWN))
    assert set(correction.terms) == set(OWN_ROW[2].split("|"))
    assert correction.before is not None
    assert set(correction.before) == set(correction.terms)


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", ROWS)
    before = table.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    export = ("export-labels", str(table), "--column", "what", "--to", "label-studio")
    for output in (table, link, tmp_path / "x" / ".." / "t.csv"):
        (tmp_path / "x").mkdir(exist_ok=True)
        done = classify(*export, "-o", str(output))
        assert done.returncode == 2
        assert "is an input" in done.stderr
    out = tmp_path / "out"
    done = classify(*export, "-o", str(out), "--form", str(link))
    assert done.returncode == 2
    assert "another --form" in done.stderr
    assert classify(*export, "-o", str(out), "--form", str(out)).returncode == 2
    assert not out.exists()
    source = tmp_path / "e.jsonl"
    source.write_text("", encoding="utf-8")
    done = classify("import-labels", str(source), "--from", "prodigy", "-o", str(source))
    assert "is an input" in done.stderr
    assert table.read_bytes() == before


@pytest.mark.parametrize("tool", TOOLS)
def test_a_table_that_breaks_off_leaves_earlier_tasks_whole(tmp_path: Path, vocabulary: Vocabulary, tool: str) -> None:
    out = tmp_path / "out"
    out.write_text("earlier", encoding="utf-8")
    rows = [*TABLE, dict(zip(HEAD, OWN_ROW, strict=True))]
    with pytest.raises(InputError, match="row 7 has the term 'backshoring'"):
        write_tasks(tasks(rows, ["what"], CONTEXT, vocabulary, tool), out, tool)
    assert out.read_text(encoding="utf-8") == "earlier"
    assert list(tmp_path.iterdir()) == [out]
