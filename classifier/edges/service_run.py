"""Running the service: the socket, one process or several, and an end that finishes what was taken."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine import Classifier
from ..errors import InputError, MissingExtraError
from .loading import load_to_stay
from .service_limits import Settings
from .service_log import configure, log
from .service_metrics import MULTIPROCESS

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Event

try:
    import prometheus_client
    import uvicorn
    from threadpoolctl import threadpool_limits
except ImportError as error:
    raise MissingExtraError(str(error.name).replace("_", "-"), "service") from error

_BACKLOG = 2048
# Longer than proxies keep an idle connection, so that it is they who close it.
_KEEP_ALIVE = 75
# How long a connection on which nothing is under way stays open once the service is told to end: long enough
# for a request that is on its way.
_LINGER = 3.0
# Options of Linux that Python has no names for.
_IP_MINTTL, _IPV6_MINHOPCOUNT = 21, 73
# A worker that ends sooner than this after its start is not started again at once.
_SHORT_LIFE = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class GracefulServer(uvicorn.Server):
    """Ends without losing a request: takes no new connection, and closes each one after its next answer.

    Args:
        config: see uvicorn.
        stopping: set when the process is told to end.
        on_start: called once connections are taken.
        patience: seconds in which the headers of a request have to come.
    """

    def __init__(
        self, config: uvicorn.Config, stopping: asyncio.Event, on_start: Callable[[], None], patience: float
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._on_start = on_start
        self._patience = patience
        self._waiting: dict[Any, float] = {}  # connection: since when no request is in hand

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the model, then take connections."""
        await super().startup(sockets)
        if self.started:
            self._on_start()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % 10 == 0:
            self._close_the_silent()
        return await super().on_tick(counter)

    def _close_the_silent(self) -> None:
        """Hang up on whoever connects and never sends a whole request: uvicorn would wait for ever."""
        now = time.monotonic()
        waiting: dict[Any, float] = {}
        connections: list[Any] = list(self.server_state.connections)
        for connection in connections:
            # The request that was read last, if any; of one that is coming there is no trace. Some of uvicorn's
            # protocols, which are not in use here, keep it elsewhere.
            if not hasattr(connection, "cycle"):
                continue
            last = connection.cycle
            if last is None or last.response_complete:
                waiting[connection] = self._waiting.get(connection, now)
                # Between two requests uvicorn's own time for an idle connection runs first.
                if now - waiting[connection] > self._patience + (_KEEP_ALIVE if last else 0):
                    connection.transport.close()
        self._waiting = waiting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once the process is told to end."""
        log("stopping", connections=len(self.server_state.connections))
        for sock in sockets or []:
            turn_away(sock)
            # Whoever has connected already is taken first.
            while select.select([sock], [], [], 0)[0]:
                await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        # Only now, so that nobody who is told to close a connection tries for another one here.
        self._stopping.set()
        deadline = time.monotonic() + _LINGER
        while self.server_state.connections and time.monotonic() < deadline:
            for connection in self.server_state.connections:
                # One that was about to connect has inherited what the listening socket was told.
                _least_ttl(connection.transport.get_extra_info("socket"), 0)
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def run(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to end by SIGTERM or SIGINT.

    Raises:
        InputError: when the address cannot be had.
        ModelError, VocabularyError: when the model is refused.
    """
    if workers < 1:
        raise InputError(f"{workers} workers: give 1 or more")
    # Until it serves it has nothing to finish. The first process of a container would not even hear a signal
    # that it has no handler for.
    for name in _SIGNALS:
        signal.signal(name, _leave)
    configure(settings.log_texts)
    with _bind(host, port) as sock:
        address = Address(*sock.getsockname()[:2])
        if settings.token is None and not _is_local(address.host):
            log("no token is set: everyone who reaches this address is answered", logging.WARNING)
        if workers == 1:
            _serve(settings, sock, address, load_to_stay(settings.model))
        else:
            _try_model(settings.model)
            _supervise(settings, sock, address, workers)


