from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab

from classifier.forms import (
    ALPHABETIC,
    ASCII,
    BLANK,
    BREAK,
    CAPITAL,
    CAPITALS,
    CLAUSE_END,
    ENDING,
    Forms,
    Table,
)

FLAGS = [
    ("vendor", "vendor", ALPHABETIC | ASCII),
    ("Vendor", "vendor", CAPITAL | ALPHABETIC | ASCII),
    ("IT", "IT", CAPITAL | CAPITALS | ALPHABETIC | ASCII),
    ("It", "it", CAPITAL | ALPHABETIC | ASCII),
    ("Söder", "söder", CAPITAL | ALPHABETIC),
    (".", ".", ENDING | CLAUSE_END | ASCII),
    (";", ";", CLAUSE_END | ASCII),
    ("12", "12", ASCII),
    ("  ", " ", BLANK | ASCII),
    ("\n", " ", BLANK | ASCII),
    ("\n \n", " ", BLANK | BREAK | ASCII),
]


def forms() -> tuple[Vocab, Forms]:
    vocab = Vocab()
    return vocab, Forms(vocab, frozenset(".!?"))


@pytest.mark.parametrize(("text", "lower", "flags"), FLAGS)
def test_what_a_form_is(text: str, lower: str, flags: int) -> None:
    vocab, made = forms()
    row = int(made.find([vocab[text].orth])[0])
    assert made.lower[row] == lower
    assert made.numbers[row].tolist() == [len(text), flags]


@given(st.lists(st.text(min_size=1, max_size=4), max_size=40))
def test_each_text_has_one_row_for_good(texts: list[str]) -> None:
    vocab, made = forms()
    orths = [vocab.strings.add(text) for text in texts]
    halves = [made.find(orths[: len(orths) // 2]).tolist(), made.find(orths[len(orths) // 2 :]).tolist()]
    assert made.find(orths).tolist() == halves[0] + halves[1]
    assert len(made) == len(set(texts))
    assert [made.numbers[row, 0] for row in halves[0] + halves[1]] == list(map(len, texts))


def test_a_table_grows_and_what_was_given_stays() -> None:
    table = Table(2)
    assert len(table) == 0
    table.extend([(1, 2), (3, 4)])
    before = table.rows
    for n in range(1000):
        table.extend([(n, n)])
    assert before.tolist() == [[1, 2], [3, 4]]
    assert len(table) == 1002
    assert (table.rows[2:, 0] == np.arange(1000)).all()


def test_threads_may_share_forms() -> None:
    vocab, made = forms()
    orths = [vocab.strings.add(f"w{n}") for n in range(3000)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda start: made.find(orths[start : start + 300]).tolist(), range(0, 2700, 50)))
    for start, rows in zip(range(0, 2700, 50), found, strict=True):
        assert [made.lower[row] for row in rows] == [f"w{n}" for n in range(start, start + 300)]
    assert len(made) == len(set(made.lower)) == 2950
