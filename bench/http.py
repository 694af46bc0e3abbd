"""What the HTTP path costs beside the model's run: a 640 px JPEG upload, every form of the answer.

    python -m bench.http [--size 256 --channels 64 --rounds 15 --json]

The model's own time is told by the server for each request (`Server-Timing`), so the rest of the same request
is what is measured: a noisy run of the model does not disturb it. The bare session runs in turn with them.
"""

from __future__ import annotations

import argparse
import http.client
import io
import re
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from app.engine.engine import open_engine
from app.engine.session import Session, open_runtime
from app.http.server import Server, open_socket
from app.settings import Settings
from bench.harness import alternate, report
from models.bundle.canary import smooth_picture
from models.bundle.files import read_bundle
from models.bundle.manifest import GENERATOR
from models.networks.config import GeneratorConfig
from models.networks.generator import Generator
from training.export.bundles import prepare_bundle

FORMS = ("image/jpeg", "image/png", "application/json")
LIMITS_PERCENT = {"image/jpeg": 3.0, "image/png": 5.0}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(Path(folder), arguments)
        settings = Settings(bundles_dir=Path(folder), port=0)
        session = open_runtime(settings).open(read_bundle(bundle).files[GENERATOR])
        with _Service(settings) as service:
            _measure(service, session, arguments)


def _measure(service: _Service, session: Session, arguments: argparse.Namespace) -> None:
    pixels = smooth_picture(arguments.size, arguments.size, seed=0)[None]
    overhead: dict[str, list[float]] = {form: [] for form in FORMS}
    upload = _upload()
    contenders: dict[str, Callable[[], object]] = {"bare session": lambda: session.run(pixels)}
    for form in FORMS:
        contenders[form] = partial(_ask_once, service, upload, form, overhead[form])
    samples = alternate(contenders, rounds=arguments.rounds)
    bare_ms = samples["bare session"].median * 1e3
    facts: dict[str, Any] = {"upload": f"640x640 JPEG of {len(upload):,} bytes"}
    for form, milliseconds in overhead.items():
        cost = median(milliseconds[-arguments.rounds :])
        limit = f", at most {LIMITS_PERCENT[form]:g} % wanted" if form in LIMITS_PERCENT else ""
        facts[f"{form} without the run"] = f"{cost:.1f} ms, {cost / bare_ms:.1%} of a bare run{limit}"
    title = f"POST /translate, {arguments.size} px, {arguments.channels} channels, CPU"
    report(title, samples, base="bare session", facts=facts, as_json=arguments.json)


def _ask_once(service: _Service, upload: bytes, form: str, overhead: list[float]) -> None:
    overhead.append(service.translate(upload, form))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON object with every sample")
    return parser.parse_args()


def _bundle(folder: Path, arguments: argparse.Namespace) -> Path:
    torch.manual_seed(0)
    config = GeneratorConfig(size=arguments.size, channels=arguments.channels, light=True)
    return prepare_bundle("noise2noise", Generator(config)).write(folder)


def _upload() -> bytes:
    noise = np.random.default_rng(0).normal(0, 6, (640, 640, 3))
    photo = np.clip(smooth_picture(640, 640, seed=1) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=90)
    return file.getvalue()


class _Service:
    """The real server on a real socket, in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._listening = open_socket("127.0.0.1", 0)
        self._server = Server(settings, open_engine(settings, open_runtime(settings)))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})

    def __enter__(self) -> _Service:
        self._thread.start()
        host, port = self._listening.getsockname()[:2]
        self._connection = http.client.HTTPConnection(host, port, timeout=60)
        while self._ask("GET", "/readyz", b"", {})[0] != 200:
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.leave()
        self._thread.join()

    def translate(self, upload: bytes, form: str) -> float:
        """Milliseconds of one whole request without the model's run."""
        started = time.perf_counter()
        headers = {"Content-Type": "image/jpeg", "Accept": form}
        path = (
            f"/translate?direction=noise2noise&format={'png' if 'json' in form else form.partition('/')[2]}"
        )
        status, timing = self._ask("POST", path, upload, headers)
        assert status == 200, status
        run = re.search(r"inference;dur=([\d.]+)", timing)
        assert run is not None
        return (time.perf_counter() - started) * 1e3 - float(run[1])

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        response.read()
        return response.status, response.getheader("Server-Timing", "")


if __name__ == "__main__":
    main()
