"""The answer forms of `POST /translate`."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re

import numpy as np
import pytest
from starlette.testclient import TestClient

from models.bundle.canary import smooth_picture
from tests.http.problems import PNG, URL, problem
from tests.photos import encoded, photo, pixels_of

PICTURE = smooth_picture(32, 32, seed=5)
BODY = encoded(PICTURE)


def test_json_answer_has_picture_overlay_and_all_fields(client: TestClient) -> None:
    response = client.post(URL, content=BODY, headers=PNG)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert set(answer) == {"id", "direction", "model", "image", "attention", "timings_ms", "expires_at"}
    image = answer["image"]
    assert (image["media_type"], image["width"], image["height"]) == ("image/png", 32, 32)
    assert np.array_equal(pixels_of(base64.b64decode(image["data"])), 255 - PICTURE)
    assert set(answer["attention"]) == {"href", "overlay", "source_probability"}
    assert answer["attention"]["href"] == f"/attention?id={answer['id']}"
    assert pixels_of(base64.b64decode(answer["attention"]["overlay"]["data"])).shape == (32, 32, 3)
    assert 0 < answer["attention"]["source_probability"] < 1
    assert set(answer["timings_ms"]) == {"decode", "queue", "inference", "encode", "total"}
    assert answer["model"]["name"] == answer["direction"] == "cat2dog"
    assert re.fullmatch(r"[0-9a-f]{12}", answer["model"]["version"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", answer["id"])


@pytest.mark.parametrize("keep", ["0", "false"])
def test_nothing_is_stored_of_a_translation_that_is_not_kept(client: TestClient, keep: str) -> None:
    answer = client.post(f"{URL}&keep={keep}", content=BODY, headers=PNG).json()
    assert (answer["id"], answer["expires_at"], answer["attention"]["href"]) == (None, None, None)
    assert pixels_of(base64.b64decode(answer["attention"]["overlay"]["data"])).shape == (32, 32, 3)
    for accept in ("image/jpeg", "multipart/mixed"):
        headers = client.post(f"{URL}&keep={keep}", content=BODY, headers=PNG | {"Accept": accept}).headers
        assert not {"x-translation-id", "link"} & set(headers)
    metrics = client.get("/metrics").text
    assert "ugatit_attention_entries 0.0" in metrics
    assert "ugatit_attention_lost_total 0.0" in metrics


def test_form_and_raw_body_give_the_same_picture(client: TestClient) -> None:
    accept = {"Accept": "image/png"}
    form = client.post(URL, files={"file": ("a.png", BODY, "text/plain")}, headers=accept)
    raw = client.post(URL, content=BODY, headers=PNG | accept)
    assert form.content == raw.content
    assert np.array_equal(pixels_of(form.content), 255 - PICTURE)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_accept_of_an_image_type_answers_the_picture(client: TestClient, media_type: str) -> None:
    response = client.post(URL, content=BODY, headers=PNG | {"Accept": media_type})
    assert response.headers["content-type"] == media_type
    assert response.headers["vary"] == "Accept"
    id_ = response.headers["x-translation-id"]
    assert response.headers["link"] == f'</attention?id={id_}>; rel="related"'
    assert client.get(f"/attention?id={id_}").status_code == 200
    stages = re.findall(r"(\w+);dur=[\d.]+", response.headers["server-timing"])
    assert stages == ["decode", "queue", "inference", "encode", "total"]
    assert pixels_of(response.content).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (None, "", "application/json"),
        ("*/*", "", "application/json"),
        ("application/*", "", "application/json"),
        ("image/*", "", "image/png"),
        ("image/*", "&format=webp", "image/webp"),
        ("image/jpeg", "&format=webp", "image/jpeg"),
        ("image/jpeg;q=0.5, image/webp", "", "image/webp"),
        ("image/png;q=0, image/*", "", "image/jpeg"),
        ("text/html, */*;q=0.1", "", "application/json"),
        ("IMAGE/JPEG", "", "image/jpeg"),
        ("image/webp, */*", "", "image/webp"),
        ("nonsense, image/jpeg", "", "image/jpeg"),
    ],
)
def test_accept_and_format_select_the_answer_form(
    client: TestClient, accept: str | None, query: str, expected: str
) -> None:
    headers = PNG | ({"Accept": accept} if accept else {})
    if accept is None:
        del client.headers["accept"]
    response = client.post(URL + query, content=BODY, headers=headers)
    assert response.headers["content-type"] == expected


def test_several_accept_headers_are_combined(client: TestClient) -> None:
    del client.headers["accept"]
    headers = [*PNG.items(), ("Accept", "text/html"), ("Accept", "image/jpeg")]
    assert client.post(URL, content=BODY, headers=headers).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("accept", ["text/html", "image/avif", "application/json;q=0", "*/*;q=0"])
def test_unavailable_accept_answers_406(client: TestClient, accept: str) -> None:
    response = client.post(URL, content=BODY, headers=PNG | {"Accept": accept})
    fields = problem(response, 406, "not_acceptable")
    assert "application/json" in fields["detail"]


def test_format_applies_to_both_pictures_of_a_json_answer(client: TestClient) -> None:
    answer = client.post(f"{URL}&format=jpeg", content=BODY, headers=PNG).json()
    for picture in (answer["image"], answer["attention"]["overlay"]):
        assert picture["media_type"] == "image/jpeg"
        assert base64.b64decode(picture["data"]).startswith(b"\xff\xd8\xff")


def test_multipart_answer_has_picture_overlay_and_json_in_order(client: TestClient) -> None:
    response = client.post(URL, content=BODY, headers=PNG | {"Accept": "multipart/mixed"})
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + response.content, policy=email.policy.HTTP)
    image, overlay, document = message.iter_parts()
    assert [part.get_content_type() for part in message.iter_parts()] == ["image/png"] * 2 + [
        "application/json"
    ]
    assert np.array_equal(pixels_of(image.get_payload(decode=True)), 255 - PICTURE)
    assert pixels_of(overlay.get_payload(decode=True)).shape == (32, 32, 3)
    answer = json.loads(document.get_payload(decode=True))
    assert "data" not in answer["image"]
    assert answer["attention"]["href"].endswith(answer["id"])


def test_fit_selects_the_part_of_a_wide_photo(client: TestClient) -> None:
    body, headers = photo(40, 80), PNG | {"Accept": "image/png"}
    shapes = {
        fit: pixels_of(client.post(f"{URL}&fit={fit}", content=body, headers=headers).content).shape
        for fit in ("cover", "contain", "stretch")
    }
    assert shapes == {"cover": (32, 32, 3), "contain": (16, 32, 3), "stretch": (32, 32, 3)}


def test_alpha_and_colormap_change_only_the_overlay(client: TestClient) -> None:
    plain, bare, viridis = (
        client.post(URL + query, content=BODY, headers=PNG).json()
        for query in ("", "&alpha=0", "&colormap=viridis")
    )
    assert plain["image"]["data"] == bare["image"]["data"] == viridis["image"]["data"]
    overlays = [answer["attention"]["overlay"]["data"] for answer in (plain, bare, viridis)]
    assert len(set(overlays)) == 3
    assert np.array_equal(pixels_of(base64.b64decode(overlays[1])), PICTURE)
