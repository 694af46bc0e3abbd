"""Damaged HTTP on a real socket gets a response, a problem, or a closed connection."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine
from tests.fuzz.amounts import amount
from tests.fuzz.mutants import damage
from tests.http.live import Live, serving
from tests.photos import photo

BODY = photo(8, 8)
TRANSLATE = b"POST /translate?direction=cat2dog HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
REQUESTS = [
    TRANSLATE + LENGTH + b"\r\n" + BODY,
    TRANSLATE + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    TRANSLATE + UPGRADE + LENGTH + b"\r\n" + BODY,
    TRANSLATE + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n" + BODY,
    b"GET /attention?id=x&size=5&network=local HTTP/1.1\r\nHost: x\r\nAccept: image/png;q=0.5\r\n\r\n",
    b"GET /page/page.js HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5\r\nIf-None-Match: *\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n\r\n" * 3,
]
TELLING = (
    b"",
    b"\r\n",
    b"\n",
    b"\0",
    b" ",
    b":",
    b";",
    b",",
    b"%",
    b"%00",
    b"?",
    b"/",
    b"\xff",
    b"0",
    b"9" * 20,
    b"-",
    b"x",
)
STATUSES = {100, 200, 204, 304, 400, 404, 405, 406, 408, 413, 415, 422}


def test_damaged_requests_get_a_problem_or_a_closed_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    settings = Settings(bundles_dir=tmp_path / "bundles", attention_max_entries=4, request_read_seconds=0.3)
    first, count = amount("SEED", 0), amount("WIRE_MUTANTS", 300)
    with serving(settings, fake_engine(settings, FakeModel())) as live, ThreadPoolExecutor(16) as pool:
        seeds = range(first, first + count)
        heads = pool.map(lambda seed: exchange(live, damaged(seed)), seeds)
        statuses = Counter(map(status_of, heads, seeds))
        assert live.ask("GET", "/readyz")[0] == 200
    assert [record.getMessage() for record in caplog.records] == []
    print(f"{count:,} damaged requests from seed {first}: {dict(statuses)}")
    assert {200, 400, 404, 422} <= statuses.keys() or count < 300


def damaged(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    request = REQUESTS[random.integers(len(REQUESTS))]
    if random.random() < 0.1:
        return damage(request, random)
    for _ in range(random.integers(1, 3)):  # a request is short: little is enough
        at = int(random.integers(len(request)))
        telling = TELLING[random.integers(len(TELLING))]
        request = request[:at] + telling + request[at + int(random.integers(3)) :]
    return request


def exchange(live: Live, request: bytes) -> bytes:
    """Return the head of the server's first response, within its deadlines."""
    with live.raw(request) as plain, contextlib.suppress(ConnectionResetError):
        return plain.recv(65_536).partition(b"\r\n\r\n")[0]
    return b""


def status_of(head: bytes, seed: int) -> int:
    """Return the status, which must be a documented one; 0 if the server closed the connection."""
    if not head:
        return 0
    status = int(head[9:12])
    assert status in STATUSES, f"seed {seed}: {head!r}"
    if status >= 400:
        assert b"content-type: application/problem+json" in head.lower(), f"seed {seed}: {head!r}"
    return status
