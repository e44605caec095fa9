"""A tagging and the vocabulary as text for a person, readable at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ..counterfactual import Counterfactual
from ..tagging import Definition, Fact, Span, Tagging, TermTag
from ..vocabulary import Source, Term, TermDefinition, Vocabulary

WIDTH = 80
_BOLD, _DIM, _MARK, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[1;4m", "\x1b[0m"
_GIVEN = {
    "vendor_contract": "the caller says that this is a contract with an outside vendor",
    "home": "the caller gave the client's country",
    "provider_country": "the caller gave the provider's country",
}
_LONGEST_TEXT = 1200


class Style:
    """ANSI styles, or nothing when ``color`` is false."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_OFF}" if self.color else text

    def dim(self, text: str) -> str:
        return f"{_DIM}{text}{_OFF}" if self.color else text

    def mark(self, text: str) -> str:
        return f"{_MARK}{text}{_OFF}" if self.color else f"[{text}]"


def printable(text: str) -> str:
    """``text`` without control characters, which could drive the terminal; white space made plain."""
    return "".join(c if c.isprintable() else " " for c in text)


def tagging_text(tagging: Tagging, vocabulary: Vocabulary, style: Style) -> str:
    """The whole answer for one description."""
    lines = [*_highlighted(tagging, style), ""]
    if tagging.reason is not None:
        lines += _wrap(f"No term applies. {tagging.reason.says}", "", "  ")
        lines += _silenced(tagging.facts, vocabulary)
    for term in sorted(tagging.terms, key=lambda t: (t.implied, -t.probability)):
        lines += [*_term(term, vocabulary, style), ""]
    if tagging.near_misses:
        if tagging.reason is not None:
            lines.append("")
        lines.append(style.bold("Nearly"))
        for miss in tagging.near_misses:
            label = vocabulary.terms[miss.id].label
            lacks = "; ".join(condition_text(m, vocabulary) for m in miss.missing)
            lines += _wrap(f"{label} ({miss.probability:.2f}) lacks: {lacks}", "  ", "    ")
    return "\n".join(lines).rstrip() + "\n"


def condition_text(condition: str, vocabulary: Vocabulary) -> str:
    """A missing condition in words."""
    if condition.startswith("not "):
        return f"it must not be that {vocabulary.facts[condition[4:]].label}"
    choices = condition.split("|")
    if len(choices) > 3:
        return "a kind of work that counts as a business process"
    return " or ".join(vocabulary.facts[c].label for c in choices)


def _highlighted(tagging: Tagging, style: Style) -> list[str]:
    """The text with its evidence marked, wrapped; a long text is cut."""
    covered = [False] * len(tagging.text)
    for term in tagging.terms:
        for span in term.evidence:
            covered[span.start : span.end] = [True] * (span.end - span.start)
    shown = min(len(tagging.text), _LONGEST_TEXT)
    words: list[tuple[str, bool]] = []
    current, marked = "", False
    for i in range(shown):
        char = tagging.text[i]
        if char.isspace() or not char.isprintable():
            if current:
                words.append((current, marked))
            current, marked = "", False
        else:
            current += char
            marked = marked or covered[i]
    if current:
        words.append((current, marked))
    if shown < len(tagging.text):
        words.append(("…", False))
    lines, line, length = [], "", 0
    for n, (word, is_marked) in enumerate(words):
        before = bool(n) and words[n - 1][1] and is_marked
        shape = len(word) + (0 if style.color or not is_marked else 2)
        if length and length + 1 + shape > WIDTH:
            lines.append(line)
            line, length, before = "", 0, False
        piece = style.mark(word) if is_marked else word
        if before and not style.color and line.endswith("]"):
            line = f"{line[:-1]} {word}]"
        else:
            line += (" " if length else "") + piece
        length += (1 if length else 0) + shape
    lines.append(line)
    return lines


def _term(term: TermTag, vocabulary: Vocabulary, style: Style) -> list[str]:
    note = "  (follows from another)" if term.implied else ""
    head = f"{term.label}{note}"
    lines = [f"{style.bold(head)}{' ' * max(2, WIDTH - len(head) - 4)}{term.probability:.2f}"]
    if term.evidence or term.given:
        reasons = [*_because(term.evidence, vocabulary), *(_GIVEN.get(g, g) for g in term.given)]
        lines += _wrap("because " + "; ".join(reasons), "  ", "    ")
    shown = term.definitions[:1] if term.implied else term.definitions[:2]
    for definition in shown:
        lines += _definition(definition, style)
    if len(term.definitions) > len(shown):
        others = ", ".join(d.id.rpartition("/")[2] for d in term.definitions[len(shown) :])
        lines += _wrap(f"also under {others}: classify terms {term.id}", "  ", "    ")
    return lines


def _because(spans: Iterable[Span], vocabulary: Vocabulary) -> list[str]:
    by_fact: dict[str, list[str]] = {}
    for span in spans:
        words = f'"{printable(span.text)}"'
        if words not in by_fact.setdefault(span.fact, []):
            by_fact[span.fact].append(words)
    return [f"{', '.join(words)} ({vocabulary.facts[fact].label})" for fact, words in by_fact.items()]


