"""Threads that decode: clients in turn, and no thread lost to a client that leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from app.engine.scheduling.fair_threads import FairThreads

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    threads = FairThreads(1, "test")
    yield threads
    threads.close()


def later(threads: FairThreads, client: str, call: Callable[[], object]) -> asyncio.Task[object]:
    return asyncio.create_task(threads.run(client, call))


async def test_a_crowd_of_one_client_does_not_delay_another(threads: FairThreads) -> None:
    go, order = threading.Event(), list[str]()
    first = later(threads, "crowd", lambda: go.wait(60))
    await asyncio.sleep(0)
    crowd = [later(threads, "crowd", lambda: order.append("crowd")) for _ in range(5)]
    await asyncio.sleep(0)
    other = later(threads, "other", lambda: order.append("other"))
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, other, *crowd)
    assert order.index("other") <= 1
    assert len(order) == 6


async def test_a_call_cancelled_before_its_turn_never_runs(threads: FairThreads) -> None:
    go, ran = threading.Event(), list[int]()
    first = later(threads, "a", lambda: go.wait(60))
    await asyncio.sleep(0)
    leaving = later(threads, "b", lambda: ran.append(1))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    go.set()
    await first
    await threads.run("c", lambda: None)
    assert ran == []


async def test_a_thread_is_free_again_when_a_cancelled_or_failed_call_ends(threads: FairThreads) -> None:
    go, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go.wait(60)

    leaving = later(threads, "a", hold)
    await asyncio.to_thread(begun.wait, 60)
    leaving.cancel()
    await asyncio.wait({leaving})
    go.set()
    with pytest.raises(ZeroDivisionError):
        await threads.run("b", lambda: 1 // 0)
    assert await threads.run("c", lambda: 7) == 7


async def test_a_call_cancelled_at_the_moment_of_its_turn_loses_no_thread(threads: FairThreads) -> None:
    for _ in range(3):
        leaving = later(threads, "a", lambda: None)
        await asyncio.sleep(0)  # its turn has come, and it has not begun
        leaving.cancel()
        await asyncio.wait({leaving})
    assert await threads.run("b", lambda: 7) == 7
