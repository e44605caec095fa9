"""Rows to the cells that are added to them. A text that comes again is tagged once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...engine import Classifier
from ...errors import InputError
from ...tagging import Span, Tagging, TermTag
from .options import CALLER
from .rows import Row, as_json, as_text, safe, together

_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 4_000
_LONGEST_KEY = 200
LONGEST_TEXT = 100_000
BAD = "bad row: "


@dataclass(frozen=True, slots=True)
class Context:
    """Where the text of a row stands, and what the caller says of it beside the text. Positions are from 0."""

    text: tuple[int, ...]
    home: str | None = None
    home_at: int | None = None
    provider: str | None = None
    provider_at: int | None = None
    vendor: bool = False
    vendor_at: int | None = None
    threshold: float | None = None

    def positions(self) -> frozenset[int]:
        """All columns that tagging looks at."""
        return frozenset({*self.text, *(i for i in (self.home_at, self.provider_at, self.vendor_at) if i is not None)})


class Tagged(NamedTuple):
    """The output lines of a row, each the added cells; whether a term applies; and what was wrong, if anything."""

    lines: tuple[tuple[Any, ...], ...]
    has_term: bool
    problem: str


class _Said(NamedTuple):
    """What a text is tagged under: home country, provider's country, vendor contract."""

    home: str | None
    provider: str | None
    vendor: bool


