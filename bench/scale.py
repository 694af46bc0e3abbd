"""A cluster's throughput by the number of its replicas, and what the way to a replica costs.

    python -m bench.scale [--replicas 1 2 4 8 --pictures 40 --rounds 40 --json]

The models sleep instead of computing, so that replicas do not share this machine's cores: at N replicas the
cluster should translate N times as many pictures a second as at one, at least 0.9 N. The way to a replica is
the time of a picture of 256 px in the remote engine above that in the local one, with a model that returns at
once: in the messages of Ray's actors, as the service sends it, and by Serve's own gRPC calls.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.cluster import processes
from app.cluster.options import APPLICATION, ClusterOptions
from app.cluster.ray_head import answers, connect, free_port, head_command, serve_environment
from app.engine.interface import Engine
from app.settings.settings import Settings
from bench.harness import Samples, report
from bench.service import DIRECTION, upload, write_random_bundle

SLEEP_SECONDS: Final = 0.25
TARGET_SHARE: Final = 0.9
TARGET_HOP_MS: Final = 6.0
LOCAL, BY_RAY, BY_GRPC = "local engine", "cluster, by Ray", "cluster, by gRPC"


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ugatit-") as folder, _ray(Path(folder)):
        write_random_bundle(Path(folder), size=arguments.size, channels=8)
        settings = Settings(bundles_dir=Path(folder), provider="cpu", queue_size=64, intra_op_threads=1)
        with asyncio.Runner() as loop:  # one for all: Serve's router lives in that of its first call
            rates = {count: _rate(loop, settings, count, arguments.pictures) for count in arguments.replicas}
            samples = loop.run(_hop(settings, arguments.rounds))
    first = rates[min(rates)] / min(rates)
    hop_ms = {name: 1e3 * (samples[name].median - samples[LOCAL].median) for name in (BY_RAY, BY_GRPC)}
    facts: dict[str, Any] = {
        "pictures a second by replicas": {count: round(rate, 2) for count, rate in rates.items()},
        f"of N times one replica's, target {TARGET_SHARE:.0%}": {
            count: f"{rate / (count * first):.1%}" for count, rate in rates.items()
        },
        f"the way to a replica in ms, target {TARGET_HOP_MS:g}": {
            name: round(value, 2) for name, value in hop_ms.items()
        },
    }
    title = f"a picture of {arguments.size} px in an engine whose model returns at once"
    report(title, samples, base=LOCAL, facts=facts, as_json=arguments.json)


def _rate(loop: asyncio.Runner, settings: Settings, replicas: int, pictures: int) -> float:
    """Return the pictures a second of a cluster whose models sleep, with two clients for each replica."""
    with _serving(settings, ClusterOptions(replicas=replicas), SLEEP_SECONDS):
        return loop.run(_measure_rate(settings, replicas, pictures * replicas))


async def _measure_rate(settings: Settings, replicas: int, pictures: int) -> float:
    engine = _remote_engine(settings)
    await _load(engine, replicas)
    photo, places = upload(), asyncio.Semaphore(2 * replicas)

    async def one() -> None:
        async with places:
            await engine.translate(DIRECTION, photo)

    await asyncio.gather(*(one() for _ in range(2 * replicas)))  # every replica is reached once
    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(pictures)))
    seconds = time.perf_counter() - started
    engine.close()
    return pictures / seconds


async def _hop(settings: Settings, rounds: int) -> dict[str, Samples]:
    """Return the times of a picture in the local engine and in the remote one, in turn."""
    from app.engine.local_engine import LocalEngine
    from bench.replayed_model import replayed_models

    with _serving(settings, ClusterOptions(), 0):
        local = LocalEngine(settings, replayed_models(settings, seconds=0).open_models, batch_sizes=[1])
        remote, by_grpc = _remote_engine(settings), _remote_engine(settings)
        for engine in (local, remote, by_grpc):
            await _load(engine, 1)
        _send(by_grpc, by_reference=False)
        _send(remote, by_reference=True)
        photo = upload(256)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            name: partial(engine.translate, DIRECTION, photo)
            for name, engine in ((LOCAL, local), (BY_RAY, remote), (BY_GRPC, by_grpc))
        }
        samples = {name: Samples() for name in calls}
        for number in range(rounds + 3):
            for name, call in calls.items():
                started, cpu = time.perf_counter(), time.process_time()
                await call()
                if number >= 3:
                    samples[name].wall.append(time.perf_counter() - started)
                    samples[name].cpu.append(time.process_time() - cpu)
        for engine in (local, remote, by_grpc):
            engine.close()
        return samples


def _remote_engine(settings: Settings) -> Engine:
    from app.cluster.remote_engine import RemoteEngine

    return RemoteEngine(settings)


def _send(engine: Any, *, by_reference: bool) -> None:
    version = engine.directions[DIRECTION]._version
    version._handle = version._handle.options(_by_reference=by_reference)


async def _load(engine: Engine, replicas: int) -> None:
    """Start an engine, and wait until all replicas of the cluster run."""
    engine.start()
    await engine.wait_until_loaded()
    while (status := engine.status().directions[0]).permits < 64 * replicas:
        assert status.state.serves, status.reason
        await asyncio.sleep(0.2)


@contextmanager
def _serving(settings: Settings, options: ClusterOptions, seconds: float) -> Iterator[None]:
    from ray import serve

    from app.cluster.application import cluster_application
    from bench.replayed_model import replayed_models

    serve.start(proxy_location="Disabled")
    models = partial(replayed_models, seconds=seconds)
    serve.run(cluster_application(settings, options, models), name=APPLICATION, route_prefix=None)
    try:
        yield
    finally:
        serve.shutdown()


@contextmanager
def _ray(folder: Path) -> Iterator[None]:
    """Start Ray on one node and connect to it."""
    environment = serve_environment(secrets.token_hex(16)) | {"PYTHONPATH": str(Path(__file__).parents[1])}
    port = free_port()
    ray_folder = folder / "ray"
    ray_folder.mkdir()
    head = processes.start(head_command(port, ray_folder), folder / "ray.log", os.environ | environment)
    try:
        while not answers(port):
            assert processes.is_running(head), (folder / "ray.log").read_text()
            time.sleep(0.2)
        connect(f"127.0.0.1:{port}", environment)
        yield
    finally:
        processes.stop(head, 20)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--pictures", type=int, default=40, help="pictures for each replica")
    parser.add_argument("--rounds", type=int, default=40, help="pictures for the way to a replica")
    parser.add_argument("--json", action="store_true", help="print one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
