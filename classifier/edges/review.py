"""Reviewing a tagged table: which rows to look at, what an analyst may say of each, and the file that keeps it."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import InputError, ScenarioError
from ..places import load_gazetteer
from ..training.corrections import Correction, Key, closed_terms, line_of, read_corrections
from ..vocabulary import Vocabulary
from .tagged_rows import Row, Tags, cell, tags_of, text_of

NONE = "none"
_SEPARATORS = re.compile(r"[|;\n]+")


@dataclass(frozen=True, slots=True)
class Context:
    """What the batch was told beside the texts: for all rows, or by a column that is not empty."""

    home: str | None = None
    home_column: str | None = None
    provider_country: str | None = None
    provider_country_column: str | None = None
    vendor_contract: bool = False
    vendor_column: str | None = None

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The columns that it reads."""
        return (self.home_column, self.provider_country_column, self.vendor_column)

    def checked(self) -> Context:
        """With countries as ISO codes.

        Raises:
            InputError: for an unknown country.
        """
        code = load_gazetteer().code
        return Context(
            code(self.home) if self.home else None,
            self.home_column,
            code(self.provider_country) if self.provider_country else None,
            self.provider_country_column,
            self.vendor_contract,
            self.vendor_column,
        )

    def of(self, row: Mapping[str, object]) -> dict[str, Any]:
        """Home, provider's country and vendor contract of a row, as a :class:`Correction` takes them."""
        vendor = self.vendor_contract or bool(self.vendor_column and cell(row, self.vendor_column).strip())
        return {
            "home": self._country(row, self.home_column, self.home),
            "provider_country": self._country(row, self.provider_country_column, self.provider_country),
            "vendor_contract": vendor,
        }

    @staticmethod
    def _country(row: Mapping[str, object], column: str | None, otherwise: str | None) -> str | None:
        name = cell(row, column).strip() if column else ""
        if not name:
            return otherwise
        try:
            return load_gazetteer().code(name)
        except InputError:
            return None  # the batch tags such a row without it


class CorrectionFile:
    """A file of corrections that grows line by line; what it holds already is not written again.

    Raises:
        ScenarioError: when the file holds a broken line.
    """

    def __init__(self, path: Path, vocabulary: Vocabulary) -> None:
        self.path = path
        found = read_corrections([path], vocabulary) if path.exists() else []
        self._held = {c.key: (c.terms, c.silence) for c in found}
        # A line that was cut off must not swallow the next one.
        self._begin = "\n" if path.exists() and path.stat().st_size and not _ends_whole(path) else ""

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)

    def add(self, correction: Correction) -> bool:
        """Append a correction; false when the file says the same of this text already."""
        said = (correction.terms, correction.silence)
        if self._held.get(correction.key) == said:
            return False
        try:
            with self.path.open("a", encoding="utf-8", errors="backslashreplace") as lines:
                lines.write(self._begin + line_of(correction))
        except OSError as error:
            raise InputError(f"{error.filename or self.path}: {error.strerror}") from error
        self._begin = ""
        self._held[correction.key] = said
        return True


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def check_known(terms: Iterable[str], where: str, vocabulary: Vocabulary) -> None:
    """Refuse terms that the vocabulary lacks: left out, they would count as said not to apply.

    Raises:
        InputError: naming ``where``, the first such term and the remedy.
    """
    unknown = next((t for t in terms if t not in vocabulary.terms), None)
    if unknown is not None:
        raise InputError(
            f"{where} has the term {unknown!r}, which the vocabulary lacks: give --vocabulary, the one with which the "
            "table was tagged"
        )


def known_tags(row: Row, number: int, vocabulary: Vocabulary) -> Tags:
    """The tags of a row, all of them in the vocabulary.

    Raises:
        InputError: for a term that is not.
    """
    tags = tags_of(row)
    check_known(tags.terms, f"row {number}", vocabulary)
    return tags


@dataclass(frozen=True, slots=True)
class ToReview:
    """A row to look at; ``doubt`` is the term whose probability is nearest to its threshold."""

    number: int
    text: str
    tags: Tags
    context: Mapping[str, Any]
    doubt: str | None = None

    @property
    def key(self) -> Key:
        """The key of its correction."""
        c = self.context
        return (self.text, c["home"], c["provider_country"], c["vendor_contract"])

    def correction(self, terms: Sequence[str], silence: str | None = None, **more: Any) -> Correction:
        """What is said of this row, as a correction."""
        return Correction(self.text, tuple(terms), self.tags.terms, silence, **self.context, **more)


