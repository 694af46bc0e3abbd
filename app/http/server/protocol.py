"""uvicorn's HTTP protocol with the bounds it lacks, and problems where it answers plain text."""

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
from app.http.middleware.envelope import SAFE_HEADERS, UNKNOWN
from app.http.monitoring.metrics import Metrics
from app.http.problems.problems import MALFORMED_REQUEST, REQUEST_TIMEOUT, TOO_MANY_CONNECTIONS, Kind, answer
from app.http.server.connections import Connections
from app.http.server.parser import PlainParser

_HEAD_LIMIT_BYTES: Final = 64 * 1024
"""Browsers and proxies stay below 16 KiB. What ends within one read from the socket is let through."""
_RETRY_SECONDS: Final = 2

_serials = itertools.count()

log = logging.getLogger("ugatit.access")


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose headers have no end, or that do not take their answer, in time.

    uvicorn itself takes headers as long, for as long, as the client likes, and joins their pieces again and
    again while nobody else is served: so their bytes have a bound too, and those after a chunked body. And it
    takes any number of connections: beyond a bound, one that keeps us waiting makes room for the new one.
    """

    read_seconds: ClassVar[float]
    open_connections: ClassVar[Connections]
    metrics: ClassVar[Metrics]

    parser: PlainParser  # type: ignore[assignment]
    _headers_timer: asyncio.TimerHandle | None = None
    _taking_timer: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _any_bytes = False
    _head_bytes = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.parser = PlainParser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.open_connections.open += 1
        self._serial = next(_serials)
        self._expect_headers()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        self._any_bytes = True
        if self._headers_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_headers()
        self._head_bytes += len(data)  # the parser's callbacks below take back what is no head
        super().data_received(data)
        if self._head_bytes > _HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers have more than {_HEAD_LIMIT_BYTES:,} bytes.")

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._head_bytes = 0
        if not self.parser.wishes_to_upgrade:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        if not self.parser.wishes_to_upgrade:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._any_bytes = False
        if self.transport.is_closing():
            self._expect_taking()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_taking()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_taking()

    def resume_writing(self) -> None:
        self._stop_taking_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_connections.open -= 1
        self._stop_timer()
        self._stop_taking_timer()
        if self._running is not None and self._running is not self.cycle:
            # uvicorn tells the request that came last; with pipelining that is not the one being answered.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._stop_timer()
        self._refuse(MALFORMED_REQUEST, f"{msg} Send HTTP/1.1 as its standard says.")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _make_room(self) -> None:
        """Close the oldest of those who keep us waiting, of the address that has most open; else refuse."""
        limit = self.open_connections.limit
        if len(self.connections) <= limit:
            return
        every = [each for each in self.connections if isinstance(each, BoundedProtocol)]
        live = [each for each in every if not each.transport.is_closing()]
        if len(live) <= limit:
            return
        crowd = Counter(each.address for each in live)
        waiting = [each for each in live if each is not self and each.waits_for_client]
        if waiting:
            min(waiting, key=lambda each: (-crowd[each.address], each._serial)).transport.close()
            self.open_connections.displace()
            return
        wait = with_jitter(_RETRY_SECONDS)
        detail = f"Too many connections are open; try again in {wait} s."
        self._refuse(TOO_MANY_CONNECTIONS, detail, {"Retry-After": str(wait)})

    @property
    def address(self) -> str:
        """Whose connection it is."""
        return self.client[0] if self.client else ""

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn to send: headers, or more of a body."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _expect_headers(self) -> None:
        self._headers_timer = self.loop.call_later(self.read_seconds, self._headers_late)

    def _stop_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _headers_late(self) -> None:
        if self._any_bytes:
            detail = f"The headers did not arrive within {self.read_seconds:g} seconds; send them at once."
            self._refuse(REQUEST_TIMEOUT, detail)
        else:
            self.transport.close()

    def _expect_taking(self) -> None:
        """A client that does not read would keep its answer in memory for ever: some must go in time."""
        left = self.transport.get_write_buffer_size()
        if self._taking_timer is None and left:
            self._taking_timer = self.loop.call_later(self.read_seconds, self._taking_late, left)

    def _stop_taking_timer(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None

    def _taking_late(self, left_before: int) -> None:
        self._taking_timer = None
        if self.transport.get_write_buffer_size() < left_before:
            self._expect_taking()
        else:
            self.transport.abort()

    def _refuse(self, kind: Kind, detail: str, headers: Mapping[str, str] | None = None) -> None:
        request_id = secrets.token_hex(8)
        more = {"X-Request-Id": request_id, **SAFE_HEADERS, **(headers or {})}
        response = answer(kind, detail, request_id, more)
        self.metrics.answered(UNKNOWN, UNKNOWN, kind.status, kind.code)
        extra = {"request_id": request_id, "status": kind.status, "problem": kind.code}
        log.info("refused %d", kind.status, extra=extra | {"route": UNKNOWN, "method": UNKNOWN})
        head = [STATUS_LINE[kind.status], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
        self.transport.close()
        self._expect_taking()


def bounded_protocol(
    read_seconds: float, connections: Connections, metrics: Metrics
) -> type[BoundedProtocol]:
    """Return the protocol class for a server; uvicorn makes an instance for each connection.

    Args:
        read_seconds: how long headers, and some of an answer, may take to be sent.
        connections: counts them, and says how many may be open.
        metrics: counts what is refused here.
    """
    shared = {"read_seconds": read_seconds, "open_connections": connections, "metrics": metrics}
    return type("Protocol", (BoundedProtocol,), shared)
