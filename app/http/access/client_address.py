"""Identify the client of a request, for fair shares and rate limits."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.types import Scope

from app.http.monitoring.request_record import key_client_of

_IPV6_PREFIX: Final = 64
"""Providers assign a /64 network to each customer, who can use any of its addresses."""


def client_of(scope: Scope) -> str:
    """Return the name of the client's API key, else its IPv4 address or IPv6 network.

    A trusted proxy's X-Forwarded-For has already replaced the proxy's address in the scope.
    """
    name = key_client_of(scope)
    if name is not None:
        return name
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a Unix socket or a test client
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
