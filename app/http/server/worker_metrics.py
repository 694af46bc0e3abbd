"""Metrics of all workers in one scrape: the scraped worker reads the others' and labels every sample."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_SECONDS: Final = 1.0
"""Prometheus itself gives up after ten seconds; a worker that hangs must not hide the others."""


class WorkerIdentity(NamedTuple):
    """The number of this worker, the count of all workers, and the directory of their sockets."""

    socket_dir: Path
    number: int
    workers: int


class WorkerMetrics:
    """The metrics of all workers of one service, exchanged over one Unix socket per worker."""

    def __init__(self, identity: WorkerIdentity, own: Callable[[], bytes]) -> None:
        """Prepare without opening a socket.

        Args:
            identity: which worker this is.
            own: returns this worker's metrics in Prometheus' text format.
        """
        self._identity = identity
        self._own = own
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Start to serve this worker's metrics to the other workers."""
        path = self._socket_of(self._identity.number)
        path.unlink(missing_ok=True)  # left by the worker that had this number and died
        self._server = await asyncio.start_unix_server(self._send_own, path)

    async def close(self) -> None:
        """Stop serving this worker's metrics."""
        if self._server is not None:
            self._server.close()

    async def exposition(self) -> bytes:
        """Return the metrics of all workers; `ugatit_worker_up` is 0 for one that does not answer."""
        numbers = range(1, self._identity.workers + 1)
        expositions = await asyncio.gather(*map(self._fetch, numbers))
        return merge(dict(zip(numbers, expositions, strict=True)))

    async def _fetch(self, number: int) -> str | None:
        if number == self._identity.number:
            return self._own().decode()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._socket_of(number))
                try:
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    async def _send_own(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self._own())
            await writer.drain()
        except ConnectionError:  # the other worker timed out
            return
        finally:
            writer.close()

    def _socket_of(self, number: int) -> Path:
        return self._identity.socket_dir / str(number)


class _Merged:
    """As much of a registry as the text format needs."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def merge(expositions: Mapping[int, str | None]) -> bytes:
    """Merge the expositions of several workers into one and label each sample with its worker.

    Args:
        expositions: Prometheus' text format by worker number; None for a worker that does not answer.
    """
    up = GaugeMetricFamily("ugatit_worker_up", "Whether the worker answers.", labels=["worker"])
    families: dict[str, Metric] = {}
    for number, text in expositions.items():
        up.add_metric([str(number)], float(text is not None))
        for family in text_string_to_metric_families(text or ""):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, sample.labels | {"worker": str(number)}, sample.value)
    return generate_latest(_Merged([up, *families.values()]))
