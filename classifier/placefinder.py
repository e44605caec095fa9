"""Finding the places that a text names, each resolved to a country by the words around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .places import WORD, Candidate, Gazetteer, Meanings, Place, is_shouting, plain

_LONGEST = 5
# Pieces between white space that are remembered with their words.
_MOST_PIECES = 20_000
_LONGEST_PIECE = 40
_OWN = "'s"
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


class _Part(NamedTuple):
    """A word in a piece of text, with its offsets there and its plain form.

    How many words a name that begins here can have: ``cased``, or ``uncased`` in a text without any capitals;
    ``alone`` is 1 if the word may be a whole name.
    """

    start: int
    end: int
    plain: str
    cased: int
    uncased: int
    alone: int


class _Pieces(dict[str, tuple[_Part, ...]]):
    """The words of pieces of text between white space, worked out once."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        super().__init__()
        self._gazetteer = gazetteer

    def __missing__(self, piece: str) -> tuple[_Part, ...]:
        found = tuple([self._part(match.start(), match.group()) for match in WORD.finditer(piece)])
        if len(self) >= _MOST_PIECES:
            self.clear()
        if len(piece) <= _LONGEST_PIECE:
            self[piece] = found
        return found

    def _part(self, start: int, text: str) -> _Part:
        name = plain(text).replace("’", "'")
        forms = (name, name.rstrip("."), name.removesuffix("'s"))
        gazetteer = self._gazetteer
        alone = int(any(form in gazetteer for form in forms))
        most = next((n for form in forms if (n := gazetteer.longest.get(form, int(form in gazetteer)))), 0)
        # Of names in small letters only the best known are taken for places.
        likely = text[0].isupper() or not gazetteer.big_firsts.isdisjoint(forms)
        return _Part(start, start + len(text), name, most * likely, most, alone)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, and where the piece of each begins."""

    parts: list[_Part]
    origin: list[int]

    def start(self, i: int) -> int:
        return self.origin[i] + self.parts[i].start

    def end(self, i: int) -> int:
        return self.origin[i] + self.parts[i].end


class _Mention(NamedTuple):
    """Words ``first`` to ``last`` (inclusive), which make a name; ``vague`` when it may be no place."""

    first: int
    last: int
    name: str
    meanings: Meanings
    vague: bool


class PlaceFinder:
    """Finds places by a gazetteer."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._pieces = _Pieces(gazetteer)

    def find(self, text: str, home: str | None = None, shouting: bool | None = None) -> list[Place]:
        """The places that ``text`` names, in order; ``shouting`` when it is known to be (or not) in capitals."""
        shouting = is_shouting(text) if shouting is None else shouting
        uncased = not any(map(str.isupper, text))
        pieces = text.split()
        known = self._pieces
        found = [known[piece] for piece in pieces]
        parts = [part for some in found for part in some]
        begins = [i for i, part in enumerate(parts) if (part.uncased if uncased else part.cased)]
        if not begins:
            return []
        origins = []
        at = 0
        for piece, some in zip(pieces, found, strict=True):
            at = text.index(piece, at)
            origins += [at] * len(some)
            at += len(piece)
        words = _Words(parts, origins)
        mentions: list[_Mention] = []
        last = -1
        for i in begins:
            if i > last:
                mention = self._longest_at(text, words, i, shouting, uncased)
                if mention is not None:
                    mentions.append(mention)
                    last = mention.last
        return self._resolve(text, words, mentions, home) if mentions else []

    def _longest_at(self, text: str, words: _Words, i: int, shouting: bool, uncased: bool) -> _Mention | None:
        part = words.parts[i]
        most = min(part.uncased, _LONGEST, len(words.parts) - i)
        # Accents can divide words otherwise than their plain forms are divided.
        if most > 1 and text.isascii() and not self._pairs_up(part.plain, words.parts[i + 1].plain):
            most = part.alone
        start = words.start(i)
        for last in range(i + most - 1, i - 1, -1):
            raw = text[start : words.end(last)]
            forms = [raw]
            if raw[-1] in ".s":
                forms += [raw.rstrip("."), raw.removesuffix("'s").removesuffix("’s")]
            for form in forms:
                name = plain(" ".join(form.split()))  # over the end of a line, too
                meanings = self.gazetteer.meanings(name)
                if meanings is None:
                    continue
                # Who writes without any capitals writes names without them, too.
                plain_name = not meanings.ambiguous and len(name) > 3
                if not raw[0].isupper() and not (plain_name and (meanings.big or uncased)):
                    continue
                if shouting and not (meanings.big or meanings.candidates[0].kind == "state"):
                    continue
                # Two letters are a country only in capitals.
                if len(name) == 2 and not raw.isupper():
                    continue
                return _Mention(i, last, name, meanings, meanings.needs_context or (uncased and not meanings.big))
        return None

    def _pairs_up(self, word: str, following: str) -> bool:
        """Whether some name begins with these two words; the second may be its last, with an ending."""
        pairs = self.gazetteer.pairs
        if f"{word} {following}" in pairs:
            return True
        return following[-1] in ".s" and (
            f"{word} {following.rstrip('.')}" in pairs or f"{word} {following.removesuffix(_OWN)}" in pairs
        )

    def _resolve(self, text: str, words: _Words, mentions: Sequence[_Mention], home: str | None) -> list[Place]:
        # What is named beyond doubt votes for the country of what is not.
        sure = Counter(
            m.meanings.candidates[0].country
            for m in mentions
            if not m.vague and len({c.country for c in m.meanings.candidates[:3]}) == 1
        )
        places: list[Place] = []
        skip_to = -1
        parents: set[int] = set()
        for k, (i, last, name, meanings, vague) in enumerate(mentions):
            if i <= skip_to:
                continue
            candidates = meanings.candidates
            start, end = words.start(i), words.end(last)
            raw = text[start:end]
            if raw.endswith(("'s", "’s")) and name + "'s" not in self.gazetteer:
                end -= 2
            elif raw.endswith(".") and not name.endswith("."):
                end -= 1
            chosen: Candidate | None = None
            # "Reading, Pennsylvania", "Lincoln, NE", "Paris (Texas)": what follows decides.
            after = text[end : end + 3].strip()
            if k + 1 < len(mentions) and mentions[k + 1].first == last + 1 and after[:1] in (",", "("):
                parent = mentions[k + 1].meanings.candidates
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
            elif after[:1] == "," and last + 1 < len(words.parts):
                code = text[words.start(last + 1) : words.end(last + 1)]
                if code in self.gazetteer.areas and words.start(last + 1) - end <= 2:
                    chosen = Candidate(self.gazetteer.areas[code], "city", 1, code)
                    end = words.end(last + 1)
                    skip_to = last + 1
            if chosen is None:
                if vague and k not in parents and not _placed(words, i, last, text, meanings.ambiguous):
                    continue
                chosen = _prefer(candidates, home, sure)
            if chosen.kind == "region" and chosen.country == home:
                # A region stands for a typical country of it; seen from that very country it tells nothing.
                continue
            places.append(Place(start, end, text[start:end], chosen.country, chosen.kind))
        return places


def _placed(words: _Words, i: int, last: int, text: str, ambiguous: bool) -> bool:
    """Whether the words around a doubtful name treat it as a place."""
    before = words.parts[i - 1].plain if i else ""
    gap = text[words.end(i - 1) : words.start(i)] if i else ""
    after, end = "", words.end(last)
    if last + 1 < len(words.parts):
        after, start = words.parts[last + 1].plain, words.start(last + 1)
        # A capitalised neighbour makes it part of a longer name: "Jordan Smith", "Bank of Georgia".
        if text[start].isupper() and text[end:start] == " " and after not in _AFTER:
            return False
    if text[end : end + 3] == " & ":
        return False
    if before in _STRONG_BEFORE and "." not in gap:
        return True
    if before in _BEFORE and (after in _AFTER or not ambiguous):
        return True
    return after in ("based", "office", "branch", "plant", "subsidiary", "firm") or gap.strip() == "("


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
