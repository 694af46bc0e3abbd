"""Decode request bodies, limit their size, memory and time, and deliver answers sent before the body ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.errors import Draining
from app.http.access.client_address import client_of
from app.http.messages.content_encoding import Decoder, decoder_of
from app.http.middleware.body_memory import BodyMemory, HeldBody
from app.http.middleware.body_pace import Pace, PaceLimits
from app.http.problems.request_errors import BodyTimeout, BodyTooLarge

_DRAIN_BYTES: Final = 64 * 1024**2
"""Bytes beyond the limit that are read and dropped so that the client can read an early answer."""


class BodyLimits:
    """ASGI middleware: `receive` decodes the body's Content-Encoding and limits the decoded bytes.

    `receive` raises BodyTooLarge, BodyTimeout, ReceivingFull, Draining, UnsupportedEncoding or
    MalformedEncoding.

    An answer sent before the body is read would be lost, because closing a socket with unread bytes resets
    it. So the answer is sent first, then a limited rest of the body is read and dropped, then the connection
    is closed.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int,
        pace: PaceLimits,
        body_memory: BodyMemory,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wrap `app`. While `stopping` returns True, an incomplete body is refused."""
        self._app = app
        self._limit_bytes = limit_bytes
        self._pace = pace
        self._body_memory = body_memory
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _LimitedBody(
            scope, receive, send, self._limit_bytes, self._pace, self._body_memory, self._stopping
        )
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            body.release()


class _LimitedBody:
    """The decoded, limited body of one request, and the answer to it."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limit_bytes: int,
        pace_limits: PaceLimits,
        body_memory: BodyMemory,
        stopping: Callable[[], bool],
    ) -> None:
        headers = dict(scope["headers"])
        self._body_memory = body_memory
        self._body = HeldBody(client_of(scope), self._wake)
        self._timeout: asyncio.Timeout | None = None
        self._receive = receive
        self._send = send
        self._limit_bytes = limit_bytes
        self._pace_limits = pace_limits
        self._pace: Pace | None = None
        self._stopping = stopping
        self._declared = _declared_bytes(headers)
        self._waits_for_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        self._content_encodings = Headers(scope=scope).getlist("content-encoding")
        self._received_bytes = 0
        self._decoded_bytes = 0
        self._complete = self._declared == 0 and b"transfer-encoding" not in headers

    async def receive(self) -> Message:
        if self._declared > self._limit_bytes:
            raise self._too_large()
        if self._complete and not self._received_bytes:
            return await self._receive()
        if self._decoder.pending:
            await asyncio.sleep(0)  # a few bytes may decode to many: let other requests run
            return self._held_piece()
        if self._complete:
            return await self._receive()
        message = await self._receive_in_time()
        self._count(message)
        if self._received_bytes > self._limit_bytes:
            raise self._too_large()
        if self._stopping() and not self._complete:
            raise Draining  # without this, a slow connection would be refused minutes later
        if message["type"] != "http.request":
            return message
        self._decoder.feed(message.get("body", b""), last=self._complete)
        return self._held_piece()

    @cached_property
    def _decoder(self) -> Decoder:
        return decoder_of(self._content_encodings)

    def _held_piece(self) -> Message:
        """Return the next decoded bytes as a message, once they are within the limits."""
        piece = self._decoder.piece()
        self._decoded_bytes += len(piece)
        if self._decoded_bytes > self._limit_bytes:
            raise self._too_large()
        self._body_memory.add(self._body, len(piece))
        self._body.complete = self._complete and not self._decoder.pending
        return {"type": "http.request", "body": piece, "more_body": not self._body.complete}

    def release(self) -> None:
        """Release the memory of the body."""
        self._body_memory.release(self._body)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.release()  # the routes hold no reference to the body any more
            if not self._complete:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last or self._complete:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        # A client that waits for "100 Continue" has sent nothing and will send nothing now.
        if self._received_bytes or not self._waits_for_continue:
            await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _receive_in_time(self) -> Message:
        try:
            pace = self._started_pace()
            async with asyncio.timeout_at(pace.deadline) as self._timeout:
                return await self._receive()
        except TimeoutError:
            if self._body.displaced:
                self._body_memory.add(self._body, 0)
            raise BodyTimeout(pace.timeout_reason()) from None
        finally:
            self._timeout = None

    def _wake(self) -> None:
        """End a current wait for more of the body at once."""
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout_at(self._started_pace().deadline):
                while not self._complete and self._received_bytes < self._limit_bytes + _DRAIN_BYTES:
                    self._count(await self._receive())
        except TimeoutError:
            return

    def _started_pace(self) -> Pace:
        """Return the body's pace; its clock starts at the first call."""
        if self._pace is None:
            self._pace = Pace(self._pace_limits, now=asyncio.get_running_loop().time())
        return self._pace

    def _count(self, message: Message) -> None:
        count = len(message.get("body", b""))
        self._received_bytes += count
        self._started_pace().add(count, now=asyncio.get_running_loop().time())
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._complete = True

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"The body must have at most {self._limit_bytes:,} bytes; send a smaller one.")


def _declared_bytes(headers: dict[bytes, bytes]) -> int:
    """Return the Content-Length, which the server's parser has checked; 0 without that header."""
    return int(headers.get(b"content-length", b"0"))
