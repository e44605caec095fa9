"""A spaCy pipeline component: ``nlp.add_pipe("arrangement_terms")``.

It sets ``doc.cats`` (the probability of every term), ``doc.spans["arrangement_evidence"]`` (the words that speak
for each fact, labelled with the fact's id) and ``doc._.tagging`` (the whole answer).

spaCy imports this module by its entry point whenever a pipeline is made, so it imports little itself. Its
annotations are not postponed: with the oldest versions spaCy takes a factory's types as they stand.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.util import ensure_path, minibatch

from ..errors import ModelError
from ..tagging import Tagging

if TYPE_CHECKING:
    from ..engine import Classifier

NAME = "arrangement_terms"
SPANS = "arrangement_evidence"
_SETTINGS = "settings.json"
# How the answer is kept in a doc: as plain data, which spaCy can serialise and send between processes.
_KEY = "arrangement_tagging"
_BATCH = 128


def _tagging(doc: Doc) -> Tagging | None:
    row = doc.user_data.get(_KEY)
    return None if row is None else Tagging.from_dict(row)


def _vocabulary_in(folder: Path, vocabulary: str) -> Path:
    return folder / f"vocabulary{Path(vocabulary).suffix}"


if not Doc.has_extension("tagging"):
    Doc.set_extension("tagging", getter=_tagging)


class ArrangementTerms:
    """The component; make one with ``nlp.add_pipe("arrangement_terms", config={...})``.

    Args:
        home: the client's country of every text, as ISO code or English name.
        provider_country: the country where the provider does the work.
        vendor_contract: whether the texts are lines from a list of contracts with outside vendors.
        threshold: least probability of a term in ``doc._.tagging``, instead of the model's own.
        model: the folder of a model of one's own; the one that ships with the package when None.
        vocabulary: a vocabulary of one's own, in TOML.
        spans_key: where the evidence goes in ``doc.spans``.

    Raises:
        InputError: for an unknown country or a threshold out of range.
        ModelError, VocabularyError: for a model or vocabulary that cannot be used.
    """

    def __init__(
        self,
        home: str | None = None,
        provider_country: str | None = None,
        vendor_contract: bool = False,
        threshold: float | None = None,
        model: str | None = None,
        vocabulary: str | None = None,
        spans_key: str = SPANS,
    ) -> None:
        self._asked: dict[str, Any] = {
            "home": home,
            "provider_country": provider_country,
            "vendor_contract": vendor_contract,
            "threshold": threshold,
        }
        self._model, self._vocabulary = model, vocabulary
        self.spans_key = spans_key
        self._classifier: Classifier | None = None
        # A pipeline that was moved names folders that are gone: `from_disk` brings its own.
        if all(path is None or Path(path).exists() for path in (model, vocabulary)):
            self._load()

    def _load(self) -> "Classifier":
        from ..engine import load

        self._classifier = load(self._model, self._vocabulary)
        # What cannot be used is refused here, not at the first text.
        self._classifier.tag("", **self._asked)
        return self._classifier

    @property
    def classifier(self) -> "Classifier":
        """What tags the texts."""
        return self._classifier or self._load()

    @property
    def labels(self) -> tuple[str, ...]:
        """The ids of all terms: the keys that the component sets in ``doc.cats``."""
        return tuple(self.classifier.vocabulary.terms)

    def __call__(self, doc: Doc) -> Doc:
        """Tag one doc."""
        return self._set(doc, self.classifier.tag(doc.text, **self._asked))

    def pipe(self, stream: Iterable[Doc], batch_size: int = _BATCH) -> Iterator[Doc]:
        """Tag docs as a stream, ``batch_size`` at a time."""
        for docs in minibatch(stream, batch_size):  # type: ignore[no-untyped-call]
            for doc, tagging in zip(docs, self.classifier.tag_many([d.text for d in docs], **self._asked), strict=True):
                yield self._set(doc, tagging)

    def _set(self, doc: Doc, tagging: Tagging) -> Doc:
        doc.cats.update(tagging.term_probabilities)
        found = {(s.start, s.end, s.fact) for term in tagging.terms for s in term.evidence}
        spans = [doc.char_span(a, b, label=fact, alignment_mode="expand") for a, b, fact in sorted(found)]
        doc.spans[self.spans_key] = SpanGroup(
            doc, name=self.spans_key, spans=list(dict.fromkeys(s for s in spans if s is not None))
        )
        doc.user_data[_KEY] = tagging.to_dict()
        return doc

    def _settings(self) -> dict[str, Any]:
        return {
            **self._asked,
            "model": self._model,
            "vocabulary": self._vocabulary,
            "spans_key": self.spans_key,
            "digest": self.classifier.model.manifest.digest,
        }

    def _set_up(self, settings: Mapping[str, Any], model: str | None, vocabulary: str | None) -> None:
        self._asked = {name: settings[name] for name in self._asked}
        self._model, self._vocabulary = model, vocabulary
        self.spans_key = settings["spans_key"]
        digest = self._load().model.manifest.digest
        if digest != settings["digest"]:
            raise ModelError(
                f"the pipeline was saved with the model {settings['digest'][:12]}, but {self.classifier.model.folder} "
                f"has {digest[:12]}: install the version of the package that it was saved with, or save it again"
            )

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save; a model or vocabulary of one's own is taken along, so that the folder can be moved."""
        folder = Path(ensure_path(path))
        folder.mkdir(parents=True, exist_ok=True)
        if self._model is not None and self.classifier.model.folder != (folder / "model").resolve():
            shutil.copytree(self.classifier.model.folder, folder / "model", dirs_exist_ok=True)
        if self._vocabulary is not None:
            copy = _vocabulary_in(folder, self._vocabulary)
            if copy.resolve() != Path(self._vocabulary).resolve():
                shutil.copyfile(self._vocabulary, copy)
        (folder / _SETTINGS).write_text(json.dumps(self._settings(), indent=1), encoding="utf-8")

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "ArrangementTerms":
        """Load what :meth:`to_disk` saved.

        Raises:
            ModelError: when the model is not the one that the component was saved with.
        """
        folder = Path(ensure_path(path))
        settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
        vocabulary = settings["vocabulary"]
        self._set_up(
            settings,
            None if settings["model"] is None else str(folder / "model"),
            None if vocabulary is None else str(_vocabulary_in(folder, vocabulary)),
        )
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The settings; a model of one's own stays where it is, and is named by its path."""
        return json.dumps(self._settings()).encode("utf-8")

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "ArrangementTerms":
        """Load what :meth:`to_bytes` gave.

        Raises:
            ModelError: when the model is not the one that the component was saved with.
        """
        settings = json.loads(data)
        self._set_up(settings, settings["model"], settings["vocabulary"])
        return self


@Language.factory(
    NAME,
    default_config={
        "home": None,
        "provider_country": None,
        "vendor_contract": False,
        "threshold": None,
        "model": None,
        "vocabulary": None,
        "spans_key": SPANS,
    },
    assigns=["doc.cats", "doc.spans", "doc._.tagging"],
)
def make_component(
    nlp: Language,
    name: str,
    home: str | None,
    provider_country: str | None,
    vendor_contract: bool,
    threshold: float | None,
    model: str | None,
    vocabulary: str | None,
    spans_key: str,
) -> "ArrangementTerms":
    """What ``nlp.add_pipe("arrangement_terms")`` calls."""
    return ArrangementTerms(home, provider_country, vendor_contract, threshold, model, vocabulary, spans_key)
