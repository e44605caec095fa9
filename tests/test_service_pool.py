from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from classifier import Classifier
from classifier.edges.service_errors import ClientGoneError, ServiceError
from classifier.edges.service_pool import TaggingPool, WordMemory
from classifier.reading import load_reader


def test_answers_come_in_order() -> None:
    pool = TaggingPool(4, 60, 10)
    found = asyncio.run(pool.each(lambda n: n * n, list(range(100)), lambda n: 1))
    assert found == [n * n for n in range(100)]
    pool.close()


def test_a_long_list_lets_others_go_between() -> None:
    pool = TaggingPool(1, 60, 10)
    done: list[str] = []

    async def both() -> None:
        begun = threading.Event()

        def long(n: int) -> None:
            begun.set()
            done.append("long")

        first = asyncio.create_task(pool.each(long, list(range(100)), lambda n: 1))
        await asyncio.to_thread(begun.wait)
        await pool.each(lambda n: done.append("short"), [1], lambda n: 1)
        await first

    asyncio.run(both())
    assert done.count("long") == 100
    assert done.index("short") < 99
    pool.close()


def test_the_time_limit_is_told() -> None:
    pool = TaggingPool(1, -1, 10)  # passed before it begins
    with pytest.raises(ServiceError) as caught:
        asyncio.run(pool.each(str, [1], lambda n: 1))
    assert (caught.value.status, caught.value.code, caught.value.limit) == (408, "too-long-to-tag", -1)
    pool.close()


def test_work_ends_when_nobody_waits_for_it() -> None:
    pool = TaggingPool(1, 60, 10)
    done: list[int] = []

    async def gone() -> bool:
        return True

    with pytest.raises(ClientGoneError):
        asyncio.run(pool.each(done.append, list(range(100)), lambda n: 1, gone))
    assert 0 < len(done) < 100
    pool.close()


def test_places_are_given_back_and_told() -> None:
    told: list[int] = []
    pool = TaggingPool(1, 60, 2, on_change=told.append)

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


def _unseen(number: int) -> str:
    words = " ".join(f"qu{number}x{k}" for k in range(20))
    return f"A vendor in Manila answers our calls: {words}."


def test_unseen_words_are_forgotten_while_threads_read(classifier: Classifier) -> None:
    texts = [_unseen(n) for n in range(120)]
    expected = [classifier.tag(text).ids for text in texts[:20]]
    strings = load_reader().nlp.vocab.strings
    memory = WordMemory(load_reader().nlp, 2_000)
    grown = []

    def tag(text: str) -> Any:
        grown.append(len(strings))
        return classifier.tag(text).ids

    before = len(strings)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: memory.run(tag, text, len(text)), texts))
    assert found[:20] == expected
    assert memory.renewals > 5
    # 2,400 new words were read; those of one renewal are some 200, and each may have several forms.
    assert max(grown) - before < 1_800
    memory.close()
    assert len(strings) - before < 200
    assert classifier.tag(texts[0]).ids == expected[0]


def test_a_failure_leaves_the_memory_in_order(classifier: Classifier) -> None:
    memory = WordMemory(load_reader().nlp, 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            memory.run(lambda n: 1 / n, 0, 5)
    assert memory.renewals == 3
    memory.close()
