"""A repeated question is confirmed by its ETag, without a run of the model."""

from __future__ import annotations

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.fake_engine import FakeModel
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL
from tests.photos import photo


def ask(client: TestClient, query: str = "", picture: bytes = photo(), **headers: str) -> httpx2.Response:
    response: httpx2.Response = client.post(URL + query, content=picture, headers=PNG | headers)
    return response


@pytest.mark.parametrize("prefix", ["", "W/", '"other", '])
def test_known_answer_is_confirmed_by_304_without_the_model(
    client: TestClient, model: FakeModel, prefix: str
) -> None:
    tag = ask(client).headers["etag"]
    assert tag.startswith('"')
    runs = len(model.batches)
    again = ask(client, **{"If-None-Match": prefix + tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert len(model.batches) == runs


def test_other_bytes_options_forms_and_quality_have_other_tags(
    client: TestClient, make_client: MakeClient
) -> None:
    answers = [
        ask(client),
        ask(client, picture=photo(seed=2)),
        *(ask(client, query) for query in ("&fit=contain", "&format=jpeg", "&size=16", "&face=none")),
        ask(client, Accept="image/png"),
        ask(make_client(jpeg_quality=50)),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert len({answer.headers["etag"] for answer in answers}) == len(answers)


def test_equal_questions_have_equal_tags_in_every_process(
    client: TestClient, make_client: MakeClient
) -> None:
    assert ask(client).headers["etag"] == ask(make_client(), "&fit=cover").headers["etag"]


def test_other_provider_and_other_precision_have_other_tags(
    model: FakeModel, make_client: MakeClient
) -> None:
    tags = {ask(make_client()).headers["etag"]}
    model.provider = "OtherExecutionProvider"
    tags.add(ask(make_client()).headers["etag"])
    model.precision = "bfloat16"
    tags.add(ask(make_client()).headers["etag"])
    assert len(tags) == 3


def test_unknown_tag_gets_a_new_answer(client: TestClient) -> None:
    for tag in ("*", '"other"', "", "nonsense"):
        assert ask(client, **{"If-None-Match": tag}).status_code == 200


def test_refusal_has_no_tag(client: TestClient) -> None:
    assert "etag" not in ask(client, picture=b"no picture").headers
