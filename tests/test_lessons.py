from __future__ import annotations

import numpy as np
import pytest

from classifier.net import CONTEXT, NetInput
from classifier.reading import load_reader
from classifier.training.lessons import Lesson, is_quiet, lengthened
from classifier.training.scenarios import load_scenarios
from classifier.vocabulary import load_vocabulary

from .conftest import ROOT


def lesson(words: list[int], quoted: list[bool], quiet: bool = False) -> Lesson:
    n = len(words)
    text = NetInput(
        np.array(words, np.int32),
        np.array(words, np.int32),
        np.zeros(n, np.int32),
        np.array([[n - 1, 2]], np.int32),
        np.full(len(CONTEXT), float(quiet), np.float32),
    )
    label = np.array([not quiet])
    return Lesson(text, label, np.ones_like(label), np.array(quoted)[:, None], np.ones((n, 1), dtype=bool), quiet)


OWN, QUIET = lesson([1, 2, 3], [False, True, False]), lesson([8, 9], [False, False], quiet=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_quiet_text_beside_it_changes_the_words_but_not_the_labels(seed: int) -> None:
    (found,) = lengthened([OWN], [QUIET], 1.0, np.random.default_rng(seed))
    assert found.text.rows.tolist() in ([1, 2, 3, 8, 9], [8, 9, 1, 2, 3])
    # What was said of a word still is.
    assert found.text.rows[found.quoted[:, 0]].tolist() == [2]
    assert sorted(found.text.rows[found.text.cues[:, 0]].tolist()) == [3, 9]
    assert (found.text.context == OWN.text.context).all()
    assert (found.Y == OWN.Y).all()


def test_both_orders_occur_and_a_share_of_none_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    assert len({tuple(one.text.rows.tolist()) for one in lengthened([OWN] * 40, [QUIET], 1.0, rng)}) == 2
    assert lengthened([OWN], [QUIET], 0.0, rng) == [OWN]
    assert lengthened([OWN], [], 1.0, rng) == [OWN]


def test_quiet_texts_state_no_fact_and_name_no_place() -> None:
    vocabulary, reader = load_vocabulary(), load_reader()
    scenarios = load_scenarios([ROOT / "training_data" / "plain.jsonl"], vocabulary)
    quiet = [s for s in scenarios if is_quiet(s, reader.read(s.text, s.home))]
    assert 5 < len(quiet) < len(scenarios) / 2
    assert not any(s.terms or reader.read(s.text, s.home).places for s in quiet)
