"""SIGTERM under load: every admitted request is answered within the grace period.

`UGATIT_TESTS_SIGTERMS` sets how often.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.load.clients import Answers, closed_loop
from tests.load.service import BATCH, Service, sleeping_service

TIMES = int(os.environ.get("UGATIT_TESTS_SIGTERMS", "3"))
GRACE_SECONDS = 10


@pytest.mark.parametrize("time_", range(TIMES))
def test_sigterm_under_load_answers_every_translated_picture(tmp_path: Path, time_: int) -> None:
    grace = {"UGATIT_GRACE_SECONDS": str(GRACE_SECONDS), "UGATIT_DEADLINE_SECONDS": "9"}
    with sleeping_service(tmp_path, **grace) as service:
        answers, left_seconds = asyncio.run(_load_and_leave(service))
        translated = service.translated()
    assert translated >= BATCH
    assert answers.statuses()[200] == translated
    assert answers.statuses().keys() <= {200, 503, 0}  # 0: the service had stopped
    assert left_seconds < GRACE_SECONDS


async def _load_and_leave(service: Service) -> tuple[Answers, float]:
    """Load above the capacity and send SIGTERM; return the answers and how long the service took to stop."""
    load = asyncio.create_task(closed_loop(service, clients=24, seconds=1.5))
    await asyncio.sleep(0.7)
    sent_at = time.perf_counter()
    service.process.terminate()
    await asyncio.to_thread(service.process.wait, 60)
    return await load, time.perf_counter() - sent_at
