"""The clients of a load benchmark, in a process of their own: they share no interpreter with the service.

The process reads one job per line from standard input and writes one result per line, both as JSON. A few
threads with plain sockets use little of the measured cores.
"""

from __future__ import annotations

import json
import random
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from typing import Any

_WORKERS = 16
"""Concurrent requests of an open loop: as many as the service queues."""


@dataclass
class Job:
    """The requests of one measurement."""

    host: str
    port: int
    path: str
    file: str
    """Path of the body, a JPEG."""
    accept: str
    pictures: int
    """Number of measured answers; some warm-up requests come before them."""
    clients: int = 0
    """Clients of a closed loop; each sends its next request after an answer."""
    rate: float = 0.0
    """Requests per second of an open loop, independent of the answers."""
    poisson: bool = False
    """Whether an open loop's requests are sent at random times instead of evenly."""
    seconds: float = 0.0
    """If not 0: a closed loop ends after this time instead of a number of pictures."""
    address: str = "127.0.0.1"
    """Of the clients: the service shares its queue between addresses."""


@dataclass
class Result:
    """The measured answers of one job."""

    seconds: list[float] = field(default_factory=list)
    """Seconds of each request, from its scheduled time to the end of its answer."""
    statuses: dict[str, int] = field(default_factory=dict)
    span_seconds: float = 0.0
    """Seconds from the first to the last measured answer."""
    stages_ms: dict[str, float] = field(default_factory=dict)
    """Median milliseconds of each stage, from the service's `Server-Timing`."""
    requests: int = 0
    """Number of all requests, including those before and after the measured answers."""


class Clients:
    """The client process, for use by a benchmark."""

    def __enter__(self) -> Clients:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, job: Job) -> Result:
        """Run a job and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        return Result(**json.loads(self._process.stdout.readline()))


class _Answers:
    """The answers received so far."""

    def __init__(self, job: Job) -> None:
        body = Path(job.file).read_bytes()
        fields = f"Accept: {job.accept}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
        self.request = f"POST {job.path} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n".encode() + body
        self.job = job
        self._answers: list[tuple[float, float, int, str]] = []
        self._lock = threading.Lock()

    def add(self, since: float, status: int, timing: str) -> None:
        now = time.perf_counter()
        with self._lock:
            self._answers.append((now, now - since, status, timing))

    def __len__(self) -> int:
        return len(self._answers)

    def result(self, *, skip: int) -> Result:
        result, stages = Result(requests=len(self)), dict[str, list[float]]()
        last = None if self.job.seconds else skip + self.job.pictures + 1
        answers = sorted(self._answers)[skip:last]
        for _, seconds, status, timing in answers[1:]:
            result.seconds.append(seconds)
            result.statuses[str(status)] = result.statuses.get(str(status), 0) + 1
            for stage, milliseconds in re.findall(r"(\w+);dur=([\d.]+)", timing):
                stages.setdefault(stage, []).append(float(milliseconds))
        result.span_seconds = answers[-1][0] - answers[0][0]
        result.stages_ms = {stage: round(median(values), 2) for stage, values in stages.items()}
        return result


def main() -> None:
    """Run jobs until standard input ends."""
    for line in sys.stdin:
        job = Job(**json.loads(line))
        result = _open_loop(job) if job.rate else _closed_loop(job)
        print(json.dumps(asdict(result)), flush=True)


def _closed_loop(job: Job) -> Result:
    answers, end = _Answers(job), time.perf_counter() + job.seconds

    def goes_on() -> bool:
        if job.seconds:
            return time.perf_counter() < end
        return len(answers) < 2 * job.clients + job.pictures + 1

    def client() -> None:
        with _connect(job) as connection:
            while goes_on():
                since = time.perf_counter()
                answers.add(since, *_request(connection, answers.request))

    _run_threads([threading.Thread(target=client) for _ in range(job.clients)])
    return answers.result(skip=2 * job.clients)


def _open_loop(job: Job) -> Result:
    answers, due = _Answers(job), SimpleQueue[float | None]()
    pauses = random.Random(0)  # not used for secrets

    def worker() -> None:
        while (since := due.get()) is not None:
            with _connect(job) as connection:
                answers.add(since, *_request(connection, answers.request))

    def arrivals() -> None:
        at = time.perf_counter()
        for _ in range(job.pictures + 1):
            time.sleep(max(0.0, at - time.perf_counter()))
            due.put(at)
            at += pauses.expovariate(job.rate) if job.poisson else 1 / job.rate
        for _ in range(_WORKERS):
            due.put(None)

    _run_threads(
        [threading.Thread(target=worker) for _ in range(_WORKERS)] + [threading.Thread(target=arrivals)]
    )
    return answers.result(skip=0)


def _connect(job: Job) -> socket.socket:
    return socket.create_connection((job.host, job.port), source_address=(job.address, 0))


def _run_threads(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _request(connection: socket.socket, request: bytes) -> tuple[int, str]:
    """Send one request; return the status and Server-Timing of its answer, whose body is dropped."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    fields: dict[str, Any] = dict(re.findall(r"\r\n([\w-]+): ([^\r]*)", head.decode("latin-1").lower()))
    left = int(fields.get("content-length", 0)) - len(body)
    while left > 0:
        left -= len(_receive(connection))
    return int(head[9:12]), fields.get("server-timing", "")


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    assert data, "the service closed the connection in the middle of an answer"
    return data


if __name__ == "__main__":
    main()
