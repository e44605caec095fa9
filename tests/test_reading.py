from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.reading import Reader, Reading, load_reader

SENTENCES = [
    ("One. Two! Three?", ["One.", "Two!", "Three?"]),
    ("We pay Acme Inc. monthly", None),
    ("Title\n\nBody text here", ["Title", "Body text here"]),
    ("", []),
    ("   \n ", []),
    ("no end mark", ["no end mark"]),
]


def told(reading: Reading) -> tuple[Any, ...]:
    """All that a reading tells, in plain numbers and words."""
    arrays = (array.tolist() for array in (reading.sentence, reading.status))
    tokens = list(zip(reading.start.tolist(), reading.end.tolist(), reading.lower, *arrays, strict=True))
    return tokens, reading.cues, reading.places, reading.sentences, reading.shouting


@pytest.mark.parametrize(("text", "sentences"), SENTENCES)
def test_sentences(text: str, sentences: list[str] | None) -> None:
    found = [text[a:b] for a, b in load_reader().read(text).sentences]
    if sentences is not None:
        assert found == sentences
    assert "".join("".join(found).split()) == "".join(text.split())


@given(st.text(max_size=300))
def test_any_text_is_read_with_offsets_into_it(text: str) -> None:
    reading = load_reader().read(text)
    assert reading.text == text
    starts, ends = reading.start.tolist(), reading.end.tolist()
    assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert sorted(reading.sentence.tolist()) == reading.sentence.tolist()
    covered = {i for start, end in zip(starts, ends, strict=True) for i in range(start, end)}
    assert all(i in covered for i, c in enumerate(text) if not c.isspace())
    assert len(reading.status) == len(reading.lower) == len(starts)
    for cue in reading.cues:
        assert (starts[cue.first], ends[cue.last]) == (cue.start, cue.end)


def test_it_is_information_technology_only_in_capitals() -> None:
    assert load_reader().read("IT runs it").lower == ["IT", "runs", "it"]


@given(st.lists(st.text(max_size=60), max_size=5))
def test_texts_read_together_are_read_as_they_are_alone(texts: list[str]) -> None:
    reader = load_reader()
    for reading in reader.read_many(texts, [None] * len(texts)):
        alone = reader.read(reading.text)
        assert told(reading) == told(alone)


def test_sentences_end_where_spacy_ends_them() -> None:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for text in (
        'We pay Acme Inc. monthly. It is fine... isn\'t it?! (Yes.) "No." said he. Ok',
        'One.Two. Three!" Four . . Five? ) six',
        "...! leading marks. then more",
        "Mr. Smith's firm; theirs: ours! -- done.",
    ):
        expected = [sentence.text.strip() for sentence in nlp(text).sents if sentence.text.strip()]
        assert [text[a:b] for a, b in load_reader().read(text).sentences] == expected


def test_offsets_hold_beside_half_characters_and_odd_spaces() -> None:
    text = "\ud800 A vendor\u00a0in  Manila\udfff.\r\n \U0001f642 answers"
    reading = load_reader().read(text)
    solid = [text[start:end] for start, end, lower, *_ in told(reading)[0] if lower != " "]
    assert "".join(solid) == "".join(text.split())
    assert {"vendor", "answers"} <= set(solid)


def test_words_never_seen_before_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.reading._MOST_FORMS", 300)
    reader = Reader()
    text = "A vendor in Manila answers our calls."
    first = reader.read(text)
    sizes = []
    for n in range(20):
        made = reader.read(" ".join(f"qu{n}x{k}" for k in range(50)))
        sizes.append(len(made.forms))
    assert max(sizes) < 400
    assert made.forms is not first.forms
    again = reader.read(text)
    # What was read before still tells its words.
    assert told(again) == told(first)
