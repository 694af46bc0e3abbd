"""Clients that are rejected together return at different times."""

from __future__ import annotations

import math
import random
from collections import Counter
from contextlib import ExitStack

import pytest

from app.engine import retry
from app.engine.errors import QueueFull
from app.engine.retry import MAX_RETRY_SECONDS, with_jitter
from app.engine.scheduling.admission import Admission


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "generator", random.Random(0))


@pytest.mark.anyio
@pytest.mark.parametrize("run_seconds", [0.03, 0.5, 3.0])
async def test_rejected_clients_are_asked_to_return_at_different_seconds(run_seconds: float) -> None:
    admission = Admission(16)
    admission.record_run(run_seconds, 1)
    with ExitStack() as held:
        for _ in range(16):
            held.enter_context(admission.permit("crowd"))
        waits = [refusal(admission).retry_after_seconds for _ in range(44)]
    soonest = math.ceil(16 * run_seconds)
    assert min(waits) >= soonest
    assert max(waits) <= soonest + max(soonest, 4)
    assert Counter(waits).most_common(1)[0][1] <= 44 // 3


def refusal(admission: Admission) -> QueueFull:
    with pytest.raises(QueueFull) as caught:
        admission.check("crowd")
    assert f"try again in {caught.value.retry_after_seconds} s" in str(caught.value)
    return caught.value


@pytest.mark.parametrize("seconds", [1, 2, 10, 60, 120, 100_000])
def test_a_retry_time_is_a_whole_number_within_its_bounds(seconds: int) -> None:
    waits = [with_jitter(seconds) for _ in range(200)]
    assert all(type(wait) is int for wait in waits)
    assert min(waits) >= min(seconds, MAX_RETRY_SECONDS // 2)
    assert max(waits) <= min(max(2 * seconds, seconds + 4), MAX_RETRY_SECONDS)
    assert len(set(waits)) >= 5
