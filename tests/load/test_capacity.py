"""Load at the capacity and at three times the capacity: the throughput stays, the rest is rejected at once.

`UGATIT_TESTS_CAPACITY_SECONDS` and `UGATIT_TESTS_OVERLOAD_SECONDS` make them longer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.load.clients import HEALTH, Answers, closed_loop, open_loop, percentile
from tests.load.service import BATCH, CAPACITY, RUN_SECONDS, Service, sleeping_service

pytestmark = pytest.mark.serial

CAPACITY_SECONDS = float(os.environ.get("UGATIT_TESTS_CAPACITY_SECONDS", "20"))
OVERLOAD_SECONDS = float(os.environ.get("UGATIT_TESTS_OVERLOAD_SECONDS", "20"))
GROWTH_BYTES = 50_000_000
GOODPUT = 0.95
REFUSAL_SECONDS = 0.05
HEALTH_RATE = 5


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with sleeping_service(tmp_path_factory.mktemp("load")) as service:
        yield service


def test_at_capacity_no_request_is_rejected_and_memory_stays_flat(service: Service) -> None:
    asyncio.run(closed_loop(service, clients=2 * BATCH, seconds=1))
    before = service.memory_bytes
    answers = asyncio.run(closed_loop(service, clients=2 * BATCH, seconds=CAPACITY_SECONDS))
    assert answers.statuses().keys() == {200}
    assert len(answers) > 0.8 * CAPACITY_SECONDS * CAPACITY
    assert service.memory_bytes - before < GROWTH_BYTES


def test_overload_keeps_the_throughput_and_is_rejected_at_once(service: Service) -> None:
    capacity, overload, health = asyncio.run(_overload(service))
    assert overload.statuses().keys() == {200, 503}
    assert all(answer.retry_after for answer in overload if answer.status == 503)
    assert health.statuses().keys() == {200}
    assert _rate(overload) >= GOODPUT * capacity
    refusals = overload.seconds(503)
    assert percentile(refusals, 0.5) < REFUSAL_SECONDS
    # By the client's clock, on cores that the clients share with the service: the slowest refusals may wait
    # for several time slices of the scheduler.
    assert percentile(refusals, 0.95) < 4 * REFUSAL_SECONDS
    assert percentile(health.seconds(200), 0.95) < 4 * REFUSAL_SECONDS


async def _overload(service: Service) -> tuple[float, Answers, Answers]:
    """Measure the capacity, then load; return it and the answers: overload, health."""
    seconds = OVERLOAD_SECONDS / 5
    capacity = _rate(await closed_loop(service, clients=2 * BATCH, seconds=seconds))
    overload, health = await asyncio.gather(
        open_loop(service, rate=3 * capacity, seconds=OVERLOAD_SECONDS),
        open_loop(service, rate=HEALTH_RATE, seconds=OVERLOAD_SECONDS, request=HEALTH),
    )
    return capacity, overload, health


def _rate(answers: Answers) -> float:
    """Return the pictures a second after the first batch, during which the queue was filled."""
    served = sorted(answer.at for answer in answers if answer.status == 200)
    first, last = served[0], served[-1]
    return sum(at > first + RUN_SECONDS / 2 for at in served) / (last - first)
