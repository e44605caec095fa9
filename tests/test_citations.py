from __future__ import annotations

import pytest

from classifier.citations import digest, find_paragraph, normalise_paragraph
from classifier.errors import VocabularyError
from classifier.vocabulary import Document, Source, Vocabulary

from .conftest import SHARED

DOCUMENTS = SHARED / "documents"
TEXT = "A title\n\nFirst thing\n\n  one   one \ntwo\nWhat is it & why?\nthree\n"


def source(section: str, paragraph: int) -> Source:
    return Source(Document("D9", "nine", "A title"), section, paragraph, "")


@pytest.mark.parametrize(
    ("section", "paragraph", "passage"),
    [
        ("First thing", 1, "one one"),
        ("First thing", 2, "two"),
        ("What is it…", 1, "three"),
        ("A title", 1, "First thing"),
    ],
)
def test_a_paragraph_is_found(tmp_path, section, paragraph, passage) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "nine.txt").write_text(TEXT, encoding="utf-8")
    assert find_paragraph(source(section, paragraph), tmp_path) == passage


@pytest.mark.parametrize(("section", "paragraph"), [("Second thing", 1), ("What is it", 1), ("What is it…", 2)])
def test_what_does_not_resolve_is_refused(tmp_path, section, paragraph) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "nine.txt").write_text(TEXT, encoding="utf-8")
    with pytest.raises(VocabularyError):
        find_paragraph(source(section, paragraph), tmp_path)


def test_digest_folds_white_space() -> None:
    assert digest(" a  b\n") == digest("a b") != digest("ab")
    assert normalise_paragraph("e\u0301 ") == "\u00e9"


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the source documents are not here: set CLASSIFIER_SHARED")
def test_every_citation_resolves(vocabulary: Vocabulary) -> None:
    for definition in vocabulary.definitions.values():
        assert digest(find_paragraph(definition.source, DOCUMENTS)) == definition.source.sha256, definition.id
