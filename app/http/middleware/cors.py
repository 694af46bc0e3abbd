"""Allow the pages of listed other sites to use the service (CORS; Fetch standard, section 3.3)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EXPOSED_HEADERS: Final = (
    "ETag, Link, Retry-After, Server-Timing, X-Faces-Found, X-Request-Id, X-Translation-Id, X-Value-Range"
)
_ALLOWED_HEADERS: Final = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-None-Match, X-Api-Key, X-Request-Id"
)
_PREFLIGHT_SECONDS: Final = 600


class Cors:
    """Outermost ASGI middleware: adds the CORS headers to answers for the allowed origins.

    Every address answers a preflight like any OPTIONS, without an API key; this class adds its headers.
    Credentials are never allowed, because the service uses no cookies.
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
                self._add_headers(MutableHeaders(scope=message), origin, preflight)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _add_headers(self, headers: MutableHeaders, origin: str, preflight: bool) -> None:
        headers.add_vary_header("Origin")
        if not origin and headers.get("content-type", "").startswith("image/"):
            # An <img> request has no Origin. Its page can show the picture, not read it; ids are secret.
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if origin not in self._origins:
            return
        headers["Access-Control-Allow-Origin"] = origin
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if preflight:
            headers["Access-Control-Allow-Methods"] = "GET, POST"
            headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        else:
            headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
