"""The container's health check: exit code 0 if the service answers a path with 200, else 1."""

from __future__ import annotations

import http.client
import os
import sys


def answers(path: str) -> bool:
    """Whether GET of a path, such as /readyz, is answered with 200 within three seconds."""
    port = int(os.environ.get("UGATIT_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
