"""The result of tagging: frozen, typed, and convertible to and from the wire format.

Offsets are Python string offsets into ``text``, which is returned exactly as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InputError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Words of the text, ``text[start:end]``, that speak for a fact."""

    start: int
    end: int
    text: str
    fact: str

    def to_dict(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "text": self.text, "fact": self.fact}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Span:
        return cls(int(row["start"]), int(row["end"]), str(row["text"]), str(row["fact"]))


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with its status, probability and words.

    ``given`` names what the caller said beside the text, when that is the evidence.
    """

    id: str
    status: str
    probability: float
    evidence: tuple[Span, ...]
    given: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "probability": self.probability,
            "evidence": [s.to_dict() for s in self.evidence],
            "given": list(self.given),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Fact:
        return cls(
            str(row["id"]),
            str(row["status"]),
            float(row["probability"]),
            tuple(Span.from_dict(s) for s in row["evidence"]),
            tuple(row.get("given", ())),
        )


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a definition stands. ``sha256`` is of the paragraph with white space folded."""

    document: str
    title: str
    section: str
    paragraph: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "document": self.document,
            "title": self.title,
            "section": self.section,
            "paragraph": self.paragraph,
            "sha256": self.sha256,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Citation:
        return cls(
            str(row["document"]), str(row["title"]), str(row["section"]), int(row["paragraph"]), str(row["sha256"])
        )


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that matched: its wording, its source, and the facts that met it."""

    id: str
    says: str
    citation: Citation
    met_by: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "says": self.says,
            "citation": self.citation.to_dict(),
            "met_by": list(self.met_by),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Definition:
        return cls(str(row["id"]), str(row["says"]), Citation.from_dict(row["citation"]), tuple(row["met_by"]))


@dataclass(frozen=True, slots=True)
class TermTag:
    """A term that applies. ``implied`` says that another term given here brings it with it."""

    id: str
    label: str
    probability: float
    implied: bool
    definitions: tuple[Definition, ...]
    evidence: tuple[Span, ...]
    given: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": self.label,
            "probability": self.probability,
            "implied": self.implied,
            "definitions": [d.to_dict() for d in self.definitions],
            "evidence": [s.to_dict() for s in self.evidence],
            "given": list(self.given),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> TermTag:
        return cls(
            str(row["id"]),
            str(row["label"]),
            float(row["probability"]),
            bool(row["implied"]),
            tuple(Definition.from_dict(d) for d in row["definitions"]),
            tuple(Span.from_dict(s) for s in row["evidence"]),
            tuple(row.get("given", ())),
        )


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A term that nearly applied, and the facts it lacked.

    ``a|b`` stands for a choice, ``not a`` for a fact that stands in the way.
    """

    id: str
    probability: float
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "probability": self.probability, "missing": list(self.missing)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> NearMiss:
        return cls(str(row["id"]), float(row["probability"]), tuple(row["missing"]))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why no term applies."""

    id: str
    says: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "says": self.says}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Reason:
        return cls(str(row["id"]), str(row["says"]))


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model answered."""

    version: str
    digest: str

    def to_dict(self) -> dict[str, Any]:
        return {"version": self.version, "digest": self.digest}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ModelInfo:
        return cls(str(row["version"]), str(row["digest"]))


@dataclass(frozen=True, slots=True)
class Tagging:
    """The answer for one text: terms with proof, facts, near misses, or the reason for silence.

    ``term_probabilities`` and ``fact_probabilities`` are pairs of id and probability (0 to 1), for every term and
    fact of the vocabulary whether it applies or not. They are not part of the wire format.
    """

    text: str
    home: str | None
    terms: tuple[TermTag, ...]
    facts: tuple[Fact, ...]
    near_misses: tuple[NearMiss, ...]
    reason: Reason | None
    model: ModelInfo
    term_probabilities: tuple[tuple[str, float], ...] = field(default=(), compare=False, repr=False)
    fact_probabilities: tuple[tuple[str, float], ...] = field(default=(), compare=False, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the terms that apply, in vocabulary order."""
        return tuple(term.id for term in self.terms)

    def to_dict(self) -> dict[str, Any]:
        """The wire format, schema :data:`SCHEMA`."""
        return {
            "schema": SCHEMA,
            "text": self.text,
            "home": self.home,
            "terms": [t.to_dict() for t in self.terms],
            "facts": [f.to_dict() for f in self.facts],
            "near_misses": [n.to_dict() for n in self.near_misses],
            "reason": self.reason.to_dict() if self.reason else None,
            "model": self.model.to_dict(),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Tagging:
        """Read the wire format back.

        Raises:
            InputError: for another schema, or a row that is not of this one.
        """
        if not isinstance(row, Mapping):
            raise InputError(f"a tagging is an object of schema {SCHEMA}, not {type(row).__name__}")
        if row.get("schema") != SCHEMA:
            raise InputError(f"schema {row.get('schema')!r}: this version reads schema {SCHEMA}")
        try:
            return cls(
                str(row["text"]),
                row["home"],
                tuple(TermTag.from_dict(t) for t in row["terms"]),
                tuple(Fact.from_dict(f) for f in row["facts"]),
                tuple(NearMiss.from_dict(n) for n in row["near_misses"]),
                Reason.from_dict(row["reason"]) if row["reason"] else None,
                ModelInfo.from_dict(row["model"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"not a tagging of schema {SCHEMA}: {type(error).__name__} {error}") from error
