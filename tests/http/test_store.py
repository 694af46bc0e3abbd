"""Heat maps in a shared store, and answers while the store is down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.fake_engine import FakeModel
from tests.http.conftest import MakeClient
from tests.http.live import until
from tests.http.problems import PNG, URL, problem
from tests.photos import photo
from tests.redis_server import RedisServer, running_redis


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def translate(client: TestClient, accept: str = "application/json"):  # type: ignore[no-untyped-def]
    response = client.post(URL, content=photo(), headers=PNG | {"Accept": accept})
    assert response.status_code == 200, response.text
    return response


def ready(client: TestClient) -> bool:
    return bool(client.get("/readyz").status_code == 200)


def test_heat_maps_are_answered_by_another_service_with_the_same_store(
    make_client: MakeClient, model: FakeModel, redis: RedisServer
) -> None:
    one, other = make_client(store_url=redis.url), make_client(store_url=redis.url)
    href = translate(one).json()["attention"]["href"]
    assert other.get(href).content == one.get(href).content
    computed = other.get(f"{href}&network=local").content
    runs = len(model.batches)
    assert one.get(f"{href}&network=local").content == computed
    assert len(model.batches) == runs


def test_pictures_are_translated_without_ids_while_the_store_is_down(
    make_client: MakeClient, redis: RedisServer
) -> None:
    client = make_client(store_url=redis.url)
    href = translate(client).json()["attention"]["href"]
    redis.stop()
    answer = translate(client).json()
    assert (answer["id"], answer["expires_at"], answer["attention"]["href"]) == (None, None, None)
    assert answer["attention"]["overlay"]["data"]
    for accept in ("image/png", "multipart/mixed"):
        headers = translate(client, accept).headers
        assert not {"x-translation-id", "link"} & set(headers)
    response = client.get(href)
    problem(response, 503, "store_unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert client.get("/readyz").json()["store"] == "down"
    metrics = client.get("/metrics").text
    assert "ugatit_store_up 0.0" in metrics
    assert "ugatit_attention_lost_total 3.0" in metrics


def test_service_stays_ready_once_its_store_has_answered(make_client: MakeClient, redis: RedisServer) -> None:
    redis.stop()
    client = make_client(store_url=redis.url)
    assert "UGATIT_STORE_URL" in problem(client.get("/readyz"), 503, "not_ready")["detail"]
    redis.start()
    until(lambda: ready(client))
    redis.stop()
    translate(client)
    assert ready(client)


def test_etag_depends_on_the_jpeg_quality(make_client: MakeClient, redis: RedisServer) -> None:
    one = make_client(store_url=redis.url, jpeg_quality=90)
    other = make_client(store_url=redis.url, jpeg_quality=30)
    href = translate(one).json()["attention"]["href"]
    jpeg = {"Accept": "image/jpeg"}
    before = one.get(href, headers=jpeg)
    after = other.get(href, headers=jpeg | {"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.content != before.content
