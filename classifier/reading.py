"""Reading texts with spaCy: tokens, sentences, cues and the status of each token.

Offsets are Python string offsets into the caller's text, which is never changed. The tokenizer is that of
``spacy.blank("en")``, and sentences end by spaCy's own rule: no model package, nothing to download.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cues import CUES, Cue, CueData, Match, find_cues, load_cues
from .forms import BLANK, BREAK, ENDING, PUNCTUATION, Forms
from .placefinder import PlaceFinder
from .places import Gazetteer, Place, is_shouting, load_gazetteer

# Lone surrogates cannot be encoded, which spaCy needs; a stand-in of the same length keeps the offsets.
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# Apostrophes as they are typed, and as phrases are written in the data.
_STRAIGHT = str.maketrans({"’": "'", "ʼ": "'", "‘": "'"})
# spaCy keeps every word it ever saw. From so many words on, everything is forgotten and begun afresh.
_MOST_FORMS = 40_000
_CACHE = 1 << 17
# spaCy looks at a run without white space again for each piece that it takes off: a run this long is cut before.
_UNBROKEN = re.compile(r"\S{512,}")
_CUT = 256

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a text gives; everything refers to ``text`` by offset.

    Attributes:
        forms: the table that ``form`` points into; texts that were read together share one.
        form, start, end, sentence: int32 arrays, one number a token.
        status: int8 array, for each token the position of its status in ``STATUSES``.
        shouting: whether the text is written in capitals.
    """

    text: str
    forms: Forms
    form: Ints
    start: Ints
    end: Ints
    sentence: Ints
    status: NDArray[np.int8]
    cues: tuple[Cue, ...]
    places: tuple[Place, ...]
    shouting: bool

    @property
    def lower(self) -> list[str]:
        """The tokens in lower case, but for ``IT``, which is not the pronoun; white space is ``" "``."""
        lower = self.forms.lower
        return [lower[form] for form in self.form.tolist()]

    @property
    def sentences(self) -> list[tuple[int, int]]:
        """The offsets of each sentence."""
        solid = (self.forms.numbers[self.form, 1] & BLANK) == 0
        sentence, start, end = self.sentence[solid], self.start[solid], self.end[solid]
        if not len(sentence):
            return []
        first = np.flatnonzero(np.diff(sentence, prepend=-1))
        last = np.append(first[1:], len(sentence)) - 1
        return list(zip(start[first].tolist(), end[last].tolist(), strict=True))


class _Pipeline:
    """spaCy's tokenizer and phrase matcher, with the forms that they have met."""

    def __init__(self, data: CueData) -> None:
        from spacy.attrs import ORTH, SPACY
        from spacy.lang.en import English
        from spacy.matcher import PhraseMatcher
        from spacy.pipeline import Sentencizer
        from spacy.tokenizer import Tokenizer
        from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
        from spacy.vocab import create_vocab

        # What spacy.blank("en") has inside, without its configuration and the components of other packages.
        defaults = English.Defaults
        vocab = create_vocab("en", defaults)
        self.tokenize: Any = Tokenizer(
            vocab,
            rules=defaults.tokenizer_exceptions,
            prefix_search=compile_prefix_regex(defaults.prefixes or ()).search,
            suffix_search=compile_suffix_regex(defaults.suffixes or ()).search,
            infix_finditer=compile_infix_regex(defaults.infixes or ()).finditer,
            token_match=defaults.token_match,
            url_match=defaults.url_match,
        )
        # Texts repeat their words: a larger cache more than halves the time.
        self.tokenize.max_cache_size = _CACHE
        self._vocab = vocab
        self.attributes = [int(ORTH), int(SPACY)]
        self.match: Any = PhraseMatcher(vocab, attr="LOWER")
        self.matched: dict[int, Match] = {}
        for match, phrases in data.phrases.items():
            name = "/".join(match)
            self.match.add(name, [self.tokenize(phrase) for phrase in phrases])
            self.matched[vocab.strings[name]] = match
        self.forms = Forms(vocab, frozenset(Sentencizer.default_punct_chars))

    def doc_of(self, text: str) -> Any:
        """The tokens of a text, as spaCy's document."""
        from spacy.tokens import Doc

        if not text.isascii():
            # Of the same length: offsets are into the text as it came.
            text = _SURROGATES.sub("\ufffd", text).translate(_STRAIGHT)
        cuts = [at for run in _UNBROKEN.finditer(text) for at in range(run.start() + _CUT, run.end(), _CUT)]
        if not cuts:
            return self.tokenize(text)
        tokens = [token for a, b in pairwise([0, *cuts, len(text)]) for token in self.tokenize(text[a:b])]
        return Doc(self._vocab, [token.text for token in tokens], [bool(token.whitespace_) for token in tokens])


