"""From what was decided about a text to its tagging: terms, their proofs, their evidence, and why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .context import given_facts
from .cues import ASSERTED, PLANNED, STATUSES
from .decide import Decision, Proof
from .evidence import merge
from .model import Model
from .normal import Context
from .places import Gazetteer
from .reading import Reading
from .tagging import Citation, Definition, Fact, ModelInfo, NearMiss, Reason, Span, Tagging, TermTag
from .vocabulary import TermDefinition, Vocabulary, load_vocabulary


class Answers:
    """Makes taggings by one model and one vocabulary. Does not change, but for a memory of definitions."""

    def __init__(self, model: Model, vocabulary: Vocabulary, gazetteer: Gazetteer) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._gazetteer = gazetteer
        self._info = ModelInfo(model.manifest.version, model.manifest.digest)
        self._citations = {
            d.id: Citation(
                d.source.document.file, d.source.document.title, d.source.section, d.source.paragraph, d.source.sha256
            )
            for d in vocabulary.definitions.values()
        }
        # Few ways to meet a definition come up, and often.
        self._definitions: dict[tuple[str, tuple[str, ...]], Definition] = {}

    def silent(self, text: str, context: Context, reason: str) -> Tagging:
        """The tagging of a text that was not read, and why."""
        terms, facts = (tuple((name, 0.0) for name in ids) for ids in (self._model.term_ids, self._model.fact_ids))
        return Tagging(text, context.home, (), (), (), self._reason(reason), self._info, terms, facts)

    def assemble(
        self, reading: Reading, context: Context, decision: Decision, spans: Mapping[str, tuple[Span, ...]]
    ) -> Tagging:
        """The tagging of a text that was read; ``spans`` are the words that state each fact of it."""
        given = given_facts(context, self._gazetteer)
        facts = {
            fact: Fact(fact, _status(reading, some), round(decision.facts[fact], 4), some, given.get(fact, ()))
            for fact, some in spans.items()
        }
        implied = frozenset[str]().union(*[self._vocabulary.implied_by_term[term] for term in decision.terms])
        terms = [
            self._term(term, p, term in implied, decision.proofs[term], facts, reading)
            for term, p in decision.terms.items()
        ]
        reason = None
        if not terms:
            reason = self._reason(decision.silence or "below-threshold")
        return Tagging(
            reading.text,
            context.home,
            tuple(terms),
            (*facts.values(), *_silenced(reading, facts)),
            tuple([NearMiss(t, round(p, 4), missing) for t, p, missing in decision.near_misses]),
            reason,
            self._info,
            tuple(decision.probabilities.items()),
            tuple(decision.facts.items()),
        )

    def _reason(self, reason: str) -> Reason:
        # A vocabulary that stands alone may name no reasons.
        for known in (self._vocabulary, load_vocabulary()):
            for reasons in (known.silences, known.other_silences):
                if reason in reasons:
                    return Reason(reason, reasons[reason])
        return Reason(reason, reason)

    def _term(
        self,
        term: str,
        probability: float,
        implied: bool,
        proofs: Sequence[Proof],
        facts: Mapping[str, Fact],
        reading: Reading,
    ) -> TermTag:
        used = dict.fromkeys([fact for _, met_by in proofs for fact in met_by])
        spans = [span for fact in used for span in facts[fact].evidence]
        given = tuple(dict.fromkeys([g for fact in used for g in facts[fact].given]))
        if not spans and not given:
            # No single word tells: the first sentence stands for the text.
            start, end = reading.sentences[0]
            spans = [Span(start, end, reading.text[start:end], proofs[0][0].all[0])]
        return TermTag(
            term,
            self._vocabulary.terms[term].label,
            round(probability, 4),
            implied,
            tuple([self._definition(*proof) for proof in proofs]),
            merge(spans),
            given,
        )

    def _definition(self, definition: TermDefinition, met_by: tuple[str, ...]) -> Definition:
        found = self._definitions.get((definition.id, met_by))
        if found is None:
            found = Definition(definition.id, definition.says, self._citations[definition.id], met_by)
            self._definitions[definition.id, met_by] = found
        return found


def _status(reading: Reading, spans: Iterable[Span]) -> str:
    """Planned when every span of the fact stands in a planned statement."""
    if not reading.status.any():
        return ASSERTED
    found = {
        status
        for span in spans
        for status in reading.status[slice(*np.searchsorted(reading.start, (span.start, span.end)))].tolist()
    }
    return PLANNED if found == {STATUSES.index(PLANNED)} else ASSERTED


def _silenced(reading: Reading, facts: Mapping[str, Fact]) -> list[Fact]:
    """Facts that the text names only to deny, end or discuss them."""
    found: dict[str, Fact] = {}
    for cue in reading.cues:
        if cue.kind not in facts and cue.kind not in found and cue.status not in (ASSERTED, PLANNED):
            span = Span(cue.start, cue.end, reading.text[cue.start : cue.end], cue.kind)
            found[cue.kind] = Fact(cue.kind, cue.status, 0.0, (span,))
    return list(found.values())
