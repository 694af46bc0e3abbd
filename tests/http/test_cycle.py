"""cycle=true: the translation is translated back by the opposite direction, and compared with the photo."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests import fake_engine
from tests.animations import animated
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.http.conftest import MakeClient
from tests.http.problems import PNG, URL, problem
from tests.photos import photo, pixels_of

CYCLE = URL + "&cycle=1"


@pytest.fixture
def client(make_client: MakeClient, tmp_path: Path) -> TestClient:
    for direction in ("cat2dog", "dog2cat", "horse2zebra"):
        write_fake_bundle(tmp_path / "bundles", direction, fixed=direction == "horse2zebra")
    return make_client(queue_size=1)


@pytest.mark.parametrize(
    ("query", "shape"), [("", (32, 32)), ("&fit=contain", (16, 32)), ("&fit=native", (24, 48))]
)
def test_reconstruction_is_the_photo_and_its_distance_is_in_levels(
    client: TestClient, model: FakeModel, query: str, shape: tuple[int, int]
) -> None:
    runs = len(model.batches)
    answer = client.post(CYCLE + query, content=photo(24, 48), headers=PNG).json()
    assert len(model.batches) - runs - 2 * (query == "&fit=native") == 2  # native also runs two canaries
    back = pixels_of(base64.b64decode(answer["cycle"]["image"]["data"]))
    forth = pixels_of(base64.b64decode(answer["image"]["data"]))
    assert back.shape == forth.shape == (*shape, 3)
    assert np.array_equal(back, 255 - forth)  # the fake inverts, so twice is the photo
    assert answer["cycle"]["l1"] == 0.0


def test_distance_is_the_mean_difference_of_levels(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def darker(pixels: np.ndarray, *codes: np.ndarray | None) -> dict[str, np.ndarray]:
        return fake_outputs(pixels, *codes) | {"image": (255 - pixels) // 2}

    fake_outputs = fake_engine.fake_outputs
    monkeypatch.setattr(fake_engine, "fake_outputs", darker)
    sent = photo(32, 32)
    answer = client.post(CYCLE, content=sent, headers=PNG).json()
    back = (255 - (255 - pixels_of(sent)) // 2) // 2
    expected = np.abs(back.astype(int) - pixels_of(sent)).mean()
    assert expected > 1
    assert answer["cycle"]["l1"] == pytest.approx(expected, abs=0.001)


def test_answer_without_the_option_has_no_cycle(client: TestClient) -> None:
    assert "cycle" not in client.post(URL, content=photo(), headers=PNG).json()


def test_first_frame_of_an_animation_is_translated_back(client: TestClient) -> None:
    answer = client.post(CYCLE + "&format=webp", content=animated(), headers=PNG).json()
    assert answer["animation"]["frames"] == 3
    assert answer["cycle"]["image"]["width"] == 32


def test_only_json_has_a_place_for_it(client: TestClient) -> None:
    for accept in ("image/png", "multipart/mixed", "image/*;q=0.5"):
        problem(client.post(CYCLE, content=photo(), headers=PNG | {"Accept": accept}), 406, "not_acceptable")
    batch = client.post("/translate/batch?direction=cat2dog&cycle=1", files={"file": photo()})
    assert "POST /translate" in problem(batch, 422, "invalid_option")["detail"]


def test_missing_opposite_direction_is_named(client: TestClient) -> None:
    url = "/translate?direction=horse2zebra&cycle=1"
    detail = problem(client.post(url, content=b"not read", headers=PNG), 422, "no_opposite")["detail"]
    assert "zebra2horse" in detail


def test_both_directions_hold_a_permit(client: TestClient, model: FakeModel) -> None:
    model.hold()
    with ThreadPoolExecutor(2) as others:
        cycle = others.submit(client.post, CYCLE, content=photo(), headers=PNG)
        model.entered.acquire()
        back = client.post("/translate?direction=dog2cat", content=photo(), headers=PNG)
        problem(back, 503, "queue_full")
        model.release()
        assert cycle.result().status_code == 200
    permits = Counter(
        line.split()[1]
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("ugatit_permits_held{")
    )
    assert permits == {"0.0": 3}


def test_full_opposite_direction_refuses_the_photo(client: TestClient, model: FakeModel) -> None:
    model.hold()
    with ThreadPoolExecutor(1) as others:
        back = others.submit(client.post, "/translate?direction=dog2cat", content=photo(), headers=PNG)
        model.entered.acquire()
        problem(client.post(CYCLE, content=photo(), headers=PNG), 503, "queue_full")
        model.release()
        assert back.result().status_code == 200


def test_deadline_includes_the_way_back(
    make_client: MakeClient, tmp_path: Path, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for direction in ("cat2dog", "dog2cat"):
        write_fake_bundle(tmp_path / "bundles", direction)
    client = make_client(deadline_seconds=1, grace_seconds=5)
    run, before = model.run, len(model.batches)

    def hold_the_way_back(*inputs: np.ndarray) -> Mapping[str, np.ndarray]:
        if len(model.batches) > before:
            model.hold()
        return run(*inputs)

    monkeypatch.setattr(model, "run", hold_the_way_back)
    problem(client.post(CYCLE, content=photo(), headers=PNG), 504, "deadline")
    assert len(model.batches) == before + 2


def test_etag_changes_with_the_opposite_bundle(client: TestClient, tmp_path: Path) -> None:
    def tag() -> str:
        return str(client.post(CYCLE, content=photo(), headers=PNG).headers["etag"])

    before = tag()
    assert tag() == before
    write_fake_bundle(tmp_path / "bundles", "dog2cat", card=b"# Another version\n", fixed=False)
    client.portal.call(client.app_state["engine"].registry.reload)
    assert tag() != before
