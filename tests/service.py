"""The real service as a process of its own, on a free port."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import ROOT, environment

SHIPPED = ROOT / "bundles"


@contextmanager
def running_service(bundles: Path = SHIPPED, **settings: str) -> Iterator[str]:
    """The address of a service that is ready; stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        env=environment(
            UGATIT_PORT="0", UGATIT_BUNDLES_DIR=str(bundles), UGATIT_LOG_LEVEL="error", **settings
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = re.search(r"http://\S+", process.stdout.readline())
        assert told is not None, "the service did not start"
        _wait_until_ready(told[0])
        yield told[0]
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def _wait_until_ready(address: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=60):
                return
        except urllib.error.HTTPError as refusal:
            with refusal:
                problem = json.load(refusal)
            assert problem["detail"].startswith("Loading"), problem
        time.sleep(0.02)
