"""Corrections: which terms an analyst says a text has, and how they become training scenarios.

A correction knows the terms but not the facts. So the scenario made of it teaches the terms (all of them: what is
not among them is absent) and leaves every fact open (``Scenario.facts_open``): fitting then asks that the
configurations of facts that carry exactly these terms become likely *together*, and the text itself decides among
them. No evidence is taught either, since no quotes are known. When no term is left, the reason for silence is open
as well, unless the analyst names it.

The model answers with configurations that stand in its training data, so the scenario still needs facts that give
exactly its terms: those of the commonest arrangements among the given scenarios with the same terms, or else
the fewest facts that the definitions turn into them (:mod:`.smallest`). ``parse_scenario`` checks them as it
checks all others. A correction weighs as much as one scenario.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, ScenarioError
from ..places import load_gazetteer
from ..vocabulary import Vocabulary
from .scenarios import LIVE, Scenario, parse_scenario, read_jsonl
from .smallest import smallest_facts

Key = tuple[str, str | None, str | None, bool]


@dataclass(frozen=True, slots=True)
class Correction:
    """What an analyst says of one text.

    Attributes:
        terms: all terms that apply, with those that they imply, in vocabulary order.
        before: the terms that the model gave; None when not known.
        silence: why no term applies, when the analyst says so.
        home, provider_country, vendor_contract: the context in which the text was tagged.
        by, at: who decided and when, as the caller writes it.
        evidence: marked words as start, end; string offsets into ``text``.
    """

    text: str
    terms: tuple[str, ...]
    before: tuple[str, ...] | None = None
    silence: str | None = None
    home: str | None = None
    provider_country: str | None = None
    vendor_contract: bool = False
    by: str | None = None
    at: str | None = None
    evidence: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> Key:
        """What the correction is about: a text in its context."""
        return (self.text, self.home, self.provider_country, self.vendor_contract)

    def to_dict(self) -> dict[str, Any]:
        """The line of JSONL; what is not known is left out."""
        row: dict[str, Any] = {
            "text": self.text,
            "terms": list(self.terms),
            "before": None if self.before is None else list(self.before),
            "silence": self.silence,
            "home": self.home,
            "provider_country": self.provider_country,
            "vendor_contract": self.vendor_contract or None,
            "by": self.by,
            "at": self.at,
            "evidence": [{"start": a, "end": b, "text": self.text[a:b]} for a, b in self.evidence] or None,
        }
        return {k: v for k, v in row.items() if v is not None}


def closed_terms(terms: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """``terms`` with what they imply, in vocabulary order.

    Raises:
        ScenarioError: for an unknown term.
    """
    found = set(terms)
    unknown = sorted(found - vocabulary.terms.keys())
    if unknown:
        raise ScenarioError(f"unknown term {unknown[0]!r}: `classify terms` lists them")
    for term in tuple(found):
        found |= vocabulary.implied_by_term[term]
    return tuple(t for t in vocabulary.terms if t in found)


def parse_correction(row: Mapping[str, Any], vocabulary: Vocabulary, where: str) -> Correction:
    """One line of JSONL as a checked correction.

    Raises:
        ScenarioError: naming ``where`` and what to mend.
    """
    text, terms = row.get("text"), row.get("terms")
    if not isinstance(text, str) or not text.strip():
        raise ScenarioError(f"{where}: lacks 'text'")
    if not isinstance(terms, list) or not all(isinstance(t, str) for t in terms):
        raise ScenarioError(f"{where}: 'terms' must be a list of ids, [] for none")
    try:
        closed = closed_terms(terms, vocabulary)
        before = row.get("before")
        spans = tuple((int(s["start"]), int(s["end"])) for s in row.get("evidence") or ())
    except ScenarioError as error:
        raise ScenarioError(f"{where}: {error}") from None
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ScenarioError(f"{where}: 'evidence' must hold start and end: {error!r}") from error
    silence = row.get("silence")
    if silence is not None and (closed or silence not in vocabulary.silences):
        raise ScenarioError(
            f"{where}: 'silence' goes with no terms, and is one of {', '.join(vocabulary.silences)}; got {silence!r}"
        )
    return Correction(
        text,
        closed,
        tuple(map(str, before)) if isinstance(before, list) else None,
        silence,
        _country(row.get("home"), where),
        _country(row.get("provider_country"), where),
        bool(row.get("vendor_contract", False)),
        _text(row.get("by")),
        _text(row.get("at")),
        spans,
    )


def _country(name: Any, where: str) -> str | None:
    try:
        return load_gazetteer().code(str(name)) if name else None
    except InputError as error:
        raise ScenarioError(f"{where}: {error}") from None


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def read_corrections(paths: Iterable[Path], vocabulary: Vocabulary) -> list[Correction]:
    """The corrections of files, one for each text in its context: the last one counts."""
    found: dict[Key, Correction] = {}
    for path in paths:
        for number, row in read_jsonl(path):
            correction = parse_correction(row, vocabulary, f"{path.name}:{number}")
            found.pop(correction.key, None)
            found[correction.key] = correction
    return list(found.values())


def line_of(correction: Correction) -> str:
    """A correction as a line of JSONL."""
    return json.dumps(correction.to_dict(), ensure_ascii=False) + "\n"


def scenarios_from(
    corrections: Iterable[Correction], scenarios: Sequence[Scenario], vocabulary: Vocabulary
) -> list[Scenario]:
    """Corrections as training scenarios, to be added to ``scenarios``.

    Raises:
        ScenarioError: when the definitions allow no facts for the terms of a correction.
    """
    usual = _usual_arrangements(scenarios, vocabulary)
    silences = Counter(s.silence for s in scenarios if s.silence)
    nominal = silences.most_common(1)[0][0] if silences else next(iter(vocabulary.silences))
    found = []
    for correction in corrections:
        terms = frozenset(correction.terms)
        name = hashlib.sha256(json.dumps(correction.key).encode()).hexdigest()[:16]
        arrangements = (usual.get(terms) or smallest_facts(terms, vocabulary)) if terms else []
        row = {
            "id": f"correction-{name}",
            "text": correction.text,
            "home": correction.home,
            "provider_country": correction.provider_country,
            "vendor_contract": correction.vendor_contract,
            "register": "contract-line" if correction.vendor_contract else "narrative",
            "arrangements": [{"facts": dict.fromkeys(sorted(facts), "")} for facts in arrangements],
            "terms": list(correction.terms),
            "silence": None if terms else correction.silence or nominal,
        }
        scenario = parse_scenario(row, vocabulary, f"correction of {correction.text[:40]!r}")
        # With the reason for silence, all is known: no arrangement, no fact.
        found.append(replace(scenario, facts_open=bool(terms) or correction.silence is None))
    return found


def _usual_arrangements(
    scenarios: Iterable[Scenario], vocabulary: Vocabulary
) -> Mapping[frozenset[str], tuple[frozenset[str], ...]]:
    """For each set of terms the facts, arrangement by arrangement, that scenarios most often have with it."""
    seen: dict[frozenset[str], Counter[tuple[tuple[str, ...], ...]]] = defaultdict(Counter)
    for scenario in scenarios:
        if scenario.terms and not scenario.facts_open:
            live = [tuple(sorted(vocabulary.close(a.facts))) for a in scenario.arrangements if a.status in LIVE]
            seen[scenario.terms][tuple(sorted(facts for facts in live if facts))] += 1
    found = {}
    for terms, counts in seen.items():
        # The shorter of equally common ones; then any, but the same one each time.
        ranked = sorted(counts.items(), key=lambda item: (-item[1], len(str(item[0])), item[0]))
        found[terms] = tuple(frozenset(facts) for facts in ranked[0][0])
    return found
