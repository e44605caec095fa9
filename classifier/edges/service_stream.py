"""The stream: a request a line in, an answer a line out, in order, while the client is still sending."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from starlette.responses import Response

from .service_errors import ClientGoneError, ServiceError
from .service_limits import Limits, Message, Receive, too_slow

# Lines answered together, when so many have come. Fewer do not wait for more.
_TOGETHER = 16
# Bytes read ahead of tagging. A client that reads nothing before it has sent everything may send this much.
AHEAD = 8 << 20
_LINE = 128  # what a line costs beside its bytes
# When the service ends, a client that pauses for so long in its sending has been answered in full.
_PAUSE = 1.0

Send = Callable[[Message], Awaitable[None]]
Line = tuple[int, bytes | ServiceError]


class Lines:
    """Reads a body line by line in the background.

    Args:
        receive: where the body comes from.
        limits: ``line_bytes`` and ``seconds`` hold.
        stopping: set when the service is told to end.
    """

    def __init__(self, receive: Receive, limits: Limits, stopping: asyncio.Event) -> None:
        self._receive = receive
        self._limits = limits
        self._stopping = stopping
        self._ready: deque[Line] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False
        self._gone = False
        self._number = 0
        self._told_to_stop: float | None = None
        self._reading = asyncio.create_task(self._read())

    async def some(self) -> list[Line]:
        """The next lines, with their numbers from 1; empty at the end. Blank lines are left out.

        Raises:
            ServiceError: 408 when none comes in time, 503 when the service ends before one does.
            ClientGoneError: when the client hangs up.
        """
        if self._stopping.is_set():
            # A stream without end cannot be finished; it gets as long as any other request.
            now = time.monotonic()
            self._told_to_stop = self._told_to_stop or now
            if now - self._told_to_stop > self._limits.seconds:
                raise self._stopped()
        while not self._ready:
            if self._gone:
                raise ClientGoneError
            if self._ended:
                await self._reading
                return []
            self._changed.clear()
            await self._wait()
        found = [self._ready.popleft() for _ in range(min(_TOGETHER, len(self._ready)))]
        self._bytes -= sum(_size(line) for _, line in found)
        if self._bytes < AHEAD:
            self._room.set()
        return found

    async def _wait(self) -> None:
        """Until something has come; for a shorter time once the service is told to end."""
        changed = asyncio.create_task(self._changed.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            if not self._stopping.is_set():
                await asyncio.wait(
                    {changed, stopping}, timeout=self._limits.seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if not changed.done() and not self._stopping.is_set():
                    raise too_slow(self._limits.seconds)
            if not changed.done():
                await asyncio.wait({changed}, timeout=_PAUSE)
                if not changed.done():
                    raise self._stopped()
        finally:
            for task in (changed, stopping):
                task.cancel()

    def _stopped(self) -> ServiceError:
        number = self._ready[0][0] if self._ready else self._number + 1
        return ServiceError(
            503,
            "stopping",
            f"The service is ending: send line {number} and what follows again.",
            headers={"Retry-After": "5"},
        )

    async def close(self) -> None:
        """Stop reading."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        """Cut what comes into lines. A line that is too long is thrown away as it comes."""
        rest = bytearray()
        too_long = False
        try:
            while True:
                await self._room.wait()
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self._gone = True
                    return
                *whole, last = message.get("body", b"").split(b"\n")
                for piece in whole:
                    if not too_long:
                        rest += piece
                    self._put(rest, too_long or len(rest) > self._limits.line_bytes)
                    rest, too_long = bytearray(), False
                if not too_long:
                    rest += last
                    if len(rest) > self._limits.line_bytes:
                        rest, too_long = bytearray(), True
                if not message.get("more_body", False):
                    if rest or too_long:
                        self._put(rest, too_long)
                    return
        finally:
            self._ended = True
            self._changed.set()

    def _put(self, line: bytearray, too_long: bool) -> None:
        self._number += 1
        found: bytes | ServiceError = bytes(line).strip()
        if too_long:
            limit = self._limits.line_bytes
            found = ServiceError(
                413, "line-too-long", f"The line is longer than {limit} bytes: send a shorter text.", limit=limit
            )
        if found:
            self._ready.append((self._number, found))
            self._bytes += _size(found)
            if self._bytes >= AHEAD:
                self._room.clear()
            self._changed.set()


def _size(line: bytes | ServiceError) -> int:
    return _LINE + (len(line) if isinstance(line, bytes) else 0)


class StreamAnswer(Response):
    """A response that reads its request while it is sent.

    Args:
        lines: begins to read the body.
        answer: the answers to some lines, in order.
        place: a place among the requests in hand, kept until the end.
    """

    media_type = "application/x-ndjson"

    def __init__(
        self,
        lines: Callable[[], Lines],
        answer: Callable[[Sequence[Line]], Awaitable[list[bytes]]],
        place: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._lines = lines
        self._answer = answer
        self._place = place

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer. A problem before the first line has an HTTP status; a later one is told in the last line."""
        async with self._place():
            lines = self._lines()
            try:
                found = await lines.some()
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                try:
                    while found:
                        body = b"".join(line + b"\n" for line in await self._answer(found))
                        await send({"type": "http.response.body", "body": body, "more_body": True})
                        found = await lines.some()
                    last = b""
                except ServiceError as problem:
                    last = problem.to_bytes() + b"\n"
                await send({"type": "http.response.body", "body": last, "more_body": False})
            finally:
                await lines.close()
