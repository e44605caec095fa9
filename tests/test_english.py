from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.english import read_as_english
from classifier.keys import Symbols
from classifier.lexicon import load_lexicon
from classifier.reading import load_reader
from classifier.words import Words

ENGLISH = [
    ("Calls from our customers are answered by a vendor in Manila.", True),
    ("our vendr in manila anwsers the cals of al our custmers", True),
    ("Wir lassen unsere Buchhaltung seit Jahren von einer Firma in Indien machen.", False),
    ("Nuestra contabilidad la lleva una empresa externa de Monterrey todos los meses.", False),
    ("שלום עולם זה טקסט בעברית על חברה", False),
    ("שלום", False),
    ("Zahnarzt GmbH", True),
    ("ROTARY WING XJQ ZZY QWV PPT", True),
    ("12 34 -- !!", True),
    ("   ", True),
]


def english(texts: list[str]) -> list[bool]:
    readings = load_reader().read_many(texts, [None] * len(texts))
    return read_as_english(readings, Words(Symbols([""]), load_lexicon()))


@pytest.mark.parametrize(("text", "expected"), ENGLISH)
def test_a_text_is_english_when_enough_of_its_words_are(text: str, expected: bool) -> None:
    assert english([text]) == [expected]


def test_texts_do_not_vouch_for_each_other() -> None:
    assert english([text for text, _ in ENGLISH]) == [yes for _, yes in ENGLISH]
    assert english([]) == []


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_text_is_judged_by_itself(texts: list[str]) -> None:
    assert english(texts) == [english([text])[0] for text in texts]


def test_the_beginning_of_a_long_text_is_enough() -> None:
    german, vendor = "Buchhaltung ", "vendor "
    assert english([vendor * 400 + german * 4000, german * 400 + vendor * 4000]) == [True, False]
