"""Require API keys where they are configured, and apply the rate limit per client."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.access.api_keys import ApiKeys, key_from
from app.http.access.client_address import client_of
from app.http.monitoring.request_record import record_of
from app.http.problems.request_errors import Unauthorized
from app.http.routes.context import ContextDep


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


async def _authenticated(request: Request, context: ContextDep) -> str:
    """Return the client.

    Raises:
        Unauthorized: API keys are required, and the request has no valid one.
    """
    if context.api_keys is not None and record_of(request.scope).client is None:
        raise Unauthorized(invalid_key=key_from(request.headers) is not None)
    return client_of(request.scope)


async def _rate_limited(client: Annotated[str, Depends(_authenticated)], context: ContextDep) -> str:
    """Return the client, after counting this request against its rate limit.

    Raises:
        Unauthorized: API keys are required, and the request has no valid one.
        RateLimited: the client has exceeded its rate.
    """
    context.rate_limiter.take(client)
    return client


AuthenticatedDep = Annotated[str, Depends(_authenticated)]
RateLimitedDep = Annotated[str, Depends(_rate_limited)]
