"""Addresses in settings: proxies, origins, prefixes and the store's URL."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ROOT_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
_LONGEST_ROOT_PATH: Final = 256


def listed(text: str) -> list[str]:
    """Return the entries of a list that commas separate."""
    return [entry for each in text.split(",") if (entry := each.strip())]


def origin_of(text: str) -> str | None:
    """Return an origin as browsers send it: lower case, without its default port; None if it is no origin."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def root_path_of(text: str) -> str | None:
    """Return the path under which a proxy serves, without a slash at its end; None if it is no path.

    `/` is the empty root path. `.` and `..` are no paths, nor is `//`, which would begin a host's name.
    """
    path = text.removesuffix("/")
    if not path:
        return ""
    sound = len(path) <= _LONGEST_ROOT_PATH and _ROOT_PATH.fullmatch(path)
    return path if sound and not {".", ".."} & set(path.split("/")) else None


def is_network(text: str) -> bool:
    """Return whether a text is an address or a network in CIDR notation."""
    try:
        return bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def is_within(host: str, networks: str) -> bool:
    """Return whether a host's address is in one of the listed networks; `*` holds every host."""
    if networks == "*":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a Unix socket, or a test's client
        return False
    return any(address in ipaddress.ip_network(network) for network in listed(networks))


def is_redis(url: str) -> bool:
    """Return whether a URL names a Redis server."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
