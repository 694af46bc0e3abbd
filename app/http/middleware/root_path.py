"""Find the path under which a client sees the service: behind a proxy, `https://site.example/ugatit/`."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings.addresses import is_within, root_path_of

_HEADER: Final = "x-forwarded-prefix"


class RootPath:
    """ASGI middleware: sets the scope's `root_path`, whether the proxy strips it from the path or not.

    A trusted proxy's `X-Forwarded-Prefix` wins over the configured path. It must see the proxy's own address:
    put it around what reads `X-Forwarded-For`.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, trusted_proxies: str) -> None:
        self._app = app
        self._root_path = root_path
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        root_path, path = self._root_path_of(scope), scope["path"]
        plain = scope["method"] == "GET" and not scope["query_string"]
        if root_path and path == root_path and plain:  # relative links of the page need the slash
            await RedirectResponse(f"{root_path}/", status_code=308)(scope, receive, send)
            return
        # In place: what is around this reads the route that the router notes in the scope.
        scope["root_path"] = root_path
        scope["path"] = path if path.startswith(f"{root_path}/") else root_path + path
        await self._app(scope, receive, send)

    def _root_path_of(self, scope: Scope) -> str:
        """Return the forwarded prefix if it is sound and its sender trusted, else the configured path."""
        given = Headers(scope=scope).get(_HEADER)
        peer = str((scope.get("client") or ("", 0))[0])
        if given is None or not is_within(peer, self._trusted_proxies):
            return self._root_path
        forwarded = root_path_of(given.strip())
        return self._root_path if forwarded is None else forwarded
