"""The page of the public API is what the code says, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import classifier

from .conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "api_docs"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_named() -> None:
    code = (
        "import runpy, sys; sys.argv = ['api_docs', '--check']\n"
        f"found = runpy.run_path({str(ROOT / 'scripts' / 'api_docs')!r}, run_name='page')\n"
        "found['main'].__globals__['page'] = lambda: 'other'\n"
        "sys.exit(found['main']())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run scripts/api_docs" in done.stderr


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_run(code: str) -> None:
    exec(compile(code, "docs/api.md", "exec"), {})  # noqa: S102


def test_every_section_has_an_example_and_every_public_name_is_there() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^## ", PAGE, re.M))
    for name in classifier.__all__:
        assert name == "__version__" or f"\n### `{name}`\n" in PAGE, name


def test_links_within_the_page_lead_somewhere() -> None:
    anchors = {h.strip("`").lower().replace(" ", "-") for h in re.findall(r"^##+ (.+)$", PAGE, re.M)}
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert links
    assert set(links) <= anchors