def _definition(definition: Definition, style: Style) -> list[str]:
    c = definition.citation
    source = f"{definition.id.rpartition('/')[2]}, {c.title}: {c.section}, paragraph {c.paragraph}"
    return [*_wrap(definition.says, "  ", "    "), *(style.dim(s) for s in _wrap(source, "    ", "    "))]


def _silenced(facts: Sequence[Fact], vocabulary: Vocabulary) -> list[str]:
    lines: list[str] = []
    for fact in facts:
        if fact.status in ("denied", "ended", "discussed") and fact.evidence and fact.id in vocabulary.facts:
            words = printable(fact.evidence[0].text)
            lines += _wrap(f'{fact.status}: "{words}" ({vocabulary.facts[fact.id].label})', "  ", "    ")
    return lines


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def counterfactual_text(found: Counterfactual, vocabulary: Vocabulary, style: Style) -> str:
    """Why a term does not apply, and what would make it."""
    term = vocabulary.terms[found.term]
    if found.applies:
        return f"{term.label} applies ({found.probability:.2f}).\n"
    lines = [style.bold(f"{term.label} does not apply.")]
    for gap in found.gaps:
        document = gap.definition.rpartition("/")[2]
        lacks = [condition_text(m, vocabulary) for m in gap.missing]
        lacks += [f"but {vocabulary.facts[f].label}" for f in gap.contradicted]
        lines += _wrap(f"{document}: {vocabulary.definitions[gap.definition].says}", "  ", "      ")
        lines += _wrap("lacks: " + "; ".join(lacks), "      ", "        ")
    change = [f"if {vocabulary.facts[f].label}" for f in found.add]
    change += [f"if it were not that {vocabulary.facts[f].label}" for f in found.remove]
    labels = ", ".join(vocabulary.terms[t].label for t in found.then)
    lines += _wrap(f"It would apply {' and '.join(change)}. The terms would then be: {labels}.", "", "  ")
    return "\n".join(lines) + "\n"


def term_list(vocabulary: Vocabulary) -> str:
    """All terms, a line each."""
    width = max(len(t) for t in vocabulary.terms)
    lines = []
    for term in vocabulary.terms.values():
        documents = " ".join(d.source.document.id for d in term.definitions)
        lines.append(f"{term.id:{width}}  {term.label}  ({documents})")
    return "\n".join(lines) + "\n"


def term_text(term: Term, vocabulary: Vocabulary, style: Style) -> str:
    """One term whole: other names, definitions with conditions and sources, what it implies and excludes."""
    lines = [style.bold(term.label), *_wrap(", ".join(term.also), "  ", "  "), ""]
    for definition in term.definitions:
        lines += _wrap(f"{definition.source.document.id}  {definition.says}", "", "    ")
        lines += _conditions(definition, vocabulary)
        lines += [style.dim(s) for s in _wrap(source_text(definition.source), "    ", "    ")]
        lines.append("")
    implied = sorted(vocabulary.implied_by_term[term.id])
    if implied:
        lines += _wrap(f"Implies: {', '.join(implied)}", "", "  ")
    excluded = [b if a == term.id else a for a, b in vocabulary.exclusions if term.id in (a, b)]
    if excluded:
        lines += _wrap(f"Excludes, for the same arrangement: {', '.join(excluded)}", "", "  ")
    return "\n".join(lines).rstrip() + "\n"


def source_text(source: Source) -> str:
    """A source as document, section and paragraph."""
    return f"{source.document.title} ({source.document.file}): {source.section}, paragraph {source.paragraph}"


def _conditions(definition: TermDefinition, vocabulary: Vocabulary) -> list[str]:
    label = {f: k.label for f, k in vocabulary.facts.items()}
    lines = [f"needs: {label[f]}" for f in definition.all]
    lines += ["one of: " + ", ".join(choice) for choice in definition.any]
    if definition.none:
        lines.append("unless: " + ", ".join(definition.none))
    return [out for line in lines for out in _wrap(line, "    ", "      ")]


def definition_dict(definition: TermDefinition) -> dict[str, object]:
    """A definition of the vocabulary as JSON."""
    source = definition.source
    return {
        "id": definition.id,
        "says": definition.says,
        "all": list(definition.all),
        "any": [list(choice) for choice in definition.any],
        "none": list(definition.none),
        "citation": {
            "document": source.document.file,
            "title": source.document.title,
            "section": source.section,
            "paragraph": source.paragraph,
            "sha256": source.sha256,
        },
    }


def term_dict(term: Term, vocabulary: Vocabulary) -> dict[str, object]:
    """A term of the vocabulary as JSON."""
    return {
        "id": term.id,
        "label": term.label,
        "also": list(term.also),
        "implies": sorted(vocabulary.implied_by_term[term.id]),
        "excludes": [b if a == term.id else a for a, b in vocabulary.exclusions if term.id in (a, b)],
        "definitions": [definition_dict(d) for d in term.definitions],
    }
