"""Every input that fuzzing started from or found, without the fuzzer: see fuzz_targets.py and scripts/fuzz."""

from __future__ import annotations

from pathlib import Path

import pytest

from .fuzz_targets import CORPUS, TARGETS

FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_input(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_the_corpus_is_whole_and_small() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 300_000
