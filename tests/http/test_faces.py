"""Faces of whole photos over HTTP: which are translated, what the answer says, and how they are put back."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from models.bundle.canary import smooth_picture
from models.bundle.declarations import FramedFace
from tests.faces.scenes import foliage, portrait, scene
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import encoded, pixels_of

PLACES = (200, 150), (470, 300)
TWO = scene(*PLACES, side=150, turned=20)
EMPTY = smooth_picture(120, 160, seed=4)


@pytest.fixture
def client(make_client: MakeClient, tmp_path: Path) -> TestClient:
    write_fake_bundle(tmp_path / "bundles", framing="face")
    write_fake_bundle(tmp_path / "bundles", "horse2zebra")
    return make_client(queue_size=2)


def ask(client: TestClient, picture: np.ndarray, query: str = "") -> dict[str, Any]:
    response = client.post(URL + query, content=encoded(picture), headers=PNG)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def image(answer: dict[str, Any]) -> np.ndarray:
    return pixels_of(base64.b64decode(answer["image"]["data"]))


def overlay(answer: dict[str, Any]) -> np.ndarray:
    return pixels_of(base64.b64decode(answer["attention"]["overlay"]["data"]))


def distance(face: dict[str, Any], place: tuple[int, int]) -> float:
    box = face["box"]
    return math.dist((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), place)


def changed(picture: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Return where a picture of a photo's size differs from it."""
    return np.abs(picture.astype(int) - photo).max(axis=2) > 12


def test_faces_of_the_photo_are_listed_in_its_pixels_with_those_translated(client: TestClient) -> None:
    answer = ask(client, TWO)
    assert [sorted(face) for face in answer["faces"]] == [
        ["box", "landmarks", "score", "translated", "turned_degrees"]
    ] * 2
    for place in PLACES:
        assert min(distance(face, place) for face in answer["faces"]) < 20
    for face in answer["faces"]:
        assert face["turned_degrees"] == pytest.approx(20, abs=6)
        assert 0.8 < face["score"] <= 1
        assert set(face["landmarks"]) == {"left_eye", "right_eye", "nose", "mouth_left", "mouth_right"}
    assert [face["translated"] for face in answer["faces"]] == [True, False]
    assert answer["framing"]["by"] == "face"
    corners = answer["framing"]["corners"]
    assert math.dist(corners[0].values(), corners[1].values()) == pytest.approx(150, rel=0.12)
    assert "2 faces" in answer["framing"]["note"]
    assert (answer["image"]["width"], answer["image"]["height"]) == (32, 32)


def test_a_direction_of_faces_searches_by_default_and_another_does_not(client: TestClient) -> None:
    assert "faces" in ask(client, TWO)
    body = encoded(TWO)
    other = client.post("/translate?direction=horse2zebra", content=body, headers=PNG).json()
    assert not {"faces", "framing", "input"} & other.keys()
    assert other["image"] == ask(client, TWO, "&face=none")["image"]
    assert "faces" not in ask(client, TWO, "&fit=contain")
    assert "faces" in ask(client, TWO, "&fit=contain&face=auto")


def test_faces_are_framed_as_the_manifest_says(make_client: MakeClient, tmp_path: Path) -> None:
    face = FramedFace(height=0.4, centre_x=0.5, centre_y=0.7)
    write_fake_bundle(tmp_path / "bundles", framing="face", face=face)
    framing = ask(make_client(), TWO)["framing"]
    left_upper, right_upper, _, left_lower = (tuple(corner.values()) for corner in framing["corners"])
    side = math.dist(left_upper, right_upper)
    assert side == pytest.approx(math.dist(left_upper, left_lower), rel=0.01)
    assert side == pytest.approx(150 * 0.87 / 0.4, rel=0.12)


def test_a_picture_answer_tells_the_number_of_faces_in_a_header(client: TestClient) -> None:
    accept = PNG | {"Accept": "image/png"}
    assert client.post(URL, content=encoded(TWO), headers=accept).headers["x-faces-found"] == "2"
    none = client.post(f"{URL}&face=none", content=encoded(TWO), headers=accept)
    assert "x-faces-found" not in none.headers


def test_the_face_at_a_place_is_the_one_translated(client: TestClient) -> None:
    for x, y in PLACES:
        faces = ask(client, TWO, f"&face=at&x={x}&y={y}")["faces"]
        (translated,) = (face for face in faces if face["translated"])
        assert distance(translated, (x, y)) < 20


