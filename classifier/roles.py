"""Which country is the client's: the role that each place plays in the text.

A small learned scorer looks at the words around each place name. Its answer stands in for the
caller's ``home`` where none is given, and is marked as a guess.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .places import Place
from .reading import Reading

_FIRST_PERSON = frozenset({"our", "we", "us", "my", "i", "ours", "ourselves"})
_AROUND = 3


@dataclass(frozen=True, slots=True)
class HomeGuess:
    """The client's country as far as the text tells: ``country`` or None, and how sure (0 to 1)."""

    country: str | None
    probability: float
    away: frozenset[str]  # countries that are more likely not the client's


def mention_features(reading: Reading) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """For each place in order: its country and the features of its surroundings, as family and value."""
    lower, starts = reading.lower, reading.start.tolist()
    words: list[str] = []
    mentions: list[tuple[int, Place]] = []
    done = 0
    for place in reading.places:
        first = bisect_left(starts, place.start)
        after = bisect_left(starts, place.end)
        if first < after:
            words += [word for word in lower[done:first] if word != " "]
            mentions.append((len(words), place))
            words.append("_place")
            done = after
    words += [word for word in lower[done:] if word != " "]
    order: dict[str, int] = {}
    many = str(min(len(mentions), 4))
    person = not _FIRST_PERSON.isdisjoint(words)
    padded = ["<s>"] * _AROUND + words + ["</s>"] * _AROUND
    for n, (position, place) in enumerate(mentions):
        nth = order.setdefault(place.country, len(order))
        b3, b2, b1, _, a1, a2, a3 = padded[position : position + 2 * _AROUND + 1]
        found = [
            ("kind", place.kind), ("order", str(min(nth, 2))), ("n", str(min(n, 3))), ("of", many),
            ("b1", b1), ("b2", b2), ("b3", b3), ("a1", a1), ("a2", a2), ("a3", a3),
            ("b2b1", f"{b2} {b1}"), ("b1a1", f"{b1} {a1}"), ("a1a2", f"{a1} {a2}"),
        ]  # fmt: skip
        found += [("near", word) for word in dict.fromkeys(words[max(0, position - 6) : position])]
        found += [("then", word) for word in dict.fromkeys(words[position + 1 : position + 6])]
        if person:
            found.append(("person", str(nth)))
        yield place.country, found


def guess_home(reading: Reading, weights: Mapping[str, Mapping[str, float]], bias: float) -> HomeGuess:
    """Guess the client's country from the places in the text; weights by family, then value, of features."""
    scores: dict[str, list[float]] = {}
    for country, found in mention_features(reading):
        score = bias + sum([weights[family].get(value, 0.0) for family, value in found if family in weights])
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
