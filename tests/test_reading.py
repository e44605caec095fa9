from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import VocabularyError
from classifier.reading import Reader, load_reader

# text, cue phrase, its status
STATUS = [
    ("The help desk is run by a vendor.", "vendor", "asserted"),
    ("The help desk is not run by an outside firm.", "outside firm", "denied"),
    ("No vendor is involved.", "vendor", "denied"),
    ("We ended the contract with our call centre in May.", "call centre", "ended"),
    ("Payroll was brought back in house.", "payroll", "ended"),
    ("We are considering a call centre in Manila.", "call centre", "discussed"),
    ("Should we hire a freelancer?", "freelancer", "discussed"),
    ("From next year payroll will go to a bureau.", "bureau", "planned"),
    ("We refused the vendor, but a bureau keeps the ledger.", "bureau", "asserted"),
    ("We refused the vendor, but a bureau keeps the ledger.", "vendor", "denied"),
]  # fmt: skip

SENTENCES = [
    ("One. Two! Three?", ["One.", "Two!", "Three?"]),
    ("We pay Acme Inc. monthly", None),
    ("Title\n\nBody text here", ["Title", "Body text here"]),
    ("", []),
    ("   \n ", []),
    ("no end mark", ["no end mark"]),
]


@pytest.mark.parametrize(("text", "phrase", "status"), STATUS)
def test_a_cue_has_the_status_that_its_clause_gives_it(text: str, phrase: str, status: str) -> None:
    cues = [c for c in load_reader().read(text).cues if text[c.start : c.end].lower() == phrase]
    assert cues
    assert {c.status for c in cues} == {status}


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
    for token in reading.tokens:
        assert 0 <= token.start < token.end <= len(text)
    for before, after in zip(reading.tokens, reading.tokens[1:], strict=False):
        assert before.end <= after.start
        assert before.sentence <= after.sentence
    covered = {i for t in reading.tokens for i in range(t.start, t.end)}
    assert all(i in covered for i, c in enumerate(text) if not c.isspace())
    assert len(reading.status) == len(reading.tokens)
    for cue in reading.cues:
        assert reading.tokens[cue.first].start == cue.start
        assert reading.tokens[cue.last].end == cue.end


def test_it_is_information_technology_only_in_capitals() -> None:
    reading = load_reader().read("IT runs it")
    assert [t.lower for t in reading.tokens] == ["IT", "runs", "it"]


def test_broken_cue_data_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "facts.toml").write_text("[it]\nphrases = ['x']\n")
    (tmp_path / "status.toml").write_text("reach = 3\nterminators = []\n[bogus]\nforward = ['no']\n")
    with pytest.raises(VocabularyError, match="bogus"):
        Reader(folder=tmp_path)


def test_every_cue_of_a_fact_names_a_fact_or_goods() -> None:
    reader = load_reader()
    from classifier.vocabulary import load_vocabulary

    assert set(reader.fact_kinds) <= set(load_vocabulary().facts) | {"goods"}
