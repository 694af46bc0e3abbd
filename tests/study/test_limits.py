"""Test on a real socket that a study has the limits of the service's server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.http.server.server import open_socket
from app.http.study.app import study_server
from app.settings.settings import Settings
from tests.http.live import body_of, read_all
from tests.study.making import open_study


@contextmanager
def serving(folder: Path, **settings: float) -> Iterator[tuple[str, int]]:
    """Serve a study; yield its address."""
    listening = open_socket("127.0.0.1", 0)
    server = study_server(Settings(**settings), open_study(folder, pictures=2))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield listening.getsockname()
    server.stop()
    thread.join(60)
    assert not thread.is_alive(), "the server did not stop"


def answer(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes; return everything until the server closes the connection."""
    with socket.create_connection(address, timeout=60) as plain:
        plain.sendall(data)
        return read_all(plain)


def test_headers_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        refused = answer(address, b"GET /study HTTP/1.1\r\nX: " + b"x" * 70_000)
    assert body_of(refused)["code"] == "malformed_request"


def test_headers_and_bodies_that_never_end_are_refused_in_time(tmp_path: Path) -> None:
    with serving(tmp_path, request_read_seconds=0.2) as address:
        assert body_of(answer(address, b"GET /study HTTP/1.1\r\n"))["code"] == "headers_timeout"
        head = b"PUT /participants/x/pictures/1/vote HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"
        assert body_of(answer(address, head + b'{"choice"'))["code"] == "body_timeout"


def test_connections_beyond_the_limit_make_room(tmp_path: Path) -> None:
    with serving(tmp_path, max_connections=2) as address:
        silent = [socket.create_connection(address, timeout=60) for _ in range(4)]
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert b"200 OK" in answer(address, request)
        for each in silent:
            each.close()
