"""A Ray of several nodes that an operator started, and replicas that `serve deploy` put on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.command import ROOT
from tests.cluster.live_cluster import LiveCluster, Reply, kill, statuses, wait
from tests.cluster.ray_nodes import RayNodes, first_node, replicas_of
from tests.tiny_bundle import write_tiny_bundle

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.serial,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

REQUESTS = 300
CLIENTS = 6
MANY_CLIENTS = 12


@pytest.fixture(scope="module")
def nodes_and_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RayNodes, LiveCluster, int]]:
    """Serve by two nodes with one core and one replica each; yield the second one's raylet too."""
    from tests.cluster.ray_cluster import short_folder

    bundles = tmp_path_factory.mktemp("bundles")
    write_tiny_bundle(bundles)
    with short_folder() as folder, first_node(folder, bundles) as (nodes, live):
        second = nodes.add_node(cores=1)
        deployed = nodes.deploy(ROOT / "docker/serve.yaml")
        assert deployed.returncode == 0, deployed.stderr
        wait(lambda: live.ask("GET", "/readyz").status == 200, "the replicas serve")
        yield nodes, live, second


def test_a_lost_node_fails_no_request(nodes_and_front: tuple[RayNodes, LiveCluster, int]) -> None:
    nodes, live, second = nodes_and_front
    wait(lambda: second in replicas_of("cat2dog").values(), "the second node has a replica")
    lost = {pid for pid, raylet in replicas_of("cat2dog").items() if raylet == second}
    replies = live.load(REQUESTS, CLIENTS, after=REQUESTS // 3, do=lambda: kill(second))
    assert statuses(replies) == {200: REQUESTS}
    wait(lambda: not lost & replicas_of("cat2dog").keys(), "the replica has ended with its node")
    third = nodes.add_node(cores=1)
    wait(lambda: third in replicas_of("cat2dog").values(), "a new node takes the lost replica")


def test_load_adds_replicas_where_there_are_cores(
    nodes_and_front: tuple[RayNodes, LiveCluster, int],
) -> None:
    nodes, live, _ = nodes_and_front
    replies: list[Reply] = []
    assert len(replicas_of("cat2dog")) == 2
    nodes.add_node(cores=1)

    def grows() -> bool:
        replies.extend(live.load(100, MANY_CLIENTS, after=1, do=lambda: None))
        return len(replicas_of("cat2dog")) == 3

    wait(grows, "a third replica runs", seconds=180)
    assert statuses(replies) == {200: len(replies)}


def test_a_changed_config_moves_the_replicas_to_half_a_gpu_each_and_fails_no_request(
    nodes_and_front: tuple[RayNodes, LiveCluster, int], tmp_path: Path
) -> None:
    nodes, live, _ = nodes_and_front
    config = yaml.safe_load((ROOT / "docker/serve.yaml").read_text())
    config["applications"][0]["args"] = {"replicas": 2, "replica_gpus": 0.5}
    changed = tmp_path / "serve.yaml"
    changed.write_text(yaml.safe_dump(config))
    before = replicas_of("cat2dog")
    replies: list[Reply] = []

    def replaced() -> bool:
        replies.extend(live.load(20, CLIENTS, after=1, do=lambda: None))
        now = replicas_of("cat2dog")
        return len(now) == 2 and not now.keys() & before.keys()

    assert nodes.deploy(changed).returncode == 0
    wait(replaced, "two new replicas are left", seconds=240)
    assert len(set(replicas_of("cat2dog").values())) == 1  # only the first node has a GPU
    assert statuses(replies) == {200: len(replies)}
