from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from classifier import Classifier, load
from classifier.errors import ModelError
from classifier.model import ESTIMATOR, FILES, PROTOCOL, Model, default_path, posterior, read_manifest, sha256_of
from classifier.normal import Context
from classifier.reading import load_reader
from classifier.training.prepare import design_matrix
from classifier.vocabulary import Vocabulary

TEXTS = [
    "A firm in Texas runs the help desk of our New York company.",
    "We make the boards ourselves.",
    "JANITORIAL SERVICES, DENVER",
    "Rui in Porto is employed on our behalf by a payroll company.",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_path(), tmp_path / "model"))


def test_arrays_answer_as_the_estimator_does(classifier: Classifier) -> None:
    reader, model = load_reader(), classifier.model
    manifest, _ = read_manifest(default_path())
    path = default_path() / ESTIMATOR
    assert sha256_of(path.read_bytes()) == manifest.raw["files"][ESTIMATOR]
    estimator = joblib.load(path)
    rows = classifier.see(reader.read_many(TEXTS, [None] * len(TEXTS)), [Context()] * len(TEXTS)).rows
    X = design_matrix(rows, len(model.space))
    scores = model.scores(rows)
    assert np.abs(scores - estimator.decision_function(X)).max() < 1e-4
    theirs = estimator.configuration_proba(X, manifest.temperature)
    # Rows of configurations stand in the same order in both.
    ours = posterior(model.logits(scores, manifest.temperature))
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(copy: Path, vocabulary: Vocabulary, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    for position in random.Random(name).sample(range(len(data)), 5):  # noqa: S311
        data[position] ^= 1 << (position % 8)
        (copy / name).write_bytes(data)
        with pytest.raises(ModelError, match=name):
            Model(copy, vocabulary)
        data[position] ^= 1 << (position % 8)
    (copy / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=name):
        Model(copy, vocabulary)
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name):
        Model(copy, vocabulary)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(protocol=PROTOCOL + 1), "upgrade the package"),
        (lambda m: m.update(protocol=PROTOCOL - 1), "train it again"),
        (lambda m: m.pop("protocol"), "not the manifest"),
        (lambda m: m["body"].update(temperature=3), "was changed"),
        (lambda m: m["body"].pop("labels"), "was changed"),
        (lambda m: m.pop("files"), "incomplete"),
    ],
)
def test_a_changed_manifest_is_refused(copy: Path, vocabulary: Vocabulary, change, message: str) -> None:  # type: ignore[no-untyped-def]
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        Model(copy, vocabulary)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, vocabulary: Vocabulary, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ModelError, match="manifest"):
        Model(tmp_path, vocabulary)


def test_a_vocabulary_in_another_order_gives_the_same_answers(classifier: Classifier, vocabulary: Vocabulary) -> None:
    turned = replace(
        vocabulary,
        terms=dict(reversed(vocabulary.terms.items())),
        facts=dict(reversed(vocabulary.facts.items())),
        silences=dict(reversed(vocabulary.silences.items())),
    )
    other = Model(classifier.model.folder, turned)
    for known, found in ((classifier.model.terms, other.terms), (classifier.model.silences, other.silences)):
        assert (known[:, ::-1] == found).all()


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        load(tmp_path / "nowhere")


def test_answering_does_not_open_the_joblib(copy: Path, vocabulary: Vocabulary) -> None:
    (copy / ESTIMATOR).unlink()
    assert Model(copy, vocabulary).configurations


def test_self_check_refuses_other_answers(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "logits", lambda self, scores, temperature: np.eye(len(self.configurations))[:1] * 99.0)
    with pytest.raises(ModelError, match="self-check"):
        load(copy)
