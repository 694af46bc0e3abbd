"""Measure the time of the HTTP path without the model run: a 640 px JPEG upload, every form of the answer.

    python -m bench.http [--size 256 --channels 64 --rounds 15 --json]

The server reports the time of each model run in `Server-Timing`. It is subtracted from the time of the same
request, so that a noisy model run does not change the result. Runs of the bare session alternate with the
requests.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from app.engine.directions.verification import open_generator
from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Model
from app.settings.settings import Settings
from bench.harness import alternate, report
from bench.service import DIRECTION, Service, upload, write_random_bundle
from models.bundle.canary import smooth_picture

FORMS = ("image/jpeg", "image/png", "application/json")
LIMITS_PERCENT = {"image/jpeg": 3.0, "image/png": 5.0}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        bundle = write_random_bundle(Path(folder), size=arguments.size, channels=arguments.channels)
        settings = Settings(bundles_dir=Path(folder), port=0)
        _, session = open_generator(bundle, open_runtime(settings).open)  # in the precision that serves
        with Service(settings) as service:
            _measure(service, session, arguments)


def _measure(service: Service, session: Model, arguments: argparse.Namespace) -> None:
    pixels = smooth_picture(arguments.size, arguments.size, seed=0)[None]
    overhead: dict[str, list[float]] = {form: [] for form in FORMS}
    picture = upload()
    contenders: dict[str, Callable[[], object]] = {"bare session": lambda: session.run(pixels)}
    for form in FORMS:
        contenders[form] = partial(_measure_request, service, picture, form, overhead[form])
    samples = alternate(contenders, rounds=arguments.rounds)
    bare_ms = samples["bare session"].median * 1e3
    facts: dict[str, Any] = {"upload": f"640x640 JPEG of {len(picture):,} bytes"}
    for form, milliseconds in overhead.items():
        cost = median(milliseconds[-arguments.rounds :])
        limit = f", limit {LIMITS_PERCENT[form]:g} %" if form in LIMITS_PERCENT else ""
        facts[f"{form} without the run"] = f"{cost:.1f} ms, {cost / bare_ms:.1%} of a bare run{limit}"
    title = f"POST /translate, {arguments.size} px, {arguments.channels} channels, CPU"
    report(title, samples, base="bare session", facts=facts, as_json=arguments.json)


def _measure_request(service: Service, picture: bytes, form: str, overhead: list[float]) -> None:
    overhead.append(_translate(service, picture, form))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return parser.parse_args()


def _translate(service: Service, picture: bytes, form: str) -> float:
    """Return the milliseconds of one request without its model run."""
    started = time.perf_counter()
    headers = {"Content-Type": "image/jpeg", "Accept": form}
    path = f"/translate?direction={DIRECTION}&format={'png' if 'json' in form else form.partition('/')[2]}"
    status, timing = service.ask("POST", path, picture, headers)
    assert status == 200, status
    run = re.search(r"inference;dur=([\d.]+)", timing)
    assert run is not None
    return (time.perf_counter() - started) * 1e3 - float(run[1])


if __name__ == "__main__":
    main()
