from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from classifier import Classifier, load
from classifier.edges import schema
from classifier.errors import InputError
from classifier.tagging import SCHEMA, Tagging

from .conftest import ROOT

VALIDATOR = jsonschema.Draft202012Validator(schema.tagging_schema())
ASKED: list[dict[str, Any]] = [
    {"text": "Calls from our customers are answered by a vendor in Manila.", "home": "US"},
    {"text": "Provision of payroll services", "home": "GB", "provider_country": "IN", "vendor_contract": True},
    {"text": "We have never outsourced our payroll; our own staff in Leeds do it."},
    {"text": "Les employés de la société travaillent à la maison tous les jours."},
    {"text": ""},
]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.tagging_schema())
    assert schema.tagging_schema()["properties"]["schema"] == {"const": SCHEMA}


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: a["text"][:20])
def test_answers_validate(classifier: Classifier, asked: dict[str, Any]) -> None:
    VALIDATOR.validate(classifier.tag(**asked).to_dict())


def test_answers_by_a_vocabulary_without_digests_validate() -> None:
    own = load(vocabulary=ROOT / "examples" / "own-terms" / "nearshoring.toml")
    found = own.tag("A firm in Mexico does our bookkeeping.", home="US").to_dict()
    digests = {d["citation"]["sha256"] for term in found["terms"] for d in term["definitions"]}
    assert "" in digests
    VALIDATOR.validate(found)


def test_counterfactuals_validate(classifier: Classifier) -> None:
    parts = schema.components("#/$defs/")
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/Counterfactual", "$defs": parts})
    for term in classifier.vocabulary.terms:
        validator.validate(classifier.why_not(term, **ASKED[0]).to_dict())


def _objects(found: Any) -> list[dict[str, Any]]:
    """All objects within, at every depth."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [*([found] if isinstance(found, dict) else []), *(o for i in inner for o in _objects(i))]


def test_an_answer_that_lacks_or_adds_a_field_does_not_validate(classifier: Classifier) -> None:
    whole = classifier.tag(**ASKED[0]).to_dict()
    count = len(_objects(whole))
    assert count > 20
    for n in range(count):
        for name in list(_objects(whole)[n]):
            lacking = copy.deepcopy(whole)
            del _objects(lacking)[n][name]
            assert not VALIDATOR.is_valid(lacking), name
        adding = copy.deepcopy(whole)
        _objects(adding)[n]["more"] = 1
        assert not VALIDATOR.is_valid(adding)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("terms", 0, "probability"), 1.5),
        (("terms", 0, "probability"), "0.5"),
        (("terms", 0, "evidence", 0, "start"), -1),
        (("terms", 0, "definitions", 0, "citation", "sha256"), "0"),
        (("facts", 0, "status"), "guessed"),
        (("model", "digest"), ""),
        (("reason",), "none"),
        (("schema",), SCHEMA + 1),
    ],
)
def test_a_wrong_value_does_not_validate(classifier: Classifier, path: tuple[Any, ...], value: Any) -> None:
    found: Any = classifier.tag(**ASKED[0]).to_dict()
    at = found
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert not VALIDATOR.is_valid(found)


def test_a_type_that_it_does_not_know_is_refused() -> None:
    @dataclass
    class Odd:
        """Has a type that JSON lacks."""

        when: set

    Odd.__annotations__["when"] = set[int]
    with pytest.raises(InputError, match="set"):
        schema.components("", (Odd,))


def test_the_command_prints_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "classifier.edges.cli", "schema"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == schema.tagging_schema()


def test_what_validates_can_be_read_back(classifier: Classifier) -> None:
    for asked in ASKED:
        found = classifier.tag(**asked).to_dict()
        assert Tagging.from_dict(found).to_dict() == found
