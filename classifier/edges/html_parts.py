"""Small pieces of a page: escaped text, numbers for people, tables, example rows, definitions with their source."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b

from ..vocabulary import TermDefinition, Vocabulary
from .tally import BAD_ROW, OTHER_REASONS, Example, fold

# What a caller may say beside a text, as evidence; markup.
_CALLER = {
    "vendor_contract": "a contract with an outside vendor",
    "home": "the client’s country",
    "provider_country": "the provider’s country",
}
_STEPS = ((12, "tn"), (9, "bn"), (6, "m"), (3, "k"))


def esc(text: str) -> str:
    """Text from the data, safe in an element or a quoted attribute."""
    return html.escape(fold(text), quote=True)


def join_words(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def beside(chart: str, side: str) -> str:
    """A chart and its table, side by side where there is room."""
    return f'<div class="beside"><figure>{chart}</figure><div>{side}</div></div>'


def count(number: int) -> str:
    """1500 as ``1,500``."""
    return f"{number:,}"


def rows_word(number: int) -> str:
    """``1 row``, ``1,500 rows``."""
    return f"{number:,} row" + ("" if number == 1 else "s")


def share(part: float | Decimal, whole: float | Decimal) -> str:
    """A part of a whole in per cent; a dash when there is no whole."""
    if not whole:
        return "–"
    percent = 100 * float(part) / float(whole)
    if 0 < percent < 0.1:
        return "~0%"
    return f"{percent:.1f}%" if percent not in (0, 100) else f"{percent:.0f}%"


def amount(money: Decimal) -> str:
    """Money in full; cents only where it is small."""
    return f"{money:,.0f}" if abs(money) >= 1000 or money == money.to_integral_value() else f"{money:,.2f}"


def short_amount(money: Decimal) -> str:
    """Money for a chart: ``61.2 bn``."""
    for power, name in _STEPS:
        if abs(money) >= Decimal(10) ** power:
            value = money.scaleb(-power)
            return f"{value:,.0f} {name}" if abs(value) >= 100 else f"{value:,.3g} {name}"
    return amount(money)


def cut(text: str, size: int) -> str:
    """Text shortened for a label, not escaped."""
    text = fold(text)
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"


def link(target: str, inner: str, title: str = "") -> str:
    """A link within the page; ``inner`` is markup, ``title`` is plain text."""
    told = f' title="{esc(title)}"' if title else ""
    return f'<a href="#{esc(target)}"{told}>{inner}</a>'


def table(caption: str, heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], foot: str = "") -> str:
    """A table; ``heads`` say whether a column holds numbers, cells are markup, the first one heads its row.

    A row with one cell more than there are heads has a note, which stands below it over the full width.
    """
    kinds = ["num" if numeric else "txt" for _, numeric in heads]
    names = [esc(title).replace("_", "_<wbr>") for title, _ in heads]
    head = "".join(f'<th scope="col" class="{k}">{name}</th>' for name, k in zip(names, kinds, strict=True))
    body = []
    for cells in rows:
        first, *rest = cells[: len(heads)]
        below = "".join(cells[len(heads) :])
        others = "".join(f'<td class="{k}">{c}</td>' for c, k in zip(rest, kinds[1:], strict=True))
        body.append(f'<tr class="{"noted" if below else "plain"}"><th scope="row">{first}</th>{others}</tr>')
        if below:
            body.append(f'<tr class="below"><td colspan="{len(heads)}">{below}</td></tr>')
    note = f'<p class="note">{foot}</p>' if foot else ""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{esc(caption)}"><table><caption>{esc(caption)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{note}"
    )


def reason_title(reason: str) -> str:
    """A reason for silence as a short title."""
    if not reason:
        return "No reason given"
    return fold(reason).replace("-", " ").capitalize()


def reason_text(reason: str, vocabulary: Vocabulary) -> str:
    """A reason for silence in a sentence."""
    says = vocabulary.silences.get(reason) or vocabulary.other_silences.get(reason)
    if says:
        return says
    if reason == BAD_ROW:
        return "The row could not be read when the table was tagged."
    if reason == OTHER_REASONS:
        return "Reasons beyond the first dozen that the table names."
    return "The table says no more." if reason else "The table has neither a term nor a reason in this row."


def anchor(kind: str, name: str) -> str:
    """An id for an element, made of plain characters; another one for every name."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name)
    if plain != name.replace("/", "-"):
        plain += "-" + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{kind}-{plain}"


