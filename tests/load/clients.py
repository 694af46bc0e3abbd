"""Clients that load a service: closed loop (each waits for its answer) and open loop (none waits)."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from typing import NamedTuple

from tests.http.live import head
from tests.load.service import Service
from tests.photos import photo

PICTURE = photo()
_HEADERS = f"Content-Type: image/png\r\nContent-Length: {len(PICTURE)}\r\nConnection: close\r\n"
POST = head("/translate?direction=cat2dog", f"{_HEADERS}Accept: image/png\r\n") + PICTURE
HEALTH = head("/healthz", "Connection: close\r\n", "GET")


class Answer(NamedTuple):
    """The answer to one request, and its time."""

    status: int
    """0 without an answer."""
    seconds: float
    retry_after: bool
    at: float
    """When it was complete, on `time.perf_counter`."""


class Answers(list[Answer]):
    """All answers of a phase."""

    def statuses(self) -> Counter[int]:
        """Count the answers by status."""
        return Counter(answer.status for answer in self)

    def seconds(self, status: int) -> list[float]:
        """Return the sorted durations of the answers with a status."""
        return sorted(answer.seconds for answer in self if answer.status == status)


async def ask(service: Service, request: bytes) -> Answer:
    """Send one request on a new connection and read its answer to the end."""
    started = time.perf_counter()
    answer = b""
    try:
        reader, writer = await asyncio.open_connection(service.host, service.port)
        try:
            writer.write(request)
            answer = await reader.read()
        finally:
            writer.close()
    except OSError:
        pass
    now = time.perf_counter()
    status = int(answer[9:12]) if _whole(answer) else 0
    return Answer(status, now - started, b"\r\nretry-after: " in answer.lower(), now)


def _whole(answer: bytes) -> bool:
    """Return whether an answer is as long as its Content-Length."""
    headers, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", headers, re.IGNORECASE)
    return length is not None and len(body) == int(length[1])


async def closed_loop(service: Service, *, clients: int, seconds: float) -> Answers:
    """Run clients that send the next request as soon as they have an answer."""
    answers, end = Answers(), time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < end:
            answers.append(await ask(service, POST))

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


async def open_loop(service: Service, *, rate: float, seconds: float, request: bytes = POST) -> Answers:
    """Send a request every 1 / rate seconds without waiting for earlier ones."""
    asking: list[asyncio.Task[Answer]] = []
    begin = time.perf_counter()
    for index in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + index / rate - time.perf_counter()))
        asking.append(asyncio.create_task(ask(service, request)))
    return Answers(await asyncio.gather(*asking))


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which a share of the values is."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
