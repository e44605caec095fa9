from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from classifier import Classifier
from classifier.edges.service import create_app
from classifier.edges.service_errors import ServiceError
from classifier.edges.service_limits import Limits, Settings, read_body
from classifier.edges.service_stream import AHEAD, Lines

NDJSON = {"content-type": "application/x-ndjson"}
LIMITS = Limits(text_chars=50)
GOOD = '{"text": "a vendor in Manila"}'


@pytest.fixture(scope="module")
def app(classifier: Classifier) -> Iterator[FastAPI]:
    found = create_app(Settings(limits=LIMITS), classifier)
    with TestClient(found):
        yield found


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


def _asked(client: TestClient, *lines: str) -> list[Any]:
    answer = client.post("/v1/tag/stream", content="\n".join(lines).encode(), headers=NDJSON)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not-json"),
        ("[]", "not-valid"),
        ("7", "not-valid"),
        ('{"text": 7}', "not-valid"),
        ('{"text": "x", "home": "Narnia"}', "unknown-country"),
        (json.dumps({"text": "x" * 51}), "text-too-long"),
        (json.dumps({"text": "x" * 20_000}), "line-too-long"),
    ],
)
def test_a_bad_line_is_answered_in_its_place(client: TestClient, line: str, code: str) -> None:
    first, bad, last = _asked(client, GOOD, "", line, GOOD)
    assert first == last
    assert first["text"] == "a vendor in Manila"
    assert (bad["error"]["code"], bad["error"]["line"]) == (code, 3)


def test_every_line_end_will_do(client: TestClient) -> None:
    answer = client.post("/v1/tag/stream", content=f"{GOOD}\r\n \r\n{GOOD}".encode(), headers=NDJSON)
    assert len(answer.text.splitlines()) == 2


def test_pieces_are_put_together(client: TestClient) -> None:
    body = "".join(json.dumps({"text": f"le café n° {n}"}, ensure_ascii=False) + "\n" for n in range(40)).encode()
    pieces = (body[i : i + 7] for i in range(0, len(body), 7))
    answer = client.post("/v1/tag/stream", content=pieces, headers=NDJSON)
    assert [json.loads(line)["text"] for line in answer.text.splitlines()] == [f"le café n° {n}" for n in range(40)]


# ---------------------------------------------------------------- a client that sends while it reads


class Conversation:
    """A client at the door of the application: says something, hears something."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> Conversation:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": "/v1/tag/stream", "raw_path": b"/v1/tag/stream", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/x-ndjson")], "client": ("x", 1), "server": ("x", 2),
        }  # fmt: skip
        self._task = asyncio.create_task(self._app(scope, self._said.get, self.heard.put))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._task

    def say(self, text: str, last: bool = False) -> None:
        self._said.put_nowait({"type": "http.request", "body": text.encode(), "more_body": not last})

    def hang_up(self) -> None:
        self._said.put_nowait({"type": "http.disconnect"})

    async def hear(self) -> Any:
        message = await self.heard.get()
        return message if message["type"] == "http.response.start" else message["body"].decode()


def _talk(app: FastAPI, talk: Callable[[Conversation], Awaitable[None]]) -> None:
    async def run() -> None:
        app.state.service.stopping = asyncio.Event()
        async with Conversation(app) as conversation:
            await talk(conversation)

    asyncio.run(run())
    assert app.state.service.pool.in_hand == 0


def test_a_line_is_answered_before_the_next_is_sent(app: FastAPI) -> None:
    async def talk(c: Conversation) -> None:
        for n in range(3):
            c.say(json.dumps({"text": f"vendor {n}"}) + "\n")
            if n == 0:
                assert (await c.hear())["status"] == 200
            assert json.loads(await c.hear())["text"] == f"vendor {n}"
        c.say(GOOD, last=True)
        assert json.loads(await c.hear())["text"] == "a vendor in Manila"
        assert await c.hear() == ""

    _talk(app, talk)


def test_a_service_that_ends_answers_what_it_took_and_says_where_to_go_on(app: FastAPI) -> None:
    async def talk(c: Conversation) -> None:
        c.say(f"{GOOD}\n{GOOD}\n" + '{"text": "half a li')
        assert (await c.hear())["status"] == 200
        assert (await c.hear()).count("\n") == 2
        app.state.service.stopping.set()
        last = json.loads(await c.hear())
        assert last["error"]["code"] == "stopping"
        assert "line 3" in last["error"]["message"]

    _talk(app, talk)


def test_a_whole_stream_is_finished_when_the_service_ends(app: FastAPI) -> None:
    async def talk(c: Conversation) -> None:
        c.say(f"{GOOD}\n")
        assert (await c.hear())["status"] == 200
        await c.hear()
        app.state.service.stopping.set()
        for _ in range(20):
            c.say(f"{GOOD}\n")
        c.say("", last=True)
        heard = ""
        while piece := await c.hear():
            heard += piece
        assert heard.count("\n") == 20
        assert "error" not in heard

    _talk(app, talk)


def test_a_client_that_hangs_up_is_let_go(app: FastAPI) -> None:
    async def talk(c: Conversation) -> None:
        c.say(f"{GOOD}\n")
        await c.hear()
        await c.hear()
        c.hang_up()

    _talk(app, talk)


def _never() -> Awaitable[Any]:
    return asyncio.get_running_loop().create_future()


def test_a_client_that_sends_nothing_is_told_of_the_time_limit() -> None:
    async def run() -> ServiceError:
        lines = Lines(_never, Limits(seconds=0.01), asyncio.Event())
        with pytest.raises(ServiceError) as caught:
            await lines.some()
        await lines.close()
        return caught.value

    problem = asyncio.run(run())
    assert (problem.status, problem.limit) == (408, 0.01)


def test_a_body_that_does_not_come_is_told_of_the_time_limit() -> None:
    async def run() -> None:
        await read_body(_never, {}, Limits(seconds=0.01))

    with pytest.raises(ServiceError) as caught:
        asyncio.run(run())
    assert (caught.value.status, caught.value.code, caught.value.limit) == (408, "too-slow", 0.01)


def test_no_more_is_read_ahead_than_allowed() -> None:
    line = b'{"text": "' + b"x" * 1000 + b'"}\n'
    asked = 0

    async def endless() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": line * 64, "more_body": True}

    async def run() -> None:
        lines = Lines(endless, Limits(), asyncio.Event())
        found = await lines.some()
        while asked * 64 * len(line) < AHEAD // 2:
            await asyncio.sleep(0)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert asked * 64 * len(line) < AHEAD + 2 * 64 * len(line)
        before = asked
        for _ in range(20):
            found = await lines.some()
        for _ in range(100):
            await asyncio.sleep(0)
        assert asked > before
        assert found[-1][0] == 21 * 16
        await lines.close()

    asyncio.run(run())
