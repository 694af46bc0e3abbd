"""Set the path prefix under which a proxy serves the service, as `/ugatit` in `https://site.example/ugatit/`."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings.addresses import is_within, normalized_root_path

LOOPBACK: Final = "127.0.0.0/8,::1"
"""The senders whose prefix is used without UGATIT_TRUSTED_PROXIES.

A proxy often runs on the same machine, and a valid prefix changes only links in the sender's own answer.
"""
_HEADER: Final = "x-forwarded-prefix"


class RootPath:
    """ASGI middleware: sets the scope's `root_path`, whether or not the proxy strips the prefix.

    A trusted proxy's `X-Forwarded-Prefix` overrides the configured path. This middleware must see the proxy's
    own address, so it wraps the middleware that reads `X-Forwarded-For`.
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
        if root_path and path == root_path and plain:  # the page's relative links need the slash
            await RedirectResponse(f"{root_path}/", status_code=308)(scope, receive, send)
            return
        # Change the scope in place: the outer middleware reads the route that the router stores in it.
        scope["root_path"] = root_path
        scope["path"] = path if path.startswith(f"{root_path}/") else root_path + path
        await self._app(scope, receive, send)

    def _root_path_of(self, scope: Scope) -> str:
        """Return the forwarded prefix if it is valid and from a trusted proxy, else the configured path."""
        given = Headers(scope=scope).get(_HEADER)
        peer = str((scope.get("client") or ("", 0))[0])
        if given is None or not is_within(peer, self._trusted_proxies):
            return self._root_path
        forwarded = normalized_root_path(given.strip())
        return self._root_path if forwarded is None else forwarded
