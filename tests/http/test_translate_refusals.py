"""The problems of `POST /translate`, by status and code."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import encoded, photo

BODY = photo()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def posting(pool: ThreadPoolExecutor, client: TestClient) -> Future[object]:
    return pool.submit(client.post, URL, content=BODY, headers=PNG)


def test_missing_direction_is_named(client: TestClient) -> None:
    fields = problem(client.post("/translate", content=BODY, headers=PNG), 422, "missing_option")
    assert "direction" in fields["detail"]


def test_unknown_direction_lists_the_known_ones(client: TestClient) -> None:
    response = client.post("/translate?direction=cat2cow", content=BODY, headers=PNG)
    assert "cat2dog" in problem(response, 404, "unknown_direction")["detail"]


@pytest.mark.parametrize(
    ("query", "code", "word"),
    [
        ("fit=crop", "invalid_option", "cover"),
        ("format=bmp", "invalid_option", "webp"),
        ("alpha=1.1", "invalid_option", "1"),
        ("alpha=nan", "invalid_option", "alpha"),
        ("alpha=much", "invalid_option", "number"),
        ("colormap=rainbow", "invalid_option", "turbo"),
        ("direction=", "invalid_option", "direction"),
        ("face=one", "invalid_option", "largest"),
        ("face=at&x=5", "missing_option", "y is missing"),
        ("face=at&y=5", "missing_option", "x is missing"),
        ("face=at&x=-1&y=5", "invalid_option", "x"),
        ("face=at&x=inf&y=5", "invalid_option", "x"),
        ("face=largest&x=5&y=5", "invalid_option", "face=at"),
        ("x=5", "invalid_option", "face=at"),
        ("face=all&paste=false", "invalid_option", "paste"),
        ("paste=often", "invalid_option", "paste"),
        ("colourmap=jet", "unknown_option", "did you mean colormap?"),
        ("mood=all", "unknown_option", "direction"),
    ],
)
def test_invalid_options_are_refused_with_the_valid_ones(
    client: TestClient, query: str, code: str, word: str
) -> None:
    url = f"/translate?{query}" if query.startswith("direction") else f"{URL}&{query}"
    assert word in problem(client.post(url, content=BODY, headers=PNG), 422, code)["detail"]


@pytest.mark.parametrize(
    "content_type", ["image/bmp", "image/heic", "text/plain", "application/x-www-form-urlencoded"]
)
def test_unsupported_content_type_answers_415(client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    fields = problem(client.post(URL, content=BODY, headers=headers), 415, "unsupported_media_type")
    assert "image/jpeg" in fields["detail"]


def test_picture_format_is_detected_from_the_bytes(client: TestClient) -> None:
    assert client.post(URL, content=photo(form="JPEG"), headers=PNG).status_code == 200
    bmp = encoded(np.zeros((8, 8, 3), np.uint8), "BMP")
    problem(client.post(URL, content=bmp, headers=PNG), 415, "unsupported_format")


def test_damaged_picture_answers_422_undecodable(client: TestClient) -> None:
    problem(client.post(URL, content=BODY[: len(BODY) // 2], headers=PNG), 422, "undecodable")


def test_empty_body_answers_422_missing_file(client: TestClient) -> None:
    problem(client.post(URL, content=b"", headers=PNG), 422, "missing_file")


@pytest.mark.parametrize(("width", "status"), [(99, 200), (100, 200), (101, 422)])
def test_side_limit_is_exact(make_client: MakeClient, width: int, status: int) -> None:
    client = make_client(max_side_pixels=100)
    assert client.post(URL, content=photo(8, width), headers=PNG).status_code == status


@pytest.mark.parametrize(("width", "status"), [(99, 200), (100, 200), (101, 422)])
def test_pixel_limit_is_exact(make_client: MakeClient, width: int, status: int) -> None:
    client = make_client(max_pixels=1000)
    response = client.post(URL, content=photo(10, width), headers=PNG)
    assert response.status_code == status
    if status == 422:
        problem(response, 422, "too_many_pixels")


BOUNDARY = "; boundary=x"
FORM = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("body", "boundary", "status", "code"),
    [
        (b"", BOUNDARY, 400, "malformed_multipart"),
        (b"no form at all", BOUNDARY, 400, "malformed_multipart"),
        (FORM % (b"file", b"cut off"), BOUNDARY, 400, "malformed_multipart"),
        (FORM % (b"file", b"") + b"--x--\r\n", "", 400, "malformed_multipart"),
        (FORM % (b"file", b"") + b"--x--\r\n", BOUNDARY + 256 * "x", 400, "malformed_multipart"),
        (b"--x--\r\n", BOUNDARY, 422, "missing_file"),
        (FORM % (b"photo", BODY) + b"--x--\r\n", BOUNDARY, 422, "missing_file"),
        (FORM % (b"file", b"") + b"--x--\r\n", BOUNDARY, 422, "missing_file"),
        (2 * (FORM % (b"file", BODY)) + b"--x--\r\n", BOUNDARY, 422, "unexpected_part"),
        (FORM % (b"file", BODY) + FORM % (b"a", b"b") + b"--x--\r\n", BOUNDARY, 422, "unexpected_part"),
        (FORM % (b"file", BODY) + b"--x--\r\n", '; boundary="x"', 200, ""),
    ],
)  # fmt: skip
def test_form_must_have_one_file_and_no_other_part(
    client: TestClient, body: bytes, boundary: str, status: int, code: str
) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    response = client.post(URL, content=body, headers=headers)
    if status == 200:
        assert response.status_code == 200
    else:
        problem(response, status, code)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("over", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_byte_limit_is_exact_with_and_without_content_length(
    make_client: MakeClient, chunked: bool, over: int, status: int
) -> None:
    client = make_client(body_limit_bytes=4000)
    body = photo(8, 8).ljust(4000 + over, b"\0")
    halves = io.BytesIO(body)
    content = iter(lambda: halves.read(1500), b"") if chunked else body
    response = client.post(URL, content=content, headers=PNG)
    assert response.status_code == status
    if status == 413:
        assert "4,000 bytes" in problem(response, 413, "body_too_large")["detail"]


def test_full_queue_answers_503_with_retry_after_before_the_body_is_read(
    make_client: MakeClient, model: FakeModel, pool: ThreadPoolExecutor
) -> None:
    client = make_client(queue_size=1)
    model.hold()
    first = posting(pool, client)
    assert model.entered.acquire(timeout=60)
    response = client.post(URL, content=b"not looked at", headers={"Content-Type": "text/plain"})
    problem(response, 503, "queue_full")
    assert int(response.headers["retry-after"]) >= 1
    model.release()
    assert first.result().status_code == 200
    assert client.post(URL, content=BODY, headers=PNG).status_code == 200


def test_loading_direction_answers_503_with_retry_after(make_client: MakeClient, model: FakeModel) -> None:
    model.hold()
    client = make_client(loaded=False)
    assert model.entered.acquire(timeout=60)
    response = client.post(URL, content=BODY, headers=PNG)
    problem(response, 503, "loading")
    assert int(response.headers["retry-after"]) >= 1


def test_draining_finishes_admitted_pictures_and_refuses_new_ones(
    make_client: MakeClient, model: FakeModel, pool: ThreadPoolExecutor
) -> None:
    client = make_client()
    model.hold()
    first = posting(pool, client)
    assert model.entered.acquire(timeout=60)
    client.app_state["engine"].drain()
    response = client.post(URL, content=BODY, headers=PNG)
    problem(response, 503, "draining")
    assert int(response.headers["retry-after"]) >= 1
    problem(client.get("/readyz"), 503, "not_ready")
    assert client.get("/healthz").status_code == 200
    model.release()
    assert first.result().status_code == 200


def test_defunct_direction_answers_503_and_directions_has_the_reason(
    make_client: MakeClient, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path / "bundles")
    (write_fake_bundle(tmp_path / "bundles", "dog2cat") / "card.md").write_bytes(b"changed")
    client = make_client()
    response = client.post("/translate?direction=dog2cat", content=BODY, headers=PNG)
    problem(response, 503, "direction_defunct")
    assert "retry-after" not in response.headers
    described = {each["name"]: each for each in client.get("/directions").json()["directions"]}
    assert described["dog2cat"]["state"] == "defunct"
    assert "card.md" in described["dog2cat"]["reason"]
    assert client.get("/readyz").json()["directions"] == {"cat2dog": "ready", "dog2cat": "defunct"}


def test_run_beyond_the_deadline_answers_504(make_client: MakeClient, model: FakeModel) -> None:
    client = make_client(deadline_seconds=0.05)
    model.hold()
    problem(client.post(URL, content=BODY, headers=PNG), 504, "deadline")


def test_failing_model_answers_503(make_client: MakeClient, model: FakeModel) -> None:
    client = make_client()
    model.failures = 9
    problem(client.post(URL, content=BODY, headers=PNG), 503, "direction_defunct")


def test_bug_answers_500_without_details_and_logs_them(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("app.engine.drawing.render_picture", broken)
    with caplog.at_level(logging.ERROR, "ugatit.http"):
        fields = problem(client.post(URL, content=BODY, headers=PNG), 500, "internal")
    assert "secret" not in str(fields)
    (record,) = (record for record in caplog.records if record.name == "ugatit.http")
    assert fields["request_id"] in record.getMessage()
    assert "a secret detail" in str(record.exc_info)


def test_unknown_address_answers_404(client: TestClient) -> None:
    for path in ("/translate/", "/nope", "/page/nope.js", "/page/../settings.py", "/docs/nope"):
        problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/translate", "POST"), ("PUT", "/translate", "POST"), ("POST", "/attention", "GET")],
)
def test_wrong_method_answers_405_with_allow(client: TestClient, method: str, path: str, allow: str) -> None:
    response = client.request(method, path)
    problem(response, 405, "method_not_allowed")
    assert allow in response.headers["allow"]
