"""docs/service.md: its examples run and give what they show, its tables are those of the code."""

from __future__ import annotations

import doctest
import inspect
import json
import logging
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import typer
from fastapi.testclient import TestClient

from classifier import Classifier
from classifier.edges import service_limits, service_pool, service_run
from classifier.edges.cli import app
from classifier.edges.service import create_app
from classifier.edges.service_limits import Limits, Settings
from classifier.edges.service_log import LOGGER, JsonLines

from .conftest import ROOT
from .running import Running

PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)
ADDRESS = "http://127.0.0.1:8000/"


def _steps(body: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the output shown."""
    return [(found[1], found[2]) for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.M)]


EXAMPLES = [_steps(body) for kind, body in BLOCKS if kind == "console"]
OPTIONS = {
    name: param
    for param in typer.main.get_command(app).commands["serve"].params  # type: ignore[attr-defined]
    for name in param.opts
}


def _settings(monkeypatch: pytest.MonkeyPatch, command: str, env: Mapping[str, str]) -> Settings:
    """What `classify serve ... &` would be run with."""
    found: list[Settings] = []
    with monkeypatch.context() as patch:
        patch.setattr(service_run, "run", lambda settings, *_: found.append(settings))
        for name, value in env.items():
            patch.setenv(name, value)
        app(shlex.split(command)[1:-1], standalone_mode=False)
    return found[0]


def _bash(command: str, env: Mapping[str, str]) -> str:
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() + "\n"


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: steps[-1][0][:40])
def test_an_example_gives_what_it_shows(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, str]]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    env = {"PATH": "/usr/bin:/bin", "no_proxy": "127.0.0.1"}
    settings = Settings()
    for command, _ in steps:
        if command.startswith("export "):
            name = command.split()[1].partition("=")[0]
            env[name] = _bash(f"{command}; echo ${name}", env).strip()
        elif command.startswith("classify "):
            settings = _settings(monkeypatch, command, env)
    running = Running(classifier, settings)
    try:
        asked = [(command, shown) for command, shown in steps if "curl" in command]
        assert asked
        for command, shown in asked:
            assert ADDRESS in command
            answer = _bash(command.replace(ADDRESS, running.url), env)
            assert doctest.OutputChecker().check_output(shown, answer, doctest.ELLIPSIS), answer
    finally:
        running.end()


def test_no_route_is_left_out(classifier: Classifier) -> None:
    with TestClient(create_app(Settings(), classifier)) as client:
        known = {path.replace("{term}", "{id}") for path in client.get("/openapi.json").json()["paths"]}
    rows = re.findall(r"^\| `(?:GET|POST) [^|]*\|", PAGE, re.M)
    told = {path for row in rows for path in re.findall(r"/[\w/.{}-]*", row.replace("`", " "))}
    assert told == known | {"/", "/openapi.json"}
    assert {path for steps in EXAMPLES for command, _ in steps for path in known if path in command} >= {
        path for path in known if path.startswith(("/v1/tag", "/v1/why", "/health"))
    }


def test_the_limits_are_those_of_the_code() -> None:
    rows = re.findall(r"^\|[^|]*\| `(--[\w-]+)` \| (\d+) \|[^|]*?(4\d\d|503) `([\w-]+)`", PAGE, re.M)
    assert len(rows) == 7
    source = inspect.getsource(service_limits) + inspect.getsource(service_pool)
    source += (ROOT / "classifier" / "edges" / "service_requests.py").read_text(encoding="utf-8")
    source += (ROOT / "classifier" / "edges" / "service_stream.py").read_text(encoding="utf-8")
    for option, shown, status, code in rows:
        assert re.search(rf'{status},\s*"{code}"', source), code
        default = Limits().line_bytes if code == "line-too-long" else OPTIONS[option].default
        assert float(shown) == default, code
    assert {option for option in OPTIONS if option.startswith("--max")} == {row[0] for row in rows}


def test_only_options_that_there_are() -> None:
    words = {
        word
        for line in PAGE.splitlines()
        if "curl" not in line and "docker" not in line
        for word in re.findall(r"(?<!\w)--[a-z][a-z-]+", line)
    }
    assert words <= {*OPTIONS, "--json", "--help"}
    assert words >= {"--workers", "--threads", "--log-texts", "--port", "--host", "--model"}


def test_the_figures_and_the_log_are_as_told(classifier: Classifier, caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(create_app(Settings(), classifier)) as client, caplog.at_level(logging.INFO, LOGGER.name):
        client.post("/v1/tag", json={"text": "x"})
        figures = client.get("/metrics").text
    known = {name for name in re.findall(r"^# TYPE (\w+)", figures, re.M) if name.startswith("classifier_")}
    told = {name for row in re.findall(r"^\| (`classifier_.*?) \|", PAGE, re.M) for name in re.findall(r"\w+", row)}
    # A counter's samples end in _total, and so do the names that one asks Prometheus for.
    assert told == {name for name in known if not name.endswith("_created")}
    shown: dict[str, Any] = json.loads(next(body for kind, body in BLOCKS if kind == "json"))
    written = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == LOGGER.name]
    assert list(shown) == list(next(row for row in written if row.get("route") == "/v1/tag"))


def test_the_end_takes_no_longer_than_told() -> None:
    source = inspect.getsource(service_run)
    assert "timeout_graceful_shutdown=int(2 * settings.limits.seconds + _LINGER + 1)" in source
    longest = 2 * Limits().seconds + 2 * service_run._LINGER + 1
    told = int(re.search(r"and ten seconds: (\d+) by default", PAGE)[1])  # type: ignore[index]
    assert longest <= told == 2 * Limits().seconds + 10
