"""The time limit of a body by its progress: slow uploads succeed, silent and too slow ones time out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.engine.errors import Draining
from app.http.middleware.body_limits import BodyLimits
from app.http.middleware.body_memory import BodyMemory
from app.http.middleware.body_pace import PaceLimits
from app.http.problems.request_errors import BodyTimeout
from app.settings.settings import Settings
from tests.http.virtual_time import run

DEFAULTS = Settings()
LIMITS = PaceLimits(
    DEFAULTS.request_read_seconds, DEFAULTS.body_min_bytes_per_second, DEFAULTS.body_read_seconds
)
Piece = tuple[float, int]
"""Seconds of silence, then a number of bytes."""


class Upload:
    """A client that sends one body slowly to an application that reads all of it."""

    def __init__(self, pieces: Iterable[Piece], *, leaves_at: float = float("inf")) -> None:
        self.pieces = iter(pieces)
        self.leaves_at = leaves_at
        self.received_bytes = 0
        self.refusal: Exception | None = None
        self.seconds = run(self._exchange())

    async def _exchange(self) -> None:
        body_memory = BodyMemory(DEFAULTS.receiving_bytes)
        loop = asyncio.get_running_loop()
        wrapped = BodyLimits(
            self._application,
            limit_bytes=DEFAULTS.body_limit_bytes,
            pace=LIMITS,
            body_memory=body_memory,
            stopping=lambda: loop.time() >= self.leaves_at,
        )
        headers = [(b"transfer-encoding", b"chunked")]
        await wrapped({"type": "http", "headers": headers, "client": None}, self._receive, self._send)
        assert body_memory.held_bytes == 0

    async def _receive(self) -> Message:
        piece = next(self.pieces, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        seconds, count = piece
        await asyncio.sleep(seconds)
        return {"type": "http.request", "body": bytes(count), "more_body": True}

    async def _application(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        try:
            while (message := await receive()).get("more_body"):
                self.received_bytes += len(message["body"])
        except (BodyTimeout, Draining) as refusal:
            self.refusal = refusal

    async def _send(self, message: Message) -> None:
        raise AssertionError(f"unexpected answer: {message}")


SILENCE: list[Piece] = [(86_400, 1)]


def steady(rate: int, total: int) -> list[Piece]:
    """Return `total` bytes at `rate` bytes per second, in pieces of 0.1 s."""
    return [(0.1, rate // 10)] * (10 * total // rate)


def test_4_mb_at_50_kilobytes_per_second_is_accepted() -> None:
    upload = Upload(steady(50_000, 4_000_000))
    assert upload.refusal is None
    assert upload.received_bytes == 4_000_000
    assert upload.seconds == pytest.approx(80)


def test_largest_body_at_50_kilobytes_per_second_is_accepted() -> None:
    assert Upload(steady(50_000, DEFAULTS.body_limit_bytes)).refusal is None


def test_body_with_pauses_of_ten_seconds_is_accepted() -> None:
    assert Upload([(10, 50_000), *steady(50_000, 500_000)] * 4).refusal is None


def test_short_body_within_the_first_window_needs_no_minimum_rate() -> None:
    assert Upload([(14, 100)]).refusal is None


@pytest.mark.parametrize("sent", [0, 1, 1000, 3_000_000])
def test_silent_body_times_out_after_one_window(sent: int) -> None:
    upload = Upload([*([(0.0, sent)] if sent else []), *SILENCE])
    assert isinstance(upload.refusal, BodyTimeout)
    assert upload.seconds == pytest.approx(15)


@pytest.mark.parametrize("rate", [10, 1000, 1900])
def test_body_below_the_minimum_rate_times_out_after_one_window(rate: int) -> None:
    upload = Upload(steady(rate, 100 * rate))
    assert isinstance(upload.refusal, BodyTimeout)
    assert upload.seconds == pytest.approx(15, abs=0.2)
    assert "30,000 bytes" in str(upload.refusal)
    assert "within 15 seconds" in str(upload.refusal)


def test_fast_start_extends_a_slow_body_by_at_most_one_window() -> None:
    upload = Upload([(0, 5_000_000), *steady(1000, 1_000_000)])
    assert upload.seconds == pytest.approx(15, abs=0.2)


def test_body_at_the_minimum_rate_times_out_after_the_total_time() -> None:
    upload = Upload(steady(2500, 10_000_000))
    assert upload.seconds == pytest.approx(600)
    assert str(upload.refusal) == (
        "The body must be complete within 600 seconds; send a smaller picture or use a faster connection."
    )


def test_slow_body_is_refused_when_the_service_stops() -> None:
    upload = Upload(steady(50_000, 4_000_000), leaves_at=20)
    assert isinstance(upload.refusal, Draining)
    assert upload.seconds == pytest.approx(20, abs=0.2)
