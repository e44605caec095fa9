"""Opening the fitted scikit-learn estimator of an artefact, which answering never does."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..model import ESTIMATOR, read_manifest, sha256_of


def load_estimator(folder: Path) -> Any:
    """The fitted estimator of the artefact in ``folder``, opened only when its SHA-256 is the manifest's.

    A joblib file can run code when it is opened. The digest proves that it is the file that the manifest was written
    for, not who wrote both: open only artefacts from people you trust.

    Raises:
        ModelError: naming the file and the remedy, before anything of it is opened.
    """
    manifest, _ = read_manifest(folder)
    path = folder / ESTIMATOR
    remedy = "Reinstall the package, or give the folder of a model made by `classify train`."
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    if sha256_of(data) != manifest.raw["files"].get(ESTIMATOR):
        raise ModelError(f"{path} is damaged or was changed: its digest differs, so it was not opened. {remedy}")
    import joblib

    # What was hashed is what is opened: the file is not read again.
    return joblib.load(io.BytesIO(data))
