"""Permits of requests with several pictures: heavier than the queue, and beside other clients."""

from __future__ import annotations

import asyncio

import pytest

from app.engine.errors import FairShare, QueueFull
from app.engine.scheduling.admission import Admission

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_request_heavier_than_an_empty_queue_is_admitted() -> None:
    admission = Admission(4)
    with admission.permit("one") as permit:
        admission.grow(permit, 12)
        assert admission.held == 4
        with pytest.raises(QueueFull):
            admission.check("one")
    assert admission.held == 0


async def test_a_heavy_request_is_refused_while_the_same_client_fills_the_queue() -> None:
    admission = Admission(4)
    with admission.permit("one"), admission.permit("one"), admission.permit("one") as permit:
        admission.grow(permit, 2)
        with pytest.raises(QueueFull):
            admission.grow(permit, 3)
        assert admission.held == 4


async def test_a_heavy_request_counts_as_a_fair_share_once_another_client_arrives() -> None:
    admission = Admission(4)
    with admission.permit("one") as heavy:
        admission.grow(heavy, 12)
        with admission.permit("two"), admission.permit("two"):
            assert admission.held == 4
            with pytest.raises(FairShare):
                admission.check("two")
        assert admission.held == 4


async def test_a_heavy_request_takes_its_fair_share_from_a_client_that_holds_more() -> None:
    admission = Admission(4)
    release = asyncio.Event()

    async def hold() -> str:
        try:
            with admission.permit("crowd"):
                await release.wait()
        except FairShare:
            return "refused"
        return "served"

    crowd = [asyncio.create_task(hold()) for _ in range(4)]
    await asyncio.sleep(0)
    with admission.permit("one") as heavy:
        admission.grow(heavy, 12)
        assert admission.held == 4
        release.set()
        assert sorted(await asyncio.gather(*crowd)) == ["refused", "refused", "served", "served"]


async def test_a_heavy_request_takes_no_picture_that_runs() -> None:
    admission = Admission(2)
    with admission.permit("one") as running, admission.permit("two") as heavy:
        running.running = True
        admission.grow(heavy, 5)
        assert admission.held == 2
        assert not running.revoked
