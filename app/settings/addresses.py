"""Parse addresses in settings: proxies, origins, path prefixes and the store's URL."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ROOT_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
_LONGEST_ROOT_PATH: Final = 256


def split_list(text: str) -> list[str]:
    """Return the entries of a comma-separated list."""
    return [entry for each in text.split(",") if (entry := each.strip())]


def normalized_origin(text: str) -> str | None:
    """Return an origin as browsers send it, in lower case and without the default port; None if invalid."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def normalized_root_path(text: str) -> str | None:
    """Return a root path without its last slash; None if it is not a path.

    `/` is the empty root path. `.` and `..` are refused as segments, and `//`, which would start a host name.
    """
    path = text.removesuffix("/")
    if not path:
        return ""
    valid = len(path) <= _LONGEST_ROOT_PATH and _ROOT_PATH.fullmatch(path)
    return path if valid and not {".", ".."} & set(path.split("/")) else None


def require_origins(text: str) -> None:
    """Check UGATIT_CORS_ORIGINS.

    Raises:
        ValueError: an entry is not an origin.
    """
    for origin in split_list(text):
        if normalized_origin(origin) is None:
            raise ValueError(
                "UGATIT_CORS_ORIGINS must list origins without a path, as https://site.example or "
                f"http://localhost:3000, got {origin!r}."
            )


def require_networks(text: str) -> None:
    """Check UGATIT_TRUSTED_PROXIES. A host name would never match, so it is refused.

    Raises:
        ValueError: an entry is neither an IP address nor a network in CIDR notation.
    """
    for proxy in split_list(text):
        if text != "*" and not _is_network(proxy):
            raise ValueError(
                "UGATIT_TRUSTED_PROXIES must list addresses or networks, as 10.0.0.7 or 10.0.0.0/8, "
                f"got {proxy!r}."
            )


def require_redis(url: str) -> None:
    """Check UGATIT_STORE_URL. The message does not repeat the URL, which may contain a password.

    Raises:
        ValueError: it is neither empty nor the URL of a Redis server.
    """
    if url and not _is_redis(url):
        raise ValueError(
            "UGATIT_STORE_URL must be a Redis address such as redis://host:6379/0 or "
            "rediss://user:password@host/0; percent-encode special characters in its password."
        )


def is_within(host: str, networks: str) -> bool:
    """Return whether an IP address is in one of the listed networks; `*` includes every host."""
    if networks == "*":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a Unix socket or a test client
        return False
    return any(address in ipaddress.ip_network(network) for network in split_list(networks))


def _is_network(text: str) -> bool:
    try:
        return bool(ipaddress.ip_network(text))
    except ValueError:
        return False


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
