"""Which country is the client's: the role that each place plays in the text.

A small learned scorer looks at the words around each place name. Its answer stands in for the
caller's ``home`` where none is given, and is marked as a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .reading import Reading

_FIRST_PERSON = frozenset({"our", "we", "us", "my", "i", "ours", "ourselves"})
_AROUND = 3


@dataclass(frozen=True, slots=True)
class HomeGuess:
    """The client's country as far as the text tells: ``country`` or None, and how sure (0 to 1)."""

    country: str | None
    probability: float
    away: frozenset[str]  # countries that are more likely not the client's


def mention_features(reading: Reading) -> Iterator[tuple[str, list[str]]]:
    """For each place in order: its country and the features of its surroundings."""
    places = reading.places
    words: list[str] = []
    at: list[int] = []
    kinds: list[str] = []
    countries: list[str] = []
    k = 0
    for token in reading.tokens:
        while k < len(places) and places[k].end <= token.start:
            k += 1
        if k < len(places) and places[k].start <= token.start < places[k].end:
            if len(at) <= k:
                at.append(len(words))
                kinds.append(places[k].kind)
                countries.append(places[k].country)
                words.append("_place")
            continue
        if token.lower.strip():
            words.append(token.lower)
    seen: dict[str, int] = {}
    first_person = any(w in _FIRST_PERSON for w in words)
    for n, (position, kind, country) in enumerate(zip(at, kinds, countries, strict=True)):
        order = seen.setdefault(country, len(seen))
        found = [f"kind:{kind}", f"order:{min(order, 2)}", f"n:{min(n, 3)}", f"of:{min(len(at), 4)}"]
        padded = ["<s>"] * _AROUND + words[max(0, position - 40) : position]
        before = padded[-_AROUND:]
        after = (words[position + 1 : position + 1 + _AROUND] + ["</s>"] * _AROUND)[:_AROUND]
        for i, word in enumerate(reversed(before), start=1):
            found.append(f"b{i}:{word}")
        for i, word in enumerate(after, start=1):
            found.append(f"a{i}:{word}")
        found.append(f"b2b1:{before[-2]} {before[-1]}")
        found.append(f"b1a1:{before[-1]} {after[0]}")
        found.append(f"a1a2:{after[0]} {after[1]}")
        near = words[max(0, position - 6) : position]
        found.extend(f"near:{w}" for w in set(near))
        found.extend(f"then:{w}" for w in set(words[position + 1 : position + 6]))
        if first_person:
            found.append(f"person:{order}")
        yield country, found


def guess_home(reading: Reading, weights: Mapping[str, float], bias: float) -> HomeGuess:
    """Guess the client's country from the places in the text."""
    scores: dict[str, list[float]] = {}
    for country, found in mention_features(reading):
        score = bias + sum(weights.get(f, 0.0) for f in found)
        scores.setdefault(country, []).append(score)
    if not scores:
        return HomeGuess(None, 0.0, frozenset())
    # One telling mention outweighs several that tell nothing.
    best = {c: max(s, key=abs) if len(s) > 1 else s[0] for c, s in scores.items()}
    probability = {c: 1 / (1 + math.exp(-max(-30.0, min(30.0, s)))) for c, s in best.items()}
    country = max(probability, key=lambda c: probability[c])
    away = frozenset(c for c, p in probability.items() if p < 0.5 and c != country)
    if probability[country] < 0.5:
        return HomeGuess(None, probability[country], away | {country})
    return HomeGuess(country, probability[country], away)
