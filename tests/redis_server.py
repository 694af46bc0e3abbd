"""A real Redis server on a free port, which a test may stop and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

import pytest

from tests.http.live import until

PASSWORD = "s3cret/of:the@store"
QUOTED = "s3cret%2Fof%3Athe%40store"


def _no_redis(reason: str) -> Never:
    if os.environ.get("TESTS_NEED_REDIS") == "1":
        pytest.fail(f"TESTS_NEED_REDIS=1, but {reason}")
    pytest.skip(f"THE STORE IN REDIS WAS NOT TESTED: {reason}")


class RedisServer:
    """The server; it keeps nothing on disk."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"redis://:{QUOTED}@127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        address = ("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", PASSWORD)
        no_disk = ("--save", "", "--appendonly", "no", "--loglevel", "warning")
        self._process = subprocess.Popen(
            [self._program, *address, *no_disk, *options], stdout=subprocess.DEVNULL, cwd="/"
        )
        until(lambda: self.ask("PING") == b"+PONG\r\n")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def send(self, told: signal.Signals) -> None:
        """Signal its process."""
        assert self._process is not None
        self._process.send_signal(told)

    def ask(self, command: str) -> bytes:
        """The raw answer to an inline command; nothing if it does not answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
                plain.sendall(f"AUTH {PASSWORD}\r\n{command}\r\nQUIT\r\n".encode())
                _, answer = b"".join(iter(lambda: plain.recv(65_536), b"")).split(b"\r\n", 1)
                return answer.removesuffix(b"+OK\r\n")
        except (ConnectionError, ValueError):
            return b""


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        _no_redis("no redis-server was found; install your system's package redis-server.")
    server = RedisServer(program)
    server.start()
    try:
        yield server
    finally:
        server.stop()
