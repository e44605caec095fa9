from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifier.keys import Symbols
from classifier.lexicon import load_lexicon
from classifier.normal import MARK, REACH, Context, Normal, cue_pairs, normalise
from classifier.reading import Reading, load_reader
from classifier.roles import HomeGuess
from classifier.words import LONG, MARKS, STEM, VECTOR, WORD, Words

TEXTS = [
    "Halloran Byte watches 12 servers for Quibble & Sons in New York. It is new.",
    "",
    "?",
    "No vendor\n\nno bureau in Manila!",
    "CLEANING SERVICES FOR LEEDS",
]


def made(
    texts: list[str], words: Words, context: Context, guess: HomeGuess | None = None
) -> tuple[list[Reading], Normal]:
    reader, n = load_reader(), len(texts)
    readings = reader.read_many(texts, [context.home] * n)
    return readings, normalise(readings, [context] * n, words, reader.gazetteer, [guess] * n)


def fresh() -> Words:
    return Words(Symbols(grows=True), load_lexicon())


def words(text: str, home: str | None = None, guess: HomeGuess | None = None) -> list[str]:
    table = fresh()
    _, normal = made([text], table, Context(home), guess)
    return [table.symbols.names[s] for s in normal.symbols[WORD, normal.begin[0] : normal.end[0]].tolist()]


def test_places_are_named_by_how_they_stand_to_the_client() -> None:
    assert words("calls go to Manila", "US") == ["<s>", "calls", "go", "to", "p_far", "</s>"]
    assert words("calls go to Monterrey", "US")[4] == "p_near"
    assert words("calls go to Omaha", "US")[4] == "p_same"
    assert words("calls go to Manila")[4] == "p_only"
    assert words("from Omaha to Manila")[2::2] == ["p_0", "p_1"]


def test_a_sure_guess_stands_in_for_the_home() -> None:
    sure, unsure = HomeGuess("US", 0.9, frozenset({"PH"})), HomeGuess(None, 0.3, frozenset({"PH"}))
    assert words("from Omaha to Manila", guess=sure)[2::2] == ["p_same", "p_far"]
    assert words("calls go to Manila", guess=unsure)[4] == "p_away"


def test_proper_names_and_numbers_are_made_alike() -> None:
    assert words("Halloran Byte watches 12 servers for Quibble & Sons. It is new.") == [
        "<s>", "_name", "watches", "#", "servers", "for", "_name", "<s>", "it", "is", "new", "</s>",
    ]  # fmt: skip
    assert "_name" not in words("CLEANING SERVICES FOR BUILDING SEVEN")


def test_a_name_at_the_start_of_a_sentence_is_told_from_a_word() -> None:
    assert words("Vendors sing.")[1] == "vendors"
    assert words("Zzyzxqq sings.")[1] == "_name"
    assert words("Zzyzxqq & Datter sing.")[1:3] == ["_name", "sing"]
    assert words("We asked Monday and Datter.")[3:6] == ["monday", "and", "_name"]


def test_sentences_begin_with_a_mark() -> None:
    assert words("One vendor. Two bureaus") == ["<s>", "one", "vendor", "<s>", "two", "bureaus", "</s>"]


def test_words_have_symbols_of_themselves_and_of_their_beginnings() -> None:
    table = fresh()
    _, normal = made(["No customers call"], table, Context())
    name = table.symbols.names
    rows = normal.symbols[:, normal.begin[0] + 1 : normal.end[0] - 1]
    assert [name[s] for s in rows[WORD].tolist()] == ["no", "customers", "call"]
    assert [name[s] for s in rows[STEM].tolist()] == ["no", "custom", "call"]
    assert [name[s] for s in rows[LONG].tolist()] == ["", "custom", ""]
    assert [name[s] for s in rows[MARK].tolist()] == [MARKS[1]] * 3
    lexicon = load_lexicon()
    assert normal.token_rows[:, VECTOR].tolist() == [lexicon.row(w) for w in ("no", "customers", "call")]


def test_each_word_knows_its_tokens_and_each_token_its_word() -> None:
    table = fresh()
    readings, normal = made(TEXTS, table, Context("US"))
    for n, reading in enumerate(readings):
        first_token, after = normal.tokens[n : n + 2].tolist()
        assert after - first_token == len(reading.form)
        for token, word in enumerate(normal.word_of_token[first_token:after].tolist()):
            if word:
                assert normal.text[word] == n
                assert normal.first[word] <= token <= normal.last[word]
            else:
                assert not reading.lower[token].isalnum()
    at = normal.real & (normal.text == 0)
    told = [
        TEXTS[0][readings[0].start[a] : readings[0].end[b]]
        for a, b in zip(normal.first[at], normal.last[at], strict=True)
    ]
    assert {"Halloran Byte", "Quibble & Sons", "New York"} <= set(told)


def test_no_window_reaches_into_another_text() -> None:
    _, normal = made(TEXTS, fresh(), Context())
    assert (normal.text[:REACH] == -1).all()
    for n, (begin, end) in enumerate(zip(normal.begin.tolist(), normal.end.tolist(), strict=True)):
        assert (normal.text[begin:end] == n).all()
        assert (normal.text[end : end + REACH] == -1).all()
    assert len(normal.text) == end + REACH


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)), min_size=1, max_size=5))
def test_texts_taken_together_are_as_they_are_alone(texts: list[str]) -> None:
    table = fresh()
    _, together = made(texts, table, Context("GB"))
    for n, text in enumerate(texts):
        _, alone = made([text], table, Context("GB"))
        there = slice(together.begin[n], together.end[n])
        own = slice(alone.begin[0], alone.end[0])
        for name in ("vector", "mark", "real", "first", "last"):
            assert (getattr(together, name)[there] == getattr(alone, name)[own]).all(), name
        assert (together.symbols[:, there] == alone.symbols[:, own]).all()
        assert together.views[n].names == alone.views[0].names


def test_a_word_that_two_cues_of_a_kind_cover_counts_once() -> None:
    table = fresh()
    readings, normal = made(["nobody", "The call centre in Leeds: a call centre."], table, Context())
    kinds = sorted({cue.kind for cue in readings[1].cues})
    word, kind = cue_pairs(readings, normal, kinds.index)
    pairs = list(zip(word.tolist(), kind.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    expected = set()
    for cue in readings[1].cues:
        for token in range(cue.first, cue.last + 1):
            at = int(normal.word_of_token[int(normal.tokens[1]) + token])
            if at:
                expected.add((at, kinds.index(cue.kind)))
    assert set(pairs) == expected
    assert expected
