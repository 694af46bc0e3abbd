"""fit=native: a photo is translated at its own shape."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from models.images.frame import native_size
from tests.animations import animated, drawn_frames
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import photo, pixels_of

NATIVE = URL + "&fit=native"


@pytest.fixture
def client(make_client: MakeClient, tmp_path: Any) -> TestClient:
    write_fake_bundle(tmp_path / "bundles", framing="face", fixed=False)
    write_fake_bundle(tmp_path / "bundles", "horse2zebra")
    return make_client(native_pixels=10_000)


def ask(client: TestClient, picture: bytes, query: str = "") -> dict[str, Any]:
    response = client.post(NATIVE + query, content=picture, headers=PNG)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def pictures(answer: dict[str, Any]) -> Iterator[np.ndarray]:
    """Yield the translated picture and its overlay."""
    for picture in (answer["image"], answer["attention"]["overlay"]):
        yield pixels_of(base64.b64decode(picture["data"]))


@pytest.mark.parametrize("shape", [(54, 78), (96, 64), (3, 50), (1, 1)])
def test_photo_is_translated_pixel_by_pixel_at_its_own_shape(
    client: TestClient, shape: tuple[int, int]
) -> None:
    sent = photo(*shape)
    answer = ask(client, sent)
    image, overlay = pictures(answer)
    assert np.array_equal(image, 255 - pixels_of(sent))  # the fake inverts
    assert overlay.shape == image.shape
    assert not {"faces", "framing", "input"} & answer.keys()


def test_heat_maps_of_all_networks_have_the_geometry_of_the_photo(client: TestClient) -> None:
    id_ = ask(client, photo(54, 78))["id"]
    for network in ("generator", "local", "global"):
        overlay = client.get(f"/attention/{id_}?network={network}")
        assert pixels_of(overlay.content).shape == (54, 78, 3)
        values = client.get(f"/attention/{id_}/raw?network={network}").json()
        assert values["shape"] == [7, 10]  # of 56 x 80 pixels, the photo with its padding


def test_larger_photo_is_shrunk_to_the_limit(client: TestClient) -> None:
    assert client.get("/directions").json()["limits"]["native_pixels"] == 10_000
    image, overlay = pictures(ask(client, photo(200, 800)))
    assert image.shape == overlay.shape == (50, 200, 3)
    enlarged, _ = pictures(ask(client, photo(200, 800), "&size=400"))
    assert enlarged.shape == (100, 400, 3)


def test_frames_of_an_animation_share_the_limit(client: TestClient, model: FakeModel) -> None:
    runs = len(model.batches)
    answer = ask(client, animated(frames=drawn_frames(4, 100, 100)), "&format=webp")
    image, _ = pictures(answer)
    assert image.shape == (50, 50, 3)
    assert answer["animation"]["frames"] == 4
    assert len(model.batches) - runs >= 4


def test_options_for_a_part_of_the_photo_are_refused(client: TestClient) -> None:
    for query, named in (
        ("&face=largest", "face"),
        ("&face=all", "face"),
        ("&face=at&x=1&y=1", "face"),
        ("&paste=true", "paste"),
    ):
        answer = client.post(NATIVE + query, content=photo(), headers=PNG)
        assert f"leave {named} out" in problem(answer, 422, "invalid_option")["detail"]
    assert ask(client, photo(), "&face=none&paste=false")


def test_network_of_one_size_is_named_with_its_size(client: TestClient) -> None:
    url = "/translate?direction=horse2zebra&fit=native"
    detail = problem(client.post(url, content=photo(), headers=PNG), 422, "no_native_fit")["detail"]
    assert "only 32 x 32 pixels; use fit=contain" in detail


def test_service_may_turn_it_off(make_client: MakeClient, tmp_path: Any) -> None:
    write_fake_bundle(tmp_path / "bundles", fixed=False)
    client = make_client(native_pixels=0)
    detail = problem(client.post(NATIVE, content=photo(), headers=PNG), 422, "no_native_fit")["detail"]
    assert "UGATIT_NATIVE_PIXELS" in detail


def test_failing_model_for_any_shape_leaves_the_others_working(client: TestClient, model: FakeModel) -> None:
    model.failures = 2  # the run, and the run of its replacement
    sent = {"content": photo(54, 78), "headers": PNG}
    detail = problem(client.post(NATIVE, **sent), 503, "network_defunct")["detail"]
    assert "use fit=contain" in detail
    assert client.post(URL, **sent).status_code == 200
    assert client.get("/readyz").json()["directions"]["cat2dog"] == "degraded"


def test_native_frame_holds_the_whole_photo_within_the_limit() -> None:
    sides = (1, 31, 127, 128, 500, 5000, 16_384)
    for height, width, most_pixels in itertools.product(sides, sides, (128 * 128, 1_000_000)):
        content, frame = native_size((height, width), (128, 128), most_pixels)
        assert frame.height % 4 == frame.width % 4 == 0
        assert frame.height * frame.width < most_pixels * 1.07  # rounded up to multiples of 4
        assert frame.height >= max(128, content.height)
        assert frame.width >= max(128, content.width)
        if max(height, 128) * max(width, 128) <= most_pixels:
            assert content == (height, width)
        assert abs(content.height - content.width * height / width) <= max(1, height / width)
