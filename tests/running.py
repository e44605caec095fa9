"""The service in a thread of the tests, at an address of its own."""

from __future__ import annotations

import asyncio
import threading

import uvicorn

from classifier import Classifier
from classifier.edges.service import create_app
from classifier.edges.service_limits import Settings


class Running:
    """A service in a thread; ``url`` ends with a slash."""

    def __init__(self, classifier: Classifier, settings: Settings) -> None:
        config = uvicorn.Config(create_app(settings, classifier), port=0, log_config=None, lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/"

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join()
