"""Reading a text with spaCy: tokens, sentences, cues and the status of each cue.

Offsets are Python string offsets into the caller's text, which is never changed. The pipeline is
``spacy.blank("en")`` with a rule-based sentence splitter: no model package, nothing to download.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import VocabularyError
from .places import Gazetteer, Place, load_gazetteer

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

CUES = Path(__file__).parent / "data" / "cues"
ASSERTED, PLANNED, DENIED, ENDED, DISCUSSED = "asserted", "planned", "denied", "ended", "discussed"
# What silences a statement wins over what merely dates it.
_RANK = {DENIED: 4, ENDED: 3, DISCUSSED: 2, PLANNED: 1, ASSERTED: 0}
# Lone surrogates cannot be encoded, which spaCy needs; a stand-in of the same length keeps the offsets.
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CLAUSE_ENDS = frozenset({";", ":", "—", "–", "(", ")", ".", "!", "?"})


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its offsets and its sentence, counted from 0.

    ``lower`` is lower case, but for ``IT``, which is not the pronoun.
    """

    start: int
    end: int
    lower: str
    sentence: int


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase of the cue data found at tokens ``first`` to ``last`` (inclusive)."""

    kind: str
    first: int
    last: int
    start: int
    end: int
    status: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a text gives; everything refers to ``text`` by offset."""

    text: str
    tokens: tuple[Token, ...]
    sentences: tuple[tuple[int, int], ...]
    cues: tuple[Cue, ...]
    places: tuple[Place, ...]
    status: tuple[str, ...] = field(repr=False)  # of each token


class Reader:
    """The reading pipeline. Build once, use from any thread: it is not changed by reading."""

    def __init__(self, gazetteer: Gazetteer | None = None, folder: Path = CUES) -> None:
        import spacy
        from spacy.matcher import PhraseMatcher

        self.gazetteer = gazetteer or load_gazetteer()
        self.nlp: Language = spacy.blank("en")
        self.nlp.max_length = 1 << 31
        self.nlp.add_pipe("sentencizer")
        self._facts, self._scopes, self._reach, terminators = _load_cues(folder)
        self._matcher: Any = PhraseMatcher(self.nlp.vocab, attr="LOWER")
        make = self.nlp.tokenizer
        for kind, phrases in self._facts.items():
            self._matcher.add(f"fact:{kind}", [make(p) for p in phrases])
        for (status, direction), phrases in self._scopes.items():
            self._matcher.add(f"{direction}:{status}", [make(p) for p in phrases])
        self._matcher.add("end:", [make(t) for t in terminators])
        self._by_key = {self.nlp.vocab.strings[name]: name for name in self._key_names()}

    @property
    def fact_kinds(self) -> tuple[str, ...]:
        """The kinds of cue that the data holds: fact ids, and ``goods``."""
        return tuple(self._facts)

    def _key_names(self) -> list[str]:
        names = [f"fact:{kind}" for kind in self._facts]
        names += [f"{direction}:{status}" for status, direction in self._scopes]
        return [*names, "end:"]

    def read(self, text: str, home: str | None = None) -> Reading:
        """Read one text; ``home`` helps to resolve ambiguous place names."""
        doc = self.nlp(_SURROGATES.sub("\ufffd", text))
        tokens, sentences = _split(doc)
        statuses, matches = self._statuses(doc, tokens)
        cues = []
        for kind, first, last in matches:
            inside = statuses[first : last + 1]
            status = max(inside, key=lambda s: _RANK[s])
            cues.append(Cue(kind, first, last, tokens[first].start, tokens[last].end, status))
        return Reading(
            text,
            tuple(tokens),
            tuple(sentences),
            tuple(cues),
            tuple(self.gazetteer.find(text, home)),
            tuple(statuses),
        )

    def _statuses(self, doc: Doc, tokens: Sequence[Token]) -> tuple[list[str], list[tuple[str, int, int]]]:
        scopes: list[tuple[str, str, int, int]] = []
        stops: set[int] = {i for i, token in enumerate(tokens) if token.lower in _CLAUSE_ENDS}
        facts: list[tuple[str, int, int]] = []
        for key, first, end in self._matcher(doc):
            group, _, name = self._by_key[key].partition(":")
            if group == "fact":
                facts.append((name, first, end - 1))
            elif group == "end":
                stops.add(first)
            else:
                scopes.append((group, name, first, end - 1))
        facts.sort(key=lambda f: (f[1], -f[2], f[0]))
        statuses = [ASSERTED] * len(tokens)
        for direction, status, first, last in sorted(scopes, key=lambda s: (s[2], s[3])):
            for i in self._reached(tokens, stops, direction, first, last):
                if _RANK[status] > _RANK[statuses[i]]:
                    statuses[i] = status
        return statuses, facts

    def _reached(self, tokens: Sequence[Token], stops: set[int], direction: str, first: int, last: int) -> range:
        sentence = tokens[first].sentence
        if direction == "sentence":
            low, high = first, last
            while low > 0 and tokens[low - 1].sentence == sentence:
                low -= 1
            while high + 1 < len(tokens) and tokens[high + 1].sentence == sentence:
                high += 1
            return range(low, high + 1)
        if direction == "forward":
            high = last
            while (
                high + 1 < len(tokens)
                and tokens[high + 1].sentence == sentence
                and high + 1 not in stops
                and high - last < self._reach
            ):
                high += 1
            return range(first, high + 1)
        low = first
        while low > 0 and tokens[low - 1].sentence == sentence and low - 1 not in stops and first - low < self._reach:
            low -= 1
        return range(low, last + 1)


