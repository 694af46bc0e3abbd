"""Let the pages of some other sites ask, by the browsers' protocol for that (Fetch, section 3.3: CORS)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ANSWERED: Final = "ETag, Link, Retry-After, Server-Timing, X-Request-Id, X-Translation-Id"
_ASKED: Final = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-None-Match, X-Api-Key, X-Request-Id"
)
_PREFLIGHT_SECONDS: Final = 600


class Cors:
    """ASGI middleware around all other: answers to those origins say that their pages may read them.

    A preflight is an OPTIONS like any other, which every address answers without a key; here it gets its
    headers. No cookies are ever allowed along: there are none.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tell(MutableHeaders(scope=message), origin, preflight)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _tell(self, headers: MutableHeaders, origin: str, preflight: bool) -> None:
        headers.add_vary_header("Origin")
        if not origin and headers.get("content-type", "").startswith("image/"):
            # An <img> names no origin. Its page can show the picture, but not read it; ids cannot be guessed.
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if origin not in self._origins:
            return
        headers["Access-Control-Allow-Origin"] = origin
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if preflight:
            headers["Access-Control-Allow-Methods"] = "GET, POST"
            headers["Access-Control-Allow-Headers"] = _ASKED
            headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        else:
            headers["Access-Control-Expose-Headers"] = _ANSWERED
