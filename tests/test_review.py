from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.edges.report import Style
from classifier.edges.review import Context, CorrectionFile, least_certain, parse_terms, resolve
from classifier.edges.review_desk import Desk, Draft, added, removed, wrapped
from classifier.errors import InputError, ScenarioError
from classifier.training.corrections import Correction, read_corrections
from classifier.vocabulary import Vocabulary, load_vocabulary

from .conftest import ROOT
from .test_cli import classify

HEAD = ["id", "what", "terms", "probabilities", "definitions", "evidence", "reason", "model"]
ROWS = [
    ["1", "Calls are answered by a vendor in Manila", "outsourcing|bpo", "0.990|0.520", "", "vendor", "", "9 x"],
    ["2", "A studio draws our logo", "outsourcing|ito", "0.800|0.510", "", "studio", "", "9 x"],
    ["3", "Calls are answered by a vendor in Manila", "outsourcing|bpo", "0.990|0.520", "", "vendor", "", "9 x"],
    ["4", "Pens and paper", "", "", "", "", "goods", "9 x"],
    ["5", "Cleaning, two\nbuildings", "outsourcing", "0.950", "", "Cleaning", "", "9 x"],
]
OWN = ROOT / "examples" / "own-terms" / "backshoring.toml"
OWN_ROW = [
    "9",
    "The hotline is back in Lille",
    "backshoring|onshoring|outsourcing",
    "0.600|0.900|0.990",
    "",
    "back",
    "",
    "9 x",
]


def write(path: Path, rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([head, *rows])
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def queue(vocabulary: Vocabulary, file: CorrectionFile, limit: int = 9, untagged: bool = False) -> list[int]:
    rows = [dict(zip(HEAD, r, strict=True)) for r in ROWS]
    found = least_certain(rows, ["what"], Context(), vocabulary, lambda term: 0.5, file, limit, untagged)
    return [r.number for r in found]


def test_the_least_certain_come_first_one_a_text(tmp_path: Path, vocabulary: Vocabulary) -> None:
    file = CorrectionFile(tmp_path / "c.jsonl", vocabulary)
    assert queue(vocabulary, file) == [2, 1, 5]
    assert queue(vocabulary, file, limit=2) == [2, 1]
    assert queue(vocabulary, file, untagged=True) == [4]
    file.add(Correction("A studio draws our logo", ()))
    assert queue(vocabulary, file, limit=2) == [1, 5]
    assert queue(vocabulary, CorrectionFile(tmp_path / "c.jsonl", vocabulary)) == [1, 5]


def test_a_correction_is_kept_once_and_a_cut_line_costs_only_itself(tmp_path: Path, vocabulary: Vocabulary) -> None:
    path = tmp_path / "c.jsonl"
    one = Correction("a", ("outsourcing",))
    file = CorrectionFile(path, vocabulary)
    assert file.add(one)
    assert not file.add(one)
    assert file.add(Correction("a", ()))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert CorrectionFile(path, vocabulary).add(one)
    assert [row["terms"] for row in lines(path)] == [["outsourcing"], [], ["outsourcing"]]
    path.write_text('{"text": "a", "te', encoding="utf-8")
    with pytest.raises(ScenarioError, match="not JSON"):
        CorrectionFile(path, vocabulary)


def walk(tmp_path: Path, commands: str, *options: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    out = tmp_path / "c.jsonl"
    done = classify(
        "review", str(write(tmp_path / "t.csv", ROWS)), "-o", str(out), "--column", "what", *options, stdin=commands
    )
    return done, out


def test_an_analyst_accepts_changes_skips_and_quits(tmp_path: Path) -> None:
    done, out = walk(tmp_path, "-ito +project\na\na\ns\n", "--home", "GB", "--vendor-contract", "--by", "Ann")
    assert done.returncode == 0, done.stderr
    assert "1 changed, 1 confirmed, 1 of 3 left" in done.stderr
    first, second = lines(out)
    assert first["terms"] == ["outsourcing", "project-outsourcing"]
    assert first["before"] == ["outsourcing", "ito"]
    assert (first["home"], first["vendor_contract"], first["by"]) == ("GB", True, "Ann")
    assert first["at"]
    assert second["terms"] == second["before"] == ["outsourcing", "bpo"]
    assert "answered by a [vendor] in Manila" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    # What was answered is not asked again; what was skipped is.
    done, _ = walk(tmp_path, "q\n", "--home", "GB", "--vendor-contract")
    assert "1 of 1, row 5" in done.stdout
    # In another context the texts are others.
    done, _ = walk(tmp_path, "q\n")
    assert "1 of 3, row 2" in done.stdout


@pytest.mark.parametrize(
    ("commands", "terms", "silence"),
    [
        ("none\na\n", [], None),
        ("none goods a\n", [], "goods"),
        ("none:end a\n", [], "ended"),
        ("-1\na\n", [], None),  # what implies it goes, too
        ("+near\na\n", ["outsourcing", "offshoring", "offshore-outsourcing", "nearshoring", "ito"], None),
        ("remove ito add eor\naccept\n", ["outsourcing", "eor"], None),
        ("none\nu\na\n", ["outsourcing", "ito"], None),
        ("+Employer of\n+eor a\n", ["outsourcing", "ito", "eor"], None),
        ("\n?\nd eor\nfoo\n+staff\n-bpo\n+\n-9\nd\nnone boredom\na\n", ["outsourcing", "ito"], None),
    ],
)
def test_commands_do_what_they_say(tmp_path: Path, commands: str, terms: list[str], silence: str | None) -> None:
    done, out = walk(tmp_path, commands, "--limit", "1")
    assert done.returncode == 0, done.stderr
    (row,) = lines(out)
    assert row["terms"] == terms
    assert row.get("silence") == silence


def test_what_goes_wrong_is_said(tmp_path: Path) -> None:
    done, _ = walk(tmp_path, "foo\n+staff\n-bpo\n+magic\nnone boredom\n+near +onsh\n")
    for words in ("'foo' is no command", "staff-augmentation, staff-leasing", "'bpo' is not among", "unknown term 'magic'",
                  "no reason", "cannot both apply"):  # fmt: skip
        assert words in done.stdout, words
    assert "3 of 3 left" in done.stderr
    done, _ = walk(tmp_path, "", "--home", "Narnia")
    assert done.returncode == 2


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(load_vocabulary().terms))), max_size=6))
def test_a_draft_is_always_closed_under_implication(changes: list[tuple[bool, str]]) -> None:
    vocabulary = load_vocabulary()
    draft = Draft(())
    for more, term in changes:
        if more:
            draft, _ = added(draft, term, vocabulary)
            assert term in draft.terms
        elif term in draft.terms:
            draft, _ = removed(draft, term, vocabulary)
            assert term not in draft.terms
        assert all(vocabulary.implied_by_term[t] <= set(draft.terms) for t in draft.terms)


