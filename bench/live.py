"""A live camera at the real service: its frames a second, and what it costs an ordinary client beside it.

    python -m bench.live [--rounds 4 --seconds 15 --pace 1 --json]

The live client is one browser: one frame in flight, a JPEG of the network's size, nothing stored. The
ordinary client sends a photo at an even pace, each measured from the time at which it was due; it has
another address. Rounds without and with the live client alternate, so both see the machine's other work.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from app.settings.settings import Settings
from bench.clients import Clients, Job, Result
from bench.service import Service, upload

BUNDLES = Path(__file__).parents[1] / "bundles"
DIRECTION = "selfie2anime"
FRAME_SIDE = 128
LIVE = f"/translate?direction={DIRECTION}&face=none&keep=false&format=jpeg"
ORDINARY = f"/translate?direction={DIRECTION}&face=none"
TARGET_RATE = 15


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        frame, photo = Path(folder, "frame"), Path(folder, "photo")
        frame.write_bytes(upload(FRAME_SIDE))
        photo.write_bytes(upload())
        settings = Settings(bundles_dir=BUNDLES, port=0)
        with Service(settings) as service, Clients() as live, Clients() as ordinary:
            ask = Job(service.host, service.port, LIVE, str(frame), "image/jpeg", 0)
            camera = replace(ask, clients=1, seconds=arguments.seconds, address="127.0.0.2")
            photos = round(arguments.seconds * arguments.pace)
            person = replace(
                ask, path=ORDINARY, file=str(photo), accept="application/json", pictures=photos,
                rate=arguments.pace,
            )  # fmt: skip
            found = _measure(live, ordinary, camera, person, rounds=arguments.rounds)
    print(
        json.dumps(found)
        if arguments.json
        else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def _measure(live: Clients, ordinary: Clients, camera: Job, person: Job, *, rounds: int) -> dict[str, Any]:
    live.run(replace(camera, seconds=2.0))  # warms up
    plain, heat, rates = list[Result](), list[Result](), list[Result]()
    alone, beside, used = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        began = time.process_time()
        plain.append(live.run(camera))
        used.append((time.process_time() - began) / len(plain[-1].seconds))
        heat.append(live.run(replace(camera, accept="application/json")))
        alone += ordinary.run(person).seconds
        running = threading.Thread(target=lambda: rates.append(live.run(camera)))
        running.start()
        beside += ordinary.run(person).seconds
        running.join()
    return {
        "load of the machine": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        f"frames a second, target {TARGET_RATE}": _rates(plain),
        "CPU time of the service for a frame": f"{1e3 * median(used):.0f} ms, of all its threads",
        "with the heat map": _rates(heat),
        "beside the ordinary client": _rates(rates),
        "ordinary client alone": _spread(alone),
        "ordinary client beside the live one": _spread(beside),
    }


def _rates(results: list[Result]) -> str:
    """Describe the frames a second of the rounds; the fastest frames in a row saw the least other work."""
    assert all(set(result.statuses) == {"200"} for result in results), [each.statuses for each in results]
    rates = [len(result.seconds) / result.span_seconds for result in results]
    fastest = max(map(_fastest, results))
    each = ", ".join(f"{rate:.1f}" for rate in rates)
    return f"{median(rates):.1f} ({each}); fastest {TARGET_RATE} frames in a row {fastest:.1f}"


def _fastest(result: Result) -> float:
    """Return the rate of the fastest frames in a row; the one client waits for every answer."""
    seconds = result.seconds
    starts = range(max(1, len(seconds) - TARGET_RATE + 1))
    return max(len(run) / sum(run) for run in (seconds[at : at + TARGET_RATE] for at in starts))


def _spread(seconds: list[float]) -> str:
    p95 = quantiles(seconds, n=20)[-1]
    return f"p50 {median(seconds) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms ({len(seconds)} requests)"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--pace", type=float, default=1, help="photos a second of the ordinary client")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
