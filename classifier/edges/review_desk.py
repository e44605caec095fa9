"""The conversation of ``classify review``: one row after another, a line of commands for each."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import InputError
from ..training.corrections import closed_terms
from ..vocabulary import Vocabulary
from .highlight import excerpt, locate
from .report import WIDTH, Style, condition_text, printable, source_text
from .review import NONE, CorrectionFile, ToReview, labels, resolve, silence_of
from .tally import fold

HELP = """\
a          accept: the terms as they stand now are right
+ID        add a term; the beginning of its id or name will do
-ID        remove a term, by id or by its number in the list
none       no term applies; `none goods` says why (goods, in-house, ended, denied, discussed,
           definition-only, no-arrangement)
u          undo the changes to this row
d ID       show the definitions of a term
s          skip this row, for now
q          quit; everything accepted so far is kept
Several may stand in one line: +eor -bpo a"""
_KEYS = "a accept  +ID add  -ID remove  none  u undo  d ID define  s skip  q quit  ? help"
_LONGEST = 1500


@dataclass(slots=True)
class Counts:
    """What a review came to."""

    confirmed: int = 0
    changed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """The terms of a row as they stand, and the reason for none, if named."""

    terms: tuple[str, ...]
    silence: str | None = None


def added(draft: Draft, name: str, vocabulary: Vocabulary) -> tuple[Draft, str]:
    """A draft with a term more, and what else came of it."""
    term = resolve(name, labels(vocabulary))
    after = closed_terms([*draft.terms, term], vocabulary)
    brought = [t for t in after if t not in draft.terms and t != term]
    notes = [f"{term} brings {', '.join(brought)}"] if brought else []
    notes += [
        f"{left} and {right} cannot both apply to one arrangement: right only if the text describes two"
        for left, right in vocabulary.exclusions
        if left in after and right in after and not (left in draft.terms and right in draft.terms)
    ]
    return Draft(after), "; ".join(notes)


def removed(draft: Draft, name: str, vocabulary: Vocabulary) -> tuple[Draft, str]:
    """A draft with a term less, and what else went with it."""
    if name.isdecimal() and 1 <= int(name) <= len(draft.terms):
        term = draft.terms[int(name) - 1]
    else:
        known = labels(vocabulary)
        try:
            term = resolve(name, {t: known[t] for t in draft.terms})
        except InputError as error:
            if "may be" in str(error):
                raise
            raise InputError(f"{name!r} is not among the terms of this row") from None
    # What implies the term would bring it back.
    after = tuple(t for t in draft.terms if t != term and term not in vocabulary.implied_by_term[t])
    gone = [t for t in draft.terms if t not in after and t != term]
    return Draft(after), f"with it went {', '.join(gone)}, which imply it" if gone else ""


class Desk:
    """Walks through rows of known terms; ``ask`` gives a line or raises EOFError, ``say`` shows one."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        file: CorrectionFile,
        ask: Callable[[str], str],
        say: Callable[[str], None],
        style: Style,
        threshold: Callable[[str], float],
        by: str | None = None,
    ) -> None:
        self._vocabulary = vocabulary
        self._file = file
        self._ask = ask
        self._say = say
        self._style = style
        self._threshold = threshold
        self._by = by
        self.counts = Counts()

    def walk(self, queue: Sequence[ToReview]) -> Counts:
        """Ask about each row until the queue, or the analyst, ends."""
        for position, row in enumerate(queue, start=1):
            self._show(row, position, len(queue))
            try:
                if not self._decide(row):
                    break
            except (EOFError, KeyboardInterrupt):
                self._say("")
                break
        return self.counts

    def _decide(self, row: ToReview) -> bool:
        """Whether to go on with the next row."""
        draft = start = Draft(row.tags.terms)
        while True:
            words = self._ask("> ").split()
            if not words:
                self._say(_KEYS)
            changed = draft
            while words:
                word = words.pop(0)
                try:
                    if word in ("q", "quit"):
                        return False
                    if word in ("s", "skip"):
                        self.counts.skipped += 1
                        return True
                    if word in ("a", "accept"):
                        self._accept(row, changed)
                        return True
                    changed = self._command(word, words, changed, start)
                except InputError as error:
                    self._say(str(error))
                    words = []
            if changed != draft:
                draft = changed
                self._say(self._listed(draft, row))

    def _command(self, word: str, words: list[str], draft: Draft, start: Draft) -> Draft:
        """Do one command; takes its arguments from ``words``."""
        if word in ("?", "h", "help"):
            self._say(HELP)
            return draft
        if word in ("u", "undo"):
            return start
        if word in ("d", "define"):
            self._define(words.pop(0) if words else "")
            return draft
        if word == NONE or word.startswith(f"{NONE}:"):
            reason = word.partition(":")[2] or (words.pop(0) if words and words[0] not in ("a", "accept") else "")
            return Draft((), silence_of(reason, self._vocabulary))
        sign, name = ("+", "") if word == "add" else ("-", "") if word in ("r", "remove") else (word[0], word[1:])
        if sign not in "+-" or not (name or words):
            raise InputError(f"{printable(word)!r} is no command: ? lists them")
        change = added if sign == "+" else removed
        draft, note = change(draft, name or words.pop(0), self._vocabulary)
        if note:
            self._say(note)
        return draft

    def _accept(self, row: ToReview, draft: Draft) -> None:
        before = closed_terms(row.tags.terms, self._vocabulary)
        terms = closed_terms(draft.terms, self._vocabulary)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._file.add(row.correction(terms, draft.silence, by=self._by, at=now))
        if terms == before:
            self.counts.confirmed += 1
        else:
            self.counts.changed += 1

    def _show(self, row: ToReview, position: int, whole: int) -> None:
        self._say("-" * WIDTH)
        head = f"{position} of {whole}, row {row.number}"
        if row.doubt:
            p = row.tags.probabilities[row.tags.terms.index(row.doubt)]
            head += f": {row.doubt} {p:.2f}, threshold {self._threshold(row.doubt):.2f}"
        self._say(self._style.bold(head))
        plain = fold(row.text)
        pieces = excerpt(plain, locate(plain, map(fold, row.tags.evidence)), _LONGEST)
        for line in wrapped(pieces, self._style):
            self._say(line)
        self._say("")
        self._say(self._listed(Draft(row.tags.terms), row))
        self._say(self._style.dim(_KEYS))

    def _listed(self, draft: Draft, row: ToReview) -> str:
        if not draft.terms:
            why = draft.silence or ("" if row.tags.terms else row.tags.reason)
            return "  no term" + (f": {printable(why)}" if why else "")
        p = dict(zip(row.tags.terms, row.tags.probabilities, strict=True))
        lines = []
        for number, term in enumerate(draft.terms, start=1):
            known = p.get(term)
            figure = f"{known:.2f}" if known is not None else ("    " if term in p else "new ")
            lines.append(f"  {number:2} {figure} {term:<28} {self._vocabulary.terms[term].label}")
        gone = [t for t in row.tags.terms if t not in draft.terms]
        return "\n".join(lines) + (f"\n  removed: {printable(', '.join(gone))}" if gone else "")

    def _define(self, name: str) -> None:
        for definition in self._vocabulary.terms[resolve(name, labels(self._vocabulary))].definitions:
            self._wrap(f"{definition.id}: {definition.says}")
            needs = [condition_text(fact, self._vocabulary) for fact in definition.all]
            needs += [condition_text("|".join(choice), self._vocabulary) for choice in definition.any]
            self._wrap(f"  needs: {'; '.join(needs)}")
            self._wrap(f"  source: {source_text(definition.source)}")

    def _wrap(self, text: str) -> None:
        self._say(textwrap.fill(text, WIDTH, subsequent_indent="    ", break_long_words=False))


