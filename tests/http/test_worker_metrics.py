"""Metrics of all workers in one scrape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.http.server.worker_metrics import WorkerIdentity, WorkerMetrics

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def exposition(requests: int) -> bytes:
    registry = CollectorRegistry()
    Counter("ugatit_requests", "Requests.", ["route"], registry=registry).labels('/a"b').inc(requests)
    Histogram("ugatit_run_seconds", "Runs.", buckets=(1.0,), registry=registry).observe(0.5)
    return generate_latest(registry)


@asynccontextmanager
async def opened(folder: Path, worker: int, requests: int, workers: int = 2) -> AsyncIterator[WorkerMetrics]:
    worker_metrics = WorkerMetrics(WorkerIdentity(folder, worker, workers), lambda: exposition(requests))
    await worker_metrics.open()
    try:
        yield worker_metrics
    finally:
        await worker_metrics.close()


def samples(text: bytes, name: str) -> dict[str, float]:
    """Return the values of a metric by worker."""
    families = text_string_to_metric_families(text.decode())
    return {
        each.labels["worker"]: each.value
        for family in families
        for each in family.samples
        if each.name == name
    }


async def test_each_worker_answers_the_metrics_of_all_workers(tmp_path: Path) -> None:
    async with opened(tmp_path, 1, 3) as one, opened(tmp_path, 2, 5) as two:
        for worker in (one, two):
            scraped = await worker.exposition()
            assert samples(scraped, "ugatit_requests_total") == {"1": 3, "2": 5}
            assert samples(scraped, "ugatit_run_seconds_count") == {"1": 1, "2": 1}
            assert scraped.decode().count("# TYPE ugatit_requests_total counter") == 1
            assert b'route="/a\\"b"' in scraped


async def test_dead_worker_is_reported_down_until_its_successor_starts(tmp_path: Path) -> None:
    async with opened(tmp_path, 1, 3) as one:
        async with opened(tmp_path, 2, 5):
            pass
        scraped = await one.exposition()
        assert samples(scraped, "ugatit_worker_up") == {"1": 1, "2": 0}
        assert samples(scraped, "ugatit_requests_total") == {"1": 3}
        (tmp_path / "2").touch()  # left by a killed process
        async with opened(tmp_path, 2, 1):
            assert samples(await one.exposition(), "ugatit_worker_up") == {"1": 1, "2": 1}


async def test_hanging_worker_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.server.worker_metrics._TIMEOUT_SECONDS", 0.05)
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with opened(tmp_path, 1, 3) as one, await asyncio.start_unix_server(hang, tmp_path / "2"):
        assert samples(await one.exposition(), "ugatit_worker_up") == {"1": 1, "2": 0}
        over.set()
