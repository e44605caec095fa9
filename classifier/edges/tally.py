"""What a report counts, in one pass over a tagged table and in bounded memory."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from itertools import combinations

from ..vocabulary import Vocabulary
from .highlight import excerpt, locate
from .money import Money, is_blank, parse_money
from .tagged_rows import Tags, cell, tags_of, text_of

CLEAREST = 2
CLOSE = 0.1  # a probability this near the threshold is called close
REVIEWED = 25
GROUPS_KEPT = 2000
TEXTS_KEPT = 200_000
_CURRENCIES = 12
_REASONS = 12
_SAMPLES = 3
_LONGEST_TEXT = 5000
BAD_ROW = "bad row"
OTHER_REASONS = "other reasons"
OTHER_CURRENCIES = "other"


@dataclass(frozen=True, slots=True)
class Example:
    """A row to show: its number from 1, the beginning of its text, its tags, and cells by column."""

    number: int
    text: str
    tags: Tags
    cells: Sequence[tuple[str, str]]

    def pieces(self) -> list[tuple[str, bool]]:
        """The text, shortened, in pieces with whether each is evidence; nothing in it that a page may not hold."""
        plain = fold(self.text)
        return excerpt(plain, locate(plain, map(fold, self.tags.evidence)))


@dataclass(slots=True)
class Sums:
    """Rows, and their money by currency."""

    rows: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)

    def add(self, money: Money | None, currency: str) -> None:
        self.rows += 1
        if money is not None:
            self.money[currency] = self.money.get(currency, Decimal(0)) + money.amount

    def join(self, other: Sums) -> None:
        self.rows += other.rows
        for currency, amount in other.money.items():
            self.money[currency] = self.money.get(currency, Decimal(0)) + amount


class Best:
    """The rows with the greatest score, one for each text; the first of equals stays."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, int, bytes, Example]] = []
        self.repeats: Counter[bytes] = Counter()

    def offer(self, score: float, key: bytes, number: int, make: Callable[[], Example]) -> None:
        if key in self.repeats:
            self.repeats[key] += 1
        elif len(self._heap) < self._size or (score, -number) > self._heap[0][:2]:
            self.repeats[key] = 1
            heapq.heappush(self._heap, (score, -number, key, make()))
            if len(self._heap) > self._size:
                del self.repeats[heapq.heappop(self._heap)[2]]

    def ranked(self) -> list[tuple[float, int, Example]]:
        """Score, number of rows with this text, and the row; best first."""
        return [(score, self.repeats[key], shown) for score, _, key, shown in sorted(self._heap, reverse=True)]


@dataclass(slots=True)
class TermCount:
    """What a report tells of a term."""

    sums: Sums = field(default_factory=Sums)
    probabilities: float = 0.0
    with_probability: int = 0
    close: int = 0  # rows within CLOSE of the threshold
    definitions: Counter[str] = field(default_factory=Counter)
    clearest: Best = field(default_factory=lambda: Best(CLEAREST))
    least: Best = field(default_factory=lambda: Best(1))


@dataclass(slots=True)
class Group:
    """The rows that share a cell, such as a buyer."""

    sums: Sums = field(default_factory=Sums)
    tagged: int = 0
    terms: Counter[str] = field(default_factory=Counter)
    example: Example | None = None

    def join(self, other: Group) -> None:
        self.sums.join(other.sums)
        self.tagged += other.tagged
        self.terms.update(other.terms)


class Groups:
    """Counts by the value of one column.

    When there are too many values, the rarer half moves to ``others``; one that comes back
    starts anew, so its count may be short by ``short`` rows at most.
    """

    def __init__(self, column: str, kept: int = GROUPS_KEPT) -> None:
        self.column = column
        self._kept = kept
        self.found: dict[str, Group] = {}
        self.others = Group()
        self.short = 0

    def __getitem__(self, name: str) -> Group:
        group = self.found.get(name)
        if group is None:
            if len(self.found) >= 2 * self._kept:
                self._prune()
            group = self.found[name] = Group()
        return group

    def _prune(self) -> None:
        ranked = sorted(self.found, key=lambda name: -self.found[name].sums.rows)
        self.short += self.found[ranked[self._kept]].sums.rows
        for name in ranked[self._kept :]:
            self.others.join(self.found.pop(name))

    def top(self, size: int) -> tuple[list[tuple[str, Group]], Group, int]:
        """The groups with most rows, all the rest in one, and how many values are surely in the rest."""
        ranked = sorted(self.found.items(), key=lambda item: (-item[1].sums.rows, item[0]))
        rest = Group()
        rest.join(self.others)
        for _, group in ranked[size:]:
            rest.join(group)
        return ranked[:size], rest, len(ranked[size:])


