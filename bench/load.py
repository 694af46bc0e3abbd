"""The whole service under load against the bare model run in a loop, in turn in one process.

    python -m bench.load [--size 256 --channels 64 --pictures 20 --rounds 5 --json]

At capacity (a closed loop of a few clients) the service should translate as many pictures a second as the
session alone, although the clients and the rest of the service share the model's cores. Then an open loop at
a share of that rate shows how even the latencies are: requests are sent at an even pace without waiting for
earlier answers, and each latency is measured from the time at which the request was due.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from app.engine.directions.verification import open_generator
from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Model
from app.settings.settings import Settings
from bench.clients import Clients, Job, Result
from bench.harness import Samples, paired_ratio, report
from bench.service import DIRECTION, Service, upload, write_random_bundle
from models.bundle.canary import smooth_picture

TARGET_SHARE = 0.98
TARGET_P99 = 2.5
BARE, SERVICE = "bare session", "service at capacity"


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        bundle = write_random_bundle(Path(folder), size=arguments.size, channels=arguments.channels)
        picture = Path(folder, "upload")  # a file, so the service ignores it
        picture.write_bytes(upload())
        settings = Settings(bundles_dir=Path(folder), port=0)
        _, session = open_generator(bundle, open_runtime(settings).open)  # in the precision that serves
        with Service(settings) as service, Clients() as clients:
            path = f"/translate?direction={DIRECTION}"
            job = Job(service.host, service.port, path, str(picture), arguments.form, arguments.pictures)
            _measure(session, clients, job, arguments)


def _measure(session: Model, clients: Clients, job: Job, arguments: argparse.Namespace) -> None:
    job.clients = arguments.clients
    samples, results = _at_capacity(session, clients, job, arguments)
    shares = [1 / ratio for ratio in paired_ratio(samples[SERVICE], samples[BARE])]
    job.clients, job.rate = 0, arguments.load / samples[SERVICE].median
    job.pictures, job.poisson = arguments.open_pictures, arguments.poisson
    pace = clients.run(job)
    facts: dict[str, Any] = {
        "service's share of the session's throughput": f"{median(shares):.1%}, target {TARGET_SHARE:.0%}",
        "share of each round": [round(share, 3) for share in shares],
        "its stages": results[-1].stages_ms,
        f"latency at {arguments.load:.0%} load, {'random' if job.poisson else 'even'} pace": _spread(pace),
        "statuses": {"at capacity": [result.statuses for result in results], "open loop": pace.statuses},
    }
    title = f"POST /translate under load, {arguments.size} px, {arguments.channels} channels, a picture each"
    report(title, samples, base=BARE, facts=facts, as_json=arguments.json)


def _at_capacity(
    session: Model, clients: Clients, job: Job, arguments: argparse.Namespace
) -> tuple[dict[str, Samples], list[Result]]:
    """Measure the seconds a picture of both, in turn; the first round warms up."""
    samples, results = {BARE: Samples(), SERVICE: Samples()}, []
    pixels = smooth_picture(arguments.size, arguments.size, seed=0)[None]
    for index in range(1 + arguments.rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(job.pictures):
            session.run(pixels)
        bare = (time.perf_counter() - wall, time.process_time() - cpu)
        cpu = time.process_time()
        result = clients.run(job)
        served = (result.span_seconds, (time.process_time() - cpu) * job.pictures / result.requests)
        if index:
            results.append(result)
            for name, (wall, cpu) in {BARE: bare, SERVICE: served}.items():
                samples[name].wall.append(wall / job.pictures)
                samples[name].cpu.append(cpu / job.pictures)
    return samples, results


def _spread(result: Result) -> str:
    ordered = sorted(result.seconds)
    middle, p99 = median(ordered), ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    return (
        f"median {middle * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms: {p99 / middle:.2f} times, "
        f"target below {TARGET_P99:g} ({len(ordered)} requests)"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--clients", type=int, default=3, help="number of clients of the closed loop")
    parser.add_argument("--pictures", type=int, default=20, help="pictures of each round of the closed loop")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--load", type=float, default=0.7, help="rate of the open loop as a share of the capacity"
    )
    parser.add_argument("--open-pictures", type=int, default=300, help="requests of the open loop")
    parser.add_argument(
        "--poisson", action="store_true", help="send requests at random times instead of an even pace"
    )
    parser.add_argument("--form", default="image/jpeg", help="media type of the answers")
    parser.add_argument("--json", action="store_true", help="print one JSON object with every sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
