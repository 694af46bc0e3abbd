"""Run the service: open the socket, serve requests, stop gracefully."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import uvicorn
from fastapi import FastAPI

from app.engine.interface import Engine
from app.http.access.api_keys import ApiKeys
from app.http.factory import create_app
from app.http.middleware.stack import Stoppable
from app.http.monitoring.answer_counter import AnswerCounter
from app.http.monitoring.tracing import open_tracing
from app.http.routes.context import Context
from app.http.server.connections import Connections
from app.http.server.protocol import bounded_protocol
from app.http.server.sighup import handling_sighup
from app.http.server.worker_metrics import WorkerIdentity
from app.settings.settings import Settings, SettingsError

log = logging.getLogger("ugatit.http")

_HARD_MARGIN_SECONDS = 1.0
_BACKLOG = 2048
_CLOSING_SECONDS = 0.2
"""Pause between closing the socket and closing idle connections. A request may already be on its way on one
of them; closing it at once would reset it."""


class Work(Stoppable, Protocol):
    """The work behind an application, as its server controls it."""

    def linger(self) -> None:
        """Report that it is not ready, but still admit requests."""

    def drain(self) -> None:
        """Admit no more requests."""

    async def wait_until_drained(self) -> None:
        """Wait until every admitted request is done."""

    def reload(self) -> None:
        """Read again what may have changed, at SIGHUP."""


class GracefulServer(uvicorn.Server):
    """uvicorn that keeps answering until admitted requests are finished, and only then closes its socket."""

    def __init__(
        self, app: FastAPI, settings: Settings, work: Work, connections: Connections, answers: AnswerCounter
    ) -> None:
        """Prepare a server.

        Args:
            app: the application, with its middleware.
            settings: the limits.
            work: what the application admits requests to.
            connections: the limit and the counters of open connections.
            answers: counts the requests that are refused before the application.
        """
        config = uvicorn.Config(
            app,
            http=bounded_protocol(settings.request_read_seconds, connections, answers),
            proxy_headers=False,  # the application reads these headers
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=max(1, int(settings.grace_seconds)),
        )
        super().__init__(config)
        self._work = work
        self._grace_seconds = settings.grace_seconds
        self._linger_seconds = settings.linger_seconds
        self._reloads = settings.reload != "off"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept requests."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the socket, answer the requests already on their way, then close the connections."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_CLOSING_SECONDS)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT, and SIGHUP unless reloading is off."""
        with super().capture_signals():
            if not self._reloads:
                yield
                return
            with handling_sighup(self._reload, self._on_terminal_closed):
                yield

    def _reload(self) -> None:
        self._work.reload()

    def _on_terminal_closed(self) -> None:
        self.handle_exit(signal.SIGHUP, None)

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """Stop gracefully at the first signal and at once at the second."""
        if self._work.stopping:
            self.force_exit = self.should_exit = True
        else:
            self._log_stop()
            self._start_watchdog()
            self.stop()

    def _log_stop(self) -> None:
        if self._linger_seconds:
            log.info("Stopping: not ready any more, still admitting pictures for %g s", self._linger_seconds)
        log.info("Stopping: finishing the admitted pictures within %g s", self._grace_seconds)

    def stop(self) -> None:
        """Linger, then admit no more pictures, finish the admitted ones and stop. Safe from any thread."""
        if self._loop is None:
            self._work.drain()
            self.should_exit = True
            return
        self._work.linger()
        if not self._linger_seconds:
            self._work.drain()
        self._loop.call_soon_threadsafe(self._start_stopping)

    def _start_stopping(self) -> None:
        self._stopping = asyncio.create_task(self._drain_and_stop())

    async def _drain_and_stop(self) -> None:
        await asyncio.sleep(self._linger_seconds)
        self._work.drain()
        # The socket stays open until then: new requests get 503 with Retry-After, not a refused connection.
        await self._work.wait_until_drained()
        self.should_exit = True

    def _start_watchdog(self) -> None:
        """End the process when the grace is over: a thread in native code could keep it alive for ever."""
        seconds = self._linger_seconds + self._grace_seconds + _HARD_MARGIN_SECONDS
        timer = threading.Timer(seconds, _exit_hard)
        timer.daemon = True
        timer.start()


class Server(GracefulServer):
    """The server of an engine."""

    def __init__(self, settings: Settings, engine: Engine, worker: WorkerIdentity | None = None) -> None:
        app = create_app(settings, engine, open_tracing(settings), worker)
        context: Context = app.state.context
        super().__init__(app, settings, engine, context.connections, context.metrics)
        self._api_keys: ApiKeys | None = context.api_keys

    def _reload(self) -> None:
        log.info("SIGHUP received: reloading bundles and API keys")
        super()._reload()
        if self._api_keys is not None:
            self._api_keys.reload()


def _exit_hard() -> None:
    log.error("Grace time exceeded: exiting with unfinished work")
    os._exit(1)


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes any free port.

    Raises:
        SettingsError: the address is not available.
    """
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)  # connections made before the loop runs wait instead of being refused
    except OSError as error:
        if listening is not None:
            listening.close()
        raise SettingsError(
            f"Cannot listen on {host}:{port} ({error.strerror}); set another UGATIT_HOST or UGATIT_PORT."
        ) from None
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the URL that reaches a listening socket from this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
