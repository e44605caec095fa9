"""Training scenarios: the schema, reading, and the checks that every scenario must pass.

A scenario is one description with its facts, arrangement by arrangement, and its terms. The
facts prove the terms: the definitions must turn the one into exactly the other.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..vocabulary import Vocabulary, load_vocabulary

STATUSES = ("asserted", "planned", "denied", "ended", "discussed")
LIVE = frozenset({"asserted", "planned"})
REGISTERS = (
    "first-person", "vendor", "worker", "journalist", "tender", "e-mail", "forum", "minutes",
    "job-advert", "contract-line", "contract", "policy", "report", "resume", "chat", "web-page",
    "memo", "narrative",
)  # fmt: skip
_WORDS = re.compile(r"[a-z0-9']+")
# Unsure facts beyond this many are not tried in every combination.
_MAX_UNSURE = 8
# Why no term applies, where the vocabulary no longer gives the ones that were labelled.
_UNNAMED_SILENCE = "no-arrangement"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One arrangement in a text.

    ``facts`` maps each fact to the words that state it (``""`` when only implied);
    ``unsure`` are facts on which sensible readers differ.
    """

    status: str
    facts: Mapping[str, str]
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One labelled description. ``terms`` must apply; ``may`` are acceptable.

    ``replaces`` is the id of a scenario that this one stands in for, as when a vocabulary of one's own labels it anew.

    ``facts_open`` says that only the terms were labelled (a correction): the facts stand in for any that give them.
    """

    id: str
    text: str
    arrangements: tuple[Arrangement, ...]
    terms: frozenset[str]
    may: frozenset[str]
    silence: str | None
    home: str | None = None
    provider_country: str | None = None
    vendor_contract: bool = False
    register: str = "narrative"
    country: str | None = None
    group: str | None = None
    drawn_from: str | None = None
    facts_open: bool = False
    replaces: str | None = None
    source: str = field(default="", compare=False)


def _powerset(items: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(items, n) for n in range(len(items) + 1))


def clash(closed: Collection[str]) -> str | None:
    """What is wrong when facts, closed under implication, cannot be one arrangement's; else None."""
    if "same-country" in closed and "another-country" in closed:
        return "same-country and another-country in one arrangement: split it in two"
    if "nearby-country" in closed and "distant-country" in closed:
        return "nearby-country and distant-country in one arrangement: split it in two"
    if "own-unit" in closed and "third-party" in closed:
        return "own-unit and third-party in one arrangement: split it, or leave one unsure"
    return None


def derive_terms(arrangements: Iterable[Arrangement], vocabulary: Vocabulary) -> tuple[frozenset[str], frozenset[str]]:
    """The terms that the live arrangements' facts prove, and those that unsure facts could add."""
    must: set[str] = set()
    could: set[str] = set()
    for arrangement in arrangements:
        if arrangement.status not in LIVE:
            continue
        must |= vocabulary.terms_of(arrangement.facts)
        for extra in _powerset(arrangement.unsure[:_MAX_UNSURE]):
            could |= vocabulary.terms_of([*arrangement.facts, *extra])
    return frozenset(must), frozenset(could - must)


def parse_scenario(row: Mapping[str, Any], vocabulary: Vocabulary, where: str) -> Scenario:
    """One row of JSONL as a checked scenario.

    Raises:
        ScenarioError: naming ``where`` and what to mend.
    """

    def fail(problem: str) -> ScenarioError:
        return ScenarioError(f"{where} ({row.get('id')}): {problem}")

    for key in ("id", "text", "arrangements", "terms", "register"):
        if key not in row:
            raise fail(f"lacks {key!r}")
    text = row["text"]
    if row["register"] not in REGISTERS:
        raise fail(f"register {row['register']!r} is none of {', '.join(REGISTERS)}")
    arrangements = []
    for given in row["arrangements"]:
        status = given.get("status", "asserted")
        if status not in STATUSES:
            raise fail(f"status {status!r} is none of {', '.join(STATUSES)}")
        unsure = tuple(given.get("unsure", ()))
        for fact in (*given["facts"], *unsure):
            if fact not in vocabulary.facts:
                raise fail(f"unknown fact {fact!r}")
        for fact, quote in given["facts"].items():
            if quote and quote not in text:
                raise fail(f"the quote for {fact} is not in the text: {quote!r}")
            if fact in unsure:
                raise fail(f"{fact} is both stated and unsure")
        problem = clash(vocabulary.close(given["facts"]))
        if problem:
            raise fail(problem)
        arrangements.append(Arrangement(status, dict(given["facts"]), unsure))
    must, may = derive_terms(arrangements, vocabulary)
    labelled = frozenset(row["terms"])
    silence = row.get("silence")
    if labelled != must and labelled == _default_terms(arrangements, vocabulary):
        # Labelled for the default vocabulary: the facts stay, the terms are those of this one.
        labelled, silence = must, None if must else silence or _UNNAMED_SILENCE
    if labelled != must:
        raise fail(
            "the facts do not give the labelled terms: "
            f"facts alone give [{' '.join(sorted(must - labelled))}], "
            f"the label alone has [{' '.join(sorted(labelled - must))}]"
        )
    if bool(must) == bool(silence):
        raise fail("give `silence` when and only when no term applies")
    if silence and silence not in vocabulary.silences:
        raise fail(f"silence {silence!r} is none of {', '.join(vocabulary.silences)}")
    return Scenario(
        id=row["id"],
        text=text,
        arrangements=tuple(arrangements),
        terms=must,
        may=may | (frozenset(row.get("may", ())) - must),
        silence=silence,
        home=row.get("home"),
        provider_country=row.get("provider_country"),
        vendor_contract=bool(row.get("vendor_contract", False)),
        register=row["register"],
        country=row.get("country"),
        group=row.get("group"),
        drawn_from=row.get("drawn_from"),
        replaces=row.get("replaces"),
        source=where,
    )