class Tally:
    """All that a report tells, gathered row by row with :meth:`add`."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        text_columns: Sequence[str],
        value_column: str | None = None,
        group_columns: Sequence[str] = (),
        currency_column: str | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.text_columns = text_columns
        self.value_column = value_column
        self.currency_column = currency_column
        self.thresholds = thresholds or {}
        self.all, self.tagged = Sums(), Sums()
        self.terms = {t: TermCount() for t in vocabulary.terms}
        self.pairs: dict[tuple[str, str], tuple[Sums, Example]] = {}
        self.reasons: dict[str, Sums] = {}
        self.reason_examples: dict[str, Best] = {}
        self.groups = [Groups(c) for c in group_columns]
        self.review = Best(REVIEWED)
        self.models: Counter[str] = Counter()
        self.unknown_terms = 0
        self.troubled = 0  # rows with a term that the batch called bad all the same
        # Money: how the cells read.
        self.blank = self.unreadable = self.negative = self.ranged = self.doubtful = 0
        self.unreadable_samples: list[str] = []
        self.currencies: Counter[str] = Counter()
        # Rows that repeat an earlier one.
        self._texts: set[bytes] = set()
        self._priced: set[bytes] = set()
        self.texts_full = False
        self.repeated = Sums()

    @property
    def texts(self) -> int:
        """How many different texts; at least so many when ``texts_full``."""
        return len(self._texts)

    def add(self, row: Mapping[str, object]) -> None:
        """Count one row."""
        number = self.all.rows + 1
        text, tags = text_of(row, self.text_columns), tags_of(row)
        known = [t for t in tags.terms if t in self.terms]
        self.unknown_terms += len(known) < len(tags.terms)
        key = _key(text)
        money, currency = self._money(row, key)
        self.all.add(money, currency)
        if tags.model and (tags.model in self.models or len(self.models) < _REASONS):
            self.models[tags.model] += 1
        made: list[Example] = []

        def example() -> Example:
            if not made:
                made.append(self._example(number, text, tags, row))
            return made[0]

        if known:
            self.tagged.add(money, currency)
            self.troubled += tags.reason.startswith(BAD_ROW)
            self._add_terms(tags, known, key, number, money, currency, example)
        else:
            self._add_reason(tags.reason, key, number, money, currency, example)
        for groups in self.groups:
            group = groups[" ".join(cell(row, groups.column).split())]
            group.sums.add(money, currency)
            group.terms.update(known)
            if group.example is None or (known and not group.tagged):
                group.example = example()
            group.tagged += bool(known)

    def _add_terms(
        self,
        tags: Tags,
        known: Sequence[str],
        key: bytes,
        number: int,
        money: Money | None,
        currency: str,
        example: Callable[[], Example],
    ) -> None:
        nearest: float | None = None
        for term, p in zip(tags.terms, tags.probabilities, strict=True):
            count = self.terms.get(term)
            if count is None:
                continue
            count.sums.add(money, currency)
            count.clearest.offer(p or 0.0, key, number, example)
            if p is not None:
                margin = abs(p - self.threshold(term))
                count.probabilities += p
                count.with_probability += 1
                count.close += margin < CLOSE
                count.least.offer(-margin, key, number, example)
                nearest = margin if nearest is None else min(nearest, margin)
        for definition in tags.definitions:
            if definition in self.vocabulary.definitions:
                self.terms[definition.rpartition("/")[0]].definitions[definition] += 1
        if nearest is not None:
            self.review.offer(-nearest, key, number, example)
        order = [t for t in self.terms if t in known]
        for pair in combinations(order, 2):
            if pair not in self.pairs:
                self.pairs[pair] = (Sums(), example())
            self.pairs[pair][0].add(money, currency)

    def _add_reason(
        self, reason: str, key: bytes, number: int, money: Money | None, currency: str, example: Callable[[], Example]
    ) -> None:
        if reason.startswith(BAD_ROW):
            reason = BAD_ROW
        elif reason not in self.reasons and len(self.reasons) >= _REASONS:
            reason = OTHER_REASONS
        self.reasons.setdefault(reason, Sums()).add(money, currency)
        self.reason_examples.setdefault(reason, Best(CLEAREST)).offer(0.0, key, number, example)

    def threshold(self, term: str) -> float:
        """The least probability with which the term is given."""
        return self.thresholds.get(term, 0.5)

    def _money(self, row: Mapping[str, object], key: bytes) -> tuple[Money | None, str]:
        written = cell(row, self.value_column) if self.value_column else ""
        repeated = self._repeats(key, _key(written, key))
        if not self.value_column:
            return None, ""
        if is_blank(written):
            self.blank += 1
            return None, ""
        money = parse_money(written)
        if money is None:
            self.unreadable += 1
            if len(self.unreadable_samples) < _SAMPLES:
                self.unreadable_samples.append(" ".join(written.split())[:40])
            return None, ""
        self.negative += money.amount < 0
        self.ranged += money.ranged
        self.doubtful += money.doubtful
        named = cell(row, self.currency_column).strip().upper()[:12] if self.currency_column else ""
        currency = named or money.currency or ""
        if currency not in self.currencies and len(self.currencies) >= _CURRENCIES:
            currency = OTHER_CURRENCIES
        self.currencies[currency] += 1
        if repeated:
            self.repeated.money[currency] = self.repeated.money.get(currency, Decimal(0)) + money.amount
        return money, currency

    def _repeats(self, key: bytes, priced: bytes) -> bool:
        """Whether text and amount both stood in an earlier row."""
        repeated = priced in self._priced
        self.repeated.rows += repeated
        if len(self._priced) < TEXTS_KEPT:
            self._texts.add(key)
            self._priced.add(priced)
        elif not repeated:
            self.texts_full = True
        return repeated

    def _example(self, number: int, text: str, tags: Tags, row: Mapping[str, object]) -> Example:
        columns = [*(g.column for g in self.groups), *(c for c in (self.value_column, self.currency_column) if c)]
        cells = [(c, v) for c in dict.fromkeys(columns) if (v := " ".join(cell(row, c).split())[:80])]
        return Example(number, text[:_LONGEST_TEXT], tags, cells)


def fold(text: str) -> str:
    """``text`` with white space folded, and with what no page may hold (control characters) as spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def tally(rows: Iterable[Mapping[str, object]], into: Tally) -> Tally:
    """Count all rows."""
    for row in rows:
        into.add(row)
    return into


def _key(text: str, *more: bytes) -> bytes:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    for part in more:
        digest.update(part)
    return digest.digest()
