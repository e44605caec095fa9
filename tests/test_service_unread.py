"""Answers that are given before all of the body was read close their connection, and are seen whole."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from classifier import Classifier
from classifier.edges.service_limits import DISCARD, Limits, Settings

from .running import Running

LIMITS = Limits(body_bytes=20_000, seconds=4)
TOKEN = "open-sesame"  # noqa: S105
PIECE = b"x" * 4096
CHUNK = b"1000\r\n" + PIECE + b"\r\n"
HUGE = "Content-Length: 100000000000"
CHUNKED = "Transfer-Encoding: chunked"
ALLOWED = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"
# More than is thrown away before and after the answer, with what sockets hold.
MOST = 2 * DISCARD * LIMITS.body_bytes + (32 << 20)


@pytest.fixture(scope="module")
def service(classifier: Classifier) -> Iterator[Running]:
    running = Running(classifier, Settings(limits=LIMITS, token=TOKEN))
    yield running
    running.end()


def connect(service: Running) -> socket.socket:
    place = urlsplit(service.url)
    return socket.create_connection((place.hostname, place.port), timeout=60)


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def answer(sock: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """An answer whose length is told: status, headers, body."""
    with sock.makefile("rb") as lines:
        status = int(lines.readline().split()[1])
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, lines.read(int(headers["content-length"]))


def hung_up(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


REFUSED = [
    ("POST /v1/tag", (ALLOWED, JSON, HUGE), 413),
    ("POST /v1/tag", (ALLOWED, JSON, CHUNKED), 413),
    ("POST /v1/tag", (ALLOWED, HUGE), 415),
    ("POST /v1/tag/stream", (ALLOWED, CHUNKED), 415),
    ("POST /v1/tag", (JSON, HUGE), 401),
    ("POST /v1/tag", (JSON, CHUNKED), 401),
    ("POST /nowhere", (ALLOWED, HUGE), 404),
    ("GET /health/live", (HUGE,), 200),
    ("GET /", (CHUNKED,), 200),
]


@pytest.mark.parametrize(("line", "headers", "status"), REFUSED)
def test_a_body_without_end_is_not_read_on(service: Running, line: str, headers: tuple[str, ...], status: int) -> None:
    with connect(service) as sock:
        sock.sendall(head(line, *headers))
        sent = 0
        try:
            while sent <= MOST:
                sock.sendall(CHUNK if CHUNKED in headers else PIECE)
                sent += len(PIECE)
        except ConnectionError:
            pass
        assert sent <= MOST


@pytest.mark.parametrize(("line", "headers", "status"), REFUSED)
def test_its_sender_sees_the_whole_answer_before(
    service: Running, line: str, headers: tuple[str, ...], status: int
) -> None:
    """As much as is thrown away can be sent before the answer is read."""
    with connect(service) as sock:
        sock.sendall(head(line, *headers))
        piece = CHUNK if CHUNKED in headers else PIECE
        # A chunked body over the limit is refused once so much of it came.
        for _ in range((DISCARD * LIMITS.body_bytes) // len(PIECE) + (1 if status == 413 and piece is CHUNK else -1)):
            sock.sendall(piece)
        got, found, body = answer(sock)
        assert (got, found["connection"]) == (status, "close")
        if status >= 400:
            assert json.loads(body)["error"]["message"]
        assert hung_up(sock)


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /health/live", (HUGE,), 200),
        ("POST /v1/tag", (JSON, "Content-Length: 7"), 401),
        ("POST /v1/tag", (ALLOWED, JSON, "Content-Length: 7"), 408),
        ("POST /v1/tag", (ALLOWED, JSON, HUGE, "Expect: 100-continue"), 413),
    ],
)
def test_a_body_that_never_comes_is_not_waited_for(
    service: Running, line: str, headers: tuple[str, ...], status: int
) -> None:
    with connect(service) as sock:
        sock.sendall(head(line, *headers))
        got, found, _ = answer(sock)
        assert (got, found["connection"]) == (status, "close")
        assert hung_up(sock)


@pytest.mark.parametrize(
    ("line", "headers", "body", "status"),
    [
        ("GET /health/live", (), b"", 200),
        ("GET /health/live", ("Content-Length: 0",), b"", 200),
        ("GET /v1/facts", (), b"", 401),
        ("POST /v1/tag", (ALLOWED, JSON, "Content-Length: 13"), b'{"text": "x"}', 200),
        ("POST /v1/tag", (ALLOWED, JSON, "Content-Length: 2"), b"{}", 422),
        ("POST /v1/tag", (ALLOWED, JSON, "Content-Length: 20001"), b"x" * 20_001, 413),
    ],
)
def test_a_connection_whose_request_was_read_stays_open(
    service: Running, line: str, headers: tuple[str, ...], body: bytes, status: int
) -> None:
    with connect(service) as sock:
        for _ in range(2):
            sock.sendall(head(line, *headers) + body)
            got, found, _ = answer(sock)
            assert got == status
            assert "connection" not in found
