"""The vocabulary as a SKOS concept scheme in Turtle, for thesaurus tools and triple stores.

A term is a ``skos:Concept``; what it implies is ``skos:broader``; its id is the exact ``skos:notation``. A definition
is a resource of its own, so that each document's reading keeps its source: ``rdf:value`` has the wording,
``dct:source`` the passage (document, section, paragraph, digest). What excludes a term stands in ``skos:scopeNote``,
for SKOS has no property for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from ..vocabulary import Document, Term, TermDefinition, Vocabulary
from .report import source_text

BASE = "urn:arrangement-classifier:"
SCHEME = f"<{BASE}vocabulary>"
_PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dct": "http://purl.org/dc/terms/",
    "ac": f"{BASE}property:",
    "document": f"{BASE}document:",
    "definition": f"{BASE}definition:",
    "term": f"{BASE}term:",
}
# What Dublin Core has no property for.
_PROPERTIES = {
    "section": "the heading under which a passage stands",
    "paragraph": "the paragraph of a passage under its heading, counted from 1",
    "sha256": "the SHA-256 of a passage, white space folded",
}
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def turtle(vocabulary: Vocabulary, only: str | None = None) -> str:
    """The vocabulary in Turtle, or the term ``only`` by itself with the documents it cites."""
    terms = [t for t in vocabulary.terms.values() if only in (None, t.id)]
    cited = {d.source.document.id for t in terms for d in t.definitions}
    blocks = [
        "\n".join(f"@prefix {name}: <{iri}> ." for name, iri in _PREFIXES.items()),
        _scheme(vocabulary, terms),
        *(_block(f"ac:{name}", [("a", "rdf:Property"), ("rdfs:label", _text(name)), ("rdfs:comment", _text(says))])
          for name, says in _PROPERTIES.items()),
        *(_document(d) for d in vocabulary.documents.values() if d.id in cited),
    ]  # fmt: skip
    for term in terms:
        blocks.append(_concept(term, vocabulary))
        blocks += [_definition(d) for d in term.definitions]
    return "\n\n".join(blocks) + "\n"


def _scheme(vocabulary: Vocabulary, terms: Iterable[Term]) -> str:
    top = [_name("term", t.id) for t in terms if not vocabulary.implications.get(t.id)]
    return _block(
        SCHEME,
        [
            ("a", "skos:ConceptScheme"),
            ("dct:title", _text("Terms for outsourcing and related arrangements")),
            ("dct:description", _text("Definitions in this project's own words, each with the passage it answers to.")),
            ("dct:license", "<https://www.apache.org/licenses/LICENSE-2.0>"),
            *(("skos:hasTopConcept", name) for name in top),
        ],
    )


def _document(document: Document) -> str:
    return _block(
        _name("document", document.file),
        [
            ("a", "dct:BibliographicResource"),
            ("dct:title", _text(document.title)),
            ("dct:identifier", _literal(document.file)),
        ],
    )


def _concept(term: Term, vocabulary: Vocabulary) -> str:
    broader = vocabulary.implications.get(term.id, ())
    excluded = [b if a == term.id else a for a, b in vocabulary.exclusions if term.id in (a, b)]
    pairs = [
        ("a", "skos:Concept"),
        ("skos:inScheme", SCHEME),
        ("skos:prefLabel", _text(term.label)),
        # A label is either preferred or another one, never both.
        *(("skos:altLabel", _text(name)) for name in dict.fromkeys(term.also) if name != term.label),
        ("skos:notation", _literal(term.id)),
        *(("skos:broader", _name("term", other)) for other in broader),
        *(("skos:definition", _name("definition", d.id)) for d in term.definitions),
    ]
    if not broader:
        pairs.append(("skos:topConceptOf", SCHEME))
    if excluded:
        labels = ", ".join(vocabulary.terms[t].label for t in excluded)
        pairs.append(("skos:scopeNote", _text(f"Excludes, for one and the same arrangement: {labels}.")))
    return _block(_name("term", term.id), pairs)


def _definition(definition: TermDefinition) -> str:
    source = definition.source
    passage = [
        ("dct:isPartOf", _name("document", source.document.file)),
        ("ac:section", _literal(source.section)),
        ("ac:paragraph", str(source.paragraph)),
        ("ac:sha256", _literal(source.sha256)),
        ("dct:bibliographicCitation", _text(source_text(source))),
    ]
    inner = " ;\n    ".join(f"{name} {value}" for name, value in passage)
    return _block(
        _name("definition", definition.id),
        [("rdf:value", _text(definition.says)), ("dct:source", f"[\n    {inner}\n  ]")],
    )


def _block(subject: str, pairs: Iterable[tuple[str, str]]) -> str:
    return f"{subject}\n  " + " ;\n  ".join(_joined(pairs)) + " ."


def _joined(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """``property value, value``, the values of a property together."""
    by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        by_name.setdefault(name, []).append(value)
    for name, values in by_name.items():
        yield f"{name} {', '.join(values)}"


def _name(prefix: str, local: str) -> str:
    """A prefixed name where that needs no escaping, else the whole IRI."""
    if _PLAIN.fullmatch(local):
        return f"{prefix}:{local}"
    return f"<{_PREFIXES[prefix]}{quote(local, safe='/')}>"


def _literal(text: str) -> str:
    # JSON's escapes are all escapes of Turtle too, with the same meaning.
    return json.dumps(text, ensure_ascii=False)


def _text(text: str) -> str:
    return f"{_literal(text)}@en"
