"""Input limits are exact: one below, at and one above, as a raw body and as a form."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app.settings.settings import Settings
from tests.client import URL, in_process
from tests.fake_engine import FakeModel, fake_engine
from tests.http.live import Live, serving
from tests.http.problems import problem
from tests.images.drawing import exif, file, gradient

SIDE, PIXELS, BYTES = 100, 1518, 6000
KINDS = ("JPEG", "PNG", "WEBP")
STEPS = pytest.mark.parametrize("over", [-1, 0, 1])
FORM_TYPE = "multipart/form-data; boundary=x"
FORM_HEAD = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
FORM_END = b"\r\n--x--\r\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    bundles = tmp_path_factory.mktemp("bundles") / "bundles"
    with in_process(bundles, max_side_pixels=SIDE, max_pixels=PIXELS) as client:
        yield client


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    settings = Settings(bundles_dir=tmp_path_factory.mktemp("bundles") / "bundles", body_limit_bytes=BYTES)
    with serving(settings, fake_engine(settings, FakeModel())) as live:
        yield live


def as_body(client: TestClient, data: bytes) -> httpx2.Response:
    return client.post(URL, content=data, headers={"Content-Type": "image/jpeg"})


def as_form(client: TestClient, data: bytes) -> httpx2.Response:
    return client.post(URL, files={"file": data})


BODY_FORMS = pytest.mark.parametrize("send", [as_body, as_form])
Send = Callable[[TestClient, bytes], httpx2.Response]


def check(response: httpx2.Response, over: int) -> None:
    if over > 0:
        problem(response, 422, "too_many_pixels")
    else:
        assert response.status_code == 200, response.text


@STEPS
@BODY_FORMS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("upright", [True, False])
def test_side_limit_is_exact_raw_and_as_a_form(
    client: TestClient, kind: str, send: Send, over: int, upright: bool
) -> None:
    height, width = (SIDE + over, 9) if upright else (9, SIDE + over)
    check(send(client, file(gradient(height, width), kind)), over)


@STEPS
@BODY_FORMS
@pytest.mark.parametrize("kind", KINDS)
def test_pixel_limit_is_exact_raw_and_as_a_form(client: TestClient, kind: str, send: Send, over: int) -> None:
    height, width = {-1: (37, 41), 0: (33, 46), 1: (31, 49)}[over]
    assert height * width == PIXELS + over
    check(send(client, file(gradient(height, width), kind)), over)


@STEPS
@pytest.mark.parametrize("kind", KINDS)
def test_side_limit_is_exact_for_rotated_photos(client: TestClient, kind: str, over: int) -> None:
    check(as_body(client, file(gradient(9, SIDE + over), kind, exif=exif(6))), over)


@STEPS
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_side_limit_is_exact_for_animations(client: TestClient, kind: str, over: int) -> None:
    frames = [Image.fromarray(gradient(9, SIDE + over)[::step]) for step in (1, -1)]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:], duration=40)
    check(as_body(client, data), over)


@STEPS
@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("piece", [None, 1, 999, BYTES + 1], ids=["declared", "1", "999", "at once"])
def test_byte_limit_is_exact_declared_and_chunked(
    live: Live, over: int, form: bool, piece: int | None
) -> None:
    picture = file(gradient(8, 8), "PNG")
    if form:
        room = BYTES + over - len(FORM_HEAD) - len(FORM_END)
        body = FORM_HEAD + picture.ljust(room, b"\0") + FORM_END
    else:
        body = picture.ljust(BYTES + over, b"\0")
    assert len(body) == BYTES + over
    headers = {"Content-Type": FORM_TYPE if form else "image/png"}
    content = body if piece is None else pieces(body, piece)
    status, fields = live.ask("POST", URL, content, headers)
    assert (status, fields.get("code")) == ((413, "body_too_large") if over > 0 else (200, None))


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("files", [0, 1, 2])
def test_form_must_have_exactly_one_file(client: TestClient, files: int) -> None:
    picture = file(gradient(8, 8), "PNG")
    content = (FORM_HEAD + picture + b"\r\n") * files + b"--x--\r\n"
    response = client.post(URL, content=content, headers={"Content-Type": FORM_TYPE})
    if files == 1:
        assert response.status_code == 200
    else:
        problem(response, 422, "unexpected_part" if files else "missing_file")