def least_certain(
    rows: Iterable[Row],
    columns: Sequence[str],
    context: Context,
    vocabulary: Vocabulary,
    threshold: Callable[[str], float],
    done: CorrectionFile,
    limit: int,
    untagged: bool = False,
) -> list[ToReview]:
    """The rows to review, the least certain first, one for each text; not those that ``done`` holds.

    Rows without a term have no probability in the table: with ``untagged`` they are taken instead, as they come.

    Raises:
        InputError: for a term that the vocabulary lacks.
    """
    heap: list[tuple[float, int, ToReview]] = []
    seen: set[Key] = set()
    for number, row in enumerate(rows, start=1):
        tags, text = known_tags(row, number, vocabulary), text_of(row, columns)
        margins = [
            (abs(p - threshold(t)), t) for t, p in zip(tags.terms, tags.probabilities, strict=True) if p is not None
        ]
        if not text.strip() or bool(margins) == untagged or (untagged and tags.terms):
            continue
        margin, doubt = min(margins) if margins else (0.0, None)
        if len(heap) >= limit and (-margin, -number) < heap[0][:2]:
            continue
        found = ToReview(number, text, tags, context.of(row), doubt)
        if found.key in done or found.key in seen:
            continue
        seen.add(found.key)
        heapq.heappush(heap, (-margin, -number, found))
        if len(heap) > limit:
            seen.discard(heapq.heappop(heap)[2].key)
    return [found for _, _, found in sorted(heap, key=lambda item: (-item[0], -item[1]))]


def resolve(name: str, choices: Mapping[str, str]) -> str:
    """The choice that ``name`` means: an id, a label, or the beginning of just one of them.

    Args:
        choices: id to label.

    Raises:
        InputError: when none or several fit.
    """
    wanted = _plain(name)
    exact = [i for i, label in choices.items() if wanted in (i.lower(), label.lower())]
    begun = exact or [i for i, label in choices.items() if i.lower().startswith(wanted)]
    begun = begun or [i for i, label in choices.items() if label.lower().startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise InputError(f"{name!r} may be {', '.join(begun)}: type more of it")
    close = get_close_matches(wanted, choices, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise InputError(f"unknown term {name!r}: {hint}`classify terms` lists them")


def labels(vocabulary: Vocabulary) -> dict[str, str]:
    """Term ids with their labels, for :func:`resolve`."""
    return {t.id: t.label for t in vocabulary.terms.values()}


def parse_terms(written: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], str | None]:
    """Terms as an analyst writes them in a cell, and the reason when there are none.

    Ids or names joined by ``|`` (semicolons, line breaks and commas will do); ``none`` or ``none:goods`` for no term.

    Raises:
        InputError: for an unknown term or reason, or ``none`` beside a term.
    """
    known = _exact(vocabulary)
    names: list[str] = []
    for part in _SEPARATORS.split(written.strip().removeprefix("'")):
        # A name may hold a comma: "Offshoring, not outsourcing".
        names += [part] if _plain(part) in known else part.split(",")
    return named_terms(names, vocabulary)


def named_terms(names: Iterable[str], vocabulary: Vocabulary) -> tuple[tuple[str, ...], str | None]:
    """Terms by ids or names, with what they imply, and the reason when there are none. As :func:`parse_terms`.

    Nothing is guessed from the beginning of a name, since nobody looks at what it was taken for.
    """
    known = _exact(vocabulary)
    given = [name for name in names if name.strip()]
    nothing = [name for name in given if _plain(name).split(":")[0].strip() in (NONE, "no term")]
    if nothing:
        if len(given) > 1:
            raise InputError(f"{' | '.join(given)!r} names no term and something else: give one of them")
        return (), silence_of(nothing[0].partition(":")[2], vocabulary)
    for name in given:
        if _plain(name) not in known:
            close = get_close_matches(_plain(name), known, n=1)
            hint = f"did you mean {known[close[0]]}? " if close else ""
            raise InputError(
                f"unknown term {name.strip()!r}: {hint}`classify terms` lists them, and --vocabulary takes your own"
            )
    return closed_terms((known[_plain(name)] for name in given), vocabulary), None


def _exact(vocabulary: Vocabulary) -> dict[str, str]:
    """Ids by all names of the terms, in small letters."""
    return {_plain(name): t.id for t in vocabulary.terms.values() for name in (*t.also, t.label, t.id)}


def _plain(name: str) -> str:
    return " ".join(name.lower().split())


def silence_of(written: str, vocabulary: Vocabulary) -> str | None:
    """A reason for no term, by its id or the beginning of it; None for nothing written.

    Raises:
        InputError: for an unknown one.
    """
    wanted = written.strip().lower()
    if not wanted:
        return None
    fitting = [s for s in vocabulary.silences if s == wanted] or [
        s for s in vocabulary.silences if s.startswith(wanted)
    ]
    if len(fitting) != 1:
        raise InputError(f"{written.strip()!r} is no reason: give one of {', '.join(vocabulary.silences)}")
    return fitting[0]


def from_column(
    rows: Iterable[Row], columns: Sequence[str], column: str, context: Context, vocabulary: Vocabulary, **more: Any
) -> Iterator[Correction | str]:
    """What an analyst wrote into ``column``: a correction for each cell that is not empty, or what is wrong with it.

    Raises:
        InputError: for a term that the batch gave and the vocabulary lacks.
    """
    for number, row in enumerate(rows, start=1):
        tags, written = known_tags(row, number, vocabulary), cell(row, column)
        if not written.strip():
            continue
        text = text_of(row, columns)
        try:
            if not text.strip():
                raise InputError("the row has no text")
            terms, silence = parse_terms(written, vocabulary)
        except (InputError, ScenarioError) as error:
            yield f"row {number}: {error}"
            continue
        yield ToReview(number, text, tags, context.of(row)).correction(terms, silence, **more)
