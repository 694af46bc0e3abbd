"""The option `size` of `POST /translate`."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling
from starlette.testclient import TestClient

from tests.http.conftest import MakeClient
from tests.http.problems import URL, problem
from tests.photos import encoded, photo, pixels_of

JPEG = {"Content-Type": "image/jpeg", "Accept": "image/png"}
LARGE = photo(300, 400, form="JPEG")


def rotated(height: int, width: int) -> bytes:
    """Return a JPEG stored rotated, with the EXIF orientation that makes it upright."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.open(io.BytesIO(photo(height, width))).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def shape(client: TestClient, options: str, body: bytes = LARGE) -> tuple[int, ...]:
    """Return height and width of the translated picture."""
    response = client.post(URL + options, content=body, headers=JPEG)
    assert response.status_code == 200, response.text
    return pixels_of(response.content).shape[:2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", (32, 32)),
        ("&size=200", (200, 200)),
        ("&size=300", (300, 300)),
        ("&size=4000", (300, 300)),  # the side of the centre square
        ("&size=16", (16, 16)),
        ("&size=1", (1, 1)),
        ("&fit=contain", (24, 32)),
        ("&fit=contain&size=200", (150, 200)),
        ("&fit=contain&size=4000", (300, 400)),
        ("&fit=stretch&size=4000", (400, 400)),
    ],
)
def test_size_sets_the_longer_side_up_to_the_photos_own(
    client: TestClient, options: str, expected: tuple[int, int]
) -> None:
    assert shape(client, options) == expected


def test_photo_smaller_than_the_network_is_answered_in_the_networks_size(client: TestClient) -> None:
    small = photo(10, 20, form="JPEG")
    assert shape(client, "&size=500", small) == (32, 32)
    assert shape(client, "&fit=contain&size=500", small) == (16, 32)


def test_photo_size_is_that_of_the_upright_file(client: TestClient) -> None:
    assert shape(client, "&fit=contain&size=4000", photo(900, 1200, form="JPEG")) == (900, 1200)
    assert shape(client, "&fit=contain&size=4000", rotated(300, 400)) == (400, 300)


def test_picture_is_enlarged_by_lanczos(client: TestClient) -> None:
    small = client.post(URL, content=LARGE, headers=JPEG).content
    large = client.post(f"{URL}&size=256", content=LARGE, headers=JPEG).content
    expected = Image.open(io.BytesIO(small)).resize((256, 256), Resampling.LANCZOS)
    assert np.array_equal(pixels_of(large), np.asarray(expected))


def test_json_reports_the_size_and_the_overlay_keeps_the_networks_size(client: TestClient) -> None:
    answer = client.post(f"{URL}&size=128", content=LARGE, headers=JPEG | {"Accept": "*/*"}).json()
    assert (answer["image"]["width"], answer["image"]["height"]) == (128, 128)
    assert (answer["attention"]["overlay"]["width"], answer["attention"]["overlay"]["height"]) == (32, 32)


def test_setting_limits_the_answer_size(make_client: MakeClient) -> None:
    assert shape(make_client(answer_side_pixels=64), "&size=300") == (64, 64)


@pytest.mark.parametrize("size", ["0", "-1", "16385", "1.5", "large", ""])
def test_invalid_size_is_refused(client: TestClient, size: str) -> None:
    refused = client.post(f"{URL}&size={size}", content=encoded(np.zeros((8, 8, 3), np.uint8)), headers=JPEG)
    assert "size" in problem(refused, 422, "invalid_option")["detail"]
