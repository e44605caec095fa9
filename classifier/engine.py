"""The one path from a text to its tagging. No input or output of its own; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .context import GIVEN_FACTS, ContextWeights
from .counterfactual import Counterfactual, why_not
from .decide import Decision, decide, rests_on
from .errors import InputError, ModelError
from .evidence import TokenScores, merge, spans_for
from .features import Context, PlaceView, features_of
from .lexicon import Lexicon, load_lexicon
from .model import Model, default_path, posterior
from .reading import ASSERTED, PLANNED, Reader, Reading, load_reader
from .space import Row
from .tagging import (
    Citation,
    Definition,
    Fact,
    ModelInfo,
    NearMiss,
    Reason,
    Span,
    Tagging,
    TermTag,
)
from .vocabulary import TermDefinition, Vocabulary, load_vocabulary

_ENGLISH = frozenset(
    "the a an of to in and or for is are was were be been by with on at from our we us i you it its their "
    "they this that which who will has have had not no as all do does did my your his her he she there".split()
)
_FEW = 6


class Classifier:
    """Tags descriptions of business arrangements. Make one with :func:`load`; share it freely."""

    def __init__(self, model: Model, vocabulary: Vocabulary, reader: Reader, lexicon: Lexicon) -> None:
        self.vocabulary = vocabulary
        self.model = model
        self._reader = reader
        self._lexicon = lexicon
        self._weights = ContextWeights(model, reader.gazetteer)
        self._info = ModelInfo(model.manifest.version, model.manifest.digest)
        self._citations = {
            d.id: Citation(
                d.source.document.file, d.source.document.title, d.source.section, d.source.paragraph, d.source.sha256
            )
            for d in vocabulary.definitions.values()
        }

    def context(
        self, home: str | None = None, provider_country: str | None = None, vendor_contract: bool = False
    ) -> Context:
        """A checked context; countries as ISO codes or English names.

        Raises:
            InputError: for an unknown country.
        """
        code = self._reader.gazetteer.code
        return Context(
            code(home) if home else None, code(provider_country) if provider_country else None, bool(vendor_contract)
        )

    def tag(
        self,
        text: str,
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
    ) -> Tagging:
        """Tag one description.

        Args:
            text: the description, in English.
            home: the client's country, as ISO code or English name.
            provider_country: the country where the provider does the work.
            vendor_contract: whether the text is a line from a list of contracts with outside vendors.
            threshold: least probability of a term, 0 to 1, instead of the model's own.

        Raises:
            InputError: when ``text`` is not a string, a country is unknown or the threshold is out of range.
        """
        context = self.context(home, provider_country, vendor_contract)
        return self._tag(text, context, threshold)

    def tag_many(
        self,
        texts: Iterable[str],
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
    ) -> Iterator[Tagging]:
        """Tag texts one after another, lazily, all in the same context. See :meth:`tag`."""
        context = self.context(home, provider_country, vendor_contract)
        for text in texts:
            yield self._tag(text, context, threshold)

    def why_not(self, term: str, text: str, **context: Any) -> Counterfactual:
        """Why ``term`` does not apply to ``text``, and what would make it. Context as for :meth:`tag`.

        Raises:
            InputError: for an unknown term, or as :meth:`tag` does.
        """
        return why_not(self.tag(text, **context), term, self.vocabulary)

    def _tag(self, text: str, context: Context, threshold: float | None) -> Tagging:
        if not isinstance(text, str):
            raise InputError(f"a description is a string, not {type(text).__name__}")
        if threshold is not None and not 0 < threshold <= 1:
            raise InputError(f"threshold {threshold} is out of range: give a number above 0 and up to 1")
        if not text.strip():
            return self._silent(text, context, "empty")
        reading = self._reader.read(text, context.home)
        if not _reads_as_english(reading, self._lexicon):
            return self._silent(text, context, "not-english")
        row, posterior = self.posterior(reading, context)
        decision = decide(posterior, self.model, self.vocabulary, threshold)
        return self._assemble(reading, context, row, decision)

    def posterior(self, reading: Reading, context: Context) -> tuple[Row, NDArray[np.float64]]:
        """The text's row in the feature space, and the probability of each configuration."""
        guess = self.model.guess_home(reading, context)
        features = features_of(reading, context, self._reader.gazetteer, self._lexicon, guess)
        row = self.model.space.row(features, reading, self._lexicon)
        logits = self.model.logits(self.model.scores(row))
        return row, posterior(self._weights.adjust(logits, context))

    def _silent(self, text: str, context: Context, reason: str) -> Tagging:
        says = self.vocabulary.other_silences.get(reason, reason)
        return Tagging(text, context.home, (), (), (), Reason(reason, says), self._info)

    def _assemble(self, reading: Reading, context: Context, row: Row, decision: Decision) -> Tagging:
        view = PlaceView(reading, context, self._reader.gazetteer, self.model.guess_home(reading, context))
        tokens = TokenScores(row, len(reading.tokens))
        given = _given(context)
        facts: dict[str, Fact] = {}
        for fact in self.vocabulary.facts:
            if fact in decision.asserted:
                scores = tokens.of(self.model.contributions(row, fact))
                spans = spans_for(fact, reading, view, scores)
                facts[fact] = Fact(
                    fact, _status(reading, spans), round(decision.facts[fact], 4), spans, given.get(fact, ())
                )
        terms = tuple(self._term(t, p, decision, facts, reading) for t, p in decision.terms.items())
        others = _silenced(reading, facts)
        reason = None
        if decision.silence is not None:
            reason = Reason(decision.silence, self.vocabulary.silences[decision.silence])
        return Tagging(
            reading.text,
            context.home,
            terms,
            (*facts.values(), *others),
            tuple(NearMiss(t, round(p, 4), missing) for t, p, missing in decision.near_misses),
            reason,
            self._info,
        )

    def _term(
        self, term: str, probability: float, decision: Decision, facts: Mapping[str, Fact], reading: Reading
    ) -> TermTag:
        proofs = decision.definitions[term]
        used = dict.fromkeys(f for d in proofs for f in rests_on(d, decision.facts))
        spans: list[Span] = [s for f in used for s in facts[f].evidence]
        given = tuple(dict.fromkeys(g for f in used for g in facts[f].given))
        if not spans and not given:
            # No single word tells: the sentence that says most about the first fact, or the text, does.
            spans = [
                Span(start, end, reading.text[start:end], proofs[0].all[0]) for start, end in reading.sentences[:1]
            ]
        return TermTag(
            term,
            self.vocabulary.terms[term].label,
            round(probability, 4),
            any(term in self.vocabulary.implied_by_term[other] for other in decision.terms if other != term),
            tuple(self._definition(d, decision) for d in proofs),
            merge(spans),
            given,
        )

    def _definition(self, definition: TermDefinition, decision: Decision) -> Definition:
        return Definition(
            definition.id, definition.says, self._citations[definition.id], rests_on(definition, decision.facts)
        )


