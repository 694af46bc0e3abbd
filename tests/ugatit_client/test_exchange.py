"""What a client does after an answer, without a network and without a clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ugatit_client.answer_cache import AnswerCache, KeptAnswer
from ugatit_client.answers import Directions
from ugatit_client.calls import Answer, directions_call
from ugatit_client.errors import DeadlineReached, ServiceUnavailable, UnexpectedAnswer
from ugatit_client.exchange import Exchange


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def exchange(
    *, deadline_seconds: float = 60, clock: Clock | None = None, cache: AnswerCache | None = None
) -> Exchange[Directions]:
    return Exchange(directions_call(), cache or AnswerCache(0), deadline_seconds, clock=clock or Clock())


def refusal(status: int = 503, retry_after: str | None = None) -> Answer:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Answer(status, headers, json.dumps({"code": "queue_full", "detail": "Full."}).encode())


@pytest.mark.parametrize("status", [429, 503])
def test_wait_is_retry_after_and_up_to_a_quarter_more(status: int) -> None:
    waits = [exchange().wait_after(refusal(status, "8")) for _ in range(100)]
    assert all(wait is not None and 8 <= wait <= 10 for wait in waits)
    assert len(set(waits)) > 90


def test_retry_after_zero_still_spreads_the_clients() -> None:
    waits = {exchange().wait_after(refusal(retry_after="0")) for _ in range(100)}
    assert len(waits) > 90
    assert all(wait is not None and wait <= 0.1 for wait in waits)


def test_retry_after_may_be_a_date() -> None:
    in_a_while = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    wait = exchange().wait_after(refusal(retry_after=in_a_while))
    assert wait is not None
    assert 25 < wait < 40


@pytest.mark.parametrize(
    "answer", [refusal(), refusal(retry_after="soon"), refusal(504, "1"), refusal(422, "1")]
)
def test_only_429_and_503_that_name_a_time_are_tried_again(answer: Answer) -> None:
    with pytest.raises(Exception, match="Full"):
        exchange().wait_after(answer)


def test_wait_beyond_the_deadline_raises_the_refusal_at_once() -> None:
    with pytest.raises(ServiceUnavailable) as raised:
        exchange(deadline_seconds=5).wait_after(refusal(retry_after="5"))
    assert raised.value.retry_after_seconds == 5


def test_reached_deadline_names_the_last_refusal_as_its_cause() -> None:
    clock = Clock()
    asked = exchange(deadline_seconds=10, clock=clock)
    asked.wait_after(refusal(retry_after="1"))
    assert asked.remaining() == 10
    clock.seconds += 10
    with pytest.raises(DeadlineReached, match="10 s") as raised:
        asked.remaining()
    assert isinstance(raised.value.__cause__, ServiceUnavailable)
    assert isinstance(raised.value, TimeoutError)


def answered(etag: str | None = '"a"', status: int = 200) -> Answer:
    limits = {
        "body_bytes": 1, "pixels": 1, "side_pixels": 1, "files": 16, "frames": 9, "animation_pixels": 1,
        "faces": 16, "answer_side_pixels": 1, "deadline_seconds": 20,
        "attention_seconds": 600.0, "requests_per_minute": None, "media_types": ["image/png"], "later": {},
    }  # fmt: skip
    headers: Mapping[str, str] = {} if etag is None else {"etag": etag}
    return Answer(status, headers, json.dumps({"directions": [], "limits": limits}).encode())


def test_confirmed_answer_is_the_kept_one() -> None:
    cache = AnswerCache(10_000)
    first = exchange(cache=cache).result(answered())
    second = exchange(cache=cache)
    assert second.headers["If-None-Match"] == '"a"'
    confirmation = Answer(304, {"etag": '"a"'}, b"")
    assert second.wait_after(confirmation) is None
    assert second.result(confirmation) is first


@pytest.mark.parametrize(("capacity", "etag"), [(0, '"a"'), (10, '"a"'), (10_000, None)])
def test_answer_without_tag_or_too_large_is_not_kept(capacity: int, etag: str | None) -> None:
    cache = AnswerCache(capacity)
    exchange(cache=cache).result(answered(etag))
    assert "If-None-Match" not in exchange(cache=cache).headers


def test_least_recently_used_answers_are_dropped_first() -> None:
    cache = AnswerCache(100)
    for key in ("a", "b"):
        cache.put(key, KeptAnswer(key, key, 40, None))
    assert cache.get("a") is not None
    cache.put("c", KeptAnswer("c", "c", 40, None))
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    cache.put("a", KeptAnswer("a2", "a", 60, None))  # replaces the first: 100 bytes in all
    assert [cache.get(key) is not None for key in "ac"] == [True, True]


def test_expired_answer_is_asked_for_again() -> None:
    cache = AnswerCache(100)
    cache.put("a", KeptAnswer("a", "a", 10, datetime.now(UTC) - timedelta(seconds=1)))
    assert cache.get("a") is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"directions": 1, "limits": {}}', b"<html>"])
def test_answer_that_cannot_be_read_is_unexpected(content: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="/directions"):
        exchange().result(Answer(200, {}, content))
