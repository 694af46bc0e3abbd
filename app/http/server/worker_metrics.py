"""One scrape tells of all workers: whichever is asked asks the others, and each sample says whose it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

_PATIENCE_SECONDS: Final = 1.0
"""Prometheus itself gives up after ten; a worker that hangs must not hide the others."""


class Place(NamedTuple):
    """Which worker this is, of how many, and the folder where all have a socket."""

    folder: Path
    worker: int
    workers: int


class Siblings:
    """The workers of one service."""

    def __init__(self, place: Place, own: Callable[[], bytes]) -> None:
        """Listen to nobody yet.

        Args:
            place: this worker's.
            own: what this worker tells, in Prometheus' text format.
        """
        self._place = place
        self._own = own
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Answer the others from now on."""
        path = self._socket_of(self._place.worker)
        path.unlink(missing_ok=True)  # of the one before, who died
        self._server = await asyncio.start_unix_server(self._tell, path)

    async def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()

    async def exposition(self) -> bytes:
        """What all tell; of one that does not answer, that it is not up."""
        numbers = range(1, self._place.workers + 1)
        told = await asyncio.gather(*map(self._ask, numbers))
        return merge(dict(zip(numbers, told, strict=True)))

    async def _ask(self, number: int) -> str | None:
        if number == self._place.worker:
            return self._own().decode()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._socket_of(number))
                try:
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self._own())
            await writer.drain()
        except ConnectionError:  # the other would not wait any longer
            return
        finally:
            writer.close()

    def _socket_of(self, number: int) -> Path:
        return self._place.folder / str(number)


class _Merged:
    """As much of a registry as the text format needs."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def merge(told: Mapping[int, str | None]) -> bytes:
    """Expositions by worker as one, with a label for the worker; None is one that does not answer."""
    up = GaugeMetricFamily("ugatit_worker_up", "Whether the worker answers.", labels=["worker"])
    families: dict[str, Metric] = {}
    for number, text in told.items():
        up.add_metric([str(number)], float(text is not None))
        for family in text_string_to_metric_families(text or ""):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                merged.add_sample(sample.name, sample.labels | {"worker": str(number)}, sample.value)
    return generate_latest(_Merged([up, *families.values()]))
