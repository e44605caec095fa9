from __future__ import annotations

import numpy as np
import pytest

from classifier.features import FAMILIES, Features, features_of
from classifier.keys import Columns, Symbols, in_column_order, pack
from classifier.lexicon import load_lexicon
from classifier.normal import Context, Normal, normalise
from classifier.reading import load_reader
from classifier.space import BLOCKS, VECTOR_WEIGHT, FeatureSpace, blocks_of
from classifier.words import Words

SYMBOLS = Symbols(grows=True)
RARITY = {"c:it": 1.0, "c:third-party": 2.0, "w:calls": 3.0, "w:vendor": 1.0}


def key(name: str) -> int:
    family, _, rest = name.partition(":")
    return int(pack(FAMILIES[f"{family}:{{}}"], SYMBOLS.id(rest)))


def space(rarity: dict[str, float]) -> FeatureSpace:
    keys = np.array([key(name) for name in rarity], dtype=np.int64)
    order = in_column_order(keys)
    return FeatureSpace(Columns(keys[order]), np.array(list(rarity.values()), dtype=np.float32)[order], SYMBOLS)


def features(*texts: tuple[list[str], int]) -> Features:
    """Features of texts by name, and how many tokens each text has."""
    return Features(
        np.array([key(name) for names, _ in texts for name in names], dtype=np.int64),
        np.array([n for n, (names, _) in enumerate(texts) for _ in names], dtype=np.int32),
        np.array([length for _, length in texts]),
    )


def normal(text: str, context: Context = Context()) -> tuple[Normal, Features]:  # noqa: B008 (frozen)
    reader = load_reader()
    reading = reader.read(text)
    made = normalise([reading], [context], Words(SYMBOLS, load_lexicon()), reader.gazetteer, [None])
    return made, features_of([reading], [context], made, SYMBOLS)


def test_every_family_has_a_block() -> None:
    text = "Our vendor in Manila, not our staff, answers calls for the firm in Leeds."
    _, found = normal(text, Context("GB", "PH", True))
    keys = found.keys[FAMILIES.whole(found.keys)]
    assert {BLOCKS[n][0] for n in blocks_of(keys).tolist()} == {name for name, _, _ in BLOCKS}


def test_columns_have_names() -> None:
    assert sorted(space(RARITY).names) == sorted(RARITY)


def test_blocks_are_scaled_to_their_weight() -> None:
    made = space(RARITY)
    rows = made.rows(
        features((["w:vendor", "w:calls", "c:it", "w:unseen"], 2), ([], 0), (["w:calls", "w:calls"], 30)),
        np.zeros((3, 5), dtype=np.float32),
    )
    assert rows.bounds.tolist() == [0, 3, 3, 4]
    found = dict(zip([made.names[c] for c in rows.columns[:3].tolist()], rows.values[:3].tolist(), strict=True))
    # Two words weigh 0.6 of a text of thirty.
    assert found["c:it"] == pytest.approx(0.6042, abs=1e-3)
    assert np.hypot(found["w:vendor"], found["w:calls"]) == pytest.approx(found["c:it"])
    assert found["w:calls"] == pytest.approx(3 * found["w:vendor"])
    assert rows.values[3] == pytest.approx(1.0)
    assert [made.names[c] for c in rows.columns[3:].tolist()] == ["w:calls"]


def test_words_are_pooled_at_one_length() -> None:
    made = space(RARITY)
    found = made.pooled(normal("vendor calls")[0], load_lexicon())
    assert np.linalg.norm(found) == pytest.approx(VECTOR_WEIGHT, rel=1e-5)
    # The rarer word counts for more.
    calls, vendor = (load_lexicon().vectors[load_lexicon().row(w)].astype(float) for w in ("calls", "vendor"))
    assert found[0] @ calls > found[0] @ vendor


def test_an_empty_text_has_an_empty_row() -> None:
    made = space({"w:x": 1.0})
    assert not made.pooled(normal("?")[0], load_lexicon()).any()
    rows = made.rows(features(([], 0)), np.zeros((1, 0), dtype=np.float32))
    assert rows.bounds.tolist() == [0, 0]
