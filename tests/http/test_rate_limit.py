"""The rate limit per client, with a clock that the test moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.http.access.api_keys import key_line, new_key
from app.http.access.rate_limit import RateLimiter
from app.http.problems.request_errors import RateLimited
from tests.http.conftest import MakeClient, MakeLive
from tests.http.live import body_of, head
from tests.http.problems import PNG, URL, problem
from tests.photos import photo


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def granted(rate_limiter: RateLimiter, client: str, times: int) -> int:
    """Return how many of `times` requests are allowed."""
    count = 0
    for _ in range(times):
        try:
            rate_limiter.take(client)
        except RateLimited:
            continue
        count += 1
    return count


def test_burst_is_allowed_and_then_the_rate_applies() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(60, 5, clock=clock)
    assert granted(rate_limiter, "alice", 10) == 5
    clock.now += 3
    assert granted(rate_limiter, "alice", 10) == 3
    clock.now += 3600
    assert granted(rate_limiter, "alice", 10) == 5


def test_retry_after_is_the_time_until_the_next_token() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(6, 1, clock=clock)
    rate_limiter.take("alice")
    clock.now += 3.5
    with pytest.raises(RateLimited) as refused:
        rate_limiter.take("alice")
    assert refused.value.retry_after_seconds == 7
    clock.now += 7
    rate_limiter.take("alice")


def test_refused_requests_use_no_tokens() -> None:
    clock = Clock()
    rate_limiter = RateLimiter(60, 1, clock=clock)
    allowed = 0
    for _ in range(80):  # eight times a second, for ten seconds
        allowed += granted(rate_limiter, "alice", 1)
        clock.now += 0.125
    assert allowed == 10


def test_each_client_has_its_own_bucket() -> None:
    rate_limiter = RateLimiter(1, 1, clock=Clock())
    assert [granted(rate_limiter, client, 2) for client in ("alice", "bob")] == [1, 1]


def test_only_the_most_recent_buckets_are_kept() -> None:
    rate_limiter = RateLimiter(1, 1, most_clients=2, clock=Clock())
    for client in ("alice", "bob", "carol", "bob"):
        granted(rate_limiter, client, 1)
    assert len(rate_limiter._buckets) == 2
    assert [granted(rate_limiter, client, 1) for client in ("bob", "carol", "alice")] == [0, 0, 1]


def test_rate_0_means_no_limit() -> None:
    assert granted(RateLimiter(0, 1, clock=Clock()), "alice", 1000) == 1000


def test_rate_limit_answers_429_with_retry_after_and_counts_only_costly_requests(
    make_client: MakeClient,
) -> None:
    client = make_client(rate_per_minute=1, rate_burst=2)
    href = client.post(URL, content=photo(), headers=PNG).json()["attention"]["href"]
    assert client.get(href).status_code == 200
    for response in (client.get(href), client.post(URL, content=photo(), headers=PNG)):
        problem(response, 429, "rate_limited")
        assert 1 <= int(response.headers["retry-after"]) <= 60
    for address in ("/directions", "/healthz", "/readyz", "/metrics", "/"):
        assert client.get(address).status_code == 200


def test_rate_limit_is_applied_before_the_body_is_read(make_live: MakeLive) -> None:
    live = make_live(rate_per_minute=1, rate_burst=1)
    live.ask("POST", URL, photo(), PNG)
    answer = live.answer(
        head(URL, "Content-Type: image/png\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n")
    )
    assert body_of(answer)["code"] == "rate_limited"


def test_each_api_key_has_its_own_bucket(make_client: MakeClient, tmp_path: Path) -> None:
    alice, bob = new_key(), new_key()
    (tmp_path / "keys").write_text(f"{key_line('alice', alice)}\n{key_line('bob', bob)}\n")
    client = make_client(api_keys_file=tmp_path / "keys", rate_per_minute=1, rate_burst=1)
    for key in (alice, bob):
        statuses = [client.get("/attention?id=x", headers={"X-Api-Key": key}).status_code for _ in range(2)]
        assert statuses == [404, 429]
    problem(client.get("/attention?id=x"), 401, "unauthorized")
