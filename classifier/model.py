"""The learned model as it answers: plain arrays, verified on load.

An artefact is a folder with ``manifest.json`` (protocol number, digests, thresholds, self-check),
arrays that numpy reads with ``allow_pickle=False``, and the fitted scikit-learn estimator as
``estimator.joblib``, which answering never opens.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .keys import Columns, Symbols
from .lexicon import load_lexicon
from .net import Encoder, Net, shapes, unpack
from .normal import Context
from .outcomes import Configuration, outcomes_of
from .reading import Reading
from .roles import HomeGuess, guess_home
from .space import FeatureSpace, Rows
from .spotter import Spotter
from .vocabulary import Vocabulary, load_vocabulary, parse_vocabulary

PROTOCOL = 4
SPOTTER = ("spot-features.npy", "spot-weights.npy", "spot-scale.npy", "spot-intercept.npy", "spot-mean.npy")
FILES = (
    "symbols.txt",
    "features.npy",
    "rarity.npy",
    "weights.npy",
    "scale.npy",
    "intercept.npy",
    *SPOTTER,
    "net.json",
    "net.npy",
    "configurations.json",
    "roles.json",
)
ESTIMATOR = "estimator.joblib"
# Only in a model that was trained with a vocabulary of one's own.
VOCABULARY = "vocabulary.json"
_REMEDY = "Reinstall the package, or give the folder of a model made by `classify train`."
_UNLIKELY = 1e-7
# What content that is not what it should be raises, however it was made.
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artefact says of itself."""

    version: str
    digest: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    temperature: float
    net_share: float
    self_check: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]


