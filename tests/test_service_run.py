"""The command `classify serve` as a process: it answers, ends in order, and says what is wrong."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from classifier.edges.service_run import turn_away

TEXT = "Calls from our customers are answered by a vendor in Manila."
SERVE = (sys.executable, "-m", "classifier.edges.cli", "serve")
TOKEN = "open-sesame"  # noqa: S105


@contextmanager
def serving(log: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], http.client.HTTPConnection]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*SERVE, "--port", "0", *options], stderr=out, env={**os.environ, "CLASSIFIER_TOKEN": TOKEN}
        )
    try:
        url = None
        while url is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
            url = next((row["url"] for row in rows(log) if row["event"] == "listening"), None)
        place = urlsplit(url)
        yield process, http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
    finally:
        process.kill()
        process.wait()


def rows(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def ask(connection: http.client.HTTPConnection, path: str, body: Any = None) -> tuple[int, bytes, str | None]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.getheader("connection")


class Load:
    """Connections that ask again as soon as they are answered, until the service takes no more."""

    def __init__(self, host: str, port: int, connections: int) -> None:
        self.answered = 0
        self.lost: list[str] = []
        self._place = host, port
        self._threads = [threading.Thread(target=self._run) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while True:
            connection = http.client.HTTPConnection(*self._place, timeout=120)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            close = None
            while close != "close":
                try:
                    status, body, close = ask(connection, "/v1/tag", {"text": TEXT})
                    assert (status, json.loads(body)["text"]) == (200, TEXT)
                except (OSError, http.client.HTTPException, AssertionError) as error:
                    self.lost.append(repr(error))
                    return
                self.answered += 1

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()


def _lose_a_worker(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Kill one of two workers and wait until another has taken its place."""
    for number in (2, 3):
        while len(pids := _listening(log)) < number:
            assert process.poll() is None
            time.sleep(0.05)
        if number == 2:
            os.kill(pids[0], signal.SIGKILL)


def _listening(log: Path) -> list[int]:
    return [row["pid"] for row in rows(log) if row["event"] == "listening"]


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_in_the_middle_loses_nothing(tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    with serving(log, "--workers", str(workers)) as (process, connection):
        if workers > 1:
            _lose_a_worker(log, process)
        assert ask(connection, "/v1/tag", {"text": TEXT})[0] == 200
        connection.close()
        load = Load(connection.host, connection.port, 16)
        while load.answered < 32 and not load.lost:
            time.sleep(0.01)
        if workers > 1:
            # Whichever worker answers, the figures are those of all.
            figures = ask(connection, "/metrics")[1].decode()
            name = 'classifier_requests_total{method="POST",route="/v1/tag",status="200"}'
            counted = next(float(line.split()[-1]) for line in figures.splitlines() if line.startswith(name))
            assert counted >= 32
            connection.close()
        process.send_signal(signal.SIGTERM)
        load.wait()
        assert process.wait() == 0
    assert load.lost == []
    said = rows(log)
    assert sum(row["event"] == "worker died" for row in said) == workers - 1
    assert sum(row["event"] == "stopping" for row in said) == workers
    answered = [row for row in said if row["event"] == "request" and row["route"] == "/v1/tag"]
    assert len(answered) == load.answered + 1
    assert TEXT not in log.read_text()


def test_headers_that_never_end_are_not_waited_for(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--max-seconds", "0.5") as (_, connection):
        ask(connection, "/health/live")
        place = connection.host, connection.port
        with socket.create_connection(place, timeout=60) as silent, socket.create_connection(place, timeout=60) as half:
            half.sendall(b"POST /v1/tag HTTP/1.1\r\nHost: here\r\nX-Slow: ")
            assert (silent.recv(100), half.recv(100)) == (b"", b"")
        # One that has been answered is still welcome.
        assert ask(connection, "/health/live")[0] == 200


def _turn_away_without_rights(host: str) -> None:
    if os.geteuid() == 0:
        os.setuid(65534)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock, socket.socket(family) as late:
        sock.bind((host, 0))
        sock.listen()
        with socket.create_connection(sock.getsockname()[:2]) as early:
            turn_away(sock)
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.connect(sock.getsockname()[:2])
            taken, _ = sock.accept()
            with taken:
                early.sendall(b"here")
                assert taken.recv(4) == b"here"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves connections out")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_comes_late_is_left_out_by_anybody(host: str) -> None:
    if ":" in host and not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    process = multiprocessing.get_context("fork").Process(target=_turn_away_without_rights, args=(host,))
    process.start()
    process.join()
    assert process.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_sigterm_while_the_model_is_read_ends_it(tmp_path: Path) -> None:
    pipe = tmp_path / "manifest.json"
    os.mkfifo(pipe)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*SERVE, "--port", "0", "--model", str(tmp_path)], stderr=log)
    try:
        with pipe.open("wb"):  # opens once the service reads; then it waits for bytes
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
    finally:
        process.kill()
    assert (tmp_path / "log").read_text() == ""


def run(*options: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SERVE, *options], capture_output=True, text=True, check=False, env={**os.environ, **env}, timeout=120
    )


def test_what_cannot_be_served_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "Give another --host or --port" in done.stderr
    assert run("--host", "no.such.host.invalid").returncode == 2
    assert "CLASSIFIER_TOKEN" in run(CLASSIFIER_TOKEN="").stderr
    done = run("--model", "/nowhere", "--port", "0")
    assert (done.returncode, done.stdout) == (4, "")
    assert "no model in /nowhere" in done.stderr
    done = run("--model", "/nowhere", "--port", "0", "--workers", "2")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client"])
def test_a_missing_package_is_named(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = ['serve', '--port', '0']\nfrom classifier.edges.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "arrangement-classifier[service]" in done.stderr


def test_nothing_heavy_is_imported_by_other_commands() -> None:
    code = "import sys; from classifier.edges import cli; print([m for m in ('fastapi', 'starlette', 'uvicorn', 'pydantic', 'prometheus_client') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
