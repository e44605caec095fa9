from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier import load
from classifier.lexicon import load_lexicon
from classifier.reading import load_reader
from classifier.training.fit import choose_thresholds, evaluate, prepare, train
from classifier.training.prepare import design_matrix, fit_space, folds_of, label_arrays
from classifier.training.scenarios import Scenario, load_scenarios
from classifier.vocabulary import Vocabulary

from .conftest import ROOT
from .test_cli import classify

SOME = ROOT / "training_data" / "plain.jsonl"
ROWS = 160


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "few.jsonl"
    path.write_text("".join(SOME.read_text(encoding="utf-8").splitlines(keepends=True)[:ROWS]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def scenarios(few: Path, vocabulary: Vocabulary) -> list[Scenario]:
    return load_scenarios([few], vocabulary)


def test_training_gives_the_same_bytes_each_time_and_a_model_that_answers(tmp_path: Path, few: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lines: list[str] = []
    train([few], first, "0", say=lines.append)
    done = classify("train", "--data", str(few), "-o", str(second), env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    for path in sorted(first.iterdir()):
        if path.name not in ("manifest.json", "card.md"):  # these name the version
            assert path.read_bytes() == (second / path.name).read_bytes(), path.name
    assert f"{ROWS} scenarios" in lines[0]
    assert "Expected calibration error" in (first / "card.md").read_text(encoding="utf-8")
    tagging = load(first).tag("A vendor in Cebu answers our phones.", home="US")
    assert tagging.model.version == "0"


def test_contrast_groups_stay_in_one_fold(scenarios: list[Scenario]) -> None:
    folds = folds_of(scenarios)
    by_group: dict[str, set[int]] = {}
    for scenario, fold in zip(scenarios, folds.tolist(), strict=True):
        if scenario.group:
            by_group.setdefault(scenario.group, set()).add(fold)
    assert by_group
    assert all(len(found) == 1 for found in by_group.values())
    assert len(set(folds.tolist())) == 5


def test_what_readers_differ_on_is_open_in_calibration_and_absent_in_fitting(
    scenarios: list[Scenario], vocabulary: Vocabulary
) -> None:
    Y, lenient = label_arrays(scenarios, vocabulary, lenient=True)
    again, taught = label_arrays(scenarios, vocabulary)
    assert (again == Y).all()
    assert (lenient <= taught).all()
    assert taught.sum() > lenient.sum()
    terms = list(vocabulary.terms)
    start = len(vocabulary.facts)
    for i, scenario in enumerate(scenarios):
        assert {terms[j] for j in np.flatnonzero(Y[i, start : start + 26])} == scenario.terms
        assert {terms[j] for j in np.flatnonzero(~lenient[i, start : start + 26])} == scenario.may


def test_prepared_arrays_fit_together(scenarios: list[Scenario], vocabulary: Vocabulary) -> None:
    data = prepare(scenarios, vocabulary, load_reader(), load_lexicon())
    assert data.spotted.shape == (ROWS, 2 * len(vocabulary.facts))
    assert abs(float(data.spotted.mean())) < 1e-6
    space = fit_space([view.features for view in data.views])
    assert list(space.names) == sorted(space.names)
    rows = [space.row(v.features, r, data.lexicon) for v, r in zip(data.views, data.readings, strict=True)]
    assert design_matrix(rows, len(space)).shape == (ROWS, len(space) + data.lexicon.vectors.shape[1])
    perfect = data.Y.astype(float)
    assert evaluate(data, perfect, dict.fromkeys(vocabulary.terms, 0.5)).exact_match == 1.0
    assert set(choose_thresholds(data, perfect)) == set(vocabulary.terms)


def test_training_on_a_broken_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n')
    done = classify("train", "--data", str(path), "-o", str(tmp_path / "m"))
    assert done.returncode == 2
    assert "broken.jsonl:1" in done.stderr
