"""uvicorn's HTTP protocol with additional limits, and problem documents instead of plain-text errors."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.engine.retry import with_jitter
from app.http.middleware.safe_headers import SAFE_HEADERS
from app.http.monitoring.answer_counter import AnswerCounter
from app.http.monitoring.request_record import OTHER
from app.http.problems.problems import (
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    ProblemKind,
    problem_response,
)
from app.http.server.connections import Connections
from app.http.server.parser import NoUpgradeParser

_HEAD_LIMIT_BYTES: Final = 64 * 1024
"""Browsers and proxies send less than 16 KiB. A head that ends within one read may be longer."""
_RETRY_SECONDS: Final = 2

_serials = itertools.count()

log = logging.getLogger("ugatit.access")


class BoundedProtocol(HttpToolsProtocol):
    """A connection with limits on its headers, the time to read an answer, and the number of connections.

    uvicorn accepts headers of any size over any time, and joins their pieces again at each read, which blocks
    the event loop. So headers, and trailers after a chunked body, have limits of bytes and time here. uvicorn
    also accepts any number of connections. Beyond the limit, this class closes a connection that waits for
    its client, to make room for the new one.
    """

    read_seconds: ClassVar[float]
    open_connections: ClassVar[Connections]
    metrics: ClassVar[AnswerCounter]

    parser: NoUpgradeParser  # type: ignore[assignment]
    _headers_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None
    _active_cycle: RequestResponseCycle | None = None
    _received_any = False
    _head_bytes = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.parser = NoUpgradeParser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.open_connections.open += 1
        self._serial = next(_serials)
        self._expect_headers()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        self._received_any = True
        if self._headers_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_headers()
        self._head_bytes += len(data)  # the parser's callbacks below reset it after a head
        super().data_received(data)
        if self._head_bytes > _HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers exceed the limit of {_HEAD_LIMIT_BYTES:,} bytes.")

    def on_headers_complete(self) -> None:
        self._stop_headers_timer()
        self._head_bytes = 0
        if not self.parser.ignores_upgrade:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        if not self.parser.ignores_upgrade:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._received_any = False
        if self.transport.is_closing():
            self._expect_progress()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_progress()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        self._stop_send_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_connections.open -= 1
        self._stop_headers_timer()
        self._stop_send_timer()
        if self._active_cycle is not None and self._active_cycle is not self.cycle:
            # uvicorn notifies the last request received; with pipelining another one is being answered.
            self._active_cycle.disconnected = True
            self._active_cycle.message_event.set()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._stop_headers_timer()
        self._refuse(MALFORMED_REQUEST, f"{msg} Send a valid HTTP/1.1 request.")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def _make_room(self) -> None:
        """Close the oldest waiting connection of the address with most; refuse the new one if none waits."""
        limit = self.open_connections.limit
        if len(self.connections) <= limit:
            return
        ours = [each for each in self.connections if isinstance(each, BoundedProtocol)]
        live = [each for each in ours if not each.transport.is_closing()]
        if len(live) <= limit:
            return
        open_by_address = Counter(each.address for each in live)
        waiting = [each for each in live if each is not self and each.waits_for_client]
        if waiting:
            min(waiting, key=lambda each: (-open_by_address[each.address], each._serial)).transport.close()
            self.open_connections.count_displaced()
            return
        wait = with_jitter(_RETRY_SECONDS)
        detail = f"Too many connections are open; try again in {wait} s."
        self._refuse(TOO_MANY_CONNECTIONS, detail, {"Retry-After": str(wait)})

    @property
    def address(self) -> str:
        """The client's IP address; empty for a Unix socket."""
        return self.client[0] if self.client else ""

    @property
    def waits_for_client(self) -> bool:
        """Whether the server waits for the client to send headers or more of a body."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _expect_headers(self) -> None:
        self._headers_timer = self.loop.call_later(self.read_seconds, self._headers_timed_out)

    def _stop_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _headers_timed_out(self) -> None:
        if self._received_any:
            detail = f"The headers must arrive within {self.read_seconds:g} seconds; send them at once."
            self._refuse(REQUEST_TIMEOUT, detail)
        else:
            self.transport.close()

    def _expect_progress(self) -> None:
        """Require that part of the answer is sent in time: an answer that is not read stays in memory."""
        left = self.transport.get_write_buffer_size()
        if self._send_timer is None and left:
            self._send_timer = self.loop.call_later(self.read_seconds, self._send_timed_out, left)

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _send_timed_out(self, left_before: int) -> None:
        self._send_timer = None
        if self.transport.get_write_buffer_size() < left_before:
            self._expect_progress()
        else:
            self.transport.abort()

    def _refuse(self, kind: ProblemKind, detail: str, headers: Mapping[str, str] | None = None) -> None:
        request_id = secrets.token_hex(8)
        more = {"X-Request-Id": request_id, **SAFE_HEADERS, **(headers or {})}
        response = problem_response(kind, detail, request_id, more)
        self.metrics.count_answer(OTHER, OTHER, kind.status, kind.code)
        extra = {"request_id": request_id, "status": kind.status, "problem": kind.code}
        log.info("refused %d", kind.status, extra=extra | {"route": OTHER, "method": OTHER})
        head = [STATUS_LINE[kind.status], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
        self.transport.close()
        self._expect_progress()


def bounded_protocol(
    read_seconds: float, connections: Connections, metrics: AnswerCounter
) -> type[BoundedProtocol]:
    """Return the protocol class of a server; uvicorn creates an instance for each connection.

    Args:
        read_seconds: the time for headers to arrive, and for some bytes of an answer to be sent.
        connections: the counters and the limit of open connections.
        metrics: counts the requests refused here.
    """
    shared = {"read_seconds": read_seconds, "open_connections": connections, "metrics": metrics}
    return type("Protocol", (BoundedProtocol,), shared)
