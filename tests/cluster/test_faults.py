"""Break a running cluster under load: its clients see no failure."""

from __future__ import annotations

import base64
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.bundle.canary import smooth_picture
from models.bundle.manifest import MANIFEST, version_of
from tests.cluster.live_cluster import LiveCluster, Reply, cluster_up, kill, statuses, wait
from tests.photos import pixels_of
from tests.tiny_bundle import write_tiny_bundle

pytestmark = [pytest.mark.cluster, pytest.mark.serial]

REQUESTS = 300
CLIENTS = 6


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    write_tiny_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def live(bundles: Path) -> Iterator[LiveCluster]:
    with cluster_up(bundles, "--replicas", "2", UGATIT_LOG_LEVEL="error") as cluster:
        yield cluster


def test_a_killed_replica_fails_no_request_and_is_replaced(live: LiveCluster) -> None:
    before = live.pids()
    replies = live.load(REQUESTS, CLIENTS, after=REQUESTS // 3, do=lambda: kill(before[0]))
    assert statuses(replies) == {200: REQUESTS}
    wait(lambda: len(live.pids()) == 2 and before[0] not in live.pids(), "the replica is replaced")


def test_a_replica_that_hangs_fails_no_request_and_is_replaced(live: LiveCluster) -> None:
    hanging = live.pids()[0]
    replies = live.load(60, CLIENTS, after=20, do=lambda: kill(hanging, signal.SIGSTOP))
    assert statuses(replies) == {200: 60}
    wait(lambda: len(live.pids()) == 2 and hanging not in live.pids(), "the replica is replaced")


def test_without_redis_pictures_are_translated_and_with_it_they_have_heat_maps_again(
    live: LiveCluster,
) -> None:
    redis = live.status()["redis"]["pid"]
    kill(redis, signal.SIGSTOP)
    without = [live.translate(seed) for seed in range(5)]
    assert statuses(without) == {200: 5}
    assert without[-1].fields["id"] is None
    kill(redis, signal.SIGCONT)
    wait(lambda: live.translate().fields["id"] is not None, "heat maps are kept again")


def test_a_rolling_update_fails_no_request_and_mixes_no_versions(live: LiveCluster, bundles: Path) -> None:
    path = bundles / "cat2dog"
    brightness = {version_of((path / MANIFEST).read_bytes()): 1.0}
    front = live.status()["front"]["pid"]

    def update() -> None:
        write_tiny_bundle(bundles, brightness=0.5)
        brightness[version_of((path / MANIFEST).read_bytes())] = 0.5
        kill(front, signal.SIGHUP)

    replies = live.load(REQUESTS, CLIENTS, after=REQUESTS // 3, do=update)
    newest = list(brightness)[-1]
    until = time.monotonic() + 120
    while live.ask("GET", "/directions").fields["directions"][0]["model"]["version"] != newest:
        replies.append(live.translate(len(replies)))
        assert time.monotonic() < until, "the new version does not serve"
    replies += [live.translate(seed) for seed in range(len(replies), len(replies) + 20)]
    assert statuses(replies) == {200: len(replies)}
    for seed, reply in enumerate(replies):
        assert matches(reply, seed, brightness)
    assert replies[-1].fields["model"]["version"] == newest


def matches(reply: Reply, seed: int, brightness: dict[str, float]) -> bool:
    """Return whether the picture of an answer is that of the version that it names."""
    fields = reply.fields
    expected = (255 - smooth_picture(32, 32, seed=seed)) * brightness[fields["model"]["version"]]
    found = pixels_of(base64.b64decode(fields["image"]["data"])).astype(float)
    return bool(np.abs(found - expected).max() <= 1)


def test_a_redis_that_was_killed_and_started_again_keeps_heat_maps_again(live: LiveCluster) -> None:
    redis = live.status()["redis"]["pid"]
    port = Path(f"/proc/{redis}/cmdline").read_text().rstrip("\0 ").rpartition(":")[2]
    kill(redis)
    without = [live.translate(seed) for seed in range(5)]
    assert statuses(without) == {200: 5}
    assert without[-1].fields["id"] is None
    with redis_server(port):
        wait(lambda: live.translate().fields["id"] is not None, "heat maps are kept again")


@contextmanager
def redis_server(port: str) -> Iterator[None]:
    """Run Redis on a port."""
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()


def test_a_full_queue_refuses_with_a_problem_and_a_time(bundles: Path) -> None:
    with cluster_up(bundles, UGATIT_QUEUE_SIZE="1", UGATIT_LOG_LEVEL="error") as live:
        replies = live.load(60, 12, after=1, do=lambda: None)
        refused = [reply for reply in replies if reply.status != 200]
        assert refused
        assert statuses(refused).keys() == {503}
        for reply in refused:
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.fields["code"] in ("queue_full", "fair_share")
            assert int(reply.headers["retry-after"]) > 0
        again = live.ugatit("up")
        assert (again.returncode, "A cluster runs on" in again.stderr) == (2, True)
    gone = live.ugatit("down")
    assert (gone.returncode, "No cluster runs on" in gone.stderr) == (2, True)