def test_names_are_completed_only_when_one_fits(vocabulary: Vocabulary) -> None:
    choices = {t.id: t.label for t in vocabulary.terms.values()}
    assert resolve("offshoring", choices) == "offshoring"
    assert resolve("eo", choices) == "eor"
    assert resolve("Employer", choices) == "eor"
    with pytest.raises(InputError, match="may be staff-augmentation, staff-leasing"):
        resolve("staff", choices)
    with pytest.raises(InputError, match="did you mean nearshoring"):
        resolve("nearshorin-g", choices)


@pytest.mark.parametrize(
    ("cell", "terms", "silence"),
    [
        ("eor", ("outsourcing", "eor"), None),
        (" ITO | onshoring ", ("outsourcing", "onshoring", "ito"), None),
        ("ito, onshoring", ("outsourcing", "onshoring", "ito"), None),
        ("Offshoring, not outsourcing", ("offshoring", "offshoring-not-outsourcing"), None),
        ("IT outsourcing; Onshoring", ("outsourcing", "onshoring", "ito"), None),
        ("contact-centre outsourcing", ("outsourcing", "customer-service-outsourcing"), None),
        ("None", (), None),
        ("none: goods", (), "goods"),
    ],
)
def test_cells_are_read_as_people_write_them(
    vocabulary: Vocabulary, cell: str, terms: tuple[str, ...], silence: str | None
) -> None:
    assert parse_terms(cell, vocabulary) == (terms, silence)


@pytest.mark.parametrize("cell", ["staff", "eor|magic", "none|eor", "none:boredom"])
def test_in_a_cell_nothing_is_guessed(vocabulary: Vocabulary, cell: str) -> None:
    with pytest.raises(InputError):
        parse_terms(cell, vocabulary)


def test_a_column_edited_in_a_spreadsheet_becomes_corrections(tmp_path: Path, vocabulary: Vocabulary) -> None:
    said = ["kpo", "", "magic", "none", " "]
    edited = [[*row, cell] for row, cell in zip(ROWS, said, strict=True)]
    path = write(tmp_path / "t.csv", edited, [*HEAD, "corrected_terms"])
    out = tmp_path / "c.jsonl"
    for options in ((), ("--from-column", "corrected_terms")):
        done = classify("review", str(path), "-o", str(out), "--column", "what", *options, stdin="")
        assert done.returncode == 3
        assert "row 3: unknown term 'magic'" in done.stderr
    assert "2 were there already" in done.stderr
    found = read_corrections([out], vocabulary)
    assert [(c.text, c.terms, c.before) for c in found] == [
        (ROWS[0][1], ("outsourcing", "kpo"), ("outsourcing", "bpo")),
        ("Pens and paper", (), ()),
    ]
    assert not any(c.at for c in found)
    wrong = classify("review", str(path), "-o", str(out), "--from-column", "fixed")
    assert wrong.returncode == 2
    assert "no column 'fixed'" in wrong.stderr


