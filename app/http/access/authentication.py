"""Identify clients by their API keys."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.access.api_keys import ApiKeys, key_from
from app.http.monitoring.request_record import record_of


class ApiKeyMiddleware:
    """ASGI middleware: stores the name of a valid API key in the request's record."""

    def __init__(self, app: ASGIApp, *, api_keys: ApiKeys) -> None:
        self._app = app
        self._api_keys = api_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            key = key_from(Headers(scope=scope))
            if key is not None:
                record_of(scope).client = self._api_keys.client_of_key(key)
        await self._app(scope, receive, send)
