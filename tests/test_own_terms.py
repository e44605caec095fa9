"""A vocabulary of one's own: over facts that the model knows, and with a fact that it has to learn."""

from __future__ import annotations

import json
import pickle
import re
import shlex
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from classifier import Classifier, load
from classifier.errors import ModelError, ScenarioError, VocabularyError
from classifier.training.fit import train
from classifier.training.scenarios import load_scenarios, parse_scenario, read_jsonl
from classifier.vocabulary import DEFAULT, Vocabulary, load_vocabulary, parse_vocabulary

from .conftest import ROOT
from .test_cli import classify

OWN = ROOT / "examples" / "own-terms"
NEARSHORING, BACKSHORING = OWN / "nearshoring.toml", OWN / "backshoring.toml"
HEAD = 'format = 1\nextends = "default"\n'
SOURCE = 'document = "D1"\nsays = "Ours."\ncitation = { section = "x", paragraph = 1 }\n'
CAPTIVE_IT = (
    f'{HEAD}[[term]]\nid = "captive-it"\nlabel = "Captive IT"\n[[term.definition]]\n{SOURCE}all = ["own-unit", "it"]\n'
)
TEXTS = [
    "A firm in Texas runs the help desk of our New York company.",
    "Calls from our customers are answered by a vendor in Manila.",
    "Our own subsidiary in Mexico runs the servers of the Texas parent.",
    "Our own staff do the payroll in our office in Leeds.",
]


# ---------------------------------------------------------------- what a file may say


def extended(own: str) -> Vocabulary:
    return parse_vocabulary(HEAD + own, "mine.toml")


def test_a_file_that_only_extends_is_the_default(vocabulary: Vocabulary) -> None:
    assert extended("") == vocabulary
    assert extended("").differing(vocabulary) == frozenset()


def test_definitions_are_added_to_a_known_term_or_replace_the_documents_own(vocabulary: Vocabulary) -> None:
    own = f'[[term]]\nid = "nearshoring"\n[[term.definition]]\n{SOURCE}all = ["third-party", "another-country"]\n'
    found = extended(own).terms["nearshoring"]
    assert [d.id for d in found.definitions] == ["nearshoring/D1"]
    assert found.definitions[0].all == ("third-party", "another-country")
    assert found.label == vocabulary.terms["nearshoring"].label
    more = extended(own.replace('"D1"', '"D2"')).terms["nearshoring"]
    assert [d.id for d in more.definitions] == ["nearshoring/D1", "nearshoring/D2"]
    only = extended(own.replace('"D1"', '"D2"').replace("[[term.def", "replace = true\n[[term.def")).terms[
        "nearshoring"
    ]
    assert [d.id for d in only.definitions] == ["nearshoring/D2"]


def test_a_digest_may_be_left_out() -> None:
    assert parse_vocabulary(CAPTIVE_IT).definitions["captive-it/D1"].source.sha256 == ""


def test_facts_documents_and_silences_are_replaced_or_added(vocabulary: Vocabulary) -> None:
    found = extended(
        '[[fact]]\nid = "it"\nfacet = "what work"\nlabel = "computers"\n'
        '[[fact]]\nid = "new"\nfacet = "where"\nlabel = "x"\n'
        '[[silence]]\nid = "goods"\nsays = "Things."\n'
    )
    assert found.facts["it"].label == "computers"
    assert list(found.facts) == [*vocabulary.facts, "new"]
    assert found.silences["goods"] == "Things."
    assert found.differing(vocabulary) == frozenset(vocabulary.terms)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ('[[terms]]\nid = "x"', "terms is not known: use one of"),
        (CAPTIVE_IT.removeprefix(HEAD).replace("all =", "al ="), "in [[definition]] al is not known"),
        ('[[fact]]\nid = "x"\nimplied = []', "in [[fact]] implied is not known"),
        ('[[fact]]\nfacet = "x"\nlabel = "x"', "KeyError"),
        ("fact = 3", "TypeError"),
        ('[[term]]\nid = "x"\nlabel = "x"', "term x has no definition"),
        ('[[term]]\nid = "eor"\nreplace = true', "term eor has no definition"),
        (CAPTIVE_IT.removeprefix(HEAD) + f"[[term.definition]]\n{SOURCE}", "two definitions from one document"),
        (CAPTIVE_IT.removeprefix(HEAD).replace('"it"', '"computers"'), "unknown facts: computers"),
        ('[[implication]]\nterm = "eor"\nimplies = ["x"]', "unknown term 'x'"),
        ('[[exclusion]]\nterms = ["eor", "outsourcing"]', "one implies the other"),
    ],
)
def test_mistakes_in_a_file_are_named(own: str, message: str) -> None:
    with pytest.raises(VocabularyError, match=re.escape(message)):
        extended(own)