@pytest.mark.parametrize("query", ["face=largest", "face=all", "face=at&x=5&y=5"])
def test_a_photo_without_a_face_is_refused_with_advice_where_one_is_needed(
    client: TestClient, query: str
) -> None:
    response = client.post(f"{URL}&{query}", content=encoded(EMPTY), headers=PNG)
    assert "face=none" in problem(response, 422, "no_face")["detail"]
    assert client.app_state["engine"].status().directions[0].permits_held == 0


def test_a_place_without_a_face_is_refused_with_the_number_of_faces(client: TestClient) -> None:
    response = client.post(f"{URL}&face=at&x=630&y=10", content=encoded(TWO), headers=PNG)
    assert "2 found faces" in problem(response, 422, "no_face")["detail"]


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_auto_takes_the_centre_of_a_photo_without_faces_and_says_so(client: TestClient, form: str) -> None:
    body = encoded(foliage(900, 1300), form)
    auto, none = (
        client.post(URL + query, content=body, headers=PNG).json() for query in ("&face=auto", "&face=none")
    )
    assert auto["image"] == none["image"]
    assert auto["faces"] == []
    assert auto["framing"]["by"] == "fit"
    assert "No face was found" in auto["framing"]["note"]
    assert auto["input"]["face"] is None


def test_a_photo_that_is_framed_already_is_translated_as_without_a_search(client: TestClient) -> None:
    large = np.asarray(portrait().resize((700, 700)))
    for face in ("auto", "largest", "at&x=350&y=350"):
        body = encoded(large, "JPEG")
        one, none = (
            client.post(f"{URL}&face={mode}", content=body, headers=PNG).json() for mode in (face, "none")
        )
        assert one["image"] == none["image"]
        assert one["framing"]["by"] == "fit"
        assert [found["translated"] for found in one["faces"]] == [True]


def test_a_face_pasted_back_leaves_the_rest_of_the_photo_unchanged(client: TestClient) -> None:
    answer = ask(client, TWO, "&paste=true")
    picture = image(answer)
    assert picture.shape == TWO.shape
    difference = changed(picture, TWO)
    (face,) = (face for face in answer["faces"] if face["translated"])
    box = face["box"]
    rows, columns = np.nonzero(difference)
    assert len(rows) > 0.2 * box["width"] * box["height"]
    assert box["x"] - 60 < columns.min() < columns.max() < box["x"] + box["width"] + 60
    assert box["y"] - 60 < rows.min() < rows.max() < box["y"] + box["height"] + 60
    assert np.array_equal(picture[:40], TWO[:40])


def test_all_faces_are_pasted_back_by_one_request_heavier_than_the_queue(
    client: TestClient, model: FakeModel
) -> None:
    places = [(100 + 180 * column, 100 + 180 * row) for row in range(3) for column in range(4)]
    photo = scene(*places, side=130, size=(760, 560))
    before = len(model.batches)
    answer = ask(client, photo, "&face=all")
    assert [face["translated"] for face in answer["faces"]] == [True] * 12
    assert sum(model.batches[before:]) == 12
    difference = changed(image(answer), photo)
    for x, y in places:
        assert difference[y - 40 : y + 40, x - 40 : x + 40].mean() > 0.3
    assert not difference[:20].any()


def test_more_faces_than_the_limit_leave_the_smallest_ones_untranslated(
    make_client: MakeClient, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path / "bundles", framing="face")
    client = make_client(max_faces=1)
    assert client.get("/directions").json()["limits"]["faces"] == 1
    answer = ask(client, TWO, "&face=all")
    assert [face["translated"] for face in answer["faces"]] == [True, False]


@pytest.mark.parametrize("size", [100, 400])
def test_size_shrinks_a_pasted_photo(client: TestClient, size: int) -> None:
    answer = ask(client, TWO, f"&paste=true&size={size}")
    assert (answer["image"]["width"], answer["image"]["height"]) == (size, round(size * 480 / 640))