def _split(doc: Doc) -> tuple[list[Token], list[tuple[int, int]]]:
    """Tokens and sentence offsets: spaCy's sentence starts, and a new sentence after a blank line.

    White space keeps its place among the tokens (as ``" "``), so that positions are spaCy's.
    """
    tokens: list[Token] = []
    sentences: list[tuple[int, int]] = []
    number, begun, after_blank = 0, -1, False
    for token in doc:
        text, start = token.text, token.idx
        if text.isspace():
            after_blank = after_blank or text.count("\n") > 1
            tokens.append(Token(start, start + len(text), " ", number))
            continue
        if begun >= 0 and (token.is_sent_start or after_blank):
            sentences.append((begun, _last_end(tokens)))
            number, begun = number + 1, -1
        after_blank = False
        if begun < 0:
            begun = start
        lower = "IT" if text == "IT" else text.lower()
        tokens.append(Token(start, start + len(text), lower, number))
    if begun >= 0:
        sentences.append((begun, _last_end(tokens)))
    return tokens, sentences


def _last_end(tokens: Sequence[Token]) -> int:
    return next(t.end for t in reversed(tokens) if t.lower != " ")


def _load_cues(
    folder: Path,
) -> tuple[dict[str, list[str]], dict[tuple[str, str], list[str]], int, list[str]]:
    try:
        facts = tomllib.loads((folder / "facts.toml").read_text(encoding="utf-8"))
        status = tomllib.loads((folder / "status.toml").read_text(encoding="utf-8"))
        by_fact = {kind: list(row["phrases"]) for kind, row in facts.items()}
        scopes: dict[tuple[str, str], list[str]] = {}
        for name, row in status.items():
            if isinstance(row, Mapping):
                if name not in _RANK:
                    raise VocabularyError(f"cues: unknown status {name!r}")
                for direction in ("forward", "backward", "sentence"):
                    if row.get(direction):
                        scopes[name, direction] = list(row[direction])
        return by_fact, scopes, int(status["reach"]), list(status["terminators"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise VocabularyError(f"cues in {folder}: {error}") from error


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """The reader over the package's own data, built once."""
    return Reader()