def test_only_the_default_can_be_extended() -> None:
    with pytest.raises(VocabularyError, match='only "default" can be extended'):
        parse_vocabulary(HEAD.replace("default", "mine"))


def test_terms_that_may_differ_take_along_what_they_imply_and_exclude(vocabulary: Vocabulary) -> None:
    assert parse_vocabulary(CAPTIVE_IT).differing(vocabulary) == {"captive-it"}
    near = load_vocabulary(NEARSHORING)
    assert near.differing(vocabulary) == vocabulary.differing(near)
    assert near.differing(vocabulary) == {"nearshoring", "offshoring", "offshore-outsourcing", "outsourcing"}
    excluded = extended('[[exclusion]]\nterms = ["eor", "ito"]')
    assert excluded.differing(vocabulary) == {"eor", "ito", "outsourcing"}


# ---------------------------------------------------------------- over facts that the model knows


@pytest.fixture(scope="module")
def nearshoring() -> Classifier:
    return load(vocabulary=NEARSHORING)


def test_a_reading_of_ones_own_is_answered_by_without_training(classifier: Classifier, nearshoring: Classifier) -> None:
    own_unit = TEXTS[2]
    assert "nearshoring" not in classifier.tag(own_unit).ids
    found = next(t for t in nearshoring.tag(own_unit).terms if t.id == "nearshoring")
    assert [d.id for d in found.definitions] == ["nearshoring/policy-4.1"]
    assert found.definitions[0].citation.title == "Sourcing policy, section 4.1"
    assert found.evidence
    far = nearshoring.tag(TEXTS[1], home="DE")
    assert "offshoring" in far.ids
    assert "nearshoring" not in far.ids


@pytest.mark.parametrize("text", TEXTS)
def test_what_the_text_says_does_not_hang_on_the_reading(
    classifier: Classifier, nearshoring: Classifier, text: str
) -> None:
    """What was learned for "nearshoring" is about the old sense: facts and other terms must come out the same."""
    ours, theirs = nearshoring.tag(text, home="US"), classifier.tag(text, home="US")
    assert ours.fact_probabilities == theirs.fact_probabilities
    before, after = dict(theirs.term_probabilities), dict(ours.term_probabilities)
    same = before.keys() - {"nearshoring"}
    assert {t: before[t] for t in same} == {t: after[t] for t in same}


def test_a_term_that_is_only_a_definition_needs_no_training(tmp_path: Path, classifier: Classifier) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CAPTIVE_IT)
    own = load(vocabulary=path)
    text = TEXTS[2]
    assert set(own.tag(text).ids) == {*classifier.tag(text).ids, "captive-it"}
    assert "captive-it" not in own.tag(TEXTS[0]).ids
    assert own.why_not("captive-it", TEXTS[0]).add == ("own-unit",)
    assert pickle.loads(pickle.dumps(own)) is own  # noqa: S301


def test_a_vocabulary_without_reasons_for_silence_answers_with_the_defaults(tmp_path: Path) -> None:
    tables = re.split(r"(?m)^(?=\[\[)", DEFAULT.read_text(encoding="utf-8"))
    mine = tmp_path / "mine.toml"
    mine.write_text("".join(t for t in tables if not t.startswith("[[silence]]")), encoding="utf-8")
    own = load(vocabulary=mine)
    assert not own.vocabulary.silences
    assert own.tag(TEXTS[1], home="DE").ids == load().tag(TEXTS[1], home="DE").ids
    for text, reason in (("", "empty"), ("We bought a new van.", "below-threshold")):
        found = own.tag(text).reason
        assert found is not None
        assert (found.id, found.says) == (reason, load().vocabulary.other_silences[reason])


