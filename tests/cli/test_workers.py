"""`ugatit serve --workers`: worker processes that share an address and a store, and their supervisor."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment, signals_delivered, ugatit
from tests.cli.test_serve import connect, until_ready
from tests.http.live import until as until_soon
from tests.photos import photo
from tests.redis_server import RedisServer, running_redis
from tests.tiny_bundle import write_tiny_bundle

URL = "/translate?direction=cat2dog&format=jpeg"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Service:
    """A running supervisor and its log."""

    def __init__(self, process: subprocess.Popen[str], host: str, log: Path) -> None:
        self.process = process
        self.host = host
        self._log = log

    @property
    def workers(self) -> set[int]:
        """The process ids of the workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return set(map(int, path.read_text().split()))

    def lines(self, start: str) -> list[dict[str, Any]]:
        """Return the log lines whose message starts with `start`."""
        whole, _, _being_written = self._log.read_text().rpartition("\n")
        records = [json.loads(line) for line in whole.splitlines()]
        return [line for line in records if line["message"].startswith(start)]

    def workers_that_logged(self, start: str) -> set[int]:
        """Return the numbers of the workers with such a log line."""
        return {line["worker"] for line in self.lines(start)}


@contextmanager
def serving(folder: Path, redis: RedisServer, workers: int = 2) -> Iterator[Service]:
    """Run a service whose workers are all ready."""
    write_tiny_bundle(folder / "bundles")
    settings = {
        "UGATIT_PORT": "0",
        "UGATIT_BUNDLES_DIR": str(folder / "bundles"),
        "UGATIT_LOG_FORMAT": "json",
    }
    log = folder / "log"
    with log.open("w") as stderr, signals_delivered():
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--workers", str(workers)],
            env=environment(UGATIT_STORE_URL=redis.url, **settings),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        address = re.search(r"http://(\S+)", process.stdout.readline())
        assert address is not None, log.read_text()
        service = Service(process, address[1], log)
        until(lambda: service.workers_that_logged("cat2dog is ready") == set(range(1, workers + 1)))
        until_ready(service.host)
        yield service
    finally:
        process.kill()
        process.communicate()


def until(condition: Any) -> None:
    """Wait for a condition that may need several starts of a process."""
    for _ in range(9):
        try:
            return until_soon(condition)
        except AssertionError:
            continue
    return until_soon(condition)


def ask(service: Service, method: str, path: str) -> tuple[int, bytes]:
    with connect(service.host) as connection:
        connection.request(method, path, photo() if method == "POST" else None, {"Content-Type": "image/png"})
        response = connection.getresponse()
        return response.status, response.read()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_share_heat_maps_restart_after_death_and_stop_together(
    tmp_path: Path, redis: RedisServer
) -> None:
    with serving(tmp_path, redis) as service, ThreadPoolExecutor(8) as pool:

        def translate_and_ask(_: int) -> tuple[int, int]:
            status, body = ask(service, "POST", URL)
            href = json.loads(body)["attention"]["href"]
            return status, ask(service, "GET", f"{href}&network=local&view=raw")[0]

        def both_served() -> bool:
            assert set(pool.map(translate_and_ask, range(16))) == {(200, 200)}
            return (
                service.workers_that_logged("POST /translate 200")
                == service.workers_that_logged("GET /attention 200")
                == {1, 2}
            )

        until(both_served)

        service.process.send_signal(signal.SIGHUP)
        until(lambda: service.workers_that_logged("SIGHUP received") == {1, 2})

        before = service.workers
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(service.workers - before) == 1 and len(service.workers) == 2)
        (restart,) = service.lines("Worker ")
        assert f"process {min(before)}) ended with -9; another starts" in restart["message"]
        until(lambda: len(service.lines("cat2dog is ready")) == 3)
        until(both_served)

        scraped = ask(service, "GET", "/metrics")[1].decode()
        for worker in (1, 2):
            assert f'ugatit_worker_up{{worker="{worker}"}} 1.0' in scraped
            assert (
                f'ugatit_direction_state{{direction="cat2dog",state="ready",worker="{worker}"}} 1.0'
                in scraped
            )

        last = service.workers
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        assert not any(map(alive, last))
        assert {line["level"] for line in service.lines("")} == {"info", "error"}


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_that_start_together_leave_sighup_unblocked(
    tmp_path: Path, redis: RedisServer, workers: int
) -> None:
    with serving(tmp_path, redis, workers) as service:
        status = Path(f"/proc/{service.process.pid}/status").read_text()
        blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", status, re.MULTILINE)
        assert blocked is not None
        assert not int(blocked[1], 16) & 1 << (signal.SIGHUP - 1)


def test_workers_stop_when_their_supervisor_is_killed(tmp_path: Path, redis: RedisServer) -> None:
    with serving(tmp_path, redis) as service:
        workers = service.workers
        service.process.kill()
        until(lambda: not any(map(alive, workers)))
        assert service.workers_that_logged("Stopping") == {1, 2}


def test_several_workers_without_a_shared_store_are_refused() -> None:
    result = ugatit("serve", "--workers", "2")
    assert result.returncode == 2
    assert result.stderr.startswith("ugatit: UGATIT_WORKERS=2 require a shared store")
    assert result.stderr.count("\n") == 1


def test_usage_error_of_every_worker_is_not_retried(redis: RedisServer) -> None:
    result = ugatit(
        "serve", UGATIT_WORKERS="2", UGATIT_STORE_URL=redis.url, UGATIT_REQUIRE_GPU="1", UGATIT_PORT="0"
    )
    assert result.returncode == 2
    assert result.stderr.count("UGATIT_REQUIRE_GPU is set") in (1, 2)
    assert "another starts" not in result.stderr


def test_invalid_key_file_is_reported_once(tmp_path: Path, redis: RedisServer) -> None:
    variables = {
        "UGATIT_STORE_URL": redis.url,
        "UGATIT_API_KEYS_FILE": str(tmp_path / "none"),
        "UGATIT_PORT": "0",
    }
    result = ugatit("serve", "--workers", "2", **variables)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "UGATIT_API_KEYS_FILE" in result.stderr