def default_path() -> Path:
    """The artefact that ships with the package: inside it when installed, beside it in a checkout."""
    inside = Path(__file__).parent / "_models" / "default"
    return inside if inside.exists() else Path(__file__).parent.parent / "models" / "default"


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def artefact_digest(files: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """The digest of a whole artefact: over its files' digests and what the manifest decides."""
    canon = json.dumps({"files": dict(files), "body": dict(body)}, sort_keys=True, separators=(",", ":"))
    return sha256_of(canon.encode())


def read_manifest(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Read and verify a manifest and every file that answering needs.

    Raises:
        ModelError: naming the file and the remedy.
    """
    try:
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"no model in {folder}: manifest.json is missing. {_REMEDY}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder / 'manifest.json'} cannot be read: {error}. {_REMEDY}") from error
    if not isinstance(raw, dict) or "protocol" not in raw:
        raise ModelError(f"{folder / 'manifest.json'} is not the manifest of a model. {_REMEDY}")
    if raw["protocol"] != PROTOCOL:
        newer = isinstance(raw["protocol"], int) and raw["protocol"] > PROTOCOL
        raise ModelError(
            f"the model in {folder} has protocol {raw['protocol']!r}, this version reads {PROTOCOL}: "
            + ("upgrade the package." if newer else "train it again with this version.")
        )
    try:
        files: dict[str, str] = raw["files"]
        body = raw["body"]
        found: dict[str, bytes] = {}
        for name in (*FILES, VOCABULARY) if VOCABULARY in files else FILES:
            data = (folder / name).read_bytes()
            if sha256_of(data) != files[name]:
                raise ModelError(f"{folder / name} is damaged or was changed: its digest differs. {_REMEDY}")
            found[name] = data
        if artefact_digest(files, body) != raw["digest"]:
            raise ModelError(f"{folder / 'manifest.json'} was changed: its digest differs. {_REMEDY}")
        manifest = Manifest(
            str(body["version"]),
            str(raw["digest"]),
            tuple(body["labels"]),
            dict(body["thresholds"]),
            float(body["temperature"]),
            float(body["net_share"]),
            tuple(body["self_check"]),
            raw,
        )
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}: {error.filename}. {_REMEDY}") from error
    except _UNFIT as error:
        raise ModelError(f"{folder / 'manifest.json'} is incomplete: {error!r}. {_REMEDY}") from error
    return manifest, found


def _array(files: Mapping[str, bytes], name: str) -> NDArray[Any]:
    """An array over the bytes of a file, which are not copied; it cannot be written to."""
    data = files[name]
    try:
        stream = io.BytesIO(data)
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("not version 1.0 of the format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if fortran or dtype.hasobject:
            raise ValueError("not a plain array")
        array: NDArray[Any] = np.frombuffer(data, dtype, math.prod(shape), stream.tell()).reshape(shape)
    except Exception as error:  # numpy lets through what Python's own parser makes of a broken header
        raise ModelError(f"{name} cannot be read: {error}. {_REMEDY}") from error
    return array


class Model:
    """Scores configurations for texts. Immutable.

    Sums are taken text by text: what stands beside a text does not show in its answer, not even in the last digit.

    Attributes:
        configurations: all that may be answered.
        trained: the vocabulary that the model was trained with; the one that it answers by, where no other is given.
        facts, terms, definitions, silences: float64 arrays (configurations, ids), 1 where it is part; ``outcomes``
            has them side by side.
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary | None = None) -> None:
        self.folder = folder
        self.manifest, files = read_manifest(folder)
        try:
            self._read(files, vocabulary)
        except _UNFIT as error:
            raise ModelError(f"{folder} does not fit together: {error!r}. {_REMEDY}") from error

    def _read(self, files: Mapping[str, bytes], vocabulary: Vocabulary | None) -> None:
        """Take everything over from files whose digests are right."""
        own = files.get(VOCABULARY)
        self.trained = load_vocabulary() if own is None else parse_vocabulary(own.decode("utf-8"), VOCABULARY)
        vocabulary = vocabulary or self.trained
        labels = self.manifest.labels
        self.symbols = Symbols(files["symbols.txt"].decode("utf-8").split("\n"))
        # One byte a weight, in steps of its label's scale; rows are unpacked as they are used.
        self.weights = _array(files, "weights.npy")
        self.scale = _array(files, "scale.npy").astype(np.float32)
        self.intercept = _array(files, "intercept.npy").astype(np.float32)
        spot_keys, weights, scale, intercept, mean = (_array(files, name) for name in SPOTTER)
        facts = [f for f in labels if f in self.trained.facts]
        columns = Columns(_array(files, "features.npy"))
        self.space = FeatureSpace(columns, _array(files, "rarity.npy").astype(np.float32), self.symbols)
        self.spotter = Spotter(Columns(spot_keys), weights, scale, intercept, mean, facts, self.symbols)
        self.net, self.encoder = self._network(files)
        roles = json.loads(files["roles.json"])
        self._role_weights: dict[str, dict[str, float]] = roles["weights"]
        self._role_bias: float = roles["bias"]
        self.configurations = tuple(
            Configuration(tuple(frozenset(a) for a in row[0]), row[1], float(row[2]))
            for row in json.loads(files["configurations.json"])
        )
        if self.weights.ndim != 2 or self.weights.shape[1] != len(labels) or len(self.space) > self.weights.shape[0]:
            raise ModelError(f"{self.folder}: weights and labels do not fit together. {_REMEDY}")
        # What does not come by name is in every text.
        self._rest = self.weights[len(self.space) :].astype(np.float32)
        self._prepare(vocabulary)

    def _network(self, files: Mapping[str, bytes]) -> tuple[Net, Encoder]:
        lexicon = load_lexicon()
        made = json.loads(files["net.json"])
        wanted = shapes(
            len(made["words"]), len(made["cues"]), len(self.manifest.labels), lexicon.vectors.shape[1],
            made["width"], made["own"], len(made["quoted"]),
        )  # fmt: skip
        flat = _array(files, "net.npy")
        if flat.ndim != 2 or not len(flat):
            raise ValueError(f"net.npy has the shape {flat.shape}, a row for each network is wanted")
        self.quoted = {name: i for i, name in enumerate(made["quoted"])}
        net = Net([unpack(row, wanted) for row in flat], lexicon.vectors)
        return net, Encoder(made["words"], made["cues"], self.symbols)

    def _prepare(self, vocabulary: Vocabulary) -> None:
        """Work out facts, terms and definitions of every configuration under the vocabulary."""
        self.fact_ids = tuple(vocabulary.facts)
        self.term_ids = tuple(vocabulary.terms)
        self.silence_ids = tuple(vocabulary.silences)
        self.definition_ids = tuple(vocabulary.definitions)
        unknown = {f for c in self.configurations for a in c.arrangements for f in a} - vocabulary.facts.keys()
        if unknown:
            raise ModelError(
                f"the model in {self.folder} knows facts that the vocabulary lacks: {', '.join(sorted(unknown))}. "
                "Add them, or train the model with this vocabulary."
            )
        learned = outcomes_of(self.configurations, self.trained)
        # Not by equality, which lets the order pass: the columns are in the caller's.
        found = learned if vocabulary is self.trained else outcomes_of(self.configurations, vocabulary)
        parts = (found.facts, found.terms, found.definitions, found.silences)
        self._bounds = np.cumsum([part.shape[1] for part in parts])[:-1].tolist()
        self.outcomes = np.concatenate(parts, axis=1).astype(np.float64)
        self.facts, self.terms, self.definitions, self.silences = np.split(self.outcomes, self._bounds, axis=1)
        # One row of indicators for each label that has learned weights: what was learned for it is about its sense in
        # training.
        self._indicators = learned.of_labels(self.manifest.labels, self.trained).astype(np.float64)
        self._prior = np.array([c.log_prior for c in self.configurations])
        if vocabulary != self.trained:
            self._check_reach(vocabulary)

    def _check_reach(self, vocabulary: Vocabulary) -> None:
        """Refuse conditions that the model cannot judge; warn of terms that it can never give."""
        used = {f for d in vocabulary.definitions.values() for f in (*d.all, *d.none, *(f for c in d.any for f in c))}
        unlearned = used - set(self.manifest.labels)
        if unlearned:
            raise ModelError(
                f"the model in {self.folder} has not learned {', '.join(sorted(unlearned))}, which definitions of the "
                "vocabulary need: train a model with this vocabulary and scenarios that have them (docs/own-terms.md)."
            )
        never = [t for i, t in enumerate(self.term_ids) if t not in self.trained.terms and not self.terms[:, i].any()]
        if never:
            warnings.warn(
                f"{', '.join(never)} can never apply: no arrangement that the model knows meets a definition. Train a "
                "model with scenarios that do.",
                stacklevel=2,
            )

    def guess_home(self, reading: Reading, context: Context) -> HomeGuess | None:
        """The client's country where the caller did not give it and the text names places."""
        if context.home or not reading.places:
            return None
        return guess_home(reading, self._role_weights, self._role_bias)

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """Label scores, float32 array (texts, labels)."""
        bounds = rows.bounds.tolist()
        found = np.empty((len(rows.vectors), len(self.scale)), dtype=np.float32)
        for n, (a, b) in enumerate(pairwise(bounds)):
            weights = self.weights.take(rows.columns[a:b], axis=0).astype(np.float32)
            found[n] = rows.values[a:b] @ weights + rows.vectors[n] @ self._rest
        return np.asarray(found * self.scale + self.intercept, dtype=np.float32)

    def logits(self, scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        """Log-score of each configuration, float64 array (texts, configurations), from label scores."""
        # In double precision: what a last digit of a score changes must not show in an answer.
        found = np.stack([row @ self._indicators for row in scores.astype(np.float64)])
        return np.asarray((found + self._prior) / temperature)

    def marginals(self, posterior: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Probabilities of facts, terms, definitions and reasons for silence, float64 arrays (texts, ids)."""
        found = np.empty((len(posterior), self.outcomes.shape[1]))
        for n, row in enumerate(posterior):
            # The others together come to less than what an answer shows of a probability.
            likely = np.flatnonzero(row > _UNLIKELY)
            found[n] = row.take(likely) @ self.outcomes.take(likely, axis=0)
        return tuple(np.split(found, self._bounds, axis=1))


def posterior(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from log-scores: a softmax of each row."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
