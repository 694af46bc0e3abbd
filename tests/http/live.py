"""A real server on a real socket, in a thread of the test."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from app.engine.interface import Engine
from app.http.server.server import Server, open_socket
from app.settings.settings import Settings


class Live:
    """A running server, with methods to send requests."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.engine = engine
        listening = open_socket("127.0.0.1", 0)
        self.address = listening.getsockname()
        self.server = Server(settings, engine)
        self.thread = threading.Thread(target=self.server.run, args=([listening],), daemon=True)

    @property
    def url(self) -> str:
        """The server's address."""
        host, port = self.address
        return f"http://{host}:{port}"

    def connect(self) -> closing[http.client.HTTPConnection]:
        """Return a connection for several requests."""
        return closing(http.client.HTTPConnection(*self.address, timeout=60))

    def ask(self, method: str, path: str, body: Any = None, headers: Any = None) -> tuple[int, Any]:
        """Send one request on a new connection; return its status and JSON."""
        with self.connect() as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    @contextmanager
    def raw(self, data: bytes) -> Iterator[socket.socket]:
        """Open a socket and send bytes."""
        with socket.create_connection(self.address, timeout=60) as plain:
            plain.sendall(data)
            yield plain

    def answer(self, data: bytes) -> bytes:
        """Send bytes; return everything the server sends until it closes the connection."""
        with self.raw(data) as plain:
            return read_all(plain)


@contextmanager
def serving(settings: Settings, engine: Engine) -> Iterator[Live]:
    """Run a server that is ready; stop it at the end."""
    live = Live(settings, engine)
    live.thread.start()
    try:
        while live.ask("GET", "/readyz")[0] != 200:
            time.sleep(0.001)
        yield live
    finally:
        if live.thread.is_alive():
            live.server.stop()
            live.thread.join(60)
            assert not live.thread.is_alive(), "the server did not stop"


def read_all(plain: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    return b"".join(iter(lambda: plain.recv(65_536), b""))


def body_of(answer: bytes) -> dict[str, Any]:
    """Return the JSON of a raw HTTP answer."""
    fields: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return fields


def held(live: Live) -> int:
    """Return the number of held permits."""
    return live.engine.registry["cat2dog"].admission.held


def metric(live: Live, name: str) -> float:
    """Return the value of a metric."""
    with live.connect() as connection:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "the condition was not met within 60 s"
        time.sleep(0.001)


def head(path: str, headers: str, method: str = "POST") -> bytes:
    """Return the head of a raw request."""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()
