"""What the sync and the async client share: their settings, and the errors of httpx2 that allow a retry."""

from __future__ import annotations

from typing import Any, Final

import httpx2

from ugatit_client.calls import Answer, Call
from ugatit_client.exchange import Exchange

DEADLINE_SECONDS: Final = 60.0
CACHE_BYTES: Final = 16 * 1024**2
BROKEN: Final = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)
"""Errors of a connection that worked before. A translation changes nothing, so it may be sent again."""


def client_headers(api_key: str | None) -> dict[str, str]:
    """Return the headers of every request."""
    key = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    return {"User-Agent": "ugatit-client/0.1.0", **key}


def request_of(
    client: httpx2.Client | httpx2.AsyncClient, call: Call[Any], exchange: Exchange[Any]
) -> httpx2.Request:
    """Return the next attempt as a request; each read and write waits no longer than the deadline."""
    return client.build_request(
        call.method,
        call.path,
        params=call.params,
        headers=exchange.headers,
        content=call.content,
        timeout=exchange.remaining(),
    )


def answer_of(response: httpx2.Response, content: bytes) -> Answer:
    """Return a response that was read."""
    return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)
