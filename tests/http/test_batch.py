"""`POST /translate/batch`: several pictures in one form, answered in order, each or its problem."""

from __future__ import annotations

import email
import io
import json
import zipfile
from email.message import Message

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.animations import animated, gif_of_many_frames, shown
from tests.fake_engine import FakeModel
from tests.http.conftest import MakeClient
from tests.http.problems import problem
from tests.photos import encoded, pixels_of

URL = "/translate/batch?direction=cat2dog"
PICTURES = [np.full((32, 32, 3), level, np.uint8) for level in (10, 90, 170, 250)]


def form(*bodies: bytes, name: str = "photo.png") -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (name, body)) for body in bodies]


def parts(response: object) -> list[Message]:
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()  # type: ignore[attr-defined]
    message = email.message_from_bytes(head + response.content)  # type: ignore[attr-defined]
    return list(message.get_payload())  # type: ignore[arg-type]


def level(data: bytes) -> int:
    return 255 - int(pixels_of(data)[5, 5, 0])


def test_pictures_are_answered_as_parts_in_their_order(client: TestClient) -> None:
    response = client.post(URL, files=form(*map(encoded, PICTURES)))
    assert response.status_code == 200
    found = parts(response)
    assert [level(part.get_payload(decode=True)) for part in found] == [10, 90, 170, 250]
    assert [part["Content-Disposition"].split('"')[1] for part in found] == ["1", "2", "3", "4"]
    for part in found:
        assert part.get_content_type() == "image/png"
        assert client.get(f"/attention/{part['X-Translation-Id']}").status_code == 200


def test_pictures_are_answered_as_files_of_a_zip_archive(client: TestClient) -> None:
    files = form(*map(encoded, PICTURES), name="../../a b/é?.JPG")
    response = client.post(f"{URL}&format=webp", files=files, headers={"Accept": "application/zip"})
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{number:03}-é.webp" for number in range(1, 5)]
        levels = [level(archive.read(name)) for name in archive.namelist()]
    assert np.abs(np.array(levels) - [10, 90, 170, 250]).max() <= 2


def test_file_that_cannot_be_translated_has_its_own_problem(client: TestClient) -> None:
    good = encoded(PICTURES[0])
    bodies = (good, b"", good[:60], b"%PDF-1.7", gif_of_many_frames(10_000), good)
    found = parts(client.post(URL, files=form(*bodies)))
    assert [part["X-Status"] for part in found] == ["200", "422", "422", "415", "422", "200"]
    codes = [json.loads(part.get_payload(decode=True))["code"] for part in found[1:5]]
    assert codes == ["missing_file", "undecodable", "unsupported_format", "too_many_frames"]
    assert found[1].get_content_type() == "application/problem+json"


def test_animated_file_of_a_batch_has_an_animated_answer(client: TestClient) -> None:
    (part,) = parts(client.post(f"{URL}&format=gif", files=form(animated())))
    assert len(shown(part.get_payload(decode=True))[0]) == 3


def test_limit_of_files_is_exact(make_client: MakeClient) -> None:
    client = make_client(max_files=2)
    good = encoded(PICTURES[0])
    assert len(parts(client.post(URL, files=form(good, good)))) == 2
    answer = problem(client.post(URL, files=form(good, good, good)), 422, "too_many_files")
    assert "at most 2" in answer["detail"]
    assert client.get("/directions").json()["limits"]["files"] == 2


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422, "missing_file"),
        (b"", "multipart/form-data; boundary=x", 400, "malformed_multipart"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400, "malformed_multipart"),
        (b"{}", "multipart/form-data", 400, "malformed_multipart"),
        (encoded(PICTURES[0]), "image/png", 415, "unsupported_media_type"),
        (
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\na\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
            "unexpected_part",
        ),
    ],
)
def test_invalid_form_is_refused_as_a_whole(
    client: TestClient, body: bytes, content_type: str, status: int, code: str
) -> None:
    problem(client.post(URL, content=body, headers={"Content-Type": content_type}), status, code)


def test_invalid_options_direction_and_accept_are_refused_as_a_whole(client: TestClient) -> None:
    files = form(encoded(PICTURES[0]))
    problem(client.post(f"{URL}&fit=crop", files=files), 422, "invalid_option")
    problem(client.post("/translate/batch?direction=x2y", files=files), 404, "unknown_direction")
    problem(client.post(URL, files=files, headers={"Accept": "image/png"}), 406, "not_acceptable")


def test_form_beyond_the_byte_limit_is_refused(make_client: MakeClient) -> None:
    client = make_client(body_limit_bytes=2000)
    problem(client.post(URL, files=form(b"a" * 1500, b"b" * 1500)), 413, "body_too_large")


def test_every_file_counts_for_the_rate_limit(make_client: MakeClient) -> None:
    client = make_client(rate_per_minute=1, rate_burst=2)
    good = encoded(PICTURES[0])
    found = parts(client.post(URL, files=form(good, good, good)))
    assert sorted(part["X-Status"] for part in found) == ["200", "200", "429"]


@pytest.mark.parametrize("queue_size", [1, 3])
def test_batch_holds_few_permits_and_returns_them(
    make_client: MakeClient, model: FakeModel, queue_size: int
) -> None:
    client = make_client(queue_size=queue_size)
    model.batches.clear()
    found = parts(client.post(URL, files=form(*map(encoded, PICTURES * 3))))
    assert [part["X-Status"] for part in found] == ["200"] * 12
    assert client.app_state["engine"].registry["cat2dog"].admission.held == 0
    assert len(model.batches) == 12