class Tagger:
    """Tags rows.

    Args:
        columns: which columns to add.
        wide: add 0 or 1 for each term.
        long: one output line for each term.
    """

    def __init__(
        self, classifier: Classifier, context: Context, columns: Sequence[str], wide: bool = False, long: bool = False
    ) -> None:
        self._classifier = classifier
        self._context = context
        self._columns = columns
        self._reason = columns.index("reason") if "reason" in columns else None
        self._terms = tuple(classifier.vocabulary.terms) if wide else ()
        self._long = long
        self._known: OrderedDict[tuple[Any, ...], tuple[tuple[tuple[Any, ...], ...], bool]] = OrderedDict()
        self._countries: dict[str, bool] = {}

    def tag(self, rows: Sequence[Row]) -> list[Tagged]:
        """The added cells of each row."""
        wanted: list[tuple[tuple[Any, ...], str]] = []
        found: dict[tuple[Any, ...], tuple[tuple[tuple[Any, ...], ...], bool]] = {}
        failed: dict[tuple[Any, ...], str] = {}
        missing: dict[_Said, dict[tuple[Any, ...], str]] = defaultdict(dict)
        for row in rows:
            text, said, problem = self._read(row)
            key = (_key(text), *said)
            wanted.append((key, problem))
            if key in self._known:
                self._known.move_to_end(key)
                found[key] = self._known[key]
            elif key not in found:
                missing[said][key] = text
        for said, texts in missing.items():
            for (key, text), tagging in zip(texts.items(), self._tagged(list(texts.values()), said), strict=True):
                if isinstance(tagging, Tagging):
                    found[key] = self._lines(tagging), bool(tagging.terms)
                    self._remember(key, found[key], len(text))
                else:
                    failed[key] = tagging
                    found[key] = (self._nothing(),), False
        return [
            self._finished(row, *found[key], together(problem, failed.get(key, "")))
            for row, (key, problem) in zip(rows, wanted, strict=True)
        ]

    def with_problem(self, row: Row, tagged: Tagged, problem: str) -> Tagged:
        """A tagged row that turned out to be bad when it was to be written."""
        return self._finished(row, tagged.lines, tagged.has_term, problem)

    def _read(self, row: Row) -> tuple[str, _Said, str]:
        context, cells, problems = self._context, row.cells, [row.problem]
        text = "\n".join(as_text(cells[i]) for i in context.text)
        if len(text) > LONGEST_TEXT:
            problems.append(f"of a text of {len(text)} characters the first {LONGEST_TEXT} were read")
            text = text[:LONGEST_TEXT]
        countries = []
        for at, otherwise, what in (
            (context.home_at, context.home, "home"),
            (context.provider_at, context.provider, "provider"),
        ):
            country = "" if at is None else as_text(cells[at]).strip()
            if not country:
                countries.append(otherwise)
            elif self._is_country(country):
                countries.append(country)
            else:
                countries.append(None)
                problems.append(f"unknown {what} country {country[:40]!r}: tagged without it")
        vendor = context.vendor or (context.vendor_at is not None and bool(as_text(cells[context.vendor_at]).strip()))
        return text, _Said(countries[0], countries[1], vendor), together(*problems)

    def _is_country(self, name: str) -> bool:
        if name not in self._countries:
            if len(self._countries) >= _REMEMBERED:
                self._countries.clear()
            try:
                self._classifier.context(name)
                self._countries[name] = True
            except InputError:
                self._countries[name] = False
        return self._countries[name]

    def _tagged(self, texts: Sequence[str], said: _Said) -> Sequence[Tagging | str]:
        """A tagging for each text, or what went wrong with it."""
        context: dict[str, Any] = {
            "home": said.home,
            "provider_country": said.provider,
            "vendor_contract": said.vendor,
            "threshold": self._context.threshold,
        }
        try:
            return list(self._classifier.tag_many(texts, **context))
        except Exception:
            # One text has failed: find which, so that the others are answered.
            return [self._tagged_alone(text, context) for text in texts]

    def _tagged_alone(self, text: str, context: Mapping[str, Any]) -> Tagging | str:
        try:
            return self._classifier.tag(text, **context)
        except Exception as error:
            return f"could not be tagged: {type(error).__name__}: {str(error)[:200]}"

    def _remember(self, key: tuple[Any, ...], value: tuple[tuple[tuple[Any, ...], ...], bool], length: int) -> None:
        if length > _LONGEST_REMEMBERED:
            return
        self._known[key] = value
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _lines(self, tagging: Tagging) -> tuple[tuple[Any, ...], ...]:
        if self._long and tagging.terms:
            answers = [answer(tagging, (i,)) for i in range(len(tagging.terms))]
        else:
            answers = [answer(tagging, range(len(tagging.terms)))]
        ids = set(tagging.ids)
        flags = tuple(int(term in ids) for term in self._terms)
        return tuple((*(safe(a[name]) for name in self._columns), *flags) for a in answers)

    def _nothing(self) -> tuple[Any, ...]:
        return (*("" for _ in self._columns), *(0 for _ in self._terms))

    def _finished(self, row: Row, lines: tuple[tuple[Any, ...], ...], has_term: bool, problem: str) -> Tagged:
        if problem and self._reason is not None:
            # What fits no column is said here, so that the table still holds every cell.
            told = f"{BAD}{problem}" + (f"; left over: {as_json(row.left_over)}" if row.left_over is not None else "")
            at = self._reason
            lines = tuple((*line[:at], told, *line[at + 1 :]) for line in lines)
        return Tagged(lines, has_term, problem)


def _key(text: str) -> str | bytes:
    if len(text) <= _LONGEST_KEY:
        return text
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def answer(tagging: Tagging, chosen: Sequence[int]) -> dict[str, str]:
    """The text of every column that can be added, for the terms at ``chosen``."""
    terms = [tagging.terms[i] for i in chosen]
    spans: set[Span] = {s for t in terms for s in t.evidence}
    places = sorted({(s.start, s.end, s.text) for s in spans})
    return {
        "terms": "|".join(t.id for t in terms),
        "probabilities": "|".join(f"{t.probability:.3f}" for t in terms),
        "definitions": "|".join(d.id for t in terms for d in t.definitions),
        "evidence": " | ".join([*(" ".join(text.split()) for _, _, text in places), *caller_of(terms)]),
        "reason": tagging.reason.id if tagging.reason else "",
        "model": f"{tagging.model.version} {tagging.model.digest[:12]}",
    }


def caller_of(terms: Iterable[TermTag]) -> list[str]:
    """What the caller said beside the text that is evidence for these terms, as cells show it."""
    given = {name for term in terms for name in term.given}
    return [shown for name, shown in CALLER.items() if name in given]