def definition_item(definition: TermDefinition, rows: int | None = None) -> str:
    """One definition in our words with its source."""
    source = definition.source
    matched = f'<span class="count">matched in {rows_word(rows)}</span>' if rows is not None else ""
    return (
        f'<li id="{anchor("def", definition.id)}"><p><b>{esc(source.document.id)}</b> {esc(definition.says)} {matched}'
        f'</p><p class="source">Source: <cite>{esc(source.document.title)}</cite>, section “{esc(source.section)}”, '
        f"paragraph {source.paragraph}</p></li>"
    )


class Cards:
    """Example rows; each row has one anchor on the page, where it is first shown."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._shown: set[int] = set()
        self._wanted: dict[int, Example] = {}

    def link(self, example: Example, inner: str) -> str:
        """A link to a row, which :meth:`rest` shows if nothing else does."""
        self._wanted.setdefault(example.number, example)
        return link(f"row-{example.number}", inner)

    def card(self, example: Example, note: str = "") -> str:
        """A row with its evidence marked, its tags, and the definitions that matched; ``note`` is plain text."""
        name = ""
        if example.number not in self._shown:
            self._shown.add(example.number)
            name = f' id="row-{example.number}"'
        text = "".join(f"<mark>{esc_piece(p)}</mark>" if marked else esc_piece(p) for p, marked in example.pieces())
        where = f"<b>Row {count(example.number)}</b>{' · ' if note else ''}{esc(note)}"
        told = [f"{esc(column)}: {esc(value)}" for column, value in example.cells]
        if example.tags.caller:
            caller = join_words([_CALLER[name] for name in example.tags.caller])
            told.append(f"also evidence, told with the table: {caller}")
        cells = f'<p class="cells">{" · ".join(told)}</p>' if told else ""
        return (
            f'<article class="card"{name}><p class="where">{where}</p>'
            f'<p class="text">{text or "<i>(no text)</i>"}</p>{self._tags(example)}'
            f"{cells}</article>"
        )

    def _tags(self, example: Example) -> str:
        tags = example.tags
        items = []
        for term, p in zip(tags.terms, tags.probabilities, strict=True):
            if term not in self._vocabulary.terms:
                continue
            proofs = [d for d in tags.definitions if d.rpartition("/")[0] == term and d in self._vocabulary.definitions]
            sources = [self._vocabulary.definitions[d].source.document for d in proofs]
            under = ", ".join(link(anchor("def", d), esc(s.id), s.title) for d, s in zip(proofs, sources, strict=True))
            probability = f' <span class="p">{p:.2f}</span>' if p is not None else ""
            label = link(anchor("term", term), esc(self._vocabulary.terms[term].label))
            items.append(
                f"<li>{label}{probability}" + (f' <span class="under">by {under}</span>' if under else "") + "</li>"
            )
        if items:
            return f'<ul class="tags">{"".join(items)}</ul>'
        return f'<p class="none">No term: {esc(reason_text(tags.reason, self._vocabulary))}</p>'

    def rest(self) -> list[str]:
        """Cards of the rows that were linked to and are not on the page yet, in row order."""
        return [self.card(e) for n, e in sorted(self._wanted.items()) if n not in self._shown]


def esc_piece(text: str) -> str:
    """A piece of folded text; its outer spaces stay."""
    return html.escape(text, quote=True)