def _bind(host: str, port: int) -> socket.socket:
    """The socket, which does not listen yet: nobody is to wait for a model that may be refused."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
        except BaseException:
            sock.close()
            raise
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(f"cannot listen on {host} port {port}: {told}. Give another --host or --port.") from error
    return sock


def turn_away(sock: socket.socket) -> None:
    """Let nobody new connect, in any process that has the socket; those who wait to be accepted still can be.

    Closing the socket alone would hang up on whoever connects between the last accept and the close. The kernel
    (Linux) leaves them out before, when told to drop packets with a time to live below 255: systems send with 64 or
    128. Unlike a packet filter that needs no privilege.
    """
    _least_ttl(sock, 255)


def _least_ttl(sock: Any, ttl: int) -> None:
    """Drop packets with a lower time to live; 0 drops none."""
    if sys.platform == "linux":
        with suppress(OSError):  # a connection that is closed by now
            sock.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, ttl)
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT, ttl)


def _leave(*_: Any) -> None:
    sys.exit(0)


def _is_local(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def _serve(
    settings: Settings,
    sock: socket.socket,
    address: Address,
    classifier: Classifier | None = None,
    on_start: Callable[[], None] = lambda: None,
) -> None:
    """Serve in this process."""
    from .service import create_app

    # A text is too little for several threads of linear algebra, which wait for one another in a busy loop.
    threadpool_limits(1)
    # Creation times double the number of series and tell nothing here.
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    app = create_app(settings, classifier)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        # Longer than any request may take by its limits.
        timeout_graceful_shutdown=int(2 * settings.limits.seconds + _LINGER + 1),
    )

    def started() -> None:
        log("listening", url=str(address), pid=os.getpid())
        on_start()

    server = GracefulServer(config, app.state.service.stopping, started, settings.limits.seconds)
    # The server hears signals only while it runs, and hands them on when it has ended: by then, or before it
    # runs, they shall do what they do in between, and the process end as one that did its work.
    for name in _SIGNALS:
        signal.signal(name, server.handle_exit)
    server.run([sock])
    if not server.started:
        sys.exit(1)
    log("ended", pid=os.getpid())


def _work(settings: Settings, sock: socket.socket, address: Address, ready: Event) -> None:
    """What a worker process does."""
    # Control-C reaches a terminal's whole group; here only the parent says when to end.
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure(settings.log_texts)
    _serve(settings, sock, address, load_to_stay(settings.model), on_start=ready.set)


def _end_with_parent() -> None:
    """A worker does not outlive a parent that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _try_model(model: Path | None) -> None:
    """Load the model in a process of its own: a refused one is then told once, and this process stays small."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(_load_only, model).result()


def _load_only(model: Path | None) -> None:
    load_to_stay(model)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    ready: Event
    begun: float


def _supervise(settings: Settings, sock: socket.socket, address: Address, workers: int) -> None:
    """Keep so many workers; hand SIGTERM on to them, and wait until they have finished."""
    ending = False

    def end(*_: Any) -> None:
        nonlocal ending
        ending = True

    for name in _SIGNALS:
        signal.signal(name, end)
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        # Each worker counts in files here; they are summed when the figures are asked for.
        os.environ[MULTIPROCESS] = stack.enter_context(tempfile.TemporaryDirectory(prefix="classifier-metrics-"))

        def start() -> _Worker:
            ready = context.Event()
            process = context.Process(target=_work, args=(settings, sock, address, ready))
            process.start()
            return _Worker(process, ready, time.monotonic())

        running = [start() for _ in range(workers)]
        log("started", workers=workers, pid=os.getpid())
        while not ending:
            wait([worker.process.sentinel for worker in running], timeout=0.5)
            for i, worker in enumerate(running):
                if ending or worker.process.is_alive():
                    continue
                log("worker died", logging.ERROR, pid=worker.process.pid, exitcode=worker.process.exitcode)
                _forget(worker.process.pid)
                if time.monotonic() - worker.begun < _SHORT_LIFE:
                    time.sleep(1)
                running[i] = start()
        turn_away(sock)
        sock.close()
        # Those that are not ready hold the socket but take nothing from it: they go first, so that whoever
        # has connected still finds one that does.
        waiting = [worker.process for worker in running if not worker.ready.is_set()]
        _end(waiting)
        _end([worker.process for worker in running])
        log("ended", pid=os.getpid())


def _forget(pid: int | None) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    if pid is not None:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _end(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        process.join()
