from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from classifier import Classifier
from classifier.edges.spacy_component import SPANS
from classifier.errors import InputError, ModelError

from .conftest import ROOT

TEXTS = [
    "Calls from our customers are answered by a vendor in Manila.",
    "A firm in Texas runs the help desk of our New York company. Our own people keep the books.",
    "Our own staff do the payroll in our office in Leeds.",
    "Zwei  Leerzeichen\n\n🙂 a vendor in Manila answers our calls ",
    "",
    "   ",
]
OWN_TERM = """
format = 1
extends = "default"
[[term]]
id = "abroad"
label = "Abroad"
  [[term.definition]]
  document = "D0"
  says = "Anything done in another country."
  all = ["another-country"]
  citation = { section = "Ours", paragraph = 1 }
"""


@pytest.fixture(scope="module")
def nlp() -> Language:
    made = spacy.blank("en")
    made.add_pipe("arrangement_terms", config={"home": "US"})
    return made


def same(a: Doc, b: Doc) -> bool:
    return (
        a.text == b.text
        and a.cats == b.cats
        and a._.tagging == b._.tagging
        and [(s.start, s.end, s.label_) for s in a.spans[SPANS]] == [(s.start, s.end, s.label_) for s in b.spans[SPANS]]
    )


@pytest.mark.parametrize("text", TEXTS)
def test_a_doc_says_what_the_library_says(nlp: Language, classifier: Classifier, text: str) -> None:
    tagging = classifier.tag(text, home="US")
    doc = nlp(text)
    assert doc._.tagging == tagging
    assert doc.cats == pytest.approx(dict(tagging.term_probabilities))
    assert set(doc.cats) == set(classifier.vocabulary.terms)
    evidence = {(s.start, s.end, s.fact) for t in tagging.terms for s in t.evidence}
    assert bool(doc.spans[SPANS]) == bool(evidence)
    for span in doc.spans[SPANS]:
        # Spans grow to whole tokens, never shrink.
        assert any(span.start_char <= a and b <= span.end_char and span.label_ == fact for a, b, fact in evidence), span
    assert {s.label_ for s in doc.spans[SPANS]} == {fact for _, _, fact in evidence}


def test_pipe_agrees_with_one_by_one_in_batches_of_any_size(nlp: Language) -> None:
    expected = [nlp(text) for text in TEXTS]
    for size in (1, 2, 100):
        assert all(same(a, b) for a, b in zip(nlp.pipe(TEXTS, batch_size=size), expected, strict=True))


def test_other_processes_agree(nlp: Language) -> None:
    expected = [nlp(text) for text in TEXTS[:2]]
    assert all(same(a, b) for a, b in zip(nlp.pipe(TEXTS[:2], n_process=2), expected, strict=True))


def test_other_components_keep_their_cats(nlp: Language) -> None:
    doc = nlp.make_doc(TEXTS[0])
    doc.cats["urgent"] = 0.5
    assert nlp(doc).cats["urgent"] == 0.5


def test_settings_reach_the_library(classifier: Classifier) -> None:
    nlp = spacy.blank("en")
    settings = {"vendor_contract": True, "provider_country": "PH", "home": "US", "threshold": 0.9}
    nlp.add_pipe("arrangement_terms", config={**settings, "spans_key": "why"})
    text = "Window cleaning, two buildings, 36 months"
    doc = nlp(text)
    assert doc._.tagging == classifier.tag(text, **settings)  # type: ignore[arg-type]
    assert "outsourcing" in doc._.tagging.ids
    assert "why" in doc.spans
    assert SPANS not in doc.spans


@pytest.mark.parametrize(("config", "error"), [({"home": "Narnia"}, InputError), ({"threshold": 2.0}, InputError)])
def test_bad_settings_are_refused_at_once(config: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        spacy.blank("en").add_pipe("arrangement_terms", config=config)


def test_a_missing_model_is_refused_at_the_first_text(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("arrangement_terms", config={"model": str(tmp_path / "none")})
    with pytest.raises(ModelError, match="no model"):
        nlp("x")


def test_docs_go_through_bytes_and_doc_bins(nlp: Language) -> None:
    docs = [nlp(text) for text in TEXTS[:2]]
    store = DocBin(store_user_data=True, docs=docs)
    again = list(DocBin().from_bytes(store.to_bytes()).get_docs(nlp.vocab))
    one = Doc(nlp.vocab).from_bytes(docs[0].to_bytes())
    assert same(one, docs[0])
    assert [d._.tagging for d in again] == [d._.tagging for d in docs]
    assert nlp.make_doc("x")._.tagging is None


def test_a_pipeline_comes_back_from_bytes_pickle_and_disk(nlp: Language, tmp_path: Path) -> None:
    expected = nlp(TEXTS[1])
    blank = spacy.blank("en")
    blank.add_pipe("arrangement_terms")
    assert same(blank.from_bytes(nlp.to_bytes())(TEXTS[1]), expected)
    assert same(pickle.loads(pickle.dumps(nlp))(TEXTS[1]), expected)  # noqa: S301
    nlp.to_disk(tmp_path)
    # A fresh process finds the factory by its entry point, with no import of this package.
    code = (
        f"import spacy; nlp = spacy.load({str(tmp_path)!r}); doc = nlp({TEXTS[1]!r}); "
        "print(*doc._.tagging.ids); print(doc._.tagging.home, len(doc.spans['arrangement_evidence']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [" ".join(expected._.tagging.ids), f"US {len(expected.spans[SPANS])}"]


def test_a_model_and_vocabulary_of_ones_own_travel_with_the_pipeline(tmp_path: Path) -> None:
    model, vocabulary = tmp_path / "here" / "model", tmp_path / "here" / "mine.toml"
    shutil.copytree(ROOT / "models" / "default", model)
    vocabulary.write_text(OWN_TERM)
    nlp = spacy.blank("en")
    nlp.add_pipe("arrangement_terms", config={"model": str(model), "vocabulary": str(vocabulary), "home": "US"})
    expected = nlp(TEXTS[0])
    assert "abroad" in expected._.tagging.ids
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(tmp_path / "here")
    shutil.move(tmp_path / "saved", tmp_path / "moved")
    again = spacy.load(tmp_path / "moved")
    assert same(again(TEXTS[0]), expected)
    again.to_disk(tmp_path / "moved")  # onto itself
    assert same(spacy.load(tmp_path / "moved")(TEXTS[0]), expected)


def test_another_model_than_the_saved_one_is_refused(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path)
    settings = tmp_path / "arrangement_terms" / "settings.json"
    digest = nlp.get_pipe("arrangement_terms").classifier.model.manifest.digest  # type: ignore[attr-defined]
    settings.write_text(settings.read_text().replace(digest, "0" * 64))
    with pytest.raises(ModelError, match="saved with the model 000000000000"):
        spacy.load(tmp_path)


def test_displacy_draws_the_evidence(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    html = displacy.render(doc, style="span", options={"spans_key": SPANS}, jupyter=False)
    assert doc.spans[SPANS]
    for span in doc.spans[SPANS]:
        assert span.label_ in html
        for token in span:
            assert token.text in html


def test_the_component_declares_what_it_sets(nlp: Language) -> None:
    meta = nlp.get_pipe_meta("arrangement_terms")
    assert set(meta.assigns) == {"doc.cats", "doc.spans", "doc._.tagging"}
    assert set(nlp.pipe_labels["arrangement_terms"]) == set(nlp("x").cats)
