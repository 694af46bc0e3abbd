"""The service keeps answers within a number of bytes and gives them again without the model."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from app.http.access.api_keys import key_line, new_key
from app.http.messages.answer_cache import AnswerCache, AnswerKey, KeptAnswer
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import photo


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client(answer_cache_mb=1)


def ask(client: TestClient, query: str = "", picture: bytes = photo(), **headers: str) -> httpx2.Response:
    response: httpx2.Response = client.post(URL + query, content=picture, headers=PNG | headers)
    assert response.status_code == 200, response.text
    return response


def hit(response: httpx2.Response) -> bool:
    return "hit" in response.headers.get("cache-status", "")


def metric(client: TestClient, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


@pytest.mark.parametrize("accept", ["application/json", "image/webp", "multipart/mixed"])
def test_same_question_gets_the_kept_answer_without_the_model(
    client: TestClient, model: FakeModel, accept: str
) -> None:
    first = ask(client, Accept=accept)
    runs = len(model.batches)
    again = ask(client, Accept=accept)
    assert (hit(first), hit(again), len(model.batches)) == (False, True, runs)
    assert again.content == first.content
    for name in ("content-type", "content-length", "etag", "x-translation-id", "link"):
        assert again.headers[name] == first.headers[name]
    assert client.get(f"/attention/{again.headers['x-translation-id']}").status_code == 200
    assert metric(client, "ugatit_answer_cache_hits_total") == 1
    assert metric(client, "ugatit_answer_cache_misses_total") == 1
    assert len(first.content) < metric(client, "ugatit_answer_cache_bytes") < len(first.content) + 2000


def test_answers_are_not_kept_by_default(make_client: MakeClient) -> None:
    client = make_client()
    assert not hit(ask(client))
    assert not hit(ask(client))
    assert metric(client, "ugatit_answer_cache_misses_total") == 0


def test_other_question_or_model_is_answered_by_the_model(client: TestClient, tmp_path: Path) -> None:
    ask(client)
    others = [ask(client, query) for query in ("&fit=contain", "&alpha=0.4", "&format=webp")]
    others += [ask(client, picture=photo(seed=2)), ask(client, Accept="image/png")]
    write_fake_bundle(tmp_path / "bundles", card=b"# Another version\n")
    engine = client.app_state["engine"]
    client.portal.call(engine.registry.reload)
    others.append(ask(client))
    assert not any(map(hit, others))


@pytest.mark.parametrize(("directive", "kept_after"), [("no-cache", True), ("max-age=0, No-Store", False)])
def test_client_may_forbid_kept_answers(client: TestClient, directive: str, kept_after: bool) -> None:
    assert not hit(ask(client, **{"Cache-Control": directive}))
    assert not hit(ask(client, **{"Cache-Control": directive}))
    assert hit(ask(client)) == kept_after


def test_answer_whose_heat_maps_are_gone_is_made_again(make_client: MakeClient) -> None:
    client = make_client(answer_cache_mb=1, attention_max_entries=1)
    first = ask(client)
    ask(client, "&fit=contain")  # its heat maps take the only place
    again = ask(client)
    assert not hit(again)
    assert again.headers["x-translation-id"] != first.headers["x-translation-id"]
    assert client.get(f"/attention/{again.headers['x-translation-id']}").status_code == 200


def test_answer_is_only_given_to_the_client_that_got_it(make_client: MakeClient, tmp_path: Path) -> None:
    keys = {name: new_key() for name in ("one", "two")}
    (tmp_path / "keys").write_text("".join(key_line(name, key) + "\n" for name, key in keys.items()))
    client = make_client(answer_cache_mb=1, api_keys_file=tmp_path / "keys")
    first, other, again = (ask(client, **{"X-Api-Key": keys[name]}) for name in ("one", "two", "one"))
    assert (hit(first), hit(other), hit(again)) == (False, False, True)
    assert other.headers["x-translation-id"] != first.headers["x-translation-id"]


def test_kept_answer_counts_for_the_rate_limit(make_client: MakeClient) -> None:
    client = make_client(answer_cache_mb=1, rate_per_minute=1, rate_burst=2)
    assert [hit(ask(client)), hit(ask(client))] == [False, True]
    problem(client.post(URL, content=photo(), headers=PNG), 429, "rate_limited")


def test_known_answers_need_no_permit(make_client: MakeClient, model: FakeModel) -> None:
    client = make_client(answer_cache_mb=1, queue_size=1)
    tag = ask(client).headers["etag"]
    model.entered.acquire()
    model.hold()
    with ThreadPoolExecutor(1) as other:
        running = other.submit(ask, client, picture=photo(seed=2))
        model.entered.acquire()
        assert hit(ask(client))
        known = client.post(URL, content=photo(), headers=PNG | {"If-None-Match": tag})
        assert known.status_code == 304
        problem(client.post(URL, content=photo(seed=3), headers=PNG), 503, "queue_full")
        model.release()
        running.result()


async def _is_held(_id: str) -> bool:
    return True


def kept(size: int) -> KeptAnswer:
    return KeptAnswer("id", 10.0, {}, bytes(size - 1024))


def found(cache: AnswerCache, name: str) -> bool:
    return asyncio.run(cache.find(AnswerKey("client", name), _is_held)) is not None


def test_cache_stays_within_its_bytes_and_drops_the_least_recently_used() -> None:
    cache = AnswerCache(10_000, clock=lambda: 5.0)
    for name in ("a", "b", "c"):
        cache.keep(AnswerKey("client", name), kept(3000))
    assert found(cache, "a")
    cache.keep(AnswerKey("client", "large"), kept(10_001))  # never fits, so nothing is dropped for it
    for number in range(100):
        cache.keep(AnswerKey("client", f"{number % 2}"), kept(3000))
        assert cache.size_bytes <= 10_000
    assert [found(cache, name) for name in ("a", "b", "c", "large", "0", "1")] == [
        True, False, False, False, True, True,
    ]  # fmt: skip


def test_expired_answer_is_not_given() -> None:
    now = 5.0
    cache = AnswerCache(10_000, clock=lambda: now)
    cache.keep(AnswerKey("client", "a"), kept(3000))
    assert found(cache, "a")
    now = 10.0
    assert not found(cache, "a")
