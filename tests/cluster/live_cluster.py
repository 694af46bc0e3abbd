"""A cluster that `ugatit cluster up` started, and clients that load it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.cli.command import ROOT, environment
from tests.photos import photo


class Reply(NamedTuple):
    """The answer to one request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON of the body."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields


class LiveCluster:
    """A running cluster."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self.port = int(variables["UGATIT_PORT"])

    def ugatit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the cluster."""
        command = [sys.executable, "-m", "app", "cluster", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self._variables, capture_output=True, text=True, check=False, timeout=600
        )

    def status(self) -> dict[str, Any]:
        """Return what `status --json` prints."""
        result = self.ugatit("status", "--json")
        assert result.returncode == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def pids(self) -> list[int]:
        """Return the replicas that run."""
        return [each["pid"] for each in self.status()["replicas"] if each["state"] == "running"]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request on a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            connection.request(
                method, path, body, {name.replace("_", "-"): each for name, each in headers.items()}
            )
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def translate(self, seed: int = 1, **headers: str) -> Reply:
        """Translate a picture."""
        return self.ask("POST", "/translate?direction=cat2dog", photo(seed=seed), **headers)

    def load(self, requests: int, clients: int, *, after: int, do: Callable[[], None]) -> list[Reply]:
        """Send requests by several clients; after some of them, do something to the cluster."""
        sent, lock = 0, threading.Lock()

        def one(number: int) -> Reply:
            nonlocal sent
            with lock:
                sent += 1
                acts = sent == after
            if acts:
                do()
            return self.translate(number)

        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(one, range(requests)))


@contextmanager
def cluster_up(bundles: Path, *options: str, **settings: str) -> Iterator[LiveCluster]:
    """Start a cluster; stop it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = environment(UGATIT_PORT=str(port), UGATIT_BUNDLES_DIR=str(bundles), **settings)
    cluster = LiveCluster(variables)
    started = cluster.ugatit("up", *options)
    assert started.returncode == 0, started.stderr
    try:
        yield cluster
    finally:
        stopped = cluster.ugatit("down")
        assert stopped.returncode == 0, stopped.stderr


def statuses(replies: list[Reply]) -> Counter[int]:
    """Count the replies by their status."""
    return Counter(reply.status for reply in replies)


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process."""
    os.kill(pid, number)


def wait(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until a condition holds, in seconds: processes start and end."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
