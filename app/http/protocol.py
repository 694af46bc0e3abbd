"""uvicorn's HTTP protocol with the deadlines it lacks, and problems where it answers plain text."""

from __future__ import annotations

import asyncio
import secrets
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.http.problems import MALFORMED_REQUEST, REQUEST_TIMEOUT, Kind, answer


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections that do not send their headers, or do not take their answer, in time.

    uvicorn itself waits for headers as long as the client likes.
    """

    read_seconds: ClassVar[float]

    _headers_timer: asyncio.TimerHandle | None = None
    _any_bytes = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        self._any_bytes = True
        if self._headers_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_headers()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._any_bytes = False
        if self.transport.is_closing():
            # A client that does not read would keep the answer in memory for ever.
            self.loop.call_later(self.read_seconds, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._stop_timer()
        self._refuse(MALFORMED_REQUEST, f"{msg} Send HTTP/1.1 as its standard says.")

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

    def _refuse(self, kind: Kind, detail: str) -> None:
        response = answer(kind, detail, secrets.token_hex(8))
        head = [STATUS_LINE[kind.status], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
        self.transport.close()


def bounded_protocol(read_seconds: float) -> type[BoundedProtocol]:
    """The protocol class for a server; uvicorn makes an instance for each connection."""
    return type("Protocol", (BoundedProtocol,), {"read_seconds": read_seconds})