class Reader:
    """The reading pipeline. Build once, use from any thread."""

    def __init__(self, gazetteer: Gazetteer | None = None, folder: Path = CUES) -> None:
        self.gazetteer = gazetteer or load_gazetteer()
        self._places = PlaceFinder(self.gazetteer)
        self._cues = load_cues(folder)
        self._pipeline = _Pipeline(self._cues)

    @property
    def fact_kinds(self) -> tuple[str, ...]:
        """The kinds of cue that the data holds: fact ids, and ``goods``."""
        return self._cues.kinds

    def read(self, text: str, home: str | None = None) -> Reading:
        """Read one text; ``home`` helps to resolve ambiguous place names."""
        return self.read_many([text], [home])[0]

    def read_many(self, texts: Sequence[str], homes: Sequence[str | None]) -> list[Reading]:
        """Read texts together, which is faster than one by one and gives the same."""
        if not texts:
            return []
        pipeline = self._pipeline
        if len(pipeline.forms) > _MOST_FORMS:
            self._pipeline = pipeline = _Pipeline(self._cues)
        docs = [pipeline.doc_of(text) for text in texts]
        bounds = np.cumsum([0, *map(len, docs)])
        found = np.concatenate([doc.to_array(pipeline.attributes) for doc in docs])
        forms = pipeline.forms
        form = forms.find(found[:, 0].tolist())
        numbers = forms.numbers[form]
        begin, end = _offsets(numbers[:, 0], found[:, 1].astype(np.int32), bounds)
        sentence = _sentences(numbers[:, 1], bounds)
        status = np.zeros(len(form), dtype=np.int8)
        readings = []
        for text, home, doc, (a, b) in zip(texts, homes, docs, pairwise(bounds.tolist()), strict=True):
            matches = [(pipeline.matched[key], first, last - 1) for key, first, last in pipeline.match(doc)]
            cues: tuple[Cue, ...] = ()
            if matches:
                cues = find_cues(
                    matches, begin[a:b], end[a:b], sentence[a:b], numbers[a:b, 1], status[a:b], self._cues.reach
                )
            shouting = is_shouting(text)
            places = tuple(self._places.find(text, home, shouting))
            readings.append(
                Reading(
                    text, forms, form[a:b], begin[a:b], end[a:b], sentence[a:b], status[a:b], cues, places, shouting
                )
            )
        return readings


def _offsets(length: Ints, space: Ints, bounds: NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Where each token begins and ends in its text: tokens follow each other, with or without a space."""
    after = np.cumsum(length + space, dtype=np.int32)
    origin = np.concatenate([[0], after])[bounds[:-1]].astype(np.int32)
    begin = after - length - space - np.repeat(origin, np.diff(bounds))
    return begin, begin + length


def _sentences(flags: Ints, bounds: NDArray[np.int64]) -> Ints:
    """The sentence of each token: as spaCy's sentencizer has it, and a new one after a blank line.

    White space belongs to the sentence before it.
    """
    lengths = np.diff(bounds)

    def since(happened: NDArray[np.bool_], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether it happened between each position and the position before, in the same text."""
        count = np.concatenate([[0], np.cumsum(happened)])
        now = count[at]
        origin = np.repeat(count[bounds[:-1]], lengths)[at]
        return np.asarray(now > np.maximum(np.concatenate([[0], now[:-1]]), origin))

    # A sentence begins with the first token after its end that is not punctuation.
    plain = np.flatnonzero((flags & (ENDING | PUNCTUATION)) == 0)
    begins = np.zeros(len(flags), dtype=bool)
    begins[plain] = since((flags & ENDING) != 0, plain)
    solid = np.flatnonzero((flags & BLANK) == 0)
    new = np.zeros(len(flags), dtype=bool)
    new[solid] = begins[solid] | since((flags & BREAK) != 0, solid)
    text = np.repeat(np.arange(len(lengths)), lengths)
    new[solid[np.diff(text[solid], prepend=-1) > 0]] = False
    number = np.cumsum(new, dtype=np.int32)
    origin = np.concatenate([[0], number])[bounds[:-1]].astype(np.int32)
    return np.asarray(number - np.repeat(origin, lengths))


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """The reader over the package's own data, built once."""
    return Reader()