def test_heat_maps_of_a_pasted_photo_lie_on_its_faces(client: TestClient) -> None:
    answer = ask(client, TWO, "&face=all")
    drawn = overlay(answer)
    assert drawn.shape == TWO.shape
    got = client.get(answer["attention"]["href"])
    assert np.array_equal(pixels_of(got.content), drawn)
    difference = changed(drawn, TWO)
    for x, y in PLACES:
        assert difference[y - 30 : y + 30, x - 30 : x + 30].mean() > 0.5
    assert not difference[:30].any()
    for query, shape in (
        ("&view=heatmap", (480, 640, 3)),
        ("&base=translation&size=320", (240, 320, 3)),
        ("&network=local&size=320", (240, 320, 3)),
        ("&network=global&view=heatmap", (480, 640, 3)),
    ):
        assert pixels_of(client.get(answer["attention"]["href"] + query).content).shape == shape
    alone = Image.open(io.BytesIO(client.get(f"{answer['attention']['href']}&view=heatmap").content))
    alpha = np.asarray(alone.getchannel("A"))
    assert alpha[PLACES[0][1], PLACES[0][0]] == 255
    assert not alpha[:30].any()
    assert client.get(f"{answer['attention']['href']}&view=raw").json()["shape"] == [4, 4]


def test_heat_map_of_a_chosen_face_is_that_of_the_face_alone(client: TestClient) -> None:
    href = ask(client, TWO, "&face=all")["attention"]["href"]
    first, second = (client.get(f"{href}&view=raw&face={number}").json()["values"] for number in (0, 1))
    assert first == client.get(f"{href}&view=raw").json()["values"]
    assert first != second
    assert client.get(f"{href}&view=raw&face=1&network=local").json()["shape"] == [4, 4]
    picture = changed(pixels_of(client.get(f"{href}&face=1").content), TWO)
    near = [picture[y - 30 : y + 30, x - 30 : x + 30].mean() for x, y in PLACES]
    assert sorted(share > 0.5 for share in near) == [False, True]
    problem(client.get(f"{href}&face=2"), 404, "no_such_face")


def test_measured_framing_of_the_training_pictures_is_listed(make_client: MakeClient, tmp_path: Path) -> None:
    face = FramedFace(height=0.8, centre_x=0.5, centre_y=0.6)
    write_fake_bundle(tmp_path / "bundles", framing="face", face=face)
    write_fake_bundle(tmp_path / "bundles", "horse2zebra")
    described = make_client().get("/directions").json()["directions"]
    assert [one["face"] for one in described] == [face.model_dump(), None]


def test_heat_maps_of_a_face_have_the_geometry_of_its_translation(client: TestClient) -> None:
    answer = ask(client, TWO, "&face=largest")
    assert overlay(answer).shape == image(answer).shape == (32, 32, 3)
    plain = pixels_of(client.get(f"{answer['attention']['href']}&alpha=0").content)
    assert np.array_equal(255 - plain, image(answer))


def test_places_are_those_of_the_upright_photo(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees clockwise to view
    stored = io.BytesIO()
    Image.fromarray(TWO).transpose(Image.Transpose.ROTATE_90).save(stored, "JPEG", exif=exif, quality=95)
    x, y = PLACES[1]
    url = f"{URL}&face=at&x={x}&y={y}&paste=true"
    answer = client.post(url, content=stored.getvalue(), headers=PNG).json()
    (translated,) = (face for face in answer["faces"] if face["translated"])
    assert distance(translated, (x, y)) < 20
    assert image(answer).shape == TWO.shape


def test_the_centre_can_be_pasted_back_too(client: TestClient) -> None:
    wide = smooth_picture(120, 240, seed=2)
    answer = ask(client, wide, "&face=none&paste=true")
    difference = changed(image(answer), wide)
    assert image(answer).shape == wide.shape
    assert difference[:, 90:150].mean() > 0.3
    assert not difference[:, :60].any()
    assert not difference[:, 180:].any()


def test_the_input_is_described_as_it_was_taken(client: TestClient) -> None:
    quality = ask(client, TWO)["input"]
    assert 0.2 < quality["face"]["height"] < 0.35
    assert quality["face"]["turned_degrees"] == pytest.approx(20, abs=6)
    assert 0 < quality["source_probability"] < 1
    sharp = ask(client, np.asarray(portrait()))["input"]
    blurred = ask(client, np.asarray(portrait().resize((12, 12)).resize((256, 256))), "&face=auto")["input"]
    assert blurred["sharpness"] < 0.7 * sharp["sharpness"]
