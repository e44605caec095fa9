"""The limits of the service, and reading a body within them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import InputError
from .service_errors import ClientGoneError, ServiceError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# A body over the limit is read and thrown away up to this many times the limit, so that its sender, who
# writes before it reads, gets to see the answer. What is still to come once the answer is given is thrown away
# within the same measure (service_guard.py); beyond that the connection is closed.
DISCARD = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may ask for. Every limit is answered with a status of 4xx that names it.

    Attributes:
        body_bytes: size of a body (413). A stream has no limit as a whole, only each of its lines.
        texts: descriptions in one list (413).
        text_chars: length of one description, in characters (413).
        seconds: time to send a body, and time to tag what is in it, each (408). Waiting for one's turn is not
            counted. In a stream: time between two lines.
        requests: how many requests are in hand at once, worked on or waiting; one more gets 503 and Retry-After.
    """

    body_bytes: int = 1 << 20
    texts: int = 256
    text_chars: int = 20_000
    seconds: float = 60.0
    requests: int = 256

    def __post_init__(self) -> None:
        for limit in fields(self):
            if not getattr(self, limit.name) > 0:
                raise InputError(f"the limit {limit.name} is {getattr(self, limit.name)}: give a number above 0")

    @property
    def line_bytes(self) -> int:
        """Size of one line of a stream: the longest text with every character escaped, and its options."""
        return 12 * self.text_chars + 4096


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service is run.

    Attributes:
        limits: see :class:`Limits`.
        token: what a client must send as ``Authorization: Bearer TOKEN``; None lets everyone in. White space around
            it, such as the end of a file's line, does not belong to it.
        log_texts: whether descriptions may stand in the log.
        model: a model of one's own; None for the one that ships with the package.
        threads: how many threads tag. One has the most answered: it takes what waits together.
    """

    limits: Limits = field(default_factory=Limits)
    token: str | None = None
    log_texts: bool = False
    model: Path | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if self.token is not None:
            token = self.token.strip()
            if not token or not token.isascii() or not token.isprintable():
                raise InputError(
                    "the token is empty or not printable ASCII: set CLASSIFIER_TOKEN to letters and digits, or unset it"
                )
            object.__setattr__(self, "token", token)
        if self.threads < 1:
            raise InputError(f"{self.threads} threads: give 1 or more")


def body_too_large(limit: int) -> ServiceError:
    """The answer to a body over the limit."""
    return ServiceError(
        413, "body-too-large", f"The body is larger than {limit} bytes: send less at once, or a stream.", limit=limit
    )


def too_slow(limit: float) -> ServiceError:
    """The answer to a body that does not come."""
    return ServiceError(
        408, "too-slow", f"The body did not arrive within {limit:g} seconds: send it again.", limit=limit
    )


def text_too_long(limit: int, where: str) -> ServiceError:
    """The answer to a description over the limit."""
    return ServiceError(
        413,
        "text-too-long",
        f"A text is longer than {limit} characters: send the passage on the arrangement only, or split it.",
        limit=limit,
        where=where,
    )


async def read_body(receive: Receive, headers: Mapping[str, str], limits: Limits) -> bytes:
    """The whole body of a request.

    Raises:
        ServiceError: 413 when it is too large, 408 when it does not come in time.
        ClientGoneError: when the client hangs up.
    """
    declared = headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
    if size > limits.body_bytes and (size > DISCARD * limits.body_bytes or "expect" in headers):
        raise body_too_large(limits.body_bytes)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                piece = message.get("body", b"")
                size += len(piece)
                if size > limits.body_bytes:
                    pieces.clear()
                else:
                    pieces.append(piece)
                if size > DISCARD * limits.body_bytes:
                    break
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise too_slow(limits.seconds) from None
    if size > limits.body_bytes:
        raise body_too_large(limits.body_bytes)
    return b"".join(pieces)
