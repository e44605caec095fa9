from __future__ import annotations

from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pytest

from classifier import load
from classifier.lexicon import load_lexicon
from classifier.model import ESTIMATOR
from classifier.reading import load_reader
from classifier.space import BLOCKS, blocks_of
from classifier.training.fit import choose_thresholds, evaluate, matrix, prepare, train
from classifier.training.prepare import (
    MIN_DF,
    MIN_DF_RUNS,
    RUNS,
    context_of,
    design_matrix,
    fit_space,
    folds_of,
    label_arrays,
)
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, few: Path) -> tuple[Path, list[str]]:
    """A model, and what was said while it was trained."""
    folder = tmp_path_factory.mktemp("trained")
    lines: list[str] = []
    train([few], folder, "0", say=lines.append)
    return folder, lines


def test_training_gives_the_same_bytes_each_time(tmp_path: Path, few: Path, trained: tuple[Path, list[str]]) -> None:
    (first, lines), second = trained, tmp_path / "second"
    done = classify("train", "--data", str(few), "-o", str(second), env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    for path in sorted(first.iterdir()):
        if path.name not in ("manifest.json", "card.md"):  # these name the version
            assert path.read_bytes() == (second / path.name).read_bytes(), path.name
    assert f"{ROWS} scenarios" in lines[0]
    assert "Expected calibration error" in (first / "card.md").read_text(encoding="utf-8")


def test_a_trained_model_answers_by_arrays_as_its_estimator_does(
    scenarios: list[Scenario], trained: tuple[Path, list[str]]
) -> None:
    folder, _ = trained
    classifier = load(folder)
    assert classifier.tag("A vendor in Cebu answers our phones.", home="US").model.version == "0"
    contexts = [context_of(s) for s in scenarios]
    readings = load_reader().read_many([s.text for s in scenarios], [c.home for c in contexts])
    rows = classifier.see(readings, contexts).rows
    X = design_matrix(rows, len(classifier.model.space))
    theirs = joblib.load(folder / ESTIMATOR).decision_function(X)
    assert np.abs(classifier.model.scores(rows) - theirs).max() < 1e-4
    assert theirs.std() > 0.1


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
    space = fit_space([view.features for view in data.views], data.words.symbols)
    assert len(set(space.names)) == len(space) > 300
    every = np.arange(ROWS)
    X = matrix(data, space, every)
    assert X.shape == (ROWS, len(space) + data.lexicon.vectors.shape[1] + data.spotted.shape[1])
    # Rows do not depend on which others are asked for.
    assert abs(X[every[::-7]] - matrix(data, space, every[::-7])).max() < 1e-6
    # A column is there for features of enough texts, no more and no fewer.
    texts = Counter(key for view in data.views for key in set(view.features.tolist()))
    least = {True: MIN_DF_RUNS, False: MIN_DF}
    enough = {k for k, n in texts.items() if n >= least[BLOCKS[int(blocks_of(np.array([k]))[0])][0] in RUNS]}
    assert set(space.columns.keys.tolist()) == enough
    perfect = data.Y.astype(float)
    assert evaluate(data, perfect, dict.fromkeys(vocabulary.terms, 0.5)).exact_match == 1.0
    assert set(choose_thresholds(data, perfect)) == set(vocabulary.terms)


def test_training_on_a_broken_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n')
    done = classify("train", "--data", str(path), "-o", str(tmp_path / "m"))
    assert done.returncode == 2
    assert "broken.jsonl:1" in done.stderr
