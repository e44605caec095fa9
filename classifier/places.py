"""Places: which countries a name can mean, and how far two countries are apart.

The tables are built by ``scripts/build_places`` from GeoNames (CC BY 4.0, geonames.org) and tzdata.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .errors import InputError

DATA = Path(__file__).parent / "data"
SAME, NEAR, MID, FAR = "same", "near", "mid", "far"
WORD = re.compile(r"[^\W\d_](?:[.](?=[^\W\d_]\b)|['’](?=[^\W\d_])|[^\W_]|[\u0300-\u036f])*\.?", re.UNICODE)
# Provinces of Canada by their codes, but for those that are codes of countries as well.
_PROVINCES = ("AB", "BC", "MB", "NB", "NS", "NT", "NU", "ON", "QC", "YT")
# Names that the table does not have.
_ALIASES = {"republic of ireland": "IE", "russian federation": "RU", "dr congo": "CD", "republic of korea": "KR"}
_BIG = 1000  # thousands
_SMALL_LETTERS, _LETTERS = bytes(range(97, 123)), bytes([*range(65, 91), *range(97, 123)])


@dataclass(frozen=True, slots=True)
class Country:
    """A country with what decides nearness: centre in degrees, offsets from UTC in hours."""

    code: str
    name: str
    continent: str
    latitude: float
    longitude: float
    offsets: tuple[float, ...]
    neighbours: frozenset[str]
    blocs: frozenset[str]


class Candidate(NamedTuple):
    """One reading of a name: country code, kind (country, demonym, state, city, region)."""

    country: str
    kind: str
    thousands: int
    area: str


@dataclass(frozen=True, slots=True)
class Meanings:
    """All that a name can mean, the largest place first; ``ambiguous`` when it is an ordinary word, too."""

    candidates: tuple[Candidate, ...]
    ambiguous: bool

    @property
    def big(self) -> bool:
        """Whether the likeliest place is a country, a people or a very large city."""
        return self.candidates[0].kind in ("country", "demonym") or self.candidates[0].thousands >= _BIG

    @property
    def needs_context(self) -> bool:
        """Whether the name by itself is too weak a sign of a place."""
        return self.ambiguous or (self.candidates[0].kind == "city" and self.candidates[0].thousands < 300)


class Place(NamedTuple):
    """A place named in a text, as resolved. Offsets are into the text."""

    start: int
    end: int
    name: str
    country: str
    kind: str


def plain(name: str) -> str:
    """Lower case without accents, apostrophes straight: the key of the table."""
    if name.isascii():
        return name.lower()
    text = unicodedata.normalize("NFKD", name.replace("’", "'"))
    return "".join(c for c in text if not unicodedata.combining(c)).lower()


class Gazetteer:
    """The table of places and countries. Immutable after construction.

    Attributes:
        longest: for each word that begins a name of several words, how many words the longest has.
        pairs: the first two words of those names.
        big_firsts: words that begin the name of a country, a people or a very large city.
        areas: codes of states and provinces, with their countries.
    """

    def __init__(self, folder: Path = DATA) -> None:
        self.countries: dict[str, Country] = {}
        with (folder / "countries.csv").open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                self.countries[row["code"]] = Country(
                    row["code"], row["name"], row["continent"],
                    float(row["latitude"]), float(row["longitude"]),
                    tuple(float(o) for o in row["offsets"].split()) or (0.0,),
                    frozenset(row["neighbours"].split()), frozenset(row["blocs"].split()),
                )  # fmt: skip
        # Few names are ever asked for: a row is taken apart when it is.
        self._rows: dict[str, str] = {}
        self._meanings: dict[str, Meanings] = {}
        self.longest: dict[str, int] = {}
        self.pairs: set[str] = set()
        self.big_firsts: set[str] = set()
        self.areas: dict[str, str] = dict.fromkeys(_PROVINCES, "CA")
        for line in (folder / "places.csv").read_text(encoding="utf-8").strip().split("\n")[1:]:
            quoted, _, kind, thousands, area, _ = line.rsplit(",", 5)
            name, row_text = quoted.strip('"'), line[len(quoted) + 1 :]
            known = self._rows.get(name)
            self._rows[name] = row_text if known is None else f"{known}\n{row_text}"
            first = name
            if not name.isalpha():
                words = WORD.findall(name)
                if words and name.startswith(words[0]):
                    first = words[0]
                    self.longest[first] = max(self.longest.get(first, 1), len(words))
                    if len(words) > 1:
                        self.pairs.add(name if name == f"{first} {words[1]}" else f"{first} {words[1]}")
            if kind in ("country", "demonym") or len(thousands) > 3:
                self.big_firsts.add(first)
            if kind == "state" and area:
                self.areas[area] = "US"

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def meanings(self, name: str) -> Meanings | None:
        """What a name can mean, by its :func:`plain` form."""
        found = self._meanings.get(name)
        if found is None and name in self._rows:
            rows = [row.split(",") for row in self._rows[name].split("\n")]
            candidates = [Candidate(code, kind, int(thousands), area) for code, kind, thousands, area, _ in rows]
            candidates.sort(key=lambda c: -c.thousands)
            found = Meanings(tuple(candidates), any(row[4] for row in rows))
            self._meanings[name] = found
        return found

    def code(self, name: str) -> str:
        """The ISO code for a country given as code or name.

        Raises:
            InputError: when it is neither.
        """
        if not isinstance(name, str):
            raise InputError(f"a country is an ISO code or an English name, not {type(name).__name__}")
        upper = name.strip().upper()
        if name.isascii() and upper in self.countries:
            return upper
        alias = _ALIASES.get(plain(name.strip()))
        if alias:
            return alias
        meanings = self.meanings(plain(name.strip()))
        for candidate in meanings.candidates if meanings else ():
            if candidate.kind == "country":
                return candidate.country
        raise InputError(f"unknown country {name!r}: give an ISO code such as US, or an English name")

    @lru_cache(maxsize=65536)  # noqa: B019 (one gazetteer lives as long as the process)
    def relation(self, home: str, other: str) -> str:
        """How far ``other`` is, seen from ``home``: same, near, mid or far.

        Near: a land border, a common trade region, or the same continent with about an hour
        of difference. Far: another continent, unless close by; or a very different time zone.
        """
        if home == other:
            return SAME
        a, b = self.countries.get(home), self.countries.get(other)
        if a is None or b is None:
            return MID
        if other in a.neighbours or home in b.neighbours or a.blocs & b.blocs:
            return NEAR
        hours = min(abs(x - y) for x in a.offsets for y in b.offsets)
        distance = _kilometres(a, b)
        if a.continent == b.continent:
            if hours <= 1.5 and distance < 5000:
                return NEAR
            return FAR if hours > 4.5 else MID
        return MID if hours <= 3.5 and distance < 5500 else FAR


def _kilometres(a: Country, b: Country) -> float:
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    return 12742 * math.asin(min(1.0, math.sqrt(half)))


def is_shouting(text: str) -> bool:
    """Whether a text is written in capitals, so that a capital says nothing about a name."""
    head = text[:400]
    if head.isascii():
        # Counting bytes is many times faster than asking each character.
        data = head.encode()
        letters = len(data) - len(data.translate(None, _LETTERS))
        capitals = letters - (len(data) - len(data.translate(None, _SMALL_LETTERS)))
    else:
        letters, capitals = sum(map(str.isalpha, head)), sum(map(str.isupper, filter(str.isalpha, head)))
    return letters > 7 and capitals > 0.8 * letters


def distinct_countries(places: Iterable[Place]) -> list[str]:
    """Country codes in order of first mention."""
    return list(dict.fromkeys(p.country for p in places))


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The table that ships with the package, read once."""
    return Gazetteer()
