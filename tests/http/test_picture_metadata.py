"""A photo's metadata and file name appear in no answer and no log line."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app.http.monitoring.logs import configure_logging
from tests.client import URL, in_process
from tests.images.metadata_files import CANARY, with_metadata

KINDS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
WORD = CANARY.decode()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with in_process(tmp_path_factory.mktemp("bundles") / "bundles") as client:
        yield client


def as_body(client: TestClient, data: bytes, accept: str) -> httpx2.Response:
    return client.post(URL, content=data, headers={"Content-Type": "image/png", "Accept": accept})


def as_form(client: TestClient, data: bytes, accept: str) -> httpx2.Response:
    files = {"file": (f"{WORD}.jpg", data, "image/jpeg")}
    return client.post(URL, files=files, headers={"Accept": accept})


Send = Callable[[TestClient, bytes, str], httpx2.Response]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("send", [as_body, as_form])
@pytest.mark.parametrize("accept", ["application/json", "multipart/mixed", *MEDIA_TYPES])
def test_answers_contain_no_metadata_of_the_photo(
    client: TestClient, kind: str, send: Send, accept: str
) -> None:
    response = send(client, with_metadata(kind), accept)
    assert response.status_code == 200
    assert WORD not in str(response.headers)
    for data in contents(response):
        assert_no_metadata(data)


@pytest.mark.parametrize("kind", KINDS)
def test_heat_maps_contain_no_metadata_of_the_photo(client: TestClient, kind: str) -> None:
    href = as_form(client, with_metadata(kind), "application/json").json()["attention"]["href"]
    networks, views, bases = (
        ("generator", "local", "global"),
        ("overlay", "heatmap"),
        ("source", "translation"),
    )
    for network, view, base, accept in product(networks, views, bases, MEDIA_TYPES):
        asked = f"{href}&network={network}&view={view}&base={base}&size=64"
        response = client.get(asked, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, accept)
        assert_no_metadata(response.content)
    assert_no_metadata(client.get(f"{href}&view=raw").content)


@pytest.mark.parametrize("kind", KINDS)
def test_refusals_contain_neither_file_contents_nor_file_name(client: TestClient, kind: str) -> None:
    data = with_metadata(kind)
    for damaged in (data[: len(data) // 2], data[100:], CANARY * 100, b""):
        response = as_form(client, damaged, "application/json")
        assert response.status_code in (415, 422)
        assert_no_metadata(response.content)


def test_service_endpoints_contain_no_metadata_of_photos(client: TestClient) -> None:
    for kind in KINDS:
        as_form(client, with_metadata(kind), "application/json")
    for path in ("/metrics", "/directions", "/readyz", "/healthz"):
        assert_no_metadata(client.get(path).content)


@pytest.mark.parametrize("form", ["plain", "json"])
def test_debug_log_contains_neither_metadata_nor_file_names(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], own_logging: None
) -> None:
    configure_logging("debug", form)  # type: ignore[arg-type]
    with in_process(tmp_path / "bundles") as client:
        for kind in KINDS:
            data = with_metadata(kind)
            href = as_form(client, data, "application/json").json()["attention"]["href"]
            as_body(client, data, "image/jpeg")
            as_form(client, data[: len(data) // 2], "application/json")
            client.get(f"{href}&network=local")
            client.get(f"/{WORD}?{WORD}={WORD}")
    output = capsys.readouterr().err
    assert output.count("/translate") >= 9
    assert WORD not in output
    assert ".jpg" not in output


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Restore the logging configuration after the test."""
    loggers = [logging.getLogger(name) for name in ("", "ugatit", "uvicorn", "python_multipart")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def contents(response: httpx2.Response) -> list[bytes]:
    """Return the whole answer and every picture in it."""
    content_type = response.headers["content-type"]
    if content_type == "application/json":
        fields = response.json()
        pictures = [fields["image"]["data"], fields["attention"]["overlay"]["data"]]
        return [response.content, *(base64.b64decode(picture) for picture in pictures)]
    if content_type.startswith("multipart/mixed"):
        parts = response.content.split(b"\r\n--" + content_type.partition("boundary=")[2].encode())
        return [response.content, *(part.partition(b"\r\n\r\n")[2] for part in parts if b"image/" in part)]
    return [response.content]


def assert_no_metadata(data: bytes) -> None:
    """Check that data has no canary and, if it is a picture, no metadata."""
    assert CANARY not in data
    if data.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF")):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert set(picture.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "loop",
            "background",
            "timestamp",
            "duration",
        }
        assert not picture.getexif()
