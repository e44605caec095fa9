"""Loading a classifier into a process that is the program's own: a command, a worker, a server."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine import Classifier


def load_to_stay(path: Path | None = None, vocabulary: Path | None = None) -> Classifier:
    """:func:`classifier.load` where what is loaded stays until the process ends.

    The garbage collector then need not walk through it again and again: neither while it is built, nor while texts are
    answered. That is for a whole process to decide, so that the library itself does not.

    Raises:
        ModelError, VocabularyError: as :func:`classifier.load` does.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        from ..engine import load

        classifier = load(path, vocabulary)
        gc.freeze()
    finally:
        if enabled:
            gc.enable()
    return classifier