def wrapped(pieces: Iterable[tuple[str, bool]], style: Style, width: int = WIDTH) -> list[str]:
    """A text in pieces as lines, evidence marked."""
    lines, line, length = [], "", 0
    marked: list[tuple[str, bool]] = []
    for piece, is_evidence in pieces:
        # A piece may begin or end within a word: that word is marked whole.
        joined = marked and not piece[:1].isspace() and not marked[-1][0].endswith(" ")
        for n, word in enumerate(piece.split()):
            if n == 0 and joined:
                last, was = marked.pop()
                marked.append((last + word, was or is_evidence))
            else:
                marked.append((word, is_evidence))
        if piece[-1:].isspace() and marked:
            marked[-1] = (marked[-1][0] + " ", marked[-1][1])
    before = False
    for word, is_evidence in ((w.strip(), e) for w, e in marked):
        shown = style.mark(word) if is_evidence else word
        size = len(word) + (2 if is_evidence and not style.color else 0)
        if length and length + 1 + size > width:
            lines.append(line)
            line, length = "", 0
        if length and is_evidence and before and not style.color:
            line = f"{line[:-1]} {word}]"  # one bracket around words that stand together
            length += 1 + len(word)
        else:
            line += (" " if length else "") + shown
            length += (1 if length else 0) + size
        before = is_evidence
    return [*lines, line]
