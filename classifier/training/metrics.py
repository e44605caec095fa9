"""Scores under the must/may protocol.

``must`` terms are required; ``may`` terms count neither way; any other term given is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """True positives, false positives and false negatives."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was given for a text and what should have been."""

    given: frozenset[str]
    must: frozenset[str]
    may: frozenset[str]
    group: str | None = None

    @property
    def exact(self) -> bool:
        return self.must <= self.given <= self.must | self.may


@dataclass(slots=True)
class Scores:
    """All figures of an evaluation; shares are 0 to 1, None where there is nothing to count."""

    texts: int = 0
    total: Tally = field(default_factory=Tally)
    terms: dict[str, Tally] = field(default_factory=dict)
    exact: int = 0
    silent: int = 0
    clean: int = 0
    groups: int = 0
    groups_right: int = 0

    @property
    def micro_f1(self) -> float:
        return self.total.f1

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the terms that were required or wrongly given at least once."""
        found = [t.f1 for t in self.terms.values() if t.right + t.wrong + t.missed]
        return sum(found) / len(found) if found else 1.0

    @property
    def exact_match(self) -> float:
        return self.exact / self.texts if self.texts else 1.0

    @property
    def clean_share(self) -> float | None:
        return self.clean / self.silent if self.silent else None

    @property
    def group_share(self) -> float | None:
        return self.groups_right / self.groups if self.groups else None

    def to_dict(self) -> dict[str, Any]:
        """Plain figures, rounded to four places."""

        def short(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        return {
            "texts": self.texts,
            "micro_f1": short(self.micro_f1),
            "precision": short(self.total.precision),
            "recall": short(self.total.recall),
            "macro_f1": short(self.macro_f1),
            "exact_match": short(self.exact_match),
            "no_term_clean": short(self.clean_share),
            "groups_right": short(self.group_share),
            "terms": {
                term: {
                    "precision": short(t.precision), "recall": short(t.recall), "f1": short(t.f1),
                    "right": t.right, "wrong": t.wrong, "missed": t.missed,
                }
                for term, t in self.terms.items()
            },
        }  # fmt: skip


def score(answers: Iterable[Answer], terms: Collection[str]) -> Scores:
    """Score answers; ``terms`` fixes the order of the table."""
    scores = Scores(terms={term: Tally() for term in terms})
    groups: dict[str, bool] = {}
    for answer in answers:
        scores.texts += 1
        scores.exact += answer.exact
        for term in answer.given & answer.must:
            scores.terms[term].right += 1
        for term in answer.given - answer.must - answer.may:
            scores.terms[term].wrong += 1
        for term in answer.must - answer.given:
            scores.terms[term].missed += 1
        if not answer.must:
            scores.silent += 1
            scores.clean += answer.given <= answer.may
        if answer.group:
            groups[answer.group] = groups.get(answer.group, True) and answer.exact
    for tally in scores.terms.values():
        scores.total.right += tally.right
        scores.total.wrong += tally.wrong
        scores.total.missed += tally.missed
    scores.groups = len(groups)
    scores.groups_right = sum(groups.values())
    return scores


HEADER = (
    f"{'':22} {'texts':>5} {'micro':>6} {'prec':>6} {'recall':>6} {'macro':>6} {'exact':>6} {'clean':>6} {'groups':>6}"
)


def line(name: str, scores: Scores) -> str:
    """One line of a table under :data:`HEADER`."""

    def cell(value: float | None) -> str:
        return f"{value:6.3f}" if value is not None else "     -"

    return (
        f"{name:22} {scores.texts:5d} {scores.micro_f1:6.3f} {scores.total.precision:6.3f} "
        f"{scores.total.recall:6.3f} {scores.macro_f1:6.3f} {scores.exact_match:6.3f} "
        f"{cell(scores.clean_share)} {cell(scores.group_share)}"
    )


def term_table(scores: Scores) -> str:
    """Precision, recall and F1 for each term, with counts."""
    rows = [f"{'term':30} {'prec':>6} {'recall':>6} {'f1':>6} {'right':>5} {'wrong':>5} {'missed':>6}"]
    rows += [
        f"{term:30} {t.precision:6.3f} {t.recall:6.3f} {t.f1:6.3f} {t.right:5d} {t.wrong:5d} {t.missed:6d}"
        for term, t in scores.terms.items()
    ]
    return "\n".join(rows)
