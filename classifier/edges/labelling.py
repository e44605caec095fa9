"""What labelling tools have in common: the choices that they offer, and the answer of an annotator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..vocabulary import Vocabulary
from .review import NONE, ToReview

# The names under which tasks and answers hold spans and choices.
EVIDENCE, TERMS = "evidence", "terms"


@dataclass(frozen=True, slots=True)
class Answer:
    """One annotator's answer: choices as written, spans, and what ranks it among others."""

    choices: Sequence[str]
    spans: Sequence[tuple[int, int]]
    truth: bool = False
    time: str = ""
    by: str | None = None


def options(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """What can be chosen, with a word on each."""
    silences = [(f"{NONE}:{s}", f"No term: {says}") for s, says in vocabulary.silences.items()]
    return [*((t.id, t.label) for t in vocabulary.terms.values()), (NONE, "No term applies"), *silences]


def chosen(row: ToReview, vocabulary: Vocabulary) -> list[str]:
    """The choices that stand for a row's tags."""
    if row.tags.terms:
        return list(row.tags.terms)
    return [f"{NONE}:{row.tags.reason}" if row.tags.reason in vocabulary.silences else NONE]


def told(row: ToReview) -> dict[str, Any]:
    """What comes back with the answer."""
    return {"row": row.number, "before": list(row.tags.terms), **{k: v for k, v in row.context.items() if v}}
