"""Loading into a process of its own: what is loaded is left alone by the garbage collector, and the rest is not."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.edges.loading import load_to_stay
from classifier.errors import ModelError

STAYS = """
import gc
from classifier.edges.loading import load_to_stay
load_to_stay()
before = gc.get_freeze_count()
print(before > 100_000, gc.isenabled())
"""


def test_what_is_loaded_is_frozen() -> None:
    done = subprocess.run([sys.executable, "-c", STAYS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_before_when_loading_fails(tmp_path: Path, enabled: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ModelError):
            load_to_stay(tmp_path / "none")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
