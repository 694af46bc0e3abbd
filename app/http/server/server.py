"""Run the service: open the socket, answer, and leave in good order when told to."""

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

import uvicorn

from app.engine.engine import Engine
from app.http.access.api_keys import Keys
from app.http.factory import create_app
from app.http.monitoring.tracing import open_tracing
from app.http.routes.context import Context
from app.http.server.protocol import bounded_protocol
from app.http.server.sighup import on_hangup
from app.http.server.worker_metrics import Place
from app.settings.settings import Settings, SettingsError

log = logging.getLogger("ugatit.http")

_HARD_MARGIN_SECONDS = 1.0
_BACKLOG = 2048
_CLOSING_SECONDS = 0.2
"""A request may be on its way on a connection that is idle here: closing that would reset it."""


class Server(uvicorn.Server):
    """uvicorn that keeps answering while it finishes what was admitted, and only then closes its socket."""

    def __init__(self, settings: Settings, engine: Engine, place: Place | None = None) -> None:
        app = create_app(settings, engine, open_tracing(settings), place)
        context: Context = app.state.context
        self._keys: Keys | None = context.keys
        config = uvicorn.Config(
            app,
            http=bounded_protocol(settings.request_read_seconds, context.connections, context.metrics),
            proxy_headers=False,  # the application reads them
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=max(1, int(settings.grace_seconds)),
        )
        super().__init__(config)
        self._engine = engine
        self._grace_seconds = settings.grace_seconds
        self._linger_seconds = settings.linger_seconds
        self._reloads = settings.reload != "off"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then answer."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the socket, answer what is on its way already, then close the connections."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_CLOSING_SECONDS)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Mind the signals: SIGHUP too, unless nothing is to be reloaded."""
        with super().capture_signals():
            if not self._reloads:
                yield
                return
            with on_hangup(self._reload, self._hung_up):
                yield

    def _reload(self) -> None:
        log.info("Told to look at the bundles again, and at the keys")
        self._engine.reload()
        if self._keys is not None:
            self._keys.reload()

    def _hung_up(self) -> None:
        self.handle_exit(signal.SIGHUP, None)

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """SIGTERM or SIGINT: leave in good order; a second one: leave now."""
        if self._engine.stopping:
            self.force_exit = self.should_exit = True
        else:
            self._log_stop()
            self._start_watchdog()
            self.leave()

    def _log_stop(self) -> None:
        if self._linger_seconds:
            log.info("Told to stop: not ready any more, admitting for another %g s", self._linger_seconds)
        log.info("Told to stop: finishing what was admitted, at most %g s", self._grace_seconds)

    def leave(self) -> None:
        """Linger, then admit nothing more, finish what was admitted, stop. May be called from any thread."""
        if self._loop is None:
            self._engine.drain()
            self.should_exit = True
            return
        self._engine.linger()
        if not self._linger_seconds:
            self._engine.drain()
        self._loop.call_soon_threadsafe(self._start_leaving)

    def _start_leaving(self) -> None:
        self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        await asyncio.sleep(self._linger_seconds)
        self._engine.drain()
        # The socket stays open meanwhile: who asks now is told so (503, Retry-After), not refused.
        await self._engine.wait_until_drained()
        self.should_exit = True

    def _start_watchdog(self) -> None:
        """A thread inside native code can hold up a process for ever; nothing but this ends it then."""
        seconds = self._linger_seconds + self._grace_seconds + _HARD_MARGIN_SECONDS
        timer = threading.Timer(seconds, _leave_hard)
        timer.daemon = True
        timer.start()


def _leave_hard() -> None:
    log.error("The grace is over: leaving with work undone")
    os._exit(1)


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes any free one.

    Raises:
        SettingsError: it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)  # who comes before the loop runs waits, and is not refused
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}); set another UGATIT_HOST or UGATIT_PORT."
        ) from None
    return listening


def address_of(listening: socket.socket) -> str:
    """The URL under which a listening socket is reached from this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
