"""Evaluating a classifier on labelled files, under the must/may protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine import Classifier
from ..errors import ScenarioError
from .metrics import Answer, Scores, score
from .scenarios import read_jsonl


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of each file and of all together."""

    files: Mapping[str, Scores]
    total: Scores
    answers: Sequence[tuple[Mapping[str, Any], Answer]]


def rows_of(path: Path) -> Iterable[dict[str, Any]]:
    """Evaluation rows: those with ``must`` and ``may``, or training scenarios with ``terms``.

    Raises:
        ScenarioError: for a row with neither.
    """
    for number, row in read_jsonl(path):
        must = row.get("must", row.get("terms"))
        if not isinstance(row.get("text"), str) or not isinstance(must, list):
            raise ScenarioError(
                f"{path.name}:{number}: a row needs `text` and `must` (a list of term ids); `may`, `home`, "
                "`vendor_contract` and `group` are optional"
            )
        yield {**row, "must": must, "may": row.get("may", [])}


def evaluate(classifier: Classifier, paths: Sequence[Path]) -> Evaluation:
    """Tag every row of the files and score the answers."""
    terms = classifier.vocabulary.terms
    by_file: dict[str, Scores] = {}
    every: list[tuple[Mapping[str, Any], Answer]] = []
    for path in paths:
        answers = []
        for row in rows_of(path):
            unknown = [t for t in (*row["must"], *row["may"]) if t not in terms]
            if unknown:
                raise ScenarioError(f"{path.name}: unknown term {unknown[0]!r}: see `classify terms`")
            tagging = classifier.tag(
                row["text"], row.get("home"), row.get("provider_country"), bool(row.get("vendor_contract"))
            )
            answer = Answer(frozenset(tagging.ids), frozenset(row["must"]), frozenset(row["may"]), row.get("group"))
            answers.append(answer)
            every.append((row, answer))
        by_file[path.name] = score(answers, terms)
    return Evaluation(by_file, score((a for _, a in every), terms), every)
