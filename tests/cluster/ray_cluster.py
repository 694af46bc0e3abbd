"""A cluster of this test's own on Ray, with the models that the test chooses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.cluster import processes
from app.cluster.options import APPLICATION, ClusterOptions
from app.cluster.ray_head import answers, connect, free_port, head_command
from app.cluster.replica import Models, onnxruntime_models
from app.settings.settings import Settings, SettingsError
from tests.cluster.live_cluster import wait
from tests.fake_engine import FakeModel


def fake_models(_settings: Settings) -> Models:
    """Return a model that inverts pictures at once, for batches of one."""
    return Models([FakeModel().open], [1])


@contextmanager
def serving_cluster(
    settings: Settings,
    options: ClusterOptions,
    choose_models: Callable[[Settings], Models] = onnxruntime_models,
) -> Iterator[None]:
    """Deploy to the Ray that this process is connected to."""
    from ray import serve

    from app.cluster.application import cluster_application

    serve.start(proxy_location="Disabled")
    application = cluster_application(settings, options, choose_models)
    serve.run(application, name=APPLICATION, route_prefix=None)
    try:
        yield
    finally:
        serve.shutdown()


@contextmanager
def one_node(folder: Path) -> Iterator[str]:
    """Start Ray on one node and connect to it; return its address."""
    import ray

    port = free_port()
    head = processes.start(head_command(port, folder), folder / "ray.log", os.environ)
    try:
        wait(lambda: answers(port), "Ray answers")
        wait(lambda: _joins(f"127.0.0.1:{port}"), "the node has joined")
        yield f"127.0.0.1:{port}"
    finally:
        ray.shutdown()
        processes.stop(head, 20)


def _joins(address: str) -> bool:
    """Connect, unless the node has not joined its Ray yet: a busy machine needs longer than Ray waits."""
    try:
        connect(address)
    except SettingsError:
        return False
    return True


@contextmanager
def short_folder() -> Iterator[Path]:
    """Return a folder with a short path: Ray's sockets are below it."""
    with TemporaryDirectory(prefix="ugatit-", dir="/tmp") as folder:
        yield Path(folder)


def bundles_in(folder: Path) -> Settings:
    """Return settings with that folder of bundles."""
    return Settings(bundles_dir=folder, provider="cpu")
