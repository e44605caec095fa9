from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from classifier import Classifier, load
from classifier.vocabulary import Vocabulary, load_vocabulary

ROOT = Path(__file__).resolve().parent.parent
# The source documents and the measuring set are not part of the project; tests that need them say so.
SHARED = Path(os.environ.get("CLASSIFIER_SHARED", ROOT.parent / "shared"))

# No deadline: no test depends on the clock. The same examples each time.
settings.register_profile(
    "steady", deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck)
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return load()


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()
