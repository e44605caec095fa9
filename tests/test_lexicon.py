from __future__ import annotations

import numpy as np
import pytest

from classifier.errors import ModelError
from classifier.lexicon import Lexicon, load_lexicon


def test_kindred_words_are_closer_than_strangers() -> None:
    lexicon = load_lexicon()
    row = lambda w: lexicon.vectors[lexicon.rows([w])[0]]  # noqa: E731
    assert row("payroll") @ row("wages") > row("payroll") @ row("harbour")
    assert row("lawyer") @ row("attorney") > row("lawyer") @ row("bakery")


def test_vectors_have_unit_length_nearly() -> None:
    lengths = np.linalg.norm(load_lexicon().vectors, axis=1)
    assert abs(float(lengths.mean()) - 1) < 0.02


def test_unknown_words_have_a_class_too() -> None:
    lexicon = load_lexicon()
    assert lexicon.word_class("zzyzxqq", 0) == "?"
    assert lexicon.word_class("p_far", 0) == "p_far"
    assert lexicon.rows(["zzyzxqq"]) == []


def test_files_of_different_makes_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "words.txt").write_text("a\nb")
    np.save(tmp_path / "classes.npy", np.zeros((3, 2), dtype=np.int16))
    np.save(tmp_path / "vectors.npy", np.zeros((3, 4), dtype=np.int8))
    with pytest.raises(ModelError, match="not of one make"):
        Lexicon(tmp_path)
