"""Tagging in threads, a few texts at a time: of several requests together, and of a long list one after another.

Many texts together take a fraction of the time of one by one, and a long list does not hold up a short one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from .service_errors import ClientGoneError, ServiceError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Task = Callable[[Sequence[Item]], list[Answer]]

# What is tagged together, at most: texts, and their characters. A request then goes to the end of the line again.
_TEXTS, _CHARACTERS = 32, 40_000


@dataclass(frozen=True, slots=True)
class _Turn(Generic[Item, Answer]):
    """Some texts of one request, waiting for a thread; ``answers`` gets theirs, and the seconds that they took."""

    items: Sequence[Item]
    characters: int
    answers: asyncio.Future[tuple[list[Answer], float]]


class TaggingPool(Generic[Item, Answer]):
    """Threads that answer texts, and the count of requests in hand. For use from one event loop.

    Args:
        task: the answers to some items, in order; run in a thread. Items of several requests come together; if it
            fails on them, it is asked again with those of each request by themselves.
        size: characters that an item has.
        threads: how many tasks at once.
        seconds: how long the texts of one request may take together.
        requests: how many requests are in hand at once.
        on_change: called with the number of requests in hand.
    """

    def __init__(
        self,
        task: Task[Item, Answer],
        size: Callable[[Item], int],
        threads: int,
        seconds: float,
        requests: int,
        on_change: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._task = task
        self._size = size
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tagging")
        self._free = threads
        self._waiting: deque[_Turn[Item, Answer]] = deque()
        self._seconds = seconds
        self._requests = requests
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

    async def each(self, items: Sequence[Item], gone: Callable[[], Awaitable[bool]] | None = None) -> list[Answer]:
        """The answers to items, in order.

        Args:
            items: what the task is run on.
            gone: asked between turns whether anybody still waits for the answer.

        Raises:
            ServiceError: 408 when the items take longer than they may.
            ClientGoneError: when ``gone`` says so.
        """
        answers: list[Answer] = []
        spent = 0.0
        for some, characters in self._turns(items):
            if answers and gone is not None and await gone():
                raise ClientGoneError
            if spent > self._seconds:
                raise ServiceError(
                    408,
                    "too-long-to-tag",
                    f"Tagging took longer than {self._seconds:g} seconds: send fewer or shorter texts at once.",
                    limit=self._seconds,
                )
            turn: _Turn[Item, Answer] = _Turn(some, characters, asyncio.get_running_loop().create_future())
            self._waiting.append(turn)
            self._begin()
            found, took = await turn.answers
            answers += found
            spent += took
        return answers

    def _turns(self, items: Sequence[Item]) -> Iterator[tuple[Sequence[Item], int]]:
        """Items cut into what may be tagged together, each with its characters."""
        start = total = 0
        for end, size in enumerate(map(self._size, items)):
            if end > start and (end - start == _TEXTS or total + size > _CHARACTERS):
                yield items[start:end], total
                start, total = end, 0
            total += size
        if items:
            yield items[start:], total

    def _begin(self) -> None:
        """Hand what waits to the threads that are free."""
        loop = asyncio.get_running_loop()
        while self._free and (turns := self._together()):
            self._free -= 1
            loop.run_in_executor(self._threads, self._work, turns).add_done_callback(
                lambda done, turns=turns: self._end(done, turns)  # type: ignore[misc]
            )

    def _together(self) -> list[_Turn[Item, Answer]]:
        """The turns that are next, as many as may be tagged together."""
        found: list[_Turn[Item, Answer]] = []
        texts = characters = 0
        while self._waiting:
            turn = self._waiting[0]
            if turn.answers.cancelled():
                self._waiting.popleft()
                continue
            texts += len(turn.items)
            characters += turn.characters
            if found and (texts > _TEXTS or characters > _CHARACTERS):
                break
            found.append(self._waiting.popleft())
        return found

    def _work(self, turns: Sequence[_Turn[Item, Answer]]) -> list[tuple[list[Answer], float] | Exception]:
        """What comes of each turn. In a thread."""
        begun = time.monotonic()
        try:
            answers = self._task([item for turn in turns for item in turn.items])
        except Exception as error:
            return [error] if len(turns) == 1 else [self._work([turn])[0] for turn in turns]
        took = time.monotonic() - begun
        found: list[tuple[list[Answer], float] | Exception] = []
        for turn in turns:
            found.append((answers[: len(turn.items)], took))
            answers = answers[len(turn.items) :]
        return found

    def _end(
        self,
        done: asyncio.Future[list[tuple[list[Answer], float] | Exception]],
        turns: Sequence[_Turn[Item, Answer]],
    ) -> None:
        """Tell those who wait."""
        self._free += 1
        self._begin()
        for turn, found in zip(turns, done.result(), strict=True):
            if turn.answers.done():
                continue  # nobody waits any more
            if isinstance(found, Exception):
                turn.answers.set_exception(found)
            else:
                turn.answers.set_result(found)

    def close(self) -> None:
        """Wait for what is being worked on, and end the threads."""
        self._threads.shutdown(wait=True)
