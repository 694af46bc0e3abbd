"""Who may ask, and how often: by API key where there are keys, else by address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.access.api_keys import Keys, key_in
from app.http.access.client_address import KEY_NAME, client_of
from app.http.problems.request_errors import Unauthorized
from app.http.routes.context import ContextDep


class Identify:
    """ASGI middleware: whoever brings a good key is known by its name from here on."""

    def __init__(self, app: ASGIApp, *, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            key = key_in(Headers(scope=scope))
            name = self._keys.name_of(key) if key is not None else None
            if name is not None:
                scope["state"][KEY_NAME] = name
        await self._app(scope, receive, send)


async def _known(request: Request, context: ContextDep) -> str:
    """The client.

    Raises:
        Unauthorized: keys are required, and it brings none of them.
    """
    if context.keys is not None and KEY_NAME not in request.scope["state"]:
        raise Unauthorized(key_in(request.headers) is not None)
    return client_of(request.scope)


async def _within_rate(client: Annotated[str, Depends(_known)], context: ContextDep) -> str:
    """The client, who pays for this request.

    Raises:
        Unauthorized, RateLimited: it may not ask, or not yet.
    """
    context.buckets.take(client)
    return client


KnownDep = Annotated[str, Depends(_known)]
ClientDep = Annotated[str, Depends(_within_rate)]
