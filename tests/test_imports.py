"""Nothing heavy is imported before it is needed; looked at in a fresh interpreter, not timed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sklearn", "scipy", "pandas", "pyarrow", "torch", "joblib")
CODE = "import sys\n{code}\nprint(' '.join(m for m in {heavy!r} if m in sys.modules))"

CASES = [
    ("import classifier", (*HEAVY, "spacy", "numpy")),
    ("from classifier import load; load().tag('a vendor in Manila answers our calls')", HEAVY),
    ("from classifier.edges import cli", (*HEAVY, "spacy", "numpy")),
    (
        "import sys; sys.argv = ['classify', '--help']\nfrom classifier.edges.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
        (*HEAVY, "spacy", "numpy"),
    ),
    (
        "import sys; sys.argv = ['classify', 'terms', 'eor']\nfrom classifier.edges.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
        (*HEAVY, "spacy", "numpy"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "heavy"), CASES)
def test_heavy_packages_stay_out(code: str, heavy: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(code=code, heavy=heavy)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "", done.stdout
