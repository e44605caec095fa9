"""Places in a text: which country each name means, and how far two countries are apart.

The tables are built by ``scripts/build_places`` from GeoNames (CC BY 4.0, geonames.org) and tzdata.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .errors import InputError

DATA = Path(__file__).parent / "data"
SAME, NEAR, MID, FAR = "same", "near", "mid", "far"

_WORD = re.compile(r"[^\W\d_](?:[.](?=[^\W\d_]\b)|['’](?=[^\W\d_])|[^\W_])*\.?", re.UNICODE)
_LONGEST = 5
# Words that stand before a place; names that are also ordinary words need one of them.
_BEFORE = frozenset(
    "in from at to near of out outside around over across into via throughout between and or our the a an by "
    "is are for with serving leaves down up off its their my this that new other".split()
)
_STRONG_BEFORE = frozenset("in from at to near outside around into across throughout over".split())
_AFTER = frozenset(
    "office offices branch plant factory team firm company agency based subsidiary unit centre center site "
    "campus people staff workshop supplier studio arm entity operation operations desk bank airline shop "
    "contractor contractors freelancer freelancers developers vendor vendors workers customers".split()
)


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of a name: country code, kind (country, demonym, state, city, region)."""

    country: str
    kind: str
    thousands: int
    area: str


@dataclass(frozen=True, slots=True)
class Place:
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
    """The table of places and countries. Immutable after construction."""

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
        self._names: dict[str, list[Candidate]] = {}
        self._longest: dict[str, int] = {}
        self._ambiguous: set[str] = set()
        with (folder / "places.csv").open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines)
            next(reader)
            for name, code, kind, thousands, area, ambiguous in reader:
                self._names.setdefault(name, []).append(Candidate(code, kind, int(thousands), area))
                if ambiguous:
                    self._ambiguous.add(name)
                found = _WORD.match(name)
                if found:
                    first, length = found.group(), len(_WORD.findall(name))
                    if self._longest.get(first, 0) < length:
                        self._longest[first] = length
        for candidates in self._names.values():
            candidates.sort(key=lambda c: -c.thousands)
        self._areas = {c.area: name for name, cs in self._names.items() for c in cs if c.kind == "state" and c.area}

    def code(self, name: str) -> str:
        """The ISO code for a country given as code or name.

        Raises:
            InputError: when it is neither.
        """
        upper = name.strip().upper()
        if upper == "UK":
            return "GB"
        if upper in self.countries:
            return upper
        for candidate in self._names.get(plain(name.strip()), ()):
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

    def find(self, text: str, home: str | None = None) -> list[Place]:
        """The places that ``text`` names, in order, each resolved to a country by its context."""
        found = list(_WORD.finditer(text))
        words = [plain(m.group()).replace("’", "'") for m in found]
        shouting = is_shouting(text)
        uncased = not any(c.isupper() for c in text)
        spans: list[tuple[int, int, str, list[Candidate], bool]] = []
        i = 0
        while i < len(words):
            hit = self._longest_at(text, found, words, i, shouting, uncased)
            if hit is None:
                i += 1
                continue
            last, name, candidates = hit
            vague = self._needs_context(name, candidates) or (uncased and not _is_big(candidates))
            spans.append((i, last, name, candidates, vague))
            i = last + 1
        return self._resolve(text, found, words, spans, home)

    def _longest_at(
        self, text: str, found: Sequence[re.Match[str]], words: Sequence[str], i: int, shouting: bool, uncased: bool
    ) -> tuple[int, str, list[Candidate]] | None:
        first = words[i]
        length = (
            self._longest.get(first)
            or self._longest.get(first.rstrip("."))
            or self._longest.get(first.removesuffix("'s"))
        )
        if not length:
            return None
        capital = found[i].group()[0].isupper()
        for n in range(min(length, len(words) - i, _LONGEST), 0, -1):
            end = found[i + n - 1].end()
            raw = text[found[i].start() : end]
            for candidate_text in (raw, raw.rstrip("."), raw.removesuffix("'s").removesuffix("’s")):
                name = plain(candidate_text)
                candidates = self._names.get(name)
                if candidates is None:
                    continue
                big = _is_big(candidates)
                # Who writes without any capitals writes names without them, too.
                plain_name = name not in self._ambiguous and len(name) > 3
                if not capital and not (plain_name and (big or uncased)):
                    continue
                if shouting and not (big or candidates[0].kind == "state"):
                    continue
                # Two letters are a country only in capitals.
                if len(name) == 2 and not raw.isupper():
                    continue
                return i + n - 1, name, candidates
        return None

    def _needs_context(self, name: str, candidates: Sequence[Candidate]) -> bool:
        if name in self._ambiguous:
            return True
        return candidates[0].kind == "city" and candidates[0].thousands < 300

    def _resolve(
        self,
        text: str,
        found: Sequence[re.Match[str]],
        words: Sequence[str],
        spans: Sequence[tuple[int, int, str, list[Candidate], bool]],
        home: str | None,
    ) -> list[Place]:
        # What is named beyond doubt votes for the country of what is not.
        sure = Counter(
            c[0].country for _, _, _, c, vague in spans if not vague and len({x.country for x in c[:3]}) == 1
        )
        places: list[Place] = []
        skip_to = -1
        parents: set[int] = set()
        for k, (i, last, name, candidates, vague) in enumerate(spans):
            if i <= skip_to:
                continue
            start, end = found[i].start(), found[last].end()
            raw = text[start:end]
            if raw.endswith(("'s", "’s")) and name + "'s" not in self._names:
                end -= 2
            elif raw.endswith(".") and not name.endswith("."):
                end -= 1
            chosen: Candidate | None = None
            # "Reading, Pennsylvania", "Lincoln, NE", "Paris (Texas)": what follows decides.
            after = text[end : end + 3].strip()
            if k + 1 < len(spans) and spans[k + 1][0] == last + 1 and after[:1] in (",", "("):
                parent = spans[k + 1][3]
                for candidate in candidates:
                    if any(
                        candidate.country == p.country
                        and (not p.area or p.area == candidate.area or candidate.kind != "city")
                        for p in parent
                        if p.kind in ("country", "state")
                    ):
                        chosen = candidate
                        break
                else:
                    up = next((p for p in parent if p.kind in ("country", "state")), None)
                    if up is not None:
                        chosen = Candidate(up.country, "city", 1, up.area)
                if chosen is not None:
                    parents.add(k + 1)
            elif after[:1] == "," and last + 1 < len(words):
                code = found[last + 1].group()
                if code in self._areas and found[last + 1].start() - end <= 2:
                    chosen = Candidate("US", "city", 1, code)
                    end = found[last + 1].end()
                    skip_to = last + 1
            if chosen is None:
                if vague and k not in parents and not self._placed(found, words, i, last, text, name, self._ambiguous):
                    continue
                chosen = self._prefer(candidates, home, sure)
            if chosen.kind == "region" and chosen.country == home:
                # A region stands for a typical country of it; seen from that very country it tells nothing.
                continue
            places.append(Place(start, end, text[start:end], chosen.country, chosen.kind))
        return places

    @staticmethod
    def _placed(
        found: Sequence[re.Match[str]],
        words: Sequence[str],
        i: int,
        last: int,
        text: str,
        name: str,
        ambiguous: set[str],
    ) -> bool:
        """Whether the words around a doubtful name treat it as a place."""
        before = words[i - 1] if i else ""
        after = words[last + 1] if last + 1 < len(words) else ""
        gap = text[found[i - 1].end() : found[i].start()] if i else ""
        # A capitalised neighbour makes it part of a longer name: "Jordan Smith", "Bank of Georgia".
        follows_name = (
            last + 1 < len(words)
            and found[last + 1].group()[0].isupper()
            and text[found[last].end() : found[last + 1].start()] == " "
            and after not in _AFTER
        )
        if follows_name or text[found[last].end() : found[last].end() + 3] == " & ":
            return False
        if before in _STRONG_BEFORE and "." not in gap:
            return True
        if before in _BEFORE and (after in _AFTER or name not in ambiguous):
            return True
        return after in ("based", "office", "branch", "plant", "subsidiary", "firm") or gap.strip() == "("

    @staticmethod
    def _prefer(candidates: Sequence[Candidate], home: str | None, sure: Counter[str]) -> Candidate:
        best = candidates[0]
        kinds = {c.kind for c in candidates[:3]}
        if kinds >= {"country", "state"}:
            # Georgia: the state, unless the caller or the rest of the text points at the country.
            nation = next(c for c in candidates if c.kind == "country")
            state = next(c for c in candidates if c.kind == "state")
            return nation if nation.country in (home, *sure) and state.country != home else state
        if best.kind in ("country", "demonym") and best.thousands >= 1000:
            rival = next((c for c in candidates if c.country == home and c.kind == "state"), None)
            return rival or best
        for candidate in candidates:
            if candidate.country == home and candidate.thousands * 20 >= best.thousands:
                return candidate
        for candidate in candidates:
            if candidate.country in sure and candidate.thousands * 10 >= best.thousands:
                return candidate
        return best


def _is_big(candidates: Sequence[Candidate]) -> bool:
    return candidates[0].kind in ("country", "demonym") or candidates[0].thousands >= 1000


def _kilometres(a: Country, b: Country) -> float:
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    return 12742 * math.asin(min(1.0, math.sqrt(half)))


def is_shouting(text: str) -> bool:
    """Whether a text is written in capitals, so that a capital says nothing about a name."""
    letters = [c for c in text[:400] if c.isalpha()]
    return len(letters) > 7 and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def distinct_countries(places: Iterable[Place]) -> list[str]:
    """Country codes in order of first mention."""
    return list(dict.fromkeys(p.country for p in places))


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The table that ships with the package, read once."""
    return Gazetteer()
