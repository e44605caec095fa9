"""What surrounds every request: its id, the token, protecting headers, metrics, the log, and a body left unread."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from .service_errors import ClientGoneError, ServiceError
from .service_limits import DISCARD, Limits, Message, Receive
from .service_log import log
from .service_metrics import Metrics

Scope = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_OPEN = re.compile(r"/|/[a-z]+\.(js|css|svg)|/health/(live|ready)|/openapi\.json")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT".split())
CLOSED_BY_CLIENT = 499  # stands in metrics and log only
# A client that has been answered and pauses for so many seconds in its sending has seen the answer.
_PAUSE = 2.0

# The page sets a policy of its own; an answer of the interface is never to be shown as a page.
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware around the whole service.

    Args:
        app: what it surrounds.
        token: what a client must send; None lets everyone in.
        limits: ``seconds`` is how long a client may leave an answer unread, and go on sending what is not read.
        stopping: set when the service is told to end; every answer then closes its connection.
        metrics: gives the counters, once the model is loaded.
    """

    def __init__(
        self,
        app: App,
        token: str | None,
        limits: Limits,
        stopping: asyncio.Event,
        metrics: Callable[[], Metrics | None],
    ) -> None:
        self._app = app
        self._digest = _digest(token.encode()) if token is not None else None
        self._limits = limits
        self._stopping = stopping
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        body = _Body(receive, headers)
        # What answers a GET answers a HEAD, without the body.
        bare = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if bare else scope
        answer = _Answer(send, body, self._limits, self._stopping, request_id, bare)
        # Handlers leave here what the log shall tell.
        told: dict[str, Any] = {}
        asked["told"] = told
        asked["request_id"] = request_id
        error: Exception | None = None
        try:
            self._check(scope["path"], headers)
            await self._app(asked, body.receive, answer.send)
        except ServiceError as problem:
            await answer.tell(problem)
        except ClientGoneError:
            answer.status = CLOSED_BY_CLIENT
        except Exception as unexpected:
            error = unexpected
            if not answer.status:
                await answer.tell(
                    ServiceError(
                        500, "failed", "The service failed on this request; its log has the reason under this id."
                    )
                )
            answer.status = 500
        finally:
            # Half an answer must not look like a whole one: nothing ends it here, so the server hangs up.
            route = getattr(asked.get("route"), "path", None)
            self._note(scope["method"], route, answer.status, time.monotonic() - begun, request_id, told, error)
        await answer.end()

    def _check(self, path: str, headers: Mapping[str, str]) -> None:
        if self._digest is None or _OPEN.fullmatch(path):
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Digests are of one length, so that the comparison takes the same time whatever was sent.
        same = hmac.compare_digest(_digest(given.strip().encode("latin-1")), self._digest)
        if scheme.lower() != "bearer" or not same:
            raise ServiceError(
                401,
                "unauthorized",
                "Send the service's token as: Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _note(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        request_id: str,
        told: dict[str, Any],
        error: Exception | None,
    ) -> None:
        # Neither the path nor the method is told as it came: they could hold anything.
        route = route or "unmatched"
        method = method if method in _METHODS else "other"
        status = status or CLOSED_BY_CLIENT
        metrics = self._metrics()
        if metrics is not None:
            metrics.request(route, method, status, seconds)
        log(
            "request",
            logging.ERROR if status == 500 else logging.INFO,
            error,
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 4),
            **told,
        )


class _Body:
    """The way of a request's body: knows whether the last of it was read."""

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        self._receive = receive
        self.unread = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        # Such a client sends nothing once it was refused.
        self.waits = "expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):  # the last piece, or the client hung up
            self.unread = False
        return message

    async def discard(self, size: int, seconds: float) -> None:
        """Throw away what comes until the body ends, or so much of it, or for so long, or until it pauses."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.unread and size > 0:
                    async with asyncio.timeout(_PAUSE):
                        size -= len((await self.receive()).get("body", b""))


class _Answer:
    """The way back to the client: adds headers, and gives up on a client that does not read.

    An answer that is given before all of the body was read closes the connection: else the server would read on, with
    no limit. A socket that is closed while its client sends can lose the answer on the way. So an answer that says how
    long it is goes out whole, and its (empty) end is kept back for :meth:`end`.
    """

    def __init__(
        self, send: Send, body: _Body, limits: Limits, stopping: asyncio.Event, request_id: str, bare: bool
    ) -> None:
        self._send = send
        self._bare = bare
        self._body = body
        self._limits = limits
        self._stopping = stopping
        self._request_id = request_id
        self._lingers = False
        self._kept_back = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message.get("headers", ())}
            added = {**_HEADERS, "x-request-id": self._request_id}
            if self._stopping.is_set() or self._body.unread:
                added["connection"] = "close"
            self._lingers = self._body.unread and not self._body.waits and b"content-length" in present
            extra = [(n.encode(), v.encode()) for n, v in added.items() if n.encode() not in present]
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        elif self._lingers and not message.get("more_body", False):
            message = {**message, "more_body": True}
            self._kept_back = True
        if self._bare and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._send(message)
        except TimeoutError:
            self._kept_back = False
            raise ClientGoneError from None

    async def end(self) -> None:
        """End an answer whose end was kept back, once its client has had time to see it."""
        if self._kept_back:
            await self._body.discard(DISCARD * self._limits.body_bytes, self._limits.seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.seconds):
                    await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def tell(self, problem: ServiceError) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self.status:
            return
        body = problem.to_bytes()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **problem.headers}
        start = {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(n.lower().encode(), v.encode()) for n, v in headers.items()],
        }
        try:
            await self.send(start)
            await self.send({"type": "http.response.body", "body": body})
        except ClientGoneError:
            self.status = CLOSED_BY_CLIENT


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
