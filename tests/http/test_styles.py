"""The options style and styles, and the part reference, of `POST /translate`."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from models.bundle.canary import smooth_picture
from models.bundle.style_codes import draw_style
from tests.animations import animated
from tests.fake_engine import FAKE_SIZE, FAKE_STYLE, fake_outputs, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import URL, problem
from tests.photos import encoded, pixels_of

PICTURE = smooth_picture(FAKE_SIZE, FAKE_SIZE, seed=5)
BODY = encoded(PICTURE)
RED = encoded(np.full((48, 64, 3), (255, 0, 0), np.uint8))
PLAIN = "/translate?direction=dog2cat"


@pytest.fixture
def client(make_client: MakeClient, tmp_path: Path) -> TestClient:
    write_fake_bundle(tmp_path / "bundles", styles=True)
    write_fake_bundle(tmp_path / "bundles", "dog2cat")
    return make_client()


def in_style(code: Any) -> np.ndarray:
    return fake_outputs(PICTURE[None], np.asarray(code, np.float32)[None])["image"][0]


def in_seed(seed: int) -> np.ndarray:
    return in_style(draw_style(seed, FAKE_STYLE))


def shown(picture: dict[str, Any]) -> np.ndarray:
    return pixels_of(base64.b64decode(picture["data"]))


def with_reference(client: TestClient, url: str, reference: bytes = RED, **headers: str) -> httpx2.Response:
    files = {"reference": ("r.png", reference), "file": ("a.png", BODY)}
    return client.post(url, files=files, headers=headers)


def test_style_is_chosen_by_its_seed_and_0_is_the_default(client: TestClient) -> None:
    for url, seed in ((URL, 0), (f"{URL}&style=0", 0), (f"{URL}&style=7", 7)):
        answer = client.post(url, content=BODY).json()
        assert answer["style"] == {"seed": seed}
        assert "styles" not in answer
        assert answer["attention"] is None
        assert np.array_equal(shown(answer["image"]), in_seed(seed))
    as_picture = client.post(f"{URL}&style=7", content=BODY, headers={"Accept": "image/png"})
    assert np.array_equal(pixels_of(as_picture.content), in_seed(7))


def test_reference_gives_the_style(client: TestClient) -> None:
    answer = with_reference(client, URL).json()
    assert answer["style"] == {"seed": None}
    assert np.array_equal(shown(answer["image"]), in_style([1, 0, 0]))
    as_picture = with_reference(client, URL, Accept="image/png")
    assert np.array_equal(pixels_of(as_picture.content), in_style([1, 0, 0]))


def test_several_styles_are_json_with_seeds_and_pictures(client: TestClient) -> None:
    answer = client.post(f"{URL}&style=3&styles=4&format=webp", content=BODY).json()
    assert [each["seed"] for each in answer["styles"]] == [3, 4, 5, 6]
    assert answer["style"] == {"seed": 3}
    assert answer["image"] == answer["styles"][0]["image"]
    answer = client.post(f"{URL}&styles=2", content=BODY).json()
    for each in answer["styles"]:
        assert np.array_equal(shown(each["image"]), in_seed(each["seed"]))
    assert [each["seed"] for each in client.post(f"{URL}&styles=1", content=BODY).json()["styles"]] == [0]


def test_several_styles_of_a_pasted_or_moving_photo_are_still_pictures_of_1024_pixels(
    client: TestClient,
) -> None:
    large = encoded(smooth_picture(900, 1200, seed=1))
    answer = client.post(f"{URL}&styles=2&paste=true", content=large).json()
    assert [each["image"]["width"] for each in answer["styles"]] == [1024, 1024]
    answer = client.post(f"{URL}&styles=2&format=gif", content=animated()).json()
    assert len(answer["styles"]) == 2
    assert "animation" not in answer


@pytest.mark.parametrize("accept", ["image/png", "multipart/mixed"])
def test_several_styles_are_only_json(client: TestClient, accept: str) -> None:
    problem(client.post(f"{URL}&styles=4", content=BODY, headers={"Accept": accept}), 406, "not_acceptable")


@pytest.mark.parametrize(
    "option", ["style=-1", "style=1.5", "style=red", "styles=0", "styles=17", f"style={2**53}"]
)
def test_seeds_and_numbers_of_styles_have_limits(client: TestClient, option: str) -> None:
    name = option.partition("=")[0]
    assert name in problem(client.post(f"{URL}&{option}", content=BODY), 422, "invalid_option")["detail"]


@pytest.mark.parametrize("options", ["style=1", "styles=4", "style=1&styles=4"])
def test_reference_and_seeds_together_are_refused(client: TestClient, options: str) -> None:
    detail = problem(with_reference(client, f"{URL}&{options}"), 422, "invalid_option")["detail"]
    assert "reference" in detail


def test_direction_without_styles_refuses_them(client: TestClient) -> None:
    for options in ("style=0", "styles=4"):
        problem(client.post(f"{PLAIN}&{options}", content=BODY), 422, "no_styles")
    problem(with_reference(client, PLAIN), 422, "no_styles")
    assert "style" not in client.post(PLAIN, content=BODY).json()


def test_reference_that_is_no_picture_is_refused(client: TestClient) -> None:
    detail = problem(with_reference(client, URL, b"not a picture"), 415, "unsupported_format")["detail"]
    assert detail.startswith("The reference cannot be used: ")
    problem(with_reference(client, URL, b""), 422, "missing_file")
    assert problem(with_reference(client, URL, BODY[:200]), 422, "undecodable")


def test_form_takes_one_photo_and_one_reference(client: TestClient) -> None:
    photo, reference = ("file", ("a.png", BODY)), ("reference", ("r.png", RED))
    problem(client.post(URL, files=[reference]), 422, "missing_file")
    other = ("other", ("o.png", RED))
    for files in ([reference, reference], [photo, reference, reference], [photo, photo], [photo, other]):
        problem(client.post(URL, files=files), 422, "unexpected_part")


def test_each_style_has_an_etag_of_its_own(client: TestClient) -> None:
    answers = [
        client.post(URL, content=BODY),
        client.post(f"{URL}&style=1", content=BODY),
        client.post(f"{URL}&styles=1", content=BODY),
        with_reference(client, URL),
        with_reference(client, URL, BODY),
    ]
    tags = [each.headers["etag"] for each in answers]
    assert len(set(tags)) == len(tags)
    again = with_reference(client, URL, **{"If-None-Match": tags[3]})
    assert again.status_code == 304


def test_directions_say_which_styles_they_take(client: TestClient) -> None:
    styled, plain = client.get("/directions").json()["directions"]
    assert styled["styles"] == {
        "dimension": 3,
        "prior": "normal",
        "reference": True,
        "default_seed": 0,
        "most": 16,
    }
    assert styled["attention"] == {"generator": False, "local": False, "global": False}
    assert plain["styles"] is None


def test_translation_without_attention_has_no_heat_maps(client: TestClient) -> None:
    id_ = client.post(URL, content=BODY).json()["id"]
    problem(client.get(f"/attention?id={id_}"), 404, "no_such_network")


def test_batch_translates_all_files_in_one_style(client: TestClient) -> None:
    files = [("file", ("a.png", BODY))]
    url = URL.replace("/translate", "/translate/batch")
    answer = client.post(f"{url}&style=2", files=files, headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert np.array_equal(pixels_of(archive.read("001-a.png")), in_seed(2))
    problem(client.post(f"{url}&styles=2", files=files), 422, "invalid_option")
