"""Bound a request's body in bytes and in time, and let the client read an early answer."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.errors import BodyTimeout, BodyTooLarge

_DRAIN_SECONDS: Final = 2.0
"""How long the rest of a body is read after an early answer."""


class BodyLimits:
    """ASGI middleware: `receive` raises BodyTooLarge or BodyTimeout for whoever reads the body.

    An answer that is given before the body was read would be lost: closing a socket with unread bytes resets
    it. So the answer goes out, then a bounded rest of the body is read and dropped, then the connection
    closes.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int, read_seconds: float) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._read_seconds = read_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send, self._limit_bytes, self._read_seconds)
        await self._app(scope, body.receive, body.send)


class _Body:
    """The body of one request on its way in, and the answer on its way out."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limit_bytes: int, read_seconds: float
    ) -> None:
        headers = dict(scope["headers"])
        self._receive = receive
        self._send = send
        self._limit_bytes = limit_bytes
        self._read_seconds = read_seconds
        self._declared = _declared_bytes(headers)
        self._waits_for_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        self._deadline: float | None = None
        self._received_bytes = 0
        self._complete = self._declared == 0 and b"transfer-encoding" not in headers

    async def receive(self) -> Message:
        if self._declared > self._limit_bytes:
            raise self._too_large()
        if self._complete:
            return await self._receive()
        message = await self._receive_in_time()
        self._note(message)
        if self._received_bytes > self._limit_bytes:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._complete:
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last or self._complete:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        if (
            self._received_bytes or not self._waits_for_continue
        ):  # or the client has sent nothing, and will not
            await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _receive_in_time(self) -> Message:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._read_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            raise BodyTimeout(
                f"The body did not arrive within {self._read_seconds:g} seconds; send a smaller picture."
            ) from None

    async def _drain(self) -> None:
        budget = self._received_bytes + self._limit_bytes
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._complete and self._received_bytes < budget:
                    self._note(await self._receive())
        except TimeoutError:
            return

    def _note(self, message: Message) -> None:
        self._received_bytes += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._complete = True

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"The body has more than the allowed {self._limit_bytes:,} bytes; send a smaller picture."
        )


def _declared_bytes(headers: dict[bytes, bytes]) -> int:
    """The Content-Length, which the server's parser has found to be a number; 0 without one."""
    return int(headers.get(b"content-length", b"0"))
