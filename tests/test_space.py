from __future__ import annotations

import numpy as np
import pytest

from classifier.features import Context, features_of, normalise
from classifier.lexicon import load_lexicon
from classifier.reading import load_reader
from classifier.space import BLOCKS, VECTOR_WEIGHT, FeatureSpace, block_of


def test_every_family_has_a_block() -> None:
    reader = load_reader()
    reading = reader.read("Our vendor in Manila, not our staff, answers calls for the firm in Leeds.")
    context = Context("GB", "PH", True)
    normal = normalise(reading, context, reader.gazetteer, load_lexicon())
    found = features_of(reading, context, normal, load_lexicon())
    blocks = {BLOCKS[block_of(name)][0] for name, _ in found}
    assert blocks == {name for name, _, _ in BLOCKS}


def test_blocks_are_scaled_to_their_weight() -> None:
    names = ["c:it", "c:third-party", "w:calls", "w:vendor"]
    space = FeatureSpace(names, np.array([1.0, 2.0, 3.0, 1.0], dtype=np.float32))
    reader = load_reader()
    reading = reader.read("vendor calls")
    row = space.row(
        [("w:vendor", (0,)), ("w:calls", (1,)), ("c:it", (0,)), ("w:unseen", (0,))], reading, load_lexicon()
    )
    assert row.columns.tolist() == [0, 2, 3]
    # Two words weigh 0.6 of a text of thirty.
    assert row.values[0] == pytest.approx(0.6042, abs=1e-3)
    assert np.linalg.norm(row.values[1:]) == pytest.approx(row.values[0])
    assert row.positions == [[(0,)], [(1,)], [(0,)]]
    assert np.linalg.norm(row.vector) == pytest.approx(VECTOR_WEIGHT, rel=1e-5)


def test_an_empty_text_has_an_empty_row() -> None:
    space = FeatureSpace(["w:x"], np.ones(1, dtype=np.float32))
    row = space.row([], load_reader().read(""), load_lexicon())
    assert not len(row.columns)
    assert not row.vector.any()
