from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.keys import UNKNOWN, Columns, Families, Slots, Symbols, family_of, in_column_order, pack, symbols_of

KEYS = st.lists(st.integers(0, (1 << 63) - 1), unique=True, max_size=200)


@given(KEYS, KEYS)
def test_columns_are_found_and_others_are_not(keys: list[int], others: list[int]) -> None:
    known = np.array(keys, dtype=np.int64)
    known = known[in_column_order(known)]
    columns = Columns(known)
    assert len(columns) == len(keys)
    assert (columns.keys == known).all()
    assert (columns.find(known) == np.arange(len(known))).all()
    asked = np.array(others, dtype=np.int64)
    place = {key: i for i, key in enumerate(known.tolist())}
    assert columns.find(asked).tolist() == [place.get(key, -1) for key in others]


def test_keys_out_of_order_are_refused() -> None:
    keys = np.arange(1, 5, dtype=np.int64)
    right = keys[in_column_order(keys)]
    for wrong in (right[::-1], np.repeat(right, 2)):
        with pytest.raises(ValueError, match="order"):
            Columns(wrong)


def test_a_key_tells_its_name() -> None:
    families, symbols = Families(["a:{}", "b:{} {}", "c:{} {} {}"]), Symbols(grows=True)
    x, y, z = map(symbols.id, "xyz")
    keys = np.array([pack(families["a:{}"], x), pack(families["b:{} {}"], y, x), pack(families["c:{} {} {}"], x, y, z)])
    assert [families.name(k, symbols) for k in keys.tolist()] == ["a:x", "b:y x", "c:x y z"]
    assert family_of(keys).tolist() == [1, 2, 3]
    assert symbols_of(keys).T.tolist() == [[x, 0, 0], [y, x, 0], [x, y, z]]
    assert families.whole(keys).all()
    lacking = np.array([0, pack(families["a:{}"], 0), pack(families["b:{} {}"], x, 0), pack(families["b:{} {}"], 0, x)])
    assert not families.whole(lacking).any()


def test_a_closed_table_knows_no_new_names() -> None:
    symbols = Symbols(["", "x", "", "y"])
    assert [symbols.id(name) for name in ("x", "y", "new")] == [1, 3, UNKNOWN]
    grown = Symbols(grows=True)
    assert [grown.id(name) for name in ("x", "y", "x")] == [1, 2, 1]
    grown.close()
    assert grown.id("z") == UNKNOWN
    assert grown.names == ["", "x", "y"]


def test_slots_look_at_words_nearby() -> None:
    families = Families(["a:{}", "b:{} {}"])
    slots = Slots(families, [("a:{}", ((0, 0),)), ("b:{} {}", ((0, 0), (1, 1)))])
    rows = np.array([[1, 2, 3], [4, 5, 6], [0, 0, 0]])
    found = slots.keys(rows, np.array([0, 1]))
    assert found.tolist() == [
        [pack(1, 1), pack(1, 2)],
        [pack(2, 1, 5), pack(2, 2, 6)],
    ]
