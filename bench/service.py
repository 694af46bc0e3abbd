"""The real server on a socket in a thread, a bundle and a picture, for the benchmarks of HTTP."""

from __future__ import annotations

import gc
import io
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from app.engine.local_engine import open_engine
from app.engine.runtime.runtime import open_runtime
from app.http.server.server import Server, open_socket
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from models.networks.config import GeneratorConfig
from models.networks.generator import Generator
from training.export.bundles import prepare_bundle
from training.methods.ugatit.translators import translator

DIRECTION = "noise2noise"


def write_random_bundle(folder: Path, *, size: int, channels: int) -> Path:
    """Write a bundle of the paper's light generator with random weights: as fast as a trained one."""
    torch.manual_seed(0)
    config = GeneratorConfig(size=size, channels=channels, light=True)
    return prepare_bundle(DIRECTION, translator(Generator(config))).write(folder)


def upload(side: int = 640) -> bytes:
    """Return a JPEG like a camera's: smooth, with some noise."""
    noise = np.random.default_rng(0).normal(0, 6, (side, side, 3))
    photo = np.clip(smooth_picture(side, side, seed=1) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=90)
    return file.getvalue()


class Service:
    """A server that is ready inside a `with` block."""

    def __init__(self, settings: Settings) -> None:
        self._listening = open_socket("127.0.0.1", 0)
        self.host, self.port = self._listening.getsockname()[:2]
        self._server = Server(settings, open_engine(settings, open_runtime(settings)))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})

    def __enter__(self) -> Service:
        gc.freeze()  # as `ugatit serve` does
        self._thread.start()
        self.connection = HTTPConnection(self.host, self.port, timeout=60)
        while self.ask("GET", "/readyz", b"", {})[0] != 200:
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Send one request on a kept connection; return its status and `Server-Timing`."""
        try:
            return self._send(method, path, body, headers)
        except ConnectionError:  # the service closes a connection that is idle for long
            self.connection.close()
            return self._send(method, path, body, headers)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, response.getheader("Server-Timing", "")
