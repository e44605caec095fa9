"""The one path from a text to its tagging. No input or output of its own; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from pickle import PicklingError
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .context import GIVEN_FACTS, ContextWeights
from .counterfactual import Counterfactual, why_not
from .decide import Decision, decide, rests_on
from .errors import InputError, ModelError
from .evidence import TokenScores, merge, spans_for
from .features import Context, Normal, features_of, normalise
from .lexicon import Lexicon, load_lexicon
from .model import Model, default_path, posterior
from .places import is_shouting
from .reading import ASSERTED, PLANNED, Reader, Reading, load_reader
from .space import Row
from .spotter import cues_by_word, window_features
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

# Common in English, and not also words of its neighbours (as "in", "was" and "die" are).
_ENGLISH = frozenset(
    "the of to and for is are were be been by with from our we us you its their they this that which who have had "
    "not did my your his her she there services service support".split()
)
_FEW = 6
_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as the model sees it: normalised words, each word's scores for facts, and its features."""

    normal: Normal
    spots: NDArray[np.float32]
    row: Row


class Classifier:
    """Tags descriptions of business arrangements. Make one with :func:`load`; share it freely.

    It does not change: any number of threads may use it at once. It pickles as the path of its model, so that it is
    cheap to hand to other processes, which load it for themselves.

    Attributes:
        vocabulary: what it answers by, a :class:`classifier.vocabulary.Vocabulary`.
        model: the model; ``model.manifest`` has its version, digest and thresholds.
    """

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

    async def atag(
        self,
        text: str,
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
    ) -> Tagging:
        """:meth:`tag` for asynchronous code: it runs in a thread, so that the event loop goes on."""
        from asyncio import to_thread

        return await to_thread(self.tag, text, home, provider_country, vendor_contract, threshold)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the paths of its model and vocabulary, which the other process loads for itself."""
        folder, vocabulary = self.model.folder, self.vocabulary
        if vocabulary.path is None and vocabulary is not self.model.trained:
            raise PicklingError("the vocabulary is not from a file, so another process cannot load it: save it in one")
        return load, (
            None if folder == default_path() else str(folder),
            None if vocabulary is self.model.trained else str(vocabulary.path),
        )

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
        seen = self.see(reading, context)
        weights = self._posterior(seen, reading, context)
        return self._assemble(reading, context, seen, decide(weights, self.model, self.vocabulary, threshold))

    def _posterior(self, seen: Seen, reading: Reading, context: Context) -> NDArray[np.float64]:
        """Probability of each configuration: what the linear model and the network say, averaged."""
        model = self.model
        manifest = model.manifest
        encoded = model.encoder.encode(seen.normal, cues_by_word(reading, seen.normal.where), context)
        linear = model.logits(model.scores(seen.row), manifest.temperature)
        net = model.logits(model.net.scores(encoded), manifest.net_temperature)
        share = manifest.net_share
        adjust = self._weights.adjust
        return np.asarray(
            (1 - share) * posterior(adjust(linear, context)) + share * posterior(adjust(net, context)),
            dtype=np.float64,
        )

    def see(self, reading: Reading, context: Context) -> Seen:
        """A reading as the model sees it."""
        model, lexicon = self.model, self._lexicon
        guess = model.guess_home(reading, context)
        normal = normalise(reading, context, self._reader.gazetteer, lexicon, guess)
        spots = model.spotter.scores(list(window_features(normal, reading, lexicon, context)))
        features = features_of(reading, context, normal, lexicon)
        return Seen(normal, spots, model.space.row(features, reading, lexicon, model.spotter.spotted(spots, normal)))

    def _silent(self, text: str, context: Context, reason: str) -> Tagging:
        says = self.vocabulary.other_silences.get(reason, reason)
        terms, facts = (tuple((name, 0.0) for name in ids) for ids in (self.model.term_ids, self.model.fact_ids))
        return Tagging(text, context.home, (), (), (), Reason(reason, says), self._info, terms, facts)

    def _assemble(self, reading: Reading, context: Context, seen: Seen, decision: Decision) -> Tagging:
        tokens = TokenScores(seen.row, seen.normal, seen.spots, self.model.spotter.facts, len(reading.tokens))
        given = _given(context)
        facts: dict[str, Fact] = {}
        for fact in self.vocabulary.facts:
            if fact in decision.asserted:
                scores = tokens.of(fact, self.model.contributions(seen.row, fact))
                spans = spans_for(fact, reading, seen.normal.view, scores)
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
            tuple(decision.probabilities.items()),
            tuple(decision.facts.items()),
        )

    def _term(
        self, term: str, probability: float, decision: Decision, facts: Mapping[str, Fact], reading: Reading
    ) -> TermTag:
        proofs = decision.definitions[term]
        used = dict.fromkeys(f for d in proofs for f in rests_on(d, decision.facts))
        spans: list[Span] = [s for f in used for s in facts[f].evidence]
        given = tuple(dict.fromkeys(g for f in used for g in facts[f].given))
        if not spans and not given:
            # No single word tells: the first sentence stands for the text.
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
    """False when hardly a word is English. Short texts and lines in capitals get the benefit of the doubt."""
    words = [t.lower for t in reading.tokens if t.lower.isalpha()][:400]
    if len(words) < _FEW or (is_shouting(reading.text) and any(w.isascii() for w in words)):
        return any(w.isascii() for w in words) or not words
    common = sum(w in _ENGLISH for w in words)
    known = sum(w in lexicon for w in words)
    return known >= 0.6 * len(words) or common >= 0.1 * len(words)


def load(path: str | Path | None = None, vocabulary: str | Path | None = None) -> Classifier:
    """Load a classifier: the one that ships with the package, or the model (and vocabulary) given.

    A second call gives the same classifier, from any thread.

    Args:
        path: the folder of a model made by ``classify train``; the one that ships when None.
        vocabulary: a vocabulary in TOML; when None the one that the model was trained with.

    Raises:
        ModelError: when the model is missing, damaged, or of another version.
        VocabularyError: when the vocabulary contradicts itself.
    """
    with _LOADING:
        return _load(
            Path(path).resolve() if path else default_path(), Path(vocabulary).resolve() if vocabulary else None
        )


@lru_cache(maxsize=4)
def _load(path: Path, vocabulary_path: Path | None) -> Classifier:
    vocabulary = load_vocabulary(vocabulary_path) if vocabulary_path else None
    model = Model(path, vocabulary)
    classifier = Classifier(model, vocabulary or model.trained, load_reader(), load_lexicon())
    for case in model.manifest.self_check:
        _check_itself(classifier, case)
    return classifier


def _check_itself(classifier: Classifier, case: Mapping[str, Any]) -> None:
    # Terms that the caller's vocabulary defines in another way may differ.
    differing = classifier.vocabulary.differing(classifier.model.trained)
    given, expected = (
        [term for term in terms if term not in differing]
        for terms in (classifier.tag(case["text"], home=case.get("home")).ids, case["terms"])
    )
    if given != expected:
        raise ModelError(
            f"the model's self-check failed: {case['text']!r} gave {given}, not {expected}. A dependency may "
            "have changed its behaviour: reinstall the package in a fresh environment, or train the model again."
        )