def _default_terms(arrangements: Sequence[Arrangement], vocabulary: Vocabulary) -> frozenset[str] | None:
    """The terms under the default vocabulary; None where that is the one in use, or lacks a fact."""
    default = load_vocabulary()
    if vocabulary == default or any(f not in default.facts for a in arrangements for f in (*a.facts, *a.unsure)):
        return None
    return derive_terms(arrangements, default)[0]


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers (from 1) and objects of a JSONL file.

    Raises:
        ScenarioError: for a line that is not a JSON object.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise ScenarioError(f"{path.name}:{number}: not a JSON object")
                    yield number, row
    except (ValueError, RecursionError) as error:  # also UTF-8, and numbers of thousands of digits
        raise ScenarioError(f"{path.name}: not JSON: {error}") from error
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}. Give a JSONL file.") from error


def load_scenarios(paths: Iterable[Path], vocabulary: Vocabulary) -> list[Scenario]:
    """All scenarios of the files, in order, but those that another one replaces. The first broken one raises."""
    found = []
    seen: set[str] = set()
    for path in paths:
        for number, row in read_jsonl(path):
            scenario = parse_scenario(row, vocabulary, f"{path.name}:{number}")
            if scenario.id in seen:
                raise ScenarioError(f"{scenario.source}: id {scenario.id!r} is used twice")
            seen.add(scenario.id)
            found.append(scenario)
    replaced = {scenario.replaces for scenario in found}
    return [scenario for scenario in found if scenario.id not in replaced]


def words(text: str) -> list[str]:
    """Lower-case words, for comparing wording."""
    return _WORDS.findall(text.lower())


def grams(tokens: Sequence[str], n: int) -> set[tuple[str, ...]]:
    """All runs of ``n`` words."""
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def near_duplicates(scenarios: Sequence[Scenario], threshold: float = 0.6) -> list[tuple[Scenario, Scenario, float]]:
    """Pairs whose 5-gram sets overlap by more than ``threshold`` (Jaccard), groups excepted.

    Members of one contrast group are meant to be alike, and are compared elsewhere.
    """
    sets = [grams(words(s.text), 5) or {tuple(words(s.text))} for s in scenarios]
    index: dict[tuple[str, ...], list[int]] = {}
    for i, found in enumerate(sets):
        for gram in found:
            index.setdefault(gram, []).append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for members in index.values():
        if 1 < len(members) <= 50:
            shared.update(combinations(members, 2))
    pairs = []
    for (i, j), count in shared.items():
        a, b = scenarios[i], scenarios[j]
        if a.group is not None and a.group == b.group:
            continue
        overlap = count / (len(sets[i]) + len(sets[j]) - count)
        if overlap > threshold:
            pairs.append((a, b, overlap))
    return pairs


def borrowed_wording(
    scenarios: Iterable[Scenario], protected: Mapping[str, tuple[str, int]]
) -> list[tuple[Scenario, str, str]]:
    """Scenarios that repeat a run of words from a protected text.

    Args:
        protected: name to (text, length of a run in words that counts as borrowed).
    """
    by_length: dict[int, dict[tuple[str, ...], str]] = {}
    for name, (text, n) in protected.items():
        for gram in grams(words(text), n):
            by_length.setdefault(n, {}).setdefault(gram, name)
    found = []
    for scenario in scenarios:
        tokens = words(scenario.text)
        for n, known in by_length.items():
            hit = next((g for g in grams(tokens, n) if g in known), None)
            if hit:
                found.append((scenario, known[hit], " ".join(hit)))
    return found
