"""Check a container's health: exit with 0 if the service answers a path with 200, else with 1."""

from __future__ import annotations

import http.client
import os
import sys

DEFAULT_PORT = 8000


def port() -> int:
    """Return the service's port, or the default if UGATIT_PORT is not a number.

    For a Service named ugatit, Kubernetes sets UGATIT_PORT to a URL such as tcp://10.96.12.7:8000.
    """
    given = os.environ.get("UGATIT_PORT", "")
    return int(given) if given.isdecimal() else DEFAULT_PORT


def answers(path: str) -> bool:
    """Return whether GET of a path, such as /readyz, gets 200 within three seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port(), timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
