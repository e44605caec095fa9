"""The vocabulary: documents, facts, terms, definitions and what implies what.

Read from ``data/vocabulary.toml`` (or a file of one's own, which may extend it: see
:mod:`.extending`) and checked on load, so that a broken vocabulary is refused before it can give
a wrong answer.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from .errors import InputError, VocabularyError
from .extending import check_keys, extended

FORMAT = 1
DATA = Path(__file__).parent / "data"
DEFAULT = DATA / "vocabulary.toml"


@dataclass(frozen=True, slots=True)
class Document:
    """One source document: ``id`` (D0 to D4), its ``file`` stem and its title."""

    id: str
    file: str
    title: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a definition stands: document, section heading, paragraph (from 1), digest (empty where not given)."""

    document: Document
    section: str
    paragraph: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FactKind:
    """A fact that a description can state, with the facts it implies."""

    id: str
    facet: str
    label: str
    implies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """One document's reading of a term, as conditions over facts."""

    id: str
    term: str
    says: str
    all: tuple[str, ...]
    any: tuple[tuple[str, ...], ...]
    none: tuple[str, ...]
    source: Source

    def matches(self, facts: frozenset[str]) -> bool:
        """Whether ``facts`` (closed under implication) meet every condition."""
        return (
            facts.issuperset(self.all)
            and facts.isdisjoint(self.none)
            and not any(facts.isdisjoint(choice) for choice in self.any)
        )

    def missing(self, facts: Collection[str]) -> tuple[str, ...]:
        """Conditions that ``facts`` do not meet: ids, ``a|b`` for a choice, ``not a`` for an exclusion."""
        lacks = [fact for fact in self.all if fact not in facts]
        lacks += ["|".join(c) for c in self.any if not any(f in facts for f in c)]
        lacks += [f"not {fact}" for fact in self.none if fact in facts]
        return tuple(lacks)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the vocabulary with its other names and definitions."""

    id: str
    label: str
    also: tuple[str, ...]
    definitions: tuple[TermDefinition, ...]


@dataclass(frozen=True)
class Vocabulary:
    """All of it. Look things up by id; derive terms from facts with :meth:`terms_of`."""

    documents: Mapping[str, Document]
    facts: Mapping[str, FactKind]
    terms: Mapping[str, Term]
    silences: Mapping[str, str]  # reasons for silence that the model learns: id to wording
    other_silences: Mapping[str, str]  # reasons found without the model
    exclusions: tuple[tuple[str, str], ...]
    implications: Mapping[str, tuple[str, ...]]
    path: Path | None = field(default=None, compare=False)  # the file that it was read from

    @cached_property
    def implied_by_term(self) -> Mapping[str, frozenset[str]]:
        """Every term's implied terms, closed transitively."""
        closed: dict[str, frozenset[str]] = {}
        for term in self.terms:
            seen: set[str] = set()
            todo = list(self.implications.get(term, ()))
            while todo:
                other = todo.pop()
                if other not in seen:
                    seen.add(other)
                    todo.extend(self.implications.get(other, ()))
            closed[term] = frozenset(seen)
        return closed

    @cached_property
    def definitions(self) -> Mapping[str, TermDefinition]:
        """Every definition by its id, ``term/document``."""
        return {d.id: d for term in self.terms.values() for d in term.definitions}

    def find_term(self, name: str) -> Term:
        """The term with this id, label or other name, in any case.

        Raises:
            InputError: when there is none; the message names the nearest id.
        """
        wanted = name.strip().casefold()
        for term in self.terms.values():
            if wanted in (term.id.casefold(), term.label.casefold(), *(other.casefold() for other in term.also)):
                return term
        close = get_close_matches(wanted, self.terms, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise InputError(f"unknown term {name!r}: {hint}`classify terms` lists them")

    def differing(self, other: Vocabulary) -> frozenset[str]:
        """The terms of either vocabulary that may come out differently under the other, for the same facts."""
        ids = {*self.terms, *other.terms}

        def shape(vocabulary: Vocabulary, term: str) -> Any:
            known = vocabulary.terms.get(term)
            return known and ([(d.all, d.any, d.none) for d in known.definitions], vocabulary.implied_by_term[term])

        found = {term for term in ids if shape(self, term) != shape(other, term)}
        for pair in set(self.exclusions) ^ set(other.exclusions):
            found |= set(pair)
        if self.facts != other.facts:
            found |= ids
        for vocabulary in (self, other):
            for term in tuple(found & vocabulary.terms.keys()):
                found |= vocabulary.implied_by_term[term]
        return frozenset(found)

    def close(self, facts: Iterable[str]) -> frozenset[str]:
        """``facts`` with everything that they imply.

        A third party's people at the client's premises are in the client's country
        unless the text says that the work is done in another one.
        """
        closed: set[str] = set()
        todo = list(facts)
        while todo:
            fact = todo.pop()
            if fact not in self.facts:
                raise VocabularyError(f"unknown fact {fact!r}: use one of {', '.join(self.facts)}")
            if fact not in closed:
                closed.add(fact)
                todo.extend(self.facts[fact].implies)
        if {"client-premises", "third-party"} <= closed and "another-country" not in closed:
            closed.add("same-country")
        return frozenset(closed)

    def matching(self, facts: Iterable[str]) -> tuple[TermDefinition, ...]:
        """The definitions that one arrangement's facts match, in vocabulary order."""
        closed = self.close(facts)
        return tuple(d for d in self.definitions.values() if d.matches(closed))

    def terms_of(self, facts: Iterable[str]) -> frozenset[str]:
        """The terms of one arrangement, closed under implication."""
        return self.proved_by(self.matching(facts))

    def proved_by(self, definitions: Iterable[TermDefinition]) -> frozenset[str]:
        """The terms of definitions, with what they imply."""
        found = frozenset(d.term for d in definitions)
        return found.union(*(self.implied_by_term[term] for term in found))


def _definition(term: str, row: Mapping[str, Any], documents: Mapping[str, Document]) -> TermDefinition:
    document = documents.get(row["document"])
    if document is None:
        raise VocabularyError(f"{term}: unknown document {row['document']!r}")
    citation = row["citation"]
    return TermDefinition(
        id=f"{term}/{document.id}",
        term=term,
        says=row["says"],
        all=tuple(row.get("all", ())),
        any=tuple(tuple(choice) for choice in row.get("any", ())),
        none=tuple(row.get("none", ())),
        source=Source(document, citation["section"], citation["paragraph"], citation.get("sha256", "")),
    )


def _check(vocabulary: Vocabulary) -> None:
    known = vocabulary.facts
    for fact in known.values():
        unknown = [f for f in fact.implies if f not in known]
        if unknown:
            raise VocabularyError(f"fact {fact.id} implies unknown facts: {', '.join(unknown)}")
    for term in vocabulary.terms.values():
        if not term.definitions:
            raise VocabularyError(f"term {term.id} has no definition: add one")
        if len({d.id for d in term.definitions}) < len(term.definitions):
            raise VocabularyError(f"term {term.id} has two definitions from one document: give the document twice")
    for definition in vocabulary.definitions.values():
        used = [*definition.all, *definition.none, *(f for c in definition.any for f in c)]
        unknown = [f for f in used if f not in known]
        if unknown:
            raise VocabularyError(f"{definition.id} uses unknown facts: {', '.join(unknown)}")
        if not definition.all:
            raise VocabularyError(f"{definition.id} has no condition in `all`: it would match anything")
        clash = vocabulary.close(definition.all) & set(definition.none)
        if clash:
            raise VocabularyError(f"{definition.id} can never match: {', '.join(sorted(clash))}")
    for left, right in vocabulary.exclusions:
        for term_id in (left, right):
            if term_id not in vocabulary.terms:
                raise VocabularyError(f"exclusion names unknown term {term_id!r}")
        if right in vocabulary.implied_by_term[left] or left in vocabulary.implied_by_term[right]:
            raise VocabularyError(f"{left} and {right} exclude each other but one implies the other")
    for term_id, implied in vocabulary.implications.items():
        for other in (term_id, *implied):
            if other not in vocabulary.terms:
                raise VocabularyError(f"implication names unknown term {other!r}")
    # An implied term must be provable from the same facts, or its citation could not be shown.
    for definition in vocabulary.definitions.values():
        facts = vocabulary.close([*definition.all, *(c[0] for c in definition.any)])
        if not definition.matches(facts):
            raise VocabularyError(f"{definition.id} does not match its own conditions")
        proved = {d.term for d in vocabulary.definitions.values() if d.matches(facts)}
        unproved = vocabulary.implied_by_term[definition.term] - proved
        if unproved:
            raise VocabularyError(
                f"{definition.id} implies {', '.join(sorted(unproved))}, which its facts do not prove"
            )


def parse_vocabulary(text: str, name: str = "vocabulary") -> Vocabulary:
    """Parse and check a vocabulary in TOML (or, where ``name`` ends so, in JSON).

    Raises:
        VocabularyError: when it cannot be parsed, or contradicts itself.
    """
    return _vocabulary(_raw(text, name), name)


def _raw(text: str, name: str) -> dict[str, Any]:
    """The tables of a vocabulary, with those of the default where it extends that."""
    try:
        raw = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise VocabularyError(f"{name}: {type(error).__name__}: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else None
        raise VocabularyError(f"{name}: format {found!r}, this version reads {FORMAT}")
    if "extends" not in raw:
        check_keys(raw, name)
        return raw
    if raw["extends"] != "default":
        raise VocabularyError(f'{name}: extends {raw["extends"]!r}: only "default" can be extended')
    return extended(raw_vocabulary(DEFAULT), raw, name)


def _vocabulary(raw: Mapping[str, Any], name: str) -> Vocabulary:
    try:
        documents = {d["id"]: Document(d["id"], d["file"], d["title"]) for d in raw["document"]}
        facts = {f["id"]: FactKind(f["id"], f["facet"], f["label"], tuple(f.get("implies", ()))) for f in raw["fact"]}
        terms = {
            t["id"]: Term(
                t["id"],
                t["label"],
                tuple(t.get("also", ())),
                tuple(_definition(t["id"], d, documents) for d in t.get("definition", ())),
            )
            for t in raw["term"]
        }
        vocabulary = Vocabulary(
            documents=documents,
            facts=facts,
            terms=terms,
            silences={s["id"]: s["says"] for s in raw.get("silence", ()) if s.get("learned", True)},
            other_silences={s["id"]: s["says"] for s in raw.get("silence", ()) if not s.get("learned", True)},
            exclusions=tuple((e["terms"][0], e["terms"][1]) for e in raw.get("exclusion", ())),
            implications={i["term"]: tuple(i["implies"]) for i in raw.get("implication", ())},
        )
        _check(vocabulary)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise VocabularyError(f"{name}: {type(error).__name__}: {error}") from error
    return vocabulary


def raw_vocabulary(path: Path) -> dict[str, Any]:
    """The tables of the vocabulary at ``path``, whole: with those of the default where it extends that.

    Raises:
        VocabularyError: when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{path}: {error}. Give the path of a vocabulary in TOML.") from error
    return _raw(text, path.name)


@lru_cache(maxsize=8)
def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """The vocabulary at ``path``, or the one that ships with the package."""
    path = path or DEFAULT
    return replace(_vocabulary(raw_vocabulary(path), path.name), path=path)