def test_a_term_on_the_texts_that_a_model_checks_itself_by_does_not_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CAPTIVE_IT.replace('"own-unit", "it"', '"third-party"'))
    assert "captive-it" in load(vocabulary=path).tag(TEXTS[0]).ids


def test_a_fact_that_the_model_has_not_learned_is_refused() -> None:
    with pytest.raises(ModelError, match=r"has not learned brought-back.*own-terms"):
        load(vocabulary=BACKSHORING)


def test_a_term_that_can_never_apply_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CAPTIVE_IT.replace('"it"]', '"small-task", "whole-function", "manufacturing"]'))
    with pytest.warns(UserWarning, match="captive-it can never apply"):
        assert "captive-it" not in load(vocabulary=path).tag(TEXTS[2]).ids


def test_the_commands_take_a_vocabulary() -> None:
    done = classify("--vocabulary", str(NEARSHORING), "--jsonl", TEXTS[2])
    assert "nearshoring" in [t["id"] for t in json.loads(done.stdout)["terms"]]
    shown = classify("terms", "backshoring", "--vocabulary", str(BACKSHORING))
    assert "Location handbook" in shown.stdout
    why = classify("why-not", "nearshoring", TEXTS[0], "--vocabulary", str(NEARSHORING))
    assert "policy-4.2" in why.stdout


