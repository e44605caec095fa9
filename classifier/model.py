"""The learned model as it answers: plain arrays, verified on load.

An artefact is a folder with ``manifest.json`` (protocol number, digests, thresholds, self-check),
arrays that numpy reads with ``allow_pickle=False``, and the fitted scikit-learn estimator as
``estimator.joblib``, which answering never opens.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .features import Context
from .lexicon import load_lexicon
from .net import Encoder, Net, shapes, unpack
from .reading import Reading
from .roles import HomeGuess, guess_home
from .space import FeatureSpace, Row
from .spotter import Spotter
from .vocabulary import Vocabulary, load_vocabulary, parse_vocabulary

PROTOCOL = 2
SPOTTER = ("spot-weights.npy", "spot-scale.npy", "spot-intercept.npy", "spot-mean.npy")
FILES = (
    "features.txt",
    "rarity.npy",
    "weights.npy",
    "scale.npy",
    "intercept.npy",
    "spot-features.txt",
    *SPOTTER,
    "net.json",
    "net.npy",
    "configurations.json",
    "roles.json",
)
ESTIMATOR = "estimator.joblib"
# Only in a model that was trained with a vocabulary of one's own.
VOCABULARY = "vocabulary.json"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A set of facts that an answer may consist of, arrangement by arrangement, or a reason for silence."""

    arrangements: tuple[frozenset[str], ...]
    silence: str | None
    log_prior: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artefact says of itself."""

    version: str
    digest: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    temperature: float
    net_temperature: float
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
    remedy = "Reinstall the package, or give the folder of a model made by `classify train`."
    try:
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"no model in {folder}: manifest.json is missing. {remedy}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'manifest.json'} cannot be read: {error}. {remedy}") from error
    if not isinstance(raw, dict) or "protocol" not in raw:
        raise ModelError(f"{folder / 'manifest.json'} is not the manifest of a model. {remedy}")
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
                raise ModelError(f"{folder / name} is damaged or was changed: its digest differs. {remedy}")
            found[name] = data
        if artefact_digest(files, body) != raw["digest"]:
            raise ModelError(f"{folder / 'manifest.json'} was changed: its digest differs. {remedy}")
        manifest = Manifest(
            str(body["version"]),
            str(raw["digest"]),
            tuple(body["labels"]),
            dict(body["thresholds"]),
            float(body["temperature"]),
            float(body["net_temperature"]),
            float(body["net_share"]),
            tuple(body["self_check"]),
            raw,
        )
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}: {error.filename}. {remedy}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / 'manifest.json'} is incomplete: {error!r}. {remedy}") from error
    return manifest, found


def _array(data: bytes, name: str) -> NDArray[Any]:
    import io

    try:
        array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ModelError(f"{name} cannot be read: {error}") from error
    return array


class Model:
    """Scores configurations for a text. Immutable.

    Attributes:
        configurations: all that may be answered.
        trained: the vocabulary that the model was trained with; the one that it answers by, where no other is given.
        facts, terms, definitions: float32 arrays (configurations, ids), 1 where it is part.
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary | None = None) -> None:
        self.folder = folder
        self.manifest, files = read_manifest(folder)
        own = files.get(VOCABULARY)
        self.trained = load_vocabulary() if own is None else parse_vocabulary(own.decode("utf-8"), VOCABULARY)
        vocabulary = vocabulary or self.trained
        names = files["features.txt"].decode("utf-8").split("\n")
        self.space = FeatureSpace(names, _array(files["rarity.npy"], "rarity.npy").astype(np.float32))
        # One byte a weight, in steps of its label's scale; rows are unpacked as they are used.
        self.weights = _array(files["weights.npy"], "weights.npy")
        self.scale = _array(files["scale.npy"], "scale.npy").astype(np.float32)
        self.intercept = _array(files["intercept.npy"], "intercept.npy").astype(np.float32)
        weights, scale, intercept, mean = (_array(files[name], name) for name in SPOTTER)
        spot_names = files["spot-features.txt"].decode("utf-8").split("\n")
        facts = [f for f in self.manifest.labels if f in vocabulary.facts]
        self.spotter = Spotter(spot_names, weights, scale, intercept, mean, facts)
        self.net, self.encoder = self._network(files)
        roles = json.loads(files["roles.json"])
        self._role_weights: dict[str, float] = roles["weights"]
        self._role_bias: float = roles["bias"]
        self.configurations = tuple(
            Configuration(tuple(frozenset(a) for a in row[0]), row[1], float(row[2]))
            for row in json.loads(files["configurations.json"])
        )
        labels = self.manifest.labels
        if self.weights.ndim != 2 or self.weights.shape[1] != len(labels) or len(self.space) > self.weights.shape[0]:
            raise ModelError(f"{folder}: weights and labels do not fit together. Train the model again.")
        self._column = {name: i for i, name in enumerate(labels)}
        self._prepare(vocabulary)

    def _network(self, files: Mapping[str, bytes]) -> tuple[Net, Encoder]:
        lexicon = load_lexicon()
        try:
            made = json.loads(files["net.json"])
            wanted = shapes(
                len(made["words"]), len(made["cues"]), len(self.manifest.labels), lexicon.vectors.shape[1],
                made["width"], made["own"],
            )  # fmt: skip
            net = Net(unpack(_array(files["net.npy"], "net.npy"), wanted), lexicon.vectors)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self.folder}: the network cannot be read: {error!r}. Train the model again.") from error
        return net, Encoder(made["words"], made["cues"], lexicon)

    def _prepare(self, vocabulary: Vocabulary) -> None:
        """Work out facts, terms and definitions of every configuration under the vocabulary."""
        self.fact_ids = tuple(vocabulary.facts)
        self.term_ids = tuple(vocabulary.terms)
        self.silence_ids = tuple(vocabulary.silences)
        self.definition_ids = tuple(vocabulary.definitions)
        n = len(self.configurations)
        self.facts = np.zeros((n, len(self.fact_ids)), dtype=np.float32)
        self.terms = np.zeros((n, len(self.term_ids)), dtype=np.float32)
        self.silences = np.zeros((n, len(self.silence_ids)), dtype=np.float32)
        self.definitions = np.zeros((n, len(self.definition_ids)), dtype=np.float32)
        fact_at = {f: i for i, f in enumerate(self.fact_ids)}
        term_at = {t: i for i, t in enumerate(self.term_ids)}
        definition_at = {d: i for i, d in enumerate(self.definition_ids)}
        for row, configuration in enumerate(self.configurations):
            for facts in configuration.arrangements:
                unknown = facts - fact_at.keys()
                if unknown:
                    raise ModelError(
                        f"the model in {self.folder} knows facts that the vocabulary lacks: "
                        f"{', '.join(sorted(unknown))}. Add them, or train the model with this vocabulary."
                    )
                for definition in vocabulary.matching(facts):
                    self.definitions[row, definition_at[definition.id]] = 1
                self.terms[row, [term_at[t] for t in vocabulary.terms_of(facts)]] = 1
                self.facts[row, [fact_at[f] for f in vocabulary.close(facts)]] = 1
            if configuration.silence in self.silence_ids:
                self.silences[row, self.silence_ids.index(configuration.silence)] = 1
        # One column of label indicators for each label that has learned weights.
        blocks = {f: self.facts[:, i] for f, i in fact_at.items()}
        blocks |= {t: self.terms[:, i] for t, i in term_at.items()}
        blocks |= {s: self.silences[:, i] for i, s in enumerate(self.silence_ids)}
        if vocabulary != self.trained:
            blocks |= self._as_learned()
            self._check_reach(vocabulary)
        empty = np.zeros(n, dtype=np.float32)
        self._indicators = np.stack([blocks.get(name, empty) for name in self.manifest.labels], axis=1)
        self._prior = np.array([c.log_prior for c in self.configurations], dtype=np.float32)

    def _as_learned(self) -> dict[str, NDArray[np.float32]]:
        """Indicators of the labels as they were in training: what was learned for a label is about that sense of it."""
        found = {name: np.zeros(len(self.configurations), dtype=np.float32) for name in self.manifest.labels}
        for row, configuration in enumerate(self.configurations):
            for facts in configuration.arrangements:
                for name in (*self.trained.close(facts), *self.trained.terms_of(facts)):
                    found[name][row] = 1
            if configuration.silence in found:
                found[configuration.silence][row] = 1
        return found

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

    def scores(self, row: Row) -> NDArray[np.float32]:
        """Label scores of one text, float32 array (labels,)."""
        found = row.values @ self.weights[row.columns].astype(np.float32)
        dims = len(row.vector)
        if dims:
            found = found + row.vector @ self.weights[len(self.space) : len(self.space) + dims].astype(np.float32)
        return np.asarray(found * self.scale + self.intercept, dtype=np.float32)

    def logits(self, scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        """Log-score of each configuration, float64 array (configurations,), from label scores."""
        found = (self._indicators @ scores + self._prior).astype(np.float64)
        return np.asarray(found / temperature)

    def contributions(self, row: Row, fact: str) -> NDArray[np.float32]:
        """What each column of ``row`` adds to the score of a fact, float32 array (columns,)."""
        column = self._column.get(fact)
        if column is None:
            return np.zeros(len(row.columns), dtype=np.float32)
        return np.asarray(row.values * (self.weights[row.columns, column] * self.scale[column]), dtype=np.float32)


def posterior(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from log-scores: a softmax."""
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())
