"""What the figures rest on: rows by the columns of the table, rows to review, definitions and example rows."""

from __future__ import annotations

from . import html_charts as charts
from .html_parts import (
    amount,
    anchor,
    beside,
    count,
    definition_item,
    esc,
    reason_text,
    reason_title,
    rows_word,
    share,
    table,
)
from .html_sections import Sections
from .tally import Example, Group, Groups, TermCount

_TOP = 12


def by_column(sections: Sections, groups: Groups) -> str:
    """Rows by the value of a column."""
    top, rest, values = groups.top(_TOP)
    items = [charts.Bar(name or "(blank)", [g.tagged, g.sums.rows - g.tagged], count(g.sums.rows)) for name, g in top]
    told = "; ".join(
        f"{i.label}: {i.figure} rows, {g.tagged} with a term" for i, (_, g) in zip(items, top, strict=True)
    )
    title = f"Rows by {groups.column}, with and without a term"
    chart = charts.bars(anchor("chart-by", groups.column), title, told, items)
    chart += charts.legend(["With a term", "Without"])
    rows = [[esc(name) or "<i>(blank)</i>", *_figures(sections, g), _commonest(sections, g)] for name, g in top]
    if rest.sums.rows:
        named = f"<i>Others ({'at least ' if groups.short else ''}{count(values)} values)</i>"
        rows.append([named, *_figures(sections, rest), _commonest(sections, rest)])
    heads = sections.with_money([(groups.column, False), ("Rows", True), ("Tagged", True)])
    note = (
        "Below each name stand its commonest terms with the number of rows, outsourcing itself left out. Names are "
        "compared as they are written. The number of rows links to an example."
    )
    if groups.short:
        note += (
            " The column has very many different values, and rare ones were set aside on the way: a count can be short "
            f"by up to {rows_word(groups.short)}. What is missing there is in “Others”."
        )
    return beside(chart, table(f"Rows by {groups.column}", heads, rows, note))


def _commonest(sections: Sections, group: Group) -> str:
    # The root of the vocabulary comes with nearly every other term and would tell nothing here.
    implied = sections.vocabulary.implied_by_term
    root = max(implied, key=lambda t: sum(t in others for others in implied.values()))
    ranked = [(t, n) for t, n in group.terms.most_common(4) if t != root][:3]
    told = ", ".join(f"{sections.name(t)} {count(n)}" for t, n in ranked)
    return esc(told)


def _figures(sections: Sections, group: Group) -> list[str]:
    rows = count(group.sums.rows)
    linked = sections.cards.link(group.example, rows) if group.example else rows
    return [linked, share(group.tagged, group.sums.rows), *sections.money_cell(group.sums)]


def review(sections: Sections) -> str:
    """The rows whose tags are least certain."""
    ranked = sections.tally.review.ranked()
    if not ranked:
        return "<p>No row has a tag with a probability, so none can be called uncertain.</p>"
    cards = "".join(sections.cards.card(e, _doubt(sections, e, repeats)) for _, repeats, e in ranked)
    return (
        "<p>Here a probability lies nearest to the threshold from which on its term is given, so the answer could well "
        "have been the opposite. Check these first. Each text is shown once; rows without a term have no probability "
        f"in the table and are not ranked.</p>{cards}"
    )


def _doubt(sections: Sections, example: Example, repeats: int) -> str:
    tags, threshold = example.tags, sections.tally.threshold
    known = [(t, p) for t, p in zip(tags.terms, tags.probabilities, strict=True) if p is not None]
    term, p = min(
        ((t, p) for t, p in known if t in sections.vocabulary.terms), key=lambda tag: abs(tag[1] - threshold(tag[0]))
    )
    note = f"{sections.name(term)}: probability {p:.2f}, threshold {threshold(term):.2f}"
    return f"{note}; {count(repeats)} rows have this text" if repeats > 1 else note


def details(sections: Sections) -> str:
    """Each term with its definitions and examples, then each reason for silence with examples."""
    blocks = [_term(sections, term, c) for term, c in sections.found]
    tally = sections.tally
    for reason, best in sorted(tally.reason_examples.items(), key=lambda item: -tally.reasons[item[0]].rows):
        shown = "".join(sections.cards.card(e) for _, _, e in best.ranked())
        blocks.append(
            f'<section class="term" id="{anchor("reason", reason)}"><h3>No term: {esc(reason_title(reason).lower())} '
            f"<small>{rows_word(tally.reasons[reason].rows)}</small></h3>"
            f"<p>{esc(reason_text(reason, sections.vocabulary))}</p>{shown}</section>"
        )
    return "".join(blocks)


def _term(sections: Sections, term: str, found: TermCount) -> str:
    about = sections.vocabulary.terms[term]
    matched = [d for d in about.definitions if found.definitions[d.id]]
    if matched:
        items = "".join(definition_item(d, found.definitions[d.id]) for d in matched)
    else:
        items = "".join(definition_item(d) for d in about.definitions)
    clearest = [e for _, _, e in found.clearest.ranked()]
    cards = "".join(sections.cards.card(e, "among the clearest") for e in clearest)
    for _, _, example in found.least.ranked():
        if example.number not in {e.number for e in clearest}:
            cards += sections.cards.card(example, "the least certain")
    also = f"; also called {esc(', '.join(about.also))}" if about.also else ""
    worth = f" · {esc(sections.money_head)} {amount(sections.worth(found.sums))}" if sections.money else ""
    return (
        f'<section class="term" id="{anchor("term", term)}"><h3>{esc(about.label)} '
        f"<small>{rows_word(found.sums.rows)}{worth}</small></h3>"
        f'<p class="note">id <code>{esc(term)}</code>{also}</p><ul class="definitions">{items}</ul>{cards}</section>'
    )
