"""Who asks: what fair shares are counted by."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.types import Scope

KEY_NAME: Final = "client"
"""Where a request's state holds the name of its API key."""
_IPV6_PREFIX: Final = 64
"""What a provider gives one customer; its addresses are as many as he likes."""


def client_of(scope: Scope) -> str:
    """The name of the client's key, else its address, of IPv6 its network; a trusted proxy names that."""
    name = scope.get("state", {}).get(KEY_NAME)
    if name is not None:
        return str(name)
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a Unix socket, or a test's client
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