# ---------------------------------------------------------------- with a fact that the model has to learn


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few scenarios, enough to go through all the steps."""
    out = tmp_path_factory.mktemp("own")
    lines = (OWN / "backshoring.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "few.jsonl").write_text("".join(lines[:70]), encoding="utf-8")
    train([out / "few.jsonl"], out / "model", "0", BACKSHORING, say=lambda line: None)
    return out / "model"


def test_a_model_takes_its_vocabulary_along(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    own = load(moved)
    assert own.vocabulary == load_vocabulary(BACKSHORING)
    text = json.loads((OWN / "backshoring.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    found = own.tag(text)
    assert "backshoring" in found.ids
    assert dict(found.fact_probabilities)["brought-back"] > 0.5
    assert pickle.loads(pickle.dumps(own)) is own  # noqa: S301
    done = classify("--model", str(moved), "--jsonl", text)
    assert json.loads(done.stdout)["terms"][-1]["id"] == "backshoring"


def test_a_vocabulary_that_was_changed_in_the_model_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    path = tmp_path / "m" / "vocabulary.json"
    path.write_text(path.read_text(encoding="utf-8").replace("Backshoring", "Reshoring"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"vocabulary\.json is damaged or was changed"):
        load(tmp_path / "m")


def test_a_model_is_not_read_with_a_vocabulary_that_lacks_its_facts(folder: Path) -> None:
    with pytest.raises(ModelError, match="facts that the vocabulary lacks: brought-back"):
        load(folder, NEARSHORING)


def test_training_again_without_a_vocabulary_leaves_none_behind(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    shutil.copytree(folder, out)
    lines = (ROOT / "training_data" / "plain.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "few.jsonl").write_text("".join(lines[:30]), encoding="utf-8")
    train([tmp_path / "few.jsonl"], out, "0", say=lambda line: None)
    assert not (out / "vocabulary.json").exists()
    assert "backshoring" not in load(out).vocabulary.terms


# ---------------------------------------------------------------- scenarios under another vocabulary


ROW: Mapping[str, Any] = {
    "id": "a",
    "text": "Our own unit in India does the IT.",
    "register": "narrative",
    "arrangements": [{"facts": {"own-unit": "Our own unit", "another-country": "in India", "it": "IT"}}],
    "terms": ["offshoring", "offshoring-not-outsourcing"],
}


def test_scenarios_labelled_for_the_default_get_the_terms_of_ones_own() -> None:
    own = parse_vocabulary(CAPTIVE_IT)
    found = parse_scenario(ROW, own, "x:1")
    assert found.terms == {"offshoring", "offshoring-not-outsourcing", "captive-it"}
    quiet = {
        **ROW,
        "arrangements": [{"facts": {"own-unit": "Our own unit", "it": "IT"}}],
        "terms": [],
        "silence": "in-house",
    }
    assert parse_scenario(quiet, own, "x:1").terms == {"captive-it"}
    assert parse_scenario(quiet, own, "x:1").silence is None
    narrower = extended(f'[[term]]\nid = "offshoring"\nreplace = true\n[[term.definition]]\n{SOURCE}all = ["distant-country"]\n'
                        '[[term]]\nid = "offshore-outsourcing"\nreplace = true\n[[term.definition]]\n'
                        f'{SOURCE}all = ["third-party", "distant-country"]\n'
                        '[[implication]]\nterm = "nearshoring"\nimplies = ["outsourcing"]\n'
                        '[[implication]]\nterm = "global-bpo"\nimplies = ["bpo"]\n'
                        '[[implication]]\nterm = "offshoring-not-outsourcing"\nimplies = []\n')  # fmt: skip
    abroad = {**ROW, "arrangements": [{"facts": {"another-country": "in India"}}], "terms": ["offshoring"]}
    found = parse_scenario(abroad, narrower, "x:1")
    assert (found.terms, found.silence) == (frozenset(), "no-arrangement")


def test_labels_that_fit_neither_vocabulary_are_refused() -> None:
    with pytest.raises(ScenarioError, match="do not give the labelled terms"):
        parse_scenario({**ROW, "terms": ["offshoring"]}, parse_vocabulary(CAPTIVE_IT), "x:1")


def test_a_scenario_can_replace_another(tmp_path: Path, vocabulary: Vocabulary) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("".join(json.dumps({**ROW, "id": name}) + "\n" for name in "ab"))
    second.write_text(json.dumps({**ROW, "id": "c", "replaces": "a"}) + "\n")
    assert [s.id for s in load_scenarios([first, second], vocabulary)] == ["b", "c"]
    assert [s.id for s in load_scenarios([second], vocabulary)] == ["c"]


def test_the_worked_example_is_sound() -> None:
    own = load_vocabulary(BACKSHORING)
    found = load_scenarios([OWN / "backshoring.jsonl"], own)
    texts = {row["id"]: row["text"] for path in (ROOT / "training_data").glob("*.jsonl") for _, row in read_jsonl(path)}
    # Those labelled anew keep their text, and are all in the default data.
    assert all(texts[s.replaces] == s.text for s in found if s.replaces)
    assert sum("backshoring" in s.terms for s in found) > 100
    new = [s for s in found if not s.replaces]
    assert {s.silence for s in new} >= {"in-house", "ended", "definition-only"}
    assert sum(s.group is not None for s in new) >= 15


# ---------------------------------------------------------------- the page


PAGE = (ROOT / "docs" / "own-terms.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_shows_the_files_as_they_are() -> None:
    shown = [tomllib.loads(body) for kind, body in BLOCKS if kind == "toml"]
    assert shown == [tomllib.loads(path.read_text(encoding="utf-8")) for path in (NEARSHORING, BACKSHORING)]


@pytest.mark.parametrize("code", [body for kind, body in BLOCKS if kind == "python"])
def test_the_pages_examples_run(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, "docs/own-terms.md", "exec"), {})  # noqa: S102


def test_the_pages_commands_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    commands = [line[2:] for kind, body in BLOCKS if kind == "console" for line in body.splitlines()]
    assert len(commands) == 2
    for command in commands:
        done = classify(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
        assert "policy" in done.stdout


def test_the_pages_counts_are_those_of_the_file() -> None:
    rows = [row for _, row in read_jsonl(OWN / "backshoring.jsonl")]
    again = sum("replaces" in row for row in rows)
    assert f"{len(rows) - again} new scenarios, and {again} of the default's" in PAGE
