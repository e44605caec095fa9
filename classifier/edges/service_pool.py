"""Tagging in threads, a few texts at a time for each request, so that a long list does not hold up a short one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from typing import Any, TypeVar

from .service_errors import ClientGoneError, ServiceError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Texts that a request has tagged before it goes to the end of the line again.
_TURN = 16


class WordMemory:
    """Gives back what spaCy keeps for every word that it has never seen, which otherwise grows for ever.

    Enter it around each text. After so many characters it waits until no text is being read, and renews.

    Args:
        nlp: the pipeline; all reading that it does must happen inside.
        renew_after: characters between two renewals.
    """

    def __init__(self, nlp: Any, renew_after: int) -> None:
        self._nlp = nlp
        self._renew_after = renew_after
        self._changed = threading.Condition()
        self._inside = 0
        self._read = 0
        self._zone = ExitStack()
        self._zone.enter_context(nlp.memory_zone())
        self.renewals = 0

    def run(self, task: Callable[[Item], Answer], item: Item, size: int) -> Answer:
        """``task(item)``, which reads ``size`` characters."""
        with self._changed:
            # Once enough has been read nobody enters any more, and the last one out renews.
            while self._read >= self._renew_after:
                self._changed.wait()
            self._inside += 1
        try:
            return task(item)
        finally:
            with self._changed:
                self._inside -= 1
                self._read += size
                if self._read >= self._renew_after and not self._inside:
                    self._zone.close()
                    self._zone.enter_context(self._nlp.memory_zone())
                    self._read = 0
                    self.renewals += 1
                    self._changed.notify_all()

    def close(self) -> None:
        """Leave the pipeline as it was found. No text may be inside."""
        self._zone.close()


class TaggingPool:
    """Threads that answer texts, and the count of requests in hand.

    Args:
        threads: how many texts at once.
        seconds: how long the texts of one request may take together.
        requests: how many requests are in hand at once.
        memory: see :class:`WordMemory`; None to keep every word.
        on_change: called with the number of requests in hand.
    """

    def __init__(
        self,
        threads: int,
        seconds: float,
        requests: int,
        memory: WordMemory | None = None,
        on_change: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tagging")
        self._seconds = seconds
        self._requests = requests
        self._memory = memory
        self._on_change = on_change
        self.in_hand = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among the requests in hand.

        Raises:
            ServiceError: 503 when all are taken.
        """
        if self.in_hand >= self._requests:
            raise ServiceError(
                503,
                "busy",
                f"{self._requests} requests are in hand already: try again in a second.",
                limit=self._requests,
                headers={"Retry-After": "1"},
            )
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.in_hand += change
        self._on_change(self.in_hand)

    async def each(
        self,
        task: Callable[[Item], Answer],
        items: Sequence[Item],
        size: Callable[[Item], int],
        gone: Callable[[], Awaitable[bool]] | None = None,
    ) -> list[Answer]:
        """``task`` of every item, in order.

        Args:
            task: run in a thread.
            items: what it is run on.
            size: characters that an item has.
            gone: asked between turns whether anybody still waits for the answer.

        Raises:
            ServiceError: 408 when the items take longer than they may.
            ClientGoneError: when ``gone`` says so.
        """
        loop = asyncio.get_running_loop()
        answers: list[Answer] = []
        spent = 0.0
        for start in range(0, len(items), _TURN):
            if start and gone is not None and await gone():
                raise ClientGoneError
            turn = items[start : start + _TURN]
            found, spent = await loop.run_in_executor(self._threads, self._take_turn, task, turn, size, spent)
            answers += found
        return answers

    def _take_turn(
        self, task: Callable[[Item], Answer], items: Sequence[Item], size: Callable[[Item], int], spent: float
    ) -> tuple[list[Answer], float]:
        begun = time.monotonic() - spent
        answers: list[Answer] = []
        for item in items:
            if time.monotonic() - begun > self._seconds:
                raise ServiceError(
                    408,
                    "too-long-to-tag",
                    f"Tagging took longer than {self._seconds:g} seconds: send fewer or shorter texts at once.",
                    limit=self._seconds,
                )
            if self._memory is None:
                answers.append(task(item))
            else:
                answers.append(self._memory.run(task, item, size(item)))
        return answers, time.monotonic() - begun

    def close(self) -> None:
        """Wait for what is being worked on, and end the threads."""
        self._threads.shutdown(wait=True)
        if self._memory is not None:
            self._memory.close()
