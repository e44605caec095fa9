from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from classifier.edges.service_errors import ClientGoneError, ServiceError
from classifier.edges.service_pool import TaggingPool


def pool_of(
    task: Callable[[Sequence[int]], list[Any]], threads: int = 1, seconds: float = 60, size: int = 1
) -> TaggingPool[int, Any]:
    return TaggingPool(task, lambda n: size, threads, seconds, 10)


class Held:
    """A task that notes what it is given, and waits at its first until it may go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.given: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.given.append(list(items))
        self.begun.set()
        self.go_on.wait()
        return [n * n for n in items]


def test_answers_come_in_order() -> None:
    pool = pool_of(lambda items: [n * n for n in items], threads=4)

    async def several() -> list[list[int]]:
        return await asyncio.gather(*(pool.each(range(start, start + 100)) for start in range(8)))

    assert asyncio.run(several()) == [[n * n for n in range(start, start + 100)] for start in range(8)]
    assert asyncio.run(pool.each([])) == []
    pool.close()


@pytest.mark.parametrize(("size", "given"), [(1, [[0], list(range(1, 33)), [33]]), (20_000, [[0], [1, 2], [3, 4]])])
def test_those_who_wait_are_answered_together(size: int, given: list[list[int]]) -> None:
    task = Held()
    pool = pool_of(task, size=size)

    async def several() -> None:
        first = asyncio.create_task(pool.each([0]))
        await asyncio.to_thread(task.begun.wait)
        others = [asyncio.create_task(pool.each([n])) for n in range(1, given[-1][-1] + 1)]
        await asyncio.sleep(0)
        task.go_on.set()
        assert await first == [0]
        assert [await other for other in others] == [[n * n] for n in range(1, len(others) + 1)]

    asyncio.run(several())
    assert task.given == given
    pool.close()


def test_a_long_list_lets_others_go_between() -> None:
    task = Held()
    pool = pool_of(task)

    async def both() -> None:
        first = asyncio.create_task(pool.each(range(100)))
        await asyncio.to_thread(task.begun.wait)
        second = asyncio.create_task(pool.each([1000]))
        await asyncio.sleep(0)
        task.go_on.set()
        assert await second == [1_000_000]
        assert len(await first) == 100

    asyncio.run(both())
    assert task.given[1] == [1000]
    pool.close()


def test_who_gave_up_is_not_answered() -> None:
    task = Held()
    pool = pool_of(task)

    async def some() -> None:
        first = asyncio.create_task(pool.each([0]))
        await asyncio.to_thread(task.begun.wait)
        second, third = asyncio.create_task(pool.each([1])), asyncio.create_task(pool.each([2]))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        await asyncio.sleep(0)
        task.go_on.set()
        assert await third == [4]

    asyncio.run(some())
    assert task.given == [[0], [2]]
    pool.close()


def test_a_failure_is_only_of_the_request_that_brought_it() -> None:
    task = Held()

    def fail(items: Sequence[int]) -> list[int]:
        answers = task(items)
        if 2 in items:
            raise ZeroDivisionError
        return answers

    pool = pool_of(fail)

    async def several() -> None:
        first = asyncio.create_task(pool.each([0]))
        await asyncio.to_thread(task.begun.wait)
        others = [asyncio.create_task(pool.each([n])) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        task.go_on.set()
        await first
        found = await asyncio.gather(*others, return_exceptions=True)
        assert [type(one) for one in found] == [list, ZeroDivisionError, list]
        assert await pool.each([4]) == [16]

    asyncio.run(several())
    assert task.given == [[0], [1, 2, 3], [1], [2], [3], [4]]
    pool.close()


def test_the_time_limit_is_told() -> None:
    pool = pool_of(list, seconds=-1)  # passed before it begins
    with pytest.raises(ServiceError) as caught:
        asyncio.run(pool.each([1]))
    assert (caught.value.status, caught.value.code, caught.value.limit) == (408, "too-long-to-tag", -1)
    pool.close()


def test_work_ends_when_nobody_waits_for_it() -> None:
    done: list[int] = []

    def note(items: Sequence[int]) -> list[int]:
        done.extend(items)
        return list(items)

    async def gone() -> bool:
        return True

    pool = pool_of(note)
    with pytest.raises(ClientGoneError):
        asyncio.run(pool.each(range(100), gone))
    assert 0 < len(done) < 100
    pool.close()


def test_places_are_given_back_and_told() -> None:
    told: list[int] = []
    pool: TaggingPool[int, int] = TaggingPool(list, lambda n: 1, 1, 60, 2, on_change=told.append)

    async def take() -> None:
        async with pool.place(), pool.place():
            with pytest.raises(ServiceError, match="2 requests"):
                async with pool.place():
                    pass
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        asyncio.run(take())
    assert told == [1, 2, 1, 0]
    pool.close()