def _given(context: Context) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if context.vendor_contract:
        found |= dict.fromkeys(GIVEN_FACTS["vendor_contract"], ("vendor_contract",))
    if context.home and context.provider_country:
        found |= dict.fromkeys(GIVEN_FACTS["provider_country"], ("home", "provider_country"))
    return found


def _status(reading: Reading, spans: Iterable[Span]) -> str:
    """Planned when every span of the fact stands in a planned statement."""
    inside = [
        reading.status[i] for s in spans for i, token in enumerate(reading.tokens) if s.start <= token.start < s.end
    ]
    return PLANNED if inside and all(status == PLANNED for status in inside) else ASSERTED


def _silenced(reading: Reading, facts: Mapping[str, Fact]) -> list[Fact]:
    """Facts that the text names only to deny, end or discuss them."""
    found: dict[str, Fact] = {}
    for cue in reading.cues:
        if cue.kind not in facts and cue.kind not in found and cue.status not in (ASSERTED, PLANNED):
            span = Span(cue.start, cue.end, reading.text[cue.start : cue.end], cue.kind)
            found[cue.kind] = Fact(cue.kind, cue.status, 0.0, (span,))
    return list(found.values())


def _reads_as_english(reading: Reading, lexicon: Lexicon) -> bool:
    """False when hardly a word is English. Short and telegraphic texts get the benefit of the doubt."""
    words = [t.lower for t in reading.tokens if t.lower.isalpha()][:400]
    if len(words) < _FEW:
        return any(w.isascii() for w in words) or not words
    common = sum(w in _ENGLISH for w in words)
    known = sum(w in lexicon for w in words)
    return known >= 0.6 * len(words) or common >= 0.2 * len(words)


def load(path: str | Path | None = None, vocabulary: str | Path | None = None) -> Classifier:
    """Load a classifier: the one that ships with the package, or the model (and vocabulary) given.

    Raises:
        ModelError: when the model is missing, damaged, or of another version.
        VocabularyError: when the vocabulary contradicts itself.
    """
    return _load(Path(path) if path else None, Path(vocabulary) if vocabulary else None)


@lru_cache(maxsize=4)
def _load(path: Path | None, vocabulary_path: Path | None) -> Classifier:
    vocabulary = load_vocabulary(vocabulary_path)
    model = Model(path or default_path(), vocabulary)
    classifier = Classifier(model, vocabulary, load_reader(), load_lexicon())
    for case in model.manifest.self_check:
        _check_itself(classifier, case)
    return classifier


def _check_itself(classifier: Classifier, case: Mapping[str, Any]) -> None:
    if not set(case["terms"]) <= set(classifier.vocabulary.terms):
        return
    given = list(classifier.tag(case["text"], home=case.get("home")).ids)
    if given != case["terms"]:
        raise ModelError(
            f"the model's self-check failed: {case['text']!r} gave {given}, not {case['terms']}. A dependency may "
            "have changed its behaviour: reinstall the package in a fresh environment, or train the model again."
        )
