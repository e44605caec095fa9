"""The vocabulary in Turtle says what the vocabulary says, and keeps SKOS's own rules."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, RDF, SKOS
from typer.testing import CliRunner

from classifier.edges.cli import app
from classifier.edges.skos import BASE, turtle
from classifier.vocabulary import Vocabulary, load_vocabulary

AC = f"{BASE}property:"
SCHEME = URIRef(f"{BASE}vocabulary")


def term_iri(term: str) -> URIRef:
    return URIRef(f"{BASE}term:{term}")


@pytest.fixture(scope="module")
def graph(vocabulary: Vocabulary) -> Graph:
    return Graph().parse(data=turtle(vocabulary), format="turtle")


def test_every_term_is_a_concept_with_its_names(graph: Graph, vocabulary: Vocabulary) -> None:
    assert set(graph.subjects(RDF.type, SKOS.Concept)) == {term_iri(t) for t in vocabulary.terms}
    assert set(graph.subjects(RDF.type, SKOS.ConceptScheme)) == {SCHEME}
    for term in vocabulary.terms.values():
        concept = term_iri(term.id)
        assert list(graph.objects(concept, SKOS.inScheme)) == [SCHEME]
        assert list(graph.objects(concept, SKOS.notation)) == [Literal(term.id)]
        assert list(graph.objects(concept, SKOS.prefLabel)) == [Literal(term.label, lang="en")]
        assert set(graph.objects(concept, SKOS.altLabel)) == {Literal(name, lang="en") for name in term.also}


def test_broader_is_what_a_term_implies(graph: Graph, vocabulary: Vocabulary) -> None:
    for term in vocabulary.terms:
        broader = {term_iri(t) for t in vocabulary.implications.get(term, ())}
        assert set(graph.objects(term_iri(term), SKOS.broader)) == broader
        reached = set(graph.transitive_objects(term_iri(term), SKOS.broader)) - {term_iri(term)}
        assert reached == {term_iri(t) for t in vocabulary.implied_by_term[term]}
        # A term without anything broader is where reading begins.
        top = (term_iri(term), SKOS.topConceptOf, SCHEME) in graph
        assert top == (not broader) == ((SCHEME, SKOS.hasTopConcept, term_iri(term)) in graph)


def test_broader_has_no_circle(graph: Graph) -> None:
    for concept in graph.subjects(RDF.type, SKOS.Concept):
        above = {c for b in graph.objects(concept, SKOS.broader) for c in graph.transitive_objects(b, SKOS.broader)}
        assert concept not in above


def test_skos_integrity(graph: Graph) -> None:
    """The conditions S9, S13, S14, S27 and S37 of the SKOS Reference."""
    assert not set(graph.subjects(RDF.type, SKOS.Concept)) & set(graph.subjects(RDF.type, SKOS.ConceptScheme))
    for concept in graph.subjects(RDF.type, SKOS.Concept):
        preferred = list(graph.objects(concept, SKOS.prefLabel))
        assert len({label.language for label in preferred}) == len(preferred)
        assert not set(preferred) & set(graph.objects(concept, SKOS.altLabel))
        above = set(graph.transitive_objects(concept, SKOS.broader))
        assert not above & set(graph.objects(concept, SKOS.related))
    notations = list(graph.objects(None, SKOS.notation))
    assert len(set(notations)) == len(notations)


def test_every_definition_has_its_wording_and_source(graph: Graph, vocabulary: Vocabulary) -> None:
    for definition in vocabulary.definitions.values():
        node = URIRef(f"{BASE}definition:{definition.id}")
        assert (term_iri(definition.term), SKOS.definition, node) in graph
        assert list(graph.objects(node, RDF.value)) == [Literal(definition.says, lang="en")]
        (passage,) = graph.objects(node, DCTERMS.source)
        (document,) = graph.objects(passage, DCTERMS.isPartOf)
        source = definition.source
        assert list(graph.objects(document, DCTERMS.identifier)) == [Literal(source.document.file)]
        assert list(graph.objects(document, DCTERMS.title)) == [Literal(source.document.title, lang="en")]
        assert list(graph.objects(passage, URIRef(AC + "section"))) == [Literal(source.section)]
        assert list(graph.objects(passage, URIRef(AC + "paragraph"))) == [Literal(source.paragraph)]
        assert list(graph.objects(passage, URIRef(AC + "sha256"))) == [Literal(source.sha256)]
        (citation,) = graph.objects(passage, DCTERMS.bibliographicCitation)
        for words in (source.document.title, source.document.file, source.section, f"paragraph {source.paragraph}"):
            assert words in citation
    assert len(list(graph.objects(None, SKOS.definition))) == len(vocabulary.definitions)


def test_what_is_excluded_is_noted(graph: Graph, vocabulary: Vocabulary) -> None:
    for left, right in vocabulary.exclusions:
        for term, other in ((left, right), (right, left)):
            (note,) = graph.objects(term_iri(term), SKOS.scopeNote)
            assert vocabulary.terms[other].label in note


def test_prose_says_its_language(graph: Graph) -> None:
    for prose in (
        SKOS.prefLabel,
        SKOS.altLabel,
        SKOS.scopeNote,
        RDF.value,
        DCTERMS.title,
        DCTERMS.bibliographicCitation,
    ):
        assert {text.language for text in graph.objects(None, prose)} == {"en"}


@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.text(st.characters(exclude_categories=("Cs",)))
)
def test_any_name_and_label_survive(name: str, label: str) -> None:
    vocabulary = load_vocabulary()
    term = replace(vocabulary.terms["eor"], id=name, label=label, also=(label, label + "'"))
    odd = replace(vocabulary, terms={name: term}, implications={}, exclusions=())
    graph = Graph().parse(data=turtle(odd), format="turtle")
    (concept,) = graph.subjects(RDF.type, SKOS.Concept)
    assert list(graph.objects(concept, SKOS.notation)) == [Literal(name)]
    assert list(graph.objects(concept, SKOS.prefLabel)) == [Literal(label, lang="en")]
    assert list(graph.objects(concept, SKOS.altLabel)) == [Literal(label + "'", lang="en")]


def run(*args: str) -> str:
    done = CliRunner().invoke(app, ["terms", *args])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_prints_each_format(vocabulary: Vocabulary) -> None:
    assert run("--format", "skos") == turtle(vocabulary)
    assert run("--format", "text") == run()
    assert run("--format", "json") == run("--json")
    assert [t["id"] for t in json.loads(run("--json"))] == list(vocabulary.terms)


def test_one_term_by_any_of_its_names(vocabulary: Vocabulary) -> None:
    shown = Graph().parse(data=run("Employer of Record", "--format", "skos"), format="turtle")
    assert list(shown.subjects(RDF.type, SKOS.Concept)) == [term_iri("eor")]
    assert len(list(shown.objects(term_iri("eor"), SKOS.definition))) == len(vocabulary.terms["eor"].definitions)
    assert json.loads(run("EOR", "--format", "json"))["id"] == "eor"