def test_the_context_of_a_row_may_stand_in_columns(tmp_path: Path) -> None:
    rows = [[*ROWS[0], "bpo", "United Kingdom", "yes"], [*ROWS[1], "ito", "Narnia", ""], [*ROWS[4], "none", "", ""]]
    path = write(tmp_path / "t.csv", rows, [*HEAD, "corrected_terms", "country", "vendor"])
    out = tmp_path / "c.jsonl"
    options = ("--home", "US", "--home-column", "country", "--vendor-column", "vendor")
    done = classify("review", str(path), "-o", str(out), "--column", "what", *options)
    assert done.returncode == 0, done.stderr
    assert [(r.get("home"), r.get("vendor_contract")) for r in lines(out)] == [("GB", True), (None, None), ("US", None)]


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    row = ["1", "a \x1b[31m vendor \x07 calls", "outsourcing", "0.5", "", "vendor \x07 calls", "", "9 x"]
    path = write(tmp_path / "t.csv", [row])
    done = classify("review", str(path), "-o", str(tmp_path / "c.jsonl"), "--column", "what", stdin="+\x1b[2J\nq\n")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "1 of 1" in done.stdout


@given(st.lists(st.tuples(st.text(st.sampled_from("ab \n"), max_size=20), st.booleans()), max_size=8))
def test_wrapping_keeps_all_words(pieces: list[tuple[str, bool]]) -> None:
    shown = " ".join(wrapped(pieces, Style(False), 30)).replace("[", "").replace("]", "").split()
    assert shown == "".join(p for p, _ in pieces).split()


def test_interrupting_keeps_what_was_accepted(tmp_path: Path, vocabulary: Vocabulary) -> None:
    file = CorrectionFile(tmp_path / "c.jsonl", vocabulary)
    rows = [dict(zip(HEAD, r, strict=True)) for r in ROWS]
    found = least_certain(rows, ["what"], Context(), vocabulary, lambda term: 0.5, file, 9)
    answers = iter(["a"])

    def ask(prompt: str) -> str:
        for answer in answers:
            return answer
        raise KeyboardInterrupt

    counts = Desk(vocabulary, file, ask, lambda line: None, Style(False), lambda term: 0.5).walk(found)
    assert (counts.confirmed, counts.changed) == (1, 0)
    assert len(file) == 1


def test_on_a_terminal_the_tab_key_completes_a_term(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [ROWS[1]])
    out = tmp_path / "c.jsonl"
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "classifier.edges.cli", "review", str(path), "-o", str(out), "--column", "what"],
        stdin=child, stdout=child, stderr=child, env={**os.environ, "TERM": "xterm"}, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(child)
        os.write(parent, b"+multis\t\na\n")
        seen = b""
        while True:
            try:
                piece = os.read(parent, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        assert process.wait() == 0, seen.decode()
    os.close(parent)
    assert lines(out)[0]["terms"] == ["outsourcing", "ito", "multisourcing"]
    assert b"\x1b[1;4mstudio" in seen


def test_terms_of_an_own_vocabulary_are_reviewed(tmp_path: Path) -> None:
    table, out = write(tmp_path / "t.csv", [*ROWS, OWN_ROW]), tmp_path / "c.jsonl"
    command = ("review", str(table), "-o", str(out), "--column", "what")
    refused = classify(*command, stdin="a\na\na\na\n")
    assert refused.returncode == 2
    assert "row 6 has the term 'backshoring'" in refused.stderr
    assert "--vocabulary" in refused.stderr
    assert not out.exists()
    done = classify(*command, "--vocabulary", str(OWN), stdin="s\ns\na\n")
    assert done.returncode == 0, done.stderr
    assert "0 changed, 1 confirmed" in done.stderr
    (row,) = lines(out)
    assert set(row["terms"]) == set(row["before"]) == {"backshoring", "onshoring", "outsourcing"}


def test_terms_of_an_own_vocabulary_are_read_from_a_column(tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "c.jsonl"
    write(table, [[*OWN_ROW, "backshoring"]], [*HEAD, "corrected_terms"])
    command = ("review", str(table), "-o", str(out), "--column", "what")
    refused = classify(*command)
    assert refused.returncode == 2
    assert "--vocabulary" in refused.stderr
    assert not out.exists()
    assert classify(*command, "--vocabulary", str(OWN)).returncode == 0
    assert lines(out)[0]["terms"] == ["backshoring"]


def test_the_table_is_no_file_of_corrections(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", ROWS)
    done = classify("review", str(table), "-o", str(table), "--column", "what", stdin="a\n")
    assert done.returncode == 2
    assert "is an input" in done.stderr
