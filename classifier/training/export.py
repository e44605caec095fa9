"""Writing the artefact: arrays, estimator, manifest with digests and self-check, model card."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from ..keys import symbols_of
from ..model import ESTIMATOR, FILES, PROTOCOL, VOCABULARY, artefact_digest, sha256_of
from ..net import pack
from ..vocabulary import DATA, Vocabulary, raw_vocabulary
from .card import card
from .scenarios import LIVE

if TYPE_CHECKING:
    from .fit import CrossValidation, Fitted, Prepared

# Texts whose answers every load checks; they must hold on every machine.
SELF_CHECK: tuple[dict[str, Any], ...] = (
    {"text": "A firm in Texas runs the help desk of our New York company."},
    {"text": "Our own staff do the payroll in our office in Leeds."},
    {"text": "Calls from our customers are answered by a vendor in Manila.", "home": "US"},
)


def write(
    out: Path,
    version: str,
    data: Prepared,
    fitted: Fitted,
    validation: CrossValidation,
    vocabulary: Vocabulary,
    vocabulary_path: Path | None = None,
    card_parts: Path | None = None,
) -> None:
    """Write the artefact into ``out``, the same bytes for the same input.

    ``card_parts`` is a folder with what the card tells beyond this training: see :mod:`.card`.
    """
    from ..engine import Classifier
    from ..lexicon import load_lexicon
    from ..model import Model
    from ..reading import load_reader
    from .fit import NET_SHARE

    out.mkdir(parents=True, exist_ok=True)
    estimator = fitted.estimator
    contents = {
        "symbols.txt": "\n".join(_symbols(data, fitted)).encode("utf-8"),
        "features.npy": _npy(fitted.space.columns.keys),
        "rarity.npy": _npy(fitted.space.rarity.astype(np.float16)),
        "weights.npy": _npy(estimator.packed_),
        "scale.npy": _npy(estimator.scale_),
        "intercept.npy": _npy(estimator.intercept_.astype(np.float32)),
        "spot-features.npy": _npy(data.spotter.columns.keys),
        "spot-weights.npy": _npy(data.spotter.weights),
        "spot-scale.npy": _npy(data.spotter.scale),
        "spot-intercept.npy": _npy(data.spotter.intercept),
        "spot-mean.npy": _npy(data.spotter.mean),
        "net.json": _json(
            {
                "words": data.encoder.words,
                "cues": data.encoder.cues,
                "width": fitted.nets[0]["in_own"].shape[1],
                "own": fitted.nets[0]["in_own"].shape[0],
                # The last kind of quote is of no use to an answer, and has no name: what is over, denied or discussed.
                "quoted": [*data.spotter.facts, ""],
            }
        ),
        "net.npy": _npy(np.stack([pack(net) for net in fitted.nets])),
        "configurations.json": _json(_configurations(data, fitted, vocabulary)),
        "roles.json": _json({"weights": data.roles.weights, "bias": data.roles.bias}),
    }
    for name in FILES:
        (out / name).write_bytes(contents[name])
    # Column by column the weights pack an eighth smaller.
    estimator.packed_ = np.asfortranarray(estimator.packed_)
    joblib.dump(estimator, out / ESTIMATOR, compress=("xz", 6))
    names: tuple[str, ...] = (*FILES, ESTIMATOR)
    (out / VOCABULARY).unlink(missing_ok=True)
    if vocabulary_path:
        # Taken along whole: the default that it may extend can change with the package.
        (out / VOCABULARY).write_bytes(_json(raw_vocabulary(vocabulary_path)))
        names = (*names, VOCABULARY)
    files = {name: sha256_of((out / name).read_bytes()) for name in names}
    body: dict[str, Any] = {
        "version": version,
        "labels": list(data.labels.names),
        "thresholds": validation.thresholds,
        "temperature": validation.temperature,
        "net_share": NET_SHARE,
        "self_check": [],
        "vocabulary": sha256_of((vocabulary_path or DATA / "vocabulary.toml").read_bytes()),
        "scenarios": len(data.scenarios),
        "cross_validation": {k: v for k, v in validation.scores.to_dict().items() if k != "terms"},
    }
    _manifest(out, files, body)
    # The answers to the self-check are the model's own, read back through the path that users take.
    classifier = Classifier(Model(out, vocabulary), vocabulary, load_reader(), load_lexicon())
    body["self_check"] = [
        {**case, "terms": list(classifier.tag(case["text"], home=case.get("home")).ids)} for case in SELF_CHECK
    ]
    _manifest(out, files, body)
    (out / "card.md").write_text(card(version, data, fitted, validation, card_parts), encoding="utf-8")


def _symbols(data: Prepared, fitted: Fitted) -> list[str]:
    """The names of symbols by number, empty where no column and no vector of a word's own needs the symbol."""
    symbols = data.words.symbols
    used = np.zeros(len(symbols.names), dtype=bool)
    used[np.concatenate([symbols_of(found.columns.keys).ravel() for found in (fitted.space, data.spotter)])] = True
    used[[symbols.id(word) for word in data.encoder.words]] = True
    return [name if yes else "" for name, yes in zip(symbols.names, used.tolist(), strict=True)]


def _manifest(out: Path, files: dict[str, str], body: dict[str, Any]) -> None:
    manifest = {
        "protocol": PROTOCOL,
        "digest": artefact_digest(files, body),
        "files": files,
        "body": body,
    }
    (out / "manifest.json").write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _configurations(data: Prepared, fitted: Fitted, vocabulary: Vocabulary) -> list[Any]:
    """For each configuration the arrangements of the first scenario that has it."""
    rows = {row.tobytes(): i for i, row in enumerate(fitted.estimator.configurations_)}
    found: list[Any] = [None] * len(rows)
    for scenario, labels in zip(data.scenarios, data.Y, strict=True):
        i = rows[labels.tobytes()]
        if found[i] is None:
            arrangements = [
                sorted(vocabulary.close(a.facts)) for a in scenario.arrangements if a.status in LIVE and a.facts
            ]
            found[i] = [arrangements, scenario.silence, round(float(fitted.estimator.log_prior_[i]), 6)]
    return found
