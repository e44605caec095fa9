from __future__ import annotations

import numpy as np
import pytest

from classifier.errors import ModelError
from classifier.lexicon import Lexicon, load_lexicon, units


def test_kindred_words_are_closer_than_strangers() -> None:
    lexicon = load_lexicon()
    words = ["payroll", "wages", "harbour", "lawyer", "attorney", "bakery"]
    payroll, wages, harbour, lawyer, attorney, bakery = units(
        lexicon.vectors, np.array([lexicon.row(word) for word in words], dtype=np.int32)
    )
    assert payroll @ wages > payroll @ harbour
    assert lawyer @ attorney > lawyer @ bakery


def test_vectors_have_unit_length_nearly() -> None:
    vectors = load_lexicon().vectors
    lengths = np.linalg.norm(units(vectors, np.arange(len(vectors), dtype=np.int32)), axis=1)
    assert abs(float(lengths.mean()) - 1) < 0.02


def test_a_word_without_a_row_has_no_vector() -> None:
    found = units(np.array([[127, 0], [0, -127]], dtype=np.int8), np.array([1, -1, 0], dtype=np.int32))
    assert found.tolist() == [[0, -1], [0, 0], [1, 0]]


def test_unknown_words_have_a_class_too() -> None:
    lexicon = load_lexicon()
    assert lexicon.word_class("zzyzxqq", 0) == "?"
    assert lexicon.word_class("p_far", 0) == "p_far"
    assert lexicon.row("zzyzxqq") == -1
    assert "zzyzxqq" not in lexicon


def test_files_of_different_makes_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "words.txt").write_text("a\nb")
    np.save(tmp_path / "classes.npy", np.zeros((3, 2), dtype=np.int16))
    np.save(tmp_path / "vectors.npy", np.zeros((3, 4), dtype=np.int8))
    with pytest.raises(ModelError, match="not of one make"):
        Lexicon(tmp_path)
