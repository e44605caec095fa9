"""The one path from a text to its tagging. No input or output of its own; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from pickle import PicklingError
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answers import Answers
from .arguments import check_text, check_threshold, next_of
from .context import ContextWeights
from .counterfactual import Counterfactual, why_not
from .decide import decide
from .english import read_as_english
from .errors import InputError, ModelError
from .evidence import Seen, spans_for, token_scores
from .features import features_of
from .lexicon import Lexicon, load_lexicon
from .model import Model, default_path, posterior
from .normal import Context, normalise
from .passages import is_long, passages, strongest, surest
from .reading import Reader, Reading, load_reader
from .roles import HomeGuess
from .spotter import probabilities, summaries
from .tagging import Tagging
from .vocabulary import Vocabulary, load_vocabulary
from .words import Words

# Texts that are tagged together, and the characters after which no more are added.
_TEXTS, _CHARACTERS = 128, 100_000
_LOADING = Lock()


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
        self._words = Words(model.symbols, lexicon)
        self._weights = ContextWeights(model, reader.gazetteer)
        self._answers = Answers(model, vocabulary, reader.gazetteer)

    def context(
        self, home: str | None = None, provider_country: str | None = None, vendor_contract: bool = False
    ) -> Context:
        """A checked context; countries as ISO codes or English names.

        Raises:
            InputError: for an unknown country.
        """
        code = self._reader.gazetteer.code
        if not isinstance(vendor_contract, (bool, np.bool_)):
            raise InputError(f"vendor_contract is True or False, not {vendor_contract!r}")
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
        check_text(text)
        check_threshold(threshold)
        return self._tag([text], context, threshold)[0]

    def tag_many(
        self,
        texts: Iterable[str],
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
    ) -> Iterator[Tagging]:
        """Tag texts one after another, all in the same context. See :meth:`tag`.

        Lazily, but reading some texts ahead: many together take a fraction of the time of one by one. Those before a
        text that is no string are answered first.

        Raises:
            InputError: at once for what is wrong with the context, or when ``texts`` is itself a string.
        """
        context = self.context(home, provider_country, vendor_contract)
        check_threshold(threshold)
        if isinstance(texts, (str, bytes)):
            raise InputError("tag_many takes many descriptions: put the one into a list, or call tag")
        return self._each(iter(texts), context, threshold)

    def _each(self, texts: Iterator[str], context: Context, threshold: float | None) -> Iterator[Tagging]:
        while True:
            some, error = next_of(texts, _TEXTS, _CHARACTERS)
            yield from self._tag(some, context, threshold)
            if error is not None:
                raise error
            if not some:
                return

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

    def _tag(self, texts: Sequence[str], context: Context, threshold: float | None) -> list[Tagging]:
        found: dict[int, Tagging] = {}
        told = [n for n, text in enumerate(texts) if text.strip()]
        readings = self._reader.read_many([texts[n] for n in told], [context.home] * len(told))
        english = read_as_english(readings, self._words)
        left = [n for n, yes in zip(told, english, strict=True) if yes]
        if left:
            seen = self.see([r for r, yes in zip(readings, english, strict=True) if yes], [context] * len(left))
            found_in = self._posterior(seen, context)
            # A line of a list of contracts is about that contract from end to end.
            for n, reading in enumerate(seen.readings if not context.vendor_contract else ()):
                if is_long(reading):
                    found_in[n] = self._by_passages(reading, context, found_in[n])
            decisions = decide(found_in, self.model, self.vocabulary, threshold)
            facts = [[fact for fact in self.vocabulary.facts if fact in d.asserted] for d in decisions]
            scores = token_scores(seen, self.model, facts)
            for n, reading, view, decision, of_facts, some in zip(
                left, seen.readings, seen.normal.views, decisions, facts, scores, strict=True
            ):
                spans = {f: spans_for(f, reading, view, s) for f, s in zip(of_facts, some, strict=True)}
                found[n] = self._answers.assemble(reading, context, decision, spans)
        return [
            found[n] if n in found else self._answers.silent(text, context, "not-english" if text.strip() else "empty")
            for n, text in enumerate(texts)
        ]

    def _posterior(self, seen: Seen, context: Context) -> NDArray[np.float64]:
        """Probabilities of configurations, array (texts, configurations), by what linear model and networks say."""
        model, share = self.model, self.model.manifest.net_share
        scores = np.float32(1 - share) * model.scores(seen.rows) + np.float32(share) * seen.scores
        return posterior(self._weights.adjust(model.logits(scores, model.manifest.temperature), context))

    def _by_passages(self, reading: Reading, context: Context, whole: NDArray[np.float64]) -> NDArray[np.float64]:
        """The posterior of a long text, array (configurations,), from that of the whole and those of its passages."""
        spans = passages(reading)
        if len(spans) < 2:
            return whole
        model = self.model
        guess = model.guess_home(reading, context)
        silent = np.asarray(model.silences.any(axis=1))
        found = []
        for a in range(0, len(spans), _TEXTS):
            some = [reading.text[start:end] for start, end in spans[a : a + _TEXTS]]
            contexts = [context] * len(some)
            seen = self.see(self._reader.read_many(some, [context.home] * len(some)), contexts, [guess] * len(some))
            found.append(surest(self._posterior(seen, context), silent))
        return strongest(whole, surest(np.stack(found), silent), len(spans), silent)

    def see(
        self,
        readings: Sequence[Reading],
        contexts: Sequence[Context],
        guesses: Sequence[HomeGuess | None] | None = None,
    ) -> Seen:
        """Readings that were made together, as the model sees them.

        Args:
            readings: of the texts.
            contexts: what the caller says of each.
            guesses: of each text's client country; from the text itself where they are left out.
        """
        model = self.model
        if guesses is None:
            guesses = [model.guess_home(reading, context) for reading, context in zip(readings, contexts, strict=True)]
        normal = normalise(readings, contexts, self._words, self._reader.gazetteer, guesses)
        at = np.flatnonzero(normal.real)
        spots = probabilities(model.spotter.scores(readings, contexts, normal, at))
        features = features_of(readings, contexts, normal, model.symbols)
        spotted = model.spotter.spotted(summaries(spots, normal, at))
        vectors = np.concatenate([model.space.pooled(normal, self._lexicon), spotted], axis=1)
        rows = model.space.rows(features, vectors)
        read = [model.net.read(text) for text in model.encoder.encode(readings, contexts, normal)]
        return Seen(readings, normal, rows, np.stack([scores for scores, _ in read]), [quoted for _, quoted in read])


def load(path: str | Path | None = None, vocabulary: str | Path | None = None) -> Classifier:
    """Load a classifier: the one that ships with the package, or the model (and vocabulary) given.

    A second call gives the same classifier, from any thread.

    Args:
        path: the folder of a model made by ``classify train``; the one that ships when None.
        vocabulary: a vocabulary in TOML; when None the one that the model was trained with.

    Raises:
        ModelError: when the model is missing, damaged, or of another version.
        VocabularyError: when the vocabulary contradicts itself.
        InputError: when a path is empty.
    """
    if path == "" or vocabulary == "":
        raise InputError("the path of a model or vocabulary is empty: give a path, or None for what ships")
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
    try:
        given, expected = (
            [term for term in terms if term not in differing]
            for terms in (classifier.tag(case["text"], home=case.get("home")).ids, case["terms"])
        )
    except Exception as error:
        raise ModelError(
            f"the model's self-check failed: {error!r} while it answered {case!r}. Reinstall the package in a fresh "
            "environment, or give the folder of a model made by `classify train`."
        ) from error
    if given != expected:
        raise ModelError(
            f"the model's self-check failed: {case['text']!r} gave {given}, not {expected}. A dependency may "
            "have changed its behaviour: reinstall the package in a fresh environment, or train the model again."
        )
