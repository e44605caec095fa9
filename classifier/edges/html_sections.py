"""The figures of the report: at a glance, rows with and without a term, terms by rows and money, pairs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from . import html_charts as charts
from .html_parts import (
    Cards,
    amount,
    anchor,
    beside,
    count,
    esc,
    join_words,
    link,
    reason_text,
    reason_title,
    rows_word,
    share,
    short_amount,
    table,
)
from .tally import CLOSE, OTHER_CURRENCIES, Sums, Tally, TermCount

_PAIRS, _MATRIX, _PARTS = 12, 10, 6


class Sections:
    """Writes the sections on figures; knows in which currency amounts are told."""

    def __init__(self, tally: Tally, cards: Cards) -> None:
        self.tally = tally
        self.cards = cards
        self.vocabulary = tally.vocabulary
        self.money = bool(tally.value_column)
        self.currency = tally.currencies.most_common(1)[0][0] if tally.currencies else ""
        self.found = sorted(
            ((t, c) for t, c in tally.terms.items() if c.sums.rows), key=lambda item: -item[1].sums.rows
        )

    @property
    def money_head(self) -> str:
        """The head of a column of money."""
        return f"Amount ({self.currency})" if self.currency else "Amount"

    def worth(self, sums: Sums) -> Decimal:
        """Money in the currency that the report tells."""
        return sums.money.get(self.currency, Decimal(0))

    def name(self, term: str) -> str:
        """A term's label as plain text."""
        return self.vocabulary.terms[term].label

    def label(self, term: str) -> str:
        """A term's label, linked to what the page says of it."""
        return link(anchor("term", term), esc(self.name(term)))

    def with_money(self, heads: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """Heads of a table, with that of the amounts where there are any."""
        return [*heads, *([(self.money_head, True)] if self.money else [])]

    def money_cell(self, sums: Sums) -> list[str]:
        """The cell for that head, if any."""
        return [amount(self.worth(sums)) if self.currency in sums.money else "–"] if self.money else []

    def overview(self) -> str:
        """The figures that matter most, and a sentence or two."""
        t = self.tally
        rows, tagged = t.all.rows, t.tagged.rows
        tiles = [
            ("Rows", count(rows), "in the table"),
            ("With a term", count(tagged), f"{share(tagged, rows)} of rows"),
            ("Without a term", count(rows - tagged), f"{share(rows - tagged, rows)} of rows"),
            ("Different terms", count(len(self.found)), f"of {len(t.terms)} in the vocabulary"),
        ]
        if self.money:
            every, some = self.worth(t.all), self.worth(t.tagged)
            tiles.append((self.money_head, short_amount(every), "in all rows"))
            tiles.append((f"{self.money_head}, tagged", short_amount(some), f"{share(some, every)} of the amount"))
        cells = "".join(
            f'<div class="tile"><dt>{esc(name)}</dt><dd>{esc(figure)}<small>{esc(note)}</small></dd></div>'
            for name, figure, note in tiles
        )
        return f'<dl class="tiles">{cells}</dl>{self._lead()}{self._repeats()}'

    def _lead(self) -> str:
        t = self.tally
        if not t.all.rows:
            return "<p>The table has no rows, so there is nothing to count.</p>"
        if not self.found:
            return "<p>No row carries a term. The reasons are below.</p>"
        term, first = self.found[0]
        part = share(first.sums.rows, t.all.rows)
        words = [f"{self.label(term)} is the commonest term, with {rows_word(first.sums.rows)} ({part} of all)."]
        rest = [f"{self.label(other)} ({count(c.sums.rows)})" for other, c in self.found[1:4]]
        if rest:
            words.append(f"It is followed by {join_words(rest)}.")
        if t.reasons:
            reason, sums = max(t.reasons.items(), key=lambda item: item[1].rows)
            named = link(anchor("reason", reason), esc(reason_title(reason).lower()))
            words.append(f"The commonest reason for no term is “{named}” ({rows_word(sums.rows)}).")
        return f"<p>{' '.join(words)}</p>"

    def _repeats(self) -> str:
        t = self.tally
        if not t.repeated.rows:
            return ""
        least = "At least " if t.texts_full else ""
        what, worth = "text", ""
        if self.money:
            what = "text and amount"
            worth = f" They make up {short_amount(self.worth(t.repeated))} of the amount."
        return (
            f'<p class="note"><b>Repeated rows:</b> {least}{rows_word(t.repeated.rows)} repeat the {what} of an '
            "earlier row, as in a list that has one row for each supplier of the same contract. Every row counts in "
            f"this report, each time.{worth}</p>"
        )

    def tagged(self) -> str:
        """How many rows carry a term, and why the others do not."""
        t = self.tally
        reasons = sorted(t.reasons.items(), key=lambda item: -item[1].rows)
        parts = [("With a term", float(t.tagged.rows))]
        parts += [(reason_title(r), float(s.rows)) for r, s in reasons[:_PARTS]]
        more = sum(s.rows for _, s in reasons[_PARTS:])
        if more:
            parts.append(("Other reasons", float(more)))
        told = "; ".join(f"{label}: {part:,.0f}" for label, part in parts)
        chart = charts.split("chart-tagged", "Rows with and without a term", told, parts)
        with_term = link("terms", "With a term") if self.found else "With a term"
        rows = [[with_term, count(t.tagged.rows), share(t.tagged.rows, t.all.rows), *self.money_cell(t.tagged)]]
        for reason, sums in reasons:
            title = link(anchor("reason", reason), esc(reason_title(reason)))
            figures = [count(sums.rows), share(sums.rows, t.all.rows), *self.money_cell(sums)]
            rows.append([title, *figures, esc(reason_text(reason, self.vocabulary))])
        heads = self.with_money([("With a term, or why not", False), ("Rows", True), ("Share", True)])
        return f"{chart}{table('Rows with a term, and why the others have none', heads, rows)}"

    def terms(self) -> str:
        """Terms by rows, and by money when there is a value column."""
        t = self.tally
        items = [charts.Bar(self.name(term), [c.sums.rows], count(c.sums.rows)) for term, c in self.found]
        chart = charts.bars("chart-terms", "Terms by number of rows", charts.told(items), items)
        rows = [
            [self.label(term), count(c.sums.rows), share(c.sums.rows, t.all.rows), _mean(c), _close(c)]
            for term, c in self.found
        ]
        heads = [("Term", False), ("Rows", True), ("Share", True), ("Certainty", True), ("Close calls", True)]
        note = (
            "A row may carry several terms, so the shares add up to more than 100%. Certainty is the mean probability "
            f"of the tag. A close call is a tag whose probability lies within {CLOSE:g} of the threshold from which on "
            "the term is given. Every term links to its definitions and example rows."
        )
        absent = [self.name(term) for term, c in t.terms.items() if not c.sums.rows]
        if absent:
            note += f" <b>Not found:</b> {esc('; '.join(absent))}."
        return beside(chart, table("Terms by number of rows", heads, rows, note)) + self._terms_by_money()

    def _terms_by_money(self) -> str:
        if not self.money:
            return ""
        t = self.tally
        whole = self.worth(t.all)
        ranked = sorted(self.found, key=lambda item: -self.worth(item[1].sums))
        worths = [(term, c, self.worth(c.sums)) for term, c in ranked]
        items = [charts.Bar(self.name(term), [float(worth)], short_amount(worth)) for term, _, worth in worths]
        chart = charts.bars("chart-money", f"Terms by {self.money_head.lower()}", charts.told(items), items)
        rows = [[self.label(term), amount(w), share(w, whole), count(c.sums.rows)] for term, c, w in worths]
        rows.append(["<i>All rows</i>", amount(whole), share(whole, whole), count(t.all.rows)])
        heads = [("Term", False), (self.money_head, True), ("Share", True), ("Rows", True)]
        side = table(f"Terms by {self.money_head[0].lower()}{self.money_head[1:]}", heads, rows)
        return f'<h3 id="money">Terms by money</h3>{self._money_notes()}{beside(chart, side)}'

    def _money_notes(self) -> str:
        t = self.tally
        read = sum(t.currencies.values())
        first = f"Amounts come from the column “{esc(t.value_column or '')}”: {rows_word(read)} with an amount"
        first += f", {count(t.blank)} blank" if t.blank else ", none blank"
        if t.unreadable:
            samples = ", ".join(f"“{esc(s)}”" for s in t.unreadable_samples)
            first += f", {count(t.unreadable)} that cannot be read as an amount (such as {samples})"
        words = [f"{first}."]
        if t.negative:
            words.append(f"Negative amounts ({rows_word(t.negative)}) lower the sums.")
        if t.ranged:
            words.append(f"Ranges ({rows_word(t.ranged)}) count at their middle.")
        if t.doubtful:
            words.append(f"Amounts written like “1.234” ({rows_word(t.doubtful)}) are read as one thousand and more.")
        others = [(c, n) for c, n in t.currencies.most_common() if c != self.currency]
        if others:
            named = [
                f"{esc(c or 'no currency named')} {amount(t.all.money.get(c, Decimal(0)))} in {rows_word(n)}"
                if c != OTHER_CURRENCIES
                else f"others in {rows_word(n)}"
                for c, n in others
            ]
            added = esc(self.currency) or "cells that name no currency"
            words.append(f"Only amounts in {added} are added up; left out: {'; '.join(named)}.")
        return f'<p class="note">{" ".join(words)}</p>'

    def together(self) -> str:
        """Which terms stand together in a row."""
        pairs = {pair: found for pair, found in self.tally.pairs.items() if not self._bound(*pair)}
        if not pairs:
            return "<p>No row has two terms of which neither brings the other with it.</p>"
        weight = {t: sum(s.rows for pair, (s, _) in pairs.items() if t in pair) for t in self.tally.terms}
        chosen = sorted((t for t in weight if weight[t]), key=lambda t: -weight[t])[:_MATRIX]
        cells: list[list[int | None]] = []
        for a in chosen:
            both = [pairs.get((a, b)) or pairs.get((b, a)) for b in chosen]
            rows_of_both = [found[0].rows if found else 0 for found in both]
            cells.append([None if self._bound(a, b) else n for b, n in zip(chosen, rows_of_both, strict=True)])
        ranked = sorted(pairs.items(), key=lambda item: -item[1][0].rows)[:_PAIRS]
        told = "; ".join(f"{self.name(a)} and {self.name(b)}: {s.rows}" for (a, b), (s, _) in ranked)
        chart = charts.matrix("chart-pairs", "Rows that carry both terms", told, [self.name(t) for t in chosen], cells)
        chart += '<p class="note">Rows that carry both terms; the columns bear the numbers of the lines.</p>'
        rows = []
        for (a, b), (sums, example) in ranked:
            rarer = min(self.tally.terms[a].sums.rows, self.tally.terms[b].sums.rows)
            figures = [self.cards.link(example, count(sums.rows)), share(sums.rows, rarer), *self.money_cell(sums)]
            rows.append([f"{self.label(a)} and {self.label(b)}", *figures])
        heads = self.with_money([("Terms", False), ("Rows", True), ("Of the rarer", True)])
        note = (
            "Pairs are left out where one term always brings the other with it, as IT outsourcing does with "
            "outsourcing (dashes in the chart). “Of the rarer” is the share of the rarer term’s rows that carry both. "
            "The number of rows links to an example."
        )
        return beside(chart, table("Terms that stand together most often", heads, rows, note))

    def _bound(self, a: str, b: str) -> bool:
        """Whether one of two terms brings the other with it."""
        implied = self.vocabulary.implied_by_term
        return a in implied[b] or b in implied[a]


def _mean(found: TermCount) -> str:
    return f"{found.probabilities / found.with_probability:.2f}" if found.with_probability else "–"


def _close(found: TermCount) -> str:
    return count(found.close) if found.with_probability else "–"
