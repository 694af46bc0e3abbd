"""The real server over a model of known duration, in its own process.

    python -m tests.load.service SECONDS

The model sleeps instead of computing, several pictures at a time as on a GPU. So its capacity is known and
hardly depends on the load of the machine, and the tests measure the service around it. Settings are read
from the environment. After SIGTERM it prints how many pictures its model translated.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.engine.local_engine import LocalEngine
from app.engine.runtime.session import Outputs, Pixels, StyleCodes
from app.http.server.server import Server, open_socket, url_of
from app.settings.load import load_settings
from tests.cli.command import ROOT, environment
from tests.fake_engine import FakeModel, fake_engine

RUN_SECONDS = 0.8
BATCH = 8
CAPACITY = BATCH / RUN_SECONDS
"""Pictures a second."""


class SleepingModel(FakeModel):
    """Sleeps before each run."""

    seconds = 0.0

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch."""
        time.sleep(self.seconds)
        return super().run(pixels, style)


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings()
    model = SleepingModel()
    listening = open_socket("127.0.0.1", 0)
    engine = fake_engine(settings, model, batch_sizes=list(range(1, BATCH + 1)))
    server = Server(settings, engine)
    print(url_of(listening), flush=True)
    asyncio.run(_serve(server, engine, listening, model))
    print(sum(model.batches), flush=True)


async def _serve(server: Server, engine: LocalEngine, listening: socket.socket, model: SleepingModel) -> None:
    startup = server.startup

    async def then_report(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets)
        await engine.wait_until_loaded()
        model.batches.clear()  # the canary's and the warm-up's
        model.seconds = float(sys.argv[1])
        print("ready", flush=True)

    server.startup = then_report  # type: ignore[method-assign]
    await server.serve(sockets=[listening])


class Service:
    """The process of a service."""

    def __init__(self, process: subprocess.Popen[str], host: str, port: int) -> None:
        self.process = process
        self.host = host
        self.port = port

    @property
    def memory_bytes(self) -> int:
        """The resident memory of the process."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def translated(self) -> int:
        """Wait for the end of the process; return how many pictures it translated."""
        output, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return int(output.split()[-1])


@contextmanager
def sleeping_service(folder: Path, *, seconds: float = RUN_SECONDS, **settings: str) -> Iterator[Service]:
    """Run a service that is ready."""
    variables = {"UGATIT_BUNDLES_DIR": str(folder / "bundles"), "UGATIT_LOG_LEVEL": "error"} | settings
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.load.service", str(seconds)],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        address = re.fullmatch(r"http://(.+):(\d+)\n", process.stdout.readline())
        assert address is not None, "the service did not start"
        assert process.stdout.readline() == "ready\n"
        yield Service(process, address[1], int(address[2]))
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    main()
