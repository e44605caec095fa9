from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from classifier.keys import UNKNOWN, Symbols
from classifier.lexicon import load_lexicon
from classifier.reading import Reader
from classifier.words import (
    COARSE,
    COMMON,
    FINE,
    FUNCTION,
    JOINS,
    KNOWN,
    LONG,
    NOT_NAME,
    READ_AS,
    SPECIAL,
    STEM,
    TRAITS,
    VECTOR,
    WORD,
    Words,
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def rows(words: Words, reader: Reader, text: str) -> list[list[int]]:
    """The rows of the table for a text's tokens."""
    reading = reader.read(text)
    found: list[list[int]] = words.of_forms(reading.forms, reading.form).tolist()
    return found


def test_a_word_has_symbols_of_itself_its_beginning_and_its_classes(reader: Reader) -> None:
    words, lexicon = Words(Symbols(grows=True), load_lexicon()), load_lexicon()
    for word, row in zip(("no", "customers"), rows(words, reader, "No customers"), strict=True):
        named = [words.symbols.names[row[column]] for column in (WORD, STEM, COARSE, FINE, LONG)]
        stem = word[:6]
        assert named == [word, stem, lexicon.word_class(word, 0), lexicon.word_class(word, 1), stem * (word != stem)]
        assert row[VECTOR] == lexicon.row(word) >= 0


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("12", "#"),
        ("3pl", "#"),
        ("2025", "#"),
        ("2026", "#ahead"),
        ("2059", "#ahead"),
        ("2060", "#"),
        ("\u2019", ""),
        ("  \n", ""),
        ("$", ""),
    ],
)
def test_numbers_and_marks_are_no_words(reader: Reader, text: str, read_as: str) -> None:
    (row,) = rows(Words(Symbols(grows=True), load_lexicon()), reader, text)
    assert SPECIAL[row[READ_AS]] == read_as
    assert row[: LONG + 1] == [0] * 5
    assert row[VECTOR] == -1


@pytest.mark.parametrize(
    ("word", "traits"),
    [
        ("vendor", KNOWN),
        ("zzyzxqq", 0),
        ("services", KNOWN | COMMON),
        ("monday", KNOWN | NOT_NAME),
        ("once", KNOWN | FUNCTION),
        ("&", JOINS),
    ],
)
def test_what_can_be_said_of_a_word(reader: Reader, word: str, traits: int) -> None:
    (row,) = rows(Words(Symbols([""]), load_lexicon()), reader, word)
    assert row[TRAITS] == traits


def test_words_outside_a_closed_table_are_unknown(reader: Reader) -> None:
    found = rows(Words(Symbols(["", "vendor"]), load_lexicon()), reader, "vendor bureau")
    assert [row[WORD] for row in found] == [1, UNKNOWN]


def test_symbols_are_numbered_by_the_texts_alone() -> None:
    """Not by what the reader has met before."""
    found = []
    for before in ("", "zq1 zq2 call zebra vendor", "aarhus calls a"):
        reader, words = Reader(), Words(Symbols(grows=True), load_lexicon())
        reader.read(before)
        rows(words, reader, "Zebra vendors call Aarhus. A vendor calls")
        found.append(words.symbols.names)
    assert found[0] == found[1] == found[2]


def test_a_table_goes_on_with_another_reader(reader: Reader) -> None:
    words, texts, other = Words(Symbols(grows=True), load_lexicon()), ["A vendor in Leeds", "Calls, calls"], Reader()
    other.read("other words come first")
    named = []
    for one in (reader, other, reader):
        found = [row for text in texts for row in rows(words, one, text)]
        named.append([[words.symbols.names[s] for s in row[: LONG + 1]] + row[VECTOR : VECTOR + 1] for row in found])
    assert named[0] == named[1] == named[2]


def test_threads_may_share_a_table(reader: Reader) -> None:
    words = Words(Symbols([""]), load_lexicon())
    texts = [f"A vendor of zq{n}x{k} calls {n}" for n in range(40) for k in range(5)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: rows(words, reader, text), texts))
    assert found == [rows(words, reader, text) for text in texts]
