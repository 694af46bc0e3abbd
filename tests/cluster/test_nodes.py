"""Two nodes of Ray on this machine; one is lost while its replicas run pictures."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app.cluster.options import ClusterOptions
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from tests.cluster.live_cluster import wait
from tests.fake_engine import write_fake_bundle
from tests.photos import photo

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.serial,
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

PICTURES = 120
CLIENTS = 8


@contextmanager
def second_node(address: str, folder: Path) -> Iterator[int]:
    """Add a node to the cluster; return its raylet's process."""
    from app.cluster import processes
    from app.cluster.ray_head import free_port

    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--address={address}"]
    name = f"node-{secrets.token_hex(8)}"
    options = [
        f"--node-name={name}",
        "--num-cpus=2",
        f"--dashboard-agent-listen-port={free_port()}",
        "--object-store-memory=100000000",
    ]
    environment = os.environ | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    node = processes.start([*command, *options], folder / "node.log", environment)
    try:
        wait(lambda: raylet_of(name) is not None, "the second node starts")
        raylet = raylet_of(name)
        assert raylet is not None
        yield raylet
    finally:
        processes.stop(node, 20)


def raylet_of(node_name: str) -> int | None:
    """Return the raylet of a node."""
    found = subprocess.run(
        ["pgrep", "-f", f"raylet/raylet .*{node_name}"], capture_output=True, text=True, check=False
    )
    return int(found.stdout.split()[0]) if found.stdout else None


async def test_a_lost_node_fails_no_picture(tmp_path: Path) -> None:
    from app.cluster.remote_engine import RemoteEngine
    from app.cluster.status import replicas
    from tests.cluster.ray_cluster import one_node, serving_cluster, short_folder, sleeping_models

    write_fake_bundle(tmp_path)
    settings = Settings(bundles_dir=tmp_path, queue_size=64)
    options = ClusterOptions(replicas=4, replica_cpus=0.5)
    with short_folder() as folder, one_node(folder) as address, second_node(address, folder) as raylet:
        wait(lambda: nodes() == 2, "both nodes are in the cluster")
        with serving_cluster(settings, options, sleeping_models):
            engine = RemoteEngine(settings)
            engine.start()
            await engine.wait_until_loaded()
            while engine.status().directions[0].permits < 4 * settings.queue_size:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            where = [each["node"] for each in replicas()]
            assert len(set(where)) == 2, where
            places = asyncio.Semaphore(CLIENTS)

            async def one(number: int) -> bool:
                async with places:
                    if number == PICTURES // 3:
                        os.kill(raylet, signal.SIGKILL)
                    done = await engine.translate("cat2dog", photo(seed=number))
                return np.array_equal(done.entry.translation, 255 - smooth_picture(32, 32, seed=number))

            results = await asyncio.gather(*map(one, range(PICTURES)), return_exceptions=True)
            engine.close()
    assert results == [True] * PICTURES


def nodes() -> int:
    """Return how many nodes are alive."""
    import ray

    return sum(node["Alive"] for node in ray.nodes())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
