"""The sync and the async client against the service with a fake model."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faces.scenes import scene
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeLive
from tests.photos import encoded, photo, pixels_of
from tests.ugatit_client.conftest import MakeClient
from ugatit_client import (
    AttentionGone,
    DeadlineReached,
    InvalidRequest,
    NoFaceFound,
    NotFound,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
    UnknownDirection,
    Unreachable,
    UnsupportedMediaType,
)

PHOTO = photo()


def test_translation_has_the_pictures_and_heat_maps(client: Any, tmp_path: Path) -> None:
    translation = client.translate(PHOTO, "cat2dog")
    assert (pixels_of(translation.image.data) == 255 - pixels_of(PHOTO)).all()
    assert (translation.direction, translation.model.name) == ("cat2dog", "cat2dog")
    assert translation.attention.overlay.media_type == "image/png"
    assert translation.faces is None
    assert translation.expires_at > datetime.now(UTC)
    translation.image.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == translation.image.data

    heat_map = client.attention(translation, size=64, view="heatmap", legend=False, format="webp")
    assert heat_map.media_type == "image/webp"
    assert pixels_of(heat_map.data).shape == (64, 64, 3)
    values = client.attention_values(translation.id, network="local")
    assert (values.network, values.shape) == ("local", (4, 4))
    assert np.asarray(values.values).shape == (4, 4)
    assert heat_map.low < heat_map.high


@pytest.mark.parametrize("kind", ["path", "name", "file", "buffer"])
def test_photo_is_a_path_a_file_or_bytes(client: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    given = {"path": path, "name": str(path), "file": io.BytesIO(PHOTO), "buffer": memoryview(PHOTO)}[kind]
    assert client.translate(given, "cat2dog").image.width == 32


def test_every_option_of_a_translation_is_sent(client: Any) -> None:
    options = {"fit": "contain", "format": "jpeg", "face": "none", "paste": True, "size": 20}
    translation = client.translate(photo(40, 60), "cat2dog", colormap="gray", alpha=0.25, **options)
    image = translation.image
    assert (image.media_type, image.width, image.height) == ("image/jpeg", 20, 13)


def test_translation_that_is_not_kept_has_no_heat_maps_later(client: Any) -> None:
    translation = client.translate(PHOTO, "cat2dog", keep=False)
    assert (translation.id, translation.attention.href) == (None, None)
    assert translation.attention.overlay.width == 32
    with pytest.raises(ValueError, match="keep"):
        client.attention(translation)


def test_faces_are_listed_and_chosen_by_a_place(
    make_live: MakeLive, make_client: MakeClient, tmp_path: Path
) -> None:
    write_fake_bundle(tmp_path / "bundles", framing="face")
    client = make_client(make_live().url)
    two = encoded(scene((200, 150), (470, 300), side=150))
    translation = client.translate(two, "cat2dog", face="at", x=470, y=300)
    assert [face.translated for face in translation.faces].count(True) == 1
    assert (translation.framing.by, translation.input.face.pixels > 50) == ("face", True)
    assert client.translate(two, "cat2dog", face="all").image.width == 640


def test_directions_have_their_maps_and_limits(client: Any) -> None:
    directions = client.directions()
    assert directions["cat2dog"].attention.global_
    assert {declared.network for declared in directions["cat2dog"].maps} == {"generator", "local", "global"}
    assert directions.limits.body_bytes == 20 * 1024**2


@pytest.mark.parametrize(
    ("sent", "direction", "options", "error", "status", "code"),
    [
        (b"no picture", "cat2dog", {}, UnsupportedMediaType, 415, "unsupported_format"),
        (PHOTO, "dog2cat", {}, UnknownDirection, 404, "unknown_direction"),
        (PHOTO, "cat2dog", {"fit": "crop"}, InvalidRequest, 422, "invalid_option"),
        (PHOTO, "cat2dog", {"fits": "cover"}, InvalidRequest, 422, "unknown_option"),
        (PHOTO, "cat2dog", {"face": "largest"}, NoFaceFound, 422, "no_face"),
        (b"", "cat2dog", {}, InvalidRequest, 422, "missing_file"),
    ],
)
def test_refusal_is_an_error_with_code_status_and_detail(
    client: Any, sent: bytes, direction: str, options: Any, error: Any, status: int, code: str
) -> None:
    with pytest.raises(error) as raised:
        client.translate(sent, direction, **options)
    assert (raised.value.status, raised.value.code) == (status, code)
    assert raised.value.detail.endswith((".", "?"))
    assert raised.value.request_id
    assert type(raised.value) is error


def test_expired_heat_map_is_an_error_of_its_own(client: Any) -> None:
    with pytest.raises(AttentionGone):
        client.attention("A" * 22)
    with pytest.raises(NotFound):
        client.attention_values("../directions?")  # stays below the address of heat maps


def test_api_key_is_sent_and_missing_key_is_an_error(
    make_live: MakeLive, make_client: MakeClient, tmp_path: Path
) -> None:
    digest = hashlib.sha256(b"a-long-enough-key-1234567890").hexdigest()
    (tmp_path / "keys").write_text(f"me:{digest}\n")
    live = make_live(api_keys_file=tmp_path / "keys")
    with pytest.raises(Unauthorized):
        make_client(live.url).translate(PHOTO, "cat2dog")
    assert make_client(live.url, api_key="a-long-enough-key-1234567890").translate(PHOTO, "cat2dog").id


def test_full_queue_is_asked_again_after_the_time_that_the_service_names(
    make_live: MakeLive, make_client: MakeClient, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = make_live(queue_size=1)
    model.hold()
    first = threading.Thread(target=live.ask, args=("POST", "/translate?direction=cat2dog", PHOTO))
    first.start()
    assert model.entered.acquire(timeout=60)
    waits = record_waits(monkeypatch, instead=lambda: (model.release(), first.join(60)))
    assert make_client(live.url, deadline_seconds=120).translate(PHOTO, "cat2dog").id
    assert len(waits) == 1
    assert waits[0] >= 1


def test_rate_limit_longer_than_the_deadline_is_raised_at_once(
    make_live: MakeLive, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(make_live(rate_per_minute=1, rate_burst=1).url, deadline_seconds=5)
    waits = record_waits(monkeypatch, instead=lambda: None)
    client.translate(PHOTO, "cat2dog")
    with pytest.raises(TooManyRequests) as raised:
        client.translate(PHOTO, "cat2dog")
    assert raised.value.retry_after_seconds > 5
    assert waits == []


def test_defunct_direction_is_raised_without_another_attempt(
    make_live: MakeLive, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fake_bundle(tmp_path / "bundles")
    broken = write_fake_bundle(tmp_path / "bundles", "horse2zebra")
    (broken / "generator.onnx").write_bytes(b"damaged")
    waits = record_waits(monkeypatch, instead=lambda: None)
    with pytest.raises(ServiceUnavailable) as raised:
        make_client(make_live().url).translate(PHOTO, "horse2zebra")
    assert raised.value.code == "direction_defunct"
    assert waits == []


def test_answer_that_trickles_reaches_the_deadline(make_client: MakeClient) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", then=b"a") as address:
        started = time.monotonic()
        with pytest.raises(DeadlineReached):
            make_client(address, deadline_seconds=0.2).directions()
        assert time.monotonic() - started < 5


def test_slow_answer_reaches_the_deadline_of_the_client_or_of_the_call(
    make_client: MakeClient, make_live: MakeLive, model: FakeModel
) -> None:
    live = make_live()
    hasty, patient = make_client(live.url, deadline_seconds=0.5), make_client(live.url)
    patient.directions()  # connects
    model.ignores_terminate = True  # else the end of a run that nobody waits for would release the next
    model.hold()
    with pytest.raises(DeadlineReached, match=r"within 0\.2 s"):
        patient.translate(PHOTO, "cat2dog", deadline_seconds=0.2)
    with pytest.raises(DeadlineReached, match=r"within 0\.5 s"):
        hasty.translate(PHOTO, "cat2dog")
    model.release()


def test_deadline_must_be_positive(client: Any) -> None:
    with pytest.raises(ValueError, match="above 0, got 0"):
        client.directions(deadline_seconds=0)


def test_service_that_does_not_run_is_unreachable(make_client: MakeClient) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Unreachable, match="check its address"):
        make_client(f"http://127.0.0.1:{port}").directions()
    with pytest.raises(Unreachable, match="check its address"):
        make_client("127.0.0.1:8000").directions()


def test_connection_that_breaks_is_tried_once_more(make_client: MakeClient) -> None:
    body = b'{"directions": [], "limits": null}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with answering(b"", answer) as address, pytest.raises(UnexpectedAnswer, match=r"answer\.limits must be"):
        make_client(address).directions()
    with answering(b"", b"") as address, pytest.raises(Unreachable):
        make_client(address).directions()


def test_answer_of_something_else_names_what_to_check(make_client: MakeClient) -> None:
    page = b"<html>Bad gateway</html>"
    answer = b"HTTP/1.1 502 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)
    with answering(answer) as address, pytest.raises(ServiceError, match="service's address") as raised:
        make_client(address).directions()
    assert (raised.value.status, raised.value.code) == (502, None)


def test_unchanged_heat_map_is_not_sent_twice(make_client: MakeClient, make_live: MakeLive) -> None:
    live = make_live()
    client = make_client(live.url)
    translation = client.translate(PHOTO, "cat2dog")
    first = client.attention(translation)
    assert client.attention(translation) is first  # confirmed by status 304
    assert client.attention(translation, size=64) is not first
    without = make_client(live.url, cache_bytes=0)
    assert without.attention(translation) is not without.attention(translation)


def test_translation_asked_again_is_confirmed_without_a_run(
    make_client: MakeClient,
    make_live: MakeLive,
    model: FakeModel,
) -> None:
    live = make_live()
    client = make_client(live.url)
    first, runs = client.translate(PHOTO, "cat2dog"), len(model.batches)
    assert client.translate(PHOTO, "cat2dog") is first  # confirmed by status 304
    assert len(model.batches) == runs
    assert client.translate(PHOTO, "cat2dog", fit="contain") is not first


def record_waits(monkeypatch: pytest.MonkeyPatch, *, instead: Any) -> list[float]:
    """Replace the clients' waits by a call; return the list of the waits' seconds."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        instead()

    async def wait_async(seconds: float) -> None:
        wait(seconds)

    monkeypatch.setattr("ugatit_client.client.sleep", wait)
    monkeypatch.setattr("ugatit_client.async_client.sleep", wait_async)
    return waits


@contextmanager
def answering(*answers: bytes, then: bytes = b"") -> Iterator[str]:
    """Serve raw answers, one for each connection, and repeat `then` on the last; an empty one closes it."""
    stop = threading.Event()

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection, suppress(ConnectionError):  # the client may leave before the answer ends
                connection.recv(65_536)
                connection.sendall(answer)
                while then and not stop.wait(0.01):
                    connection.sendall(then)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(60)
