"""Animated files over HTTP: animated answers, chosen frames, limits, and walls that hold."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from models.images.encode import MediaType
from models.images.encode_animation import ANIMATED_TYPES
from tests.animations import DURATIONS, animated, gif_of_many_frames, gif_that_claims, shown
from tests.faces.scenes import scene
from tests.fake_engine import FAKE_SIZE, FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import URL, problem
from tests.photos import pixels_of

RAW = {"Content-Type": "application/octet-stream"}
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


def flat_frames(side: int = FAKE_SIZE) -> list[np.ndarray]:
    return [np.full((side, side, 3), colour, np.uint8) for colour in COLOURS]


def inverted(pictures: list[np.ndarray]) -> list[list[int]]:
    return [(255 - picture[8, 8].astype(int)).tolist() for picture in pictures]


def near(some: list[list[int]], others: list[tuple[int, int, int]]) -> bool:
    return len(some) == len(others) and np.abs(np.array(some) - np.array(others)).max() <= 12


@pytest.mark.parametrize("source", ANIMATED_TYPES)
@pytest.mark.parametrize("accept", ANIMATED_TYPES)
def test_animation_gets_an_animated_answer_with_its_timing_and_plays(
    client: TestClient, source: MediaType, accept: MediaType
) -> None:
    body = animated(source, frames=flat_frames(), plays=2)
    response = client.post(URL, content=body, headers={**RAW, "Accept": accept})
    assert response.headers["content-type"] == accept
    pictures, durations, loop = shown(response.content)
    assert near(inverted(pictures), COLOURS)
    assert durations == list(DURATIONS)
    assert loop == (1 if accept == "image/gif" else 2)


def test_jpeg_answer_and_frames_first_translate_only_the_first_frame(
    client: TestClient, model: FakeModel
) -> None:
    body = animated(frames=flat_frames())
    for query, accept in (("", "image/jpeg"), ("&frames=first", "image/gif"), ("&format=jpeg", "*/*")):
        model.batches.clear()
        response = client.post(URL + query, content=body, headers={**RAW, "Accept": accept})
        assert response.status_code == 200, response.text
        assert len(model.batches) == 1
        picture = response.content
        if accept == "*/*":
            assert "animation" not in response.json()
            picture = base64.b64decode(response.json()["image"]["data"])
        assert near(inverted(shown(picture)[0]), COLOURS[:1])


def test_json_describes_the_animation(client: TestClient) -> None:
    answer = client.post(URL + "&format=gif", content=animated(frames=flat_frames()), headers=RAW).json()
    assert answer["animation"] == {"frames": 3, "duration_ms": sum(DURATIONS), "plays": 0}
    assert answer["image"]["media_type"] == "image/gif"
    assert len(shown(base64.b64decode(answer["image"]["data"]))[0]) == 3


def test_still_gif_is_translated_and_gif_is_an_answer_of_stills(client: TestClient) -> None:
    still = animated(frames=flat_frames()[:1])
    response = client.post(URL, content=still, headers={**RAW, "Accept": "image/gif"})
    assert near(inverted(shown(response.content)[0]), COLOURS[:1])


def test_heat_map_of_a_chosen_frame_is_that_of_the_frame_alone(client: TestClient) -> None:
    frames = flat_frames()
    id_ = client.post(URL, content=animated("image/png", frames=frames), headers=RAW).json()["id"]
    for network in ("generator", "local"):
        for number, picture in enumerate(frames):
            query = f"/attention?id={id_}&view=raw&network={network}&frame={number}"
            values = client.get(query).json()["values"]
            seen = picture if network == "generator" else 255 - picture  # the source or its translation
            assert np.allclose(values, seen.mean(), atol=1)
    problem(client.get(f"/attention?id={id_}&frame=3"), 404, "no_such_frame")
    problem(client.get(f"/attention/{id_}?frame=-1"), 422, "invalid_option")


def test_picture_of_a_chosen_frame_differs_from_the_first(client: TestClient) -> None:
    id_ = client.post(URL, content=animated(frames=flat_frames()), headers=RAW).json()["id"]
    first, second = (client.get(f"/attention/{id_}?frame={number}&base=translation") for number in (0, 1))
    assert not np.array_equal(pixels_of(first.content), pixels_of(second.content))
    assert first.headers["etag"] != second.headers["etag"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gif_of_many_frames(10_000), "too_many_frames"),
        (gif_that_claims(60_000, 1), "too_many_pixels"),
        (gif_that_claims(5001, 5000), "too_many_pixels"),
        (b"GIF89a", "undecodable"),
        (animated()[:60], "undecodable"),
        (animated("image/webp")[:-20], "undecodable"),
    ],
    ids=["10,000 frames", "60,000 x 1", "many pixels", "no frames", "cut", "cut-webp"],
)
def test_hostile_animation_is_refused_with_its_own_code(client: TestClient, body: bytes, code: str) -> None:
    answer = problem(client.post(URL, content=body, headers=RAW), 422, code)
    if code == "too_many_frames":
        assert "frames=first" in answer["detail"]


def test_too_many_frames_are_translated_to_their_first_with_frames_first(client: TestClient) -> None:
    response = client.post(URL + "&frames=first", content=gif_of_many_frames(10_000), headers=RAW)
    assert response.status_code == 200


def test_one_permit_stands_for_all_frames_and_is_returned(make_client: MakeClient) -> None:
    client = make_client(queue_size=2)
    for _ in range(3):
        assert client.post(URL, content=animated(), headers=RAW).status_code == 200
    engine = client.app_state["engine"]
    assert engine.registry["cat2dog"].admission.held == 0


def test_face_of_the_first_frame_is_translated_in_every_frame_and_pasted(
    make_client: MakeClient, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path / "bundles", framing="face")
    client = make_client()
    photo = scene((200, 150), (470, 300), side=150)
    later = np.clip(photo.astype(int) + 20, 0, 255).astype(np.uint8)
    body = animated("image/png", frames=[photo, later])
    answer = client.post(URL + "&face=all", content=body, headers=RAW).json()
    assert len(answer["faces"]) == 2
    pictures, _, _ = shown(base64.b64decode(answer["image"]["data"]))
    for before, after in zip((photo, later), pictures, strict=True):
        assert after.shape == before.shape
        changed = np.abs(after.astype(int) - before).max(axis=2) > 12
        assert changed[150, 200]
        assert changed[300, 470]
        assert not changed[:20].any()
    for number in (0, 1):
        heat_map = client.get(f"/attention/{answer['id']}?frame={number}")
        assert pixels_of(heat_map.content).shape == photo.shape


def test_frames_times_faces_are_limited(make_client: MakeClient, tmp_path: Path) -> None:
    write_fake_bundle(tmp_path / "bundles", framing="face")
    client = make_client(max_frames=3)
    photo = scene((200, 150), (470, 300), side=150)
    body = animated("image/png", frames=[photo, photo[::-1]])
    assert (
        "2 faces"
        in problem(client.post(URL + "&face=all", content=body, headers=RAW), 422, "too_many_frames")[
            "detail"
        ]
    )
    assert client.post(URL + "&face=largest", content=body, headers=RAW).status_code == 200


def test_limits_are_listed(client: TestClient) -> None:
    limits = client.get("/directions").json()["limits"]
    assert (limits["frames"], limits["animation_pixels"]) == (200, 50_000_000)
    assert "image/gif" in limits["media_types"]
